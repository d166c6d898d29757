package article

import (
	"encoding/json"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/butai-dev/butai/test/harness"
)

// customDomain makes the domain, leads it to the API's production stage once
// that is released, and asks it by name over HTTPS, trusting nothing but
// butai's own authority.
func customDomain(t *testing.T, s *harness.Server, released <-chan string) {
	harness.Tool(t, "curl")
	tf := s.Terraform(t, "testdata/names", nil)
	tf.Apply("-target=aws_api_gateway_domain_name.api1")
	api, ok := <-released
	if !ok {
		t.Skip("there was no release")
	}
	tf.Set(map[string]string{"api": api})
	tf.Apply()
	tf.PlanIsEmpty()

	ca := strings.TrimSpace(s.Run(t, "", harness.Binary(t), "ca", "--data-dir", s.DataDir))
	body, err := curl(t, s, ca, "api1.sample.example", "/user/abcdefgh", "-H", "Content-Type: application/json", "-d", `{"name": "Ada"}`)
	if err != nil {
		t.Fatalf("POST https://api1.sample.example/user/abcdefgh: %v: %s", err, body)
	}
	var got struct{ ID, Name, Table string }
	if err := json.Unmarshal([]byte(body), &got); err != nil || got.ID != "abcdefgh" || got.Name != "Ada" || got.Table != "example_user" {
		t.Errorf("POST https://api1.sample.example/user/abcdefgh: %s, want production's table", body)
	}
	// A wildcard certificate stands for one label.
	for _, host := range []string{"other.example", "a.api1.sample.example"} {
		if out, err := curl(t, s, ca, host, "/"); err == nil {
			t.Errorf("https://%s answered without a certificate for it: %s", host, out)
		}
	}
	if out, err := curl(t, s, "/dev/null", "api1.sample.example", "/"); err == nil {
		t.Errorf("a client that doesn't trust butai's authority got an answer: %s", out)
	}
}

// curl asks a host on the server's HTTPS listener, as if DNS led there.
func curl(t *testing.T, s *harness.Server, ca, host, path string, args ...string) (string, error) {
	t.Helper()
	secure, err := url.Parse(s.SecureURL)
	if err != nil {
		t.Fatal(err)
	}
	out, errText, err := s.Try("", "curl", append([]string{
		"-sS", "--fail-with-body", "--noproxy", "*", "--cacert", ca,
		"--connect-to", net.JoinHostPort(host, "443") + ":" + secure.Host, "https://" + host + path,
	}, args...)...)
	return out + errText, err
}

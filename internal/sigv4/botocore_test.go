package sigv4

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
)

// TestBotocore verifies requests signed by botocore, which does what the AWS
// CLI and boto3 do: awkward paths, duplicate and empty query keys, runs of
// spaces, session tokens, presigned URLs. It needs a Python with botocore.
func TestBotocore(t *testing.T) {
	t.Parallel()
	python := findBotocore(t)
	cmd := exec.CommandContext(t.Context(), python, "testdata/sign.py", "7", "600")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	v := verifier()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 600 {
		t.Fatalf("%d requests", len(lines))
	}
	for _, line := range lines {
		var c struct {
			Method, URL, Service, Key, Body string
			Headers                         map[string]string
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		target := strings.TrimPrefix(c.URL, "http://localhost:4566")
		r := httptest.NewRequest(c.Method, target, strings.NewReader(c.Body))
		r.Host = "localhost:4566"
		for name, value := range c.Headers {
			r.Header.Set(name, value)
		}
		id, err := v.Verify(r, []byte(c.Body), now)
		if err != nil || id.AccessKeyID != c.Key || id.Service != c.Service || id.Region != "eu-west-3" {
			t.Errorf("%s: %+v, %v", line, id, err)
		}
	}
}

func findBotocore(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"python3.11", "python3"} {
		if path, err := exec.LookPath(name); err == nil && exec.Command(path, "-c", "import botocore.auth").Run() == nil {
			return path
		}
	}
	t.Skip("no Python with botocore on PATH")
	return ""
}

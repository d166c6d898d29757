package terraform

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/sigv4"
	"github.com/butai-dev/butai/test/harness"
)

// newBackend is the host and port of an HTTP server that tells of the request that it got. Paths
// that end in "none" it doesn't know; /counted answers how often it was asked.
func newBackend(t *testing.T) string {
	t.Helper()
	var counted atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/counted" {
			fmt.Fprint(w, counted.Add(1))
			return
		}
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Server", "backend")
		if strings.HasSuffix(r.URL.Path, "none") {
			w.WriteHeader(http.StatusNotFound)
		}
		_ = json.NewEncoder(w).Encode(map[string]string{
			"verb": r.Method, "path": r.RequestURI, "host": r.Host, "agent": r.UserAgent(), "body": string(body), "edition": r.Header.Get("X-Edition"),
		})
	}))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}

// answer is what a client of the API gets.
type answer struct {
	status int
	header http.Header
	body   string
}

// invoke calls the stage live of an API.
func invoke(t *testing.T, s *harness.Server, api, verb, path, body string, headers ...string) answer {
	t.Helper()
	return invokeStage(t, s, api, "live", verb, path, body, headers...)
}

func invokeStage(t *testing.T, s *harness.Server, api, stage, verb, path, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequest(verb, s.API(api, stage)+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] != "" {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	return send(t, req)
}

// invokeSigned posts nothing, as the account's root user.
func invokeSigned(t *testing.T, url string) answer {
	t.Helper()
	req, err := http.NewRequest("POST", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	keys := sigv4.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}
	if err := sigv4.Sign(t.Context(), req, nil, keys, "execute-api", "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	return send(t, req)
}

func send(t *testing.T, req *http.Request) answer {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, strings.TrimSpace(string(text))}
}

// checkIntegrations calls each integration that Terraform made.
func checkIntegrations(t *testing.T, s *harness.Server, tf *harness.Terraform, host string) {
	t.Helper()
	api := tf.Output("integrations")
	for _, tt := range []struct{ verb, path, body, want string }{
		{"GET", "/http/a%20b", "", `{"agent":"AmazonAPIGateway_` + api + `","body":"","edition":"one","host":"` + host + `","path":"/items/a%20b","verb":"GET"}`},
		{"GET", "/http/none", "", `{"missing": "/items/none"}`},
		{"PUT", "/through/x/y?q=1", "hi", `{"agent":"test","body":"hi","edition":"","host":"` + host + `","path":"/x/y?q=1","verb":"PUT"}`},
		{"GET", "/private", "", `{"agent":"test","body":"","edition":"","host":"everything.example.com","path":"/private","verb":"GET"}`},
	} {
		if got := invoke(t, s, api, tt.verb, tt.path, tt.body, "User-Agent", "test"); got.body != tt.want {
			t.Errorf("%s %s: %d %s\nwant %s", tt.verb, tt.path, got.status, got.body, tt.want)
		}
	}
	checkServices(t, s, api)
	for i, want := range []string{"1", "1"} {
		if got := invoke(t, s, api, "GET", "/cached?q=a", ""); got.body != want {
			t.Errorf("cached request %d: got %s, want %s", i, got.body, want)
		}
	}
	for q, want := range map[string]string{"a&other=1": "1", "b": "2"} {
		if got := invoke(t, s, api, "GET", "/cached?q="+q, ""); got.body != want {
			t.Errorf("cached request for %s: got %s, want %s", q, got.body, want)
		}
	}
	if got := invokeStage(t, s, api, "canary", "GET", "/through/x", ""); got.status != 200 {
		t.Errorf("the canary's variable is not used: %d %s", got.status, got.body)
	}
	if from := invoke(t, s, api, "GET", "/http/1", "").header.Get("X-From"); from != "backend" {
		t.Errorf("mapped header is %q", from)
	}
}

// checkServices calls AWS services through the API, as the role that Terraform
// gave the integrations.
func checkServices(t *testing.T, s *harness.Server, api string) {
	t.Helper()
	const png = "\x89PNG\r\n\x1a\n\xff"
	made := invoke(t, s, api, "POST", "/notes", `{"owner": "ann", "text": "a \"quote\""}`, "Content-Type", "application/json")
	if made.status != 200 || !strings.HasPrefix(made.body, `{"id": "`) {
		t.Errorf("PutItem: %d %s", made.status, made.body)
	}
	for _, tt := range []struct {
		what, verb, path, body, contentType, accept string
		status                                      int
		want                                        string
	}{
		{"Query", "GET", "/notes?owner=ann", "", "", "", 200, `[{"text": "a "quote""}]`},
		{"Query without items", "GET", "/notes?owner=bob", "", "", "", 200, `[]`},
		{"a call the role may not make", "DELETE", "/notes", "", "", "", 400,
			`{"__type":"com.amazon.coral.service#AccessDeniedException","message":"User: arn:aws:sts::000000000000:assumed-role/integrations/BackplaneAssumeRoleSession ` +
				`is not authorized to perform: dynamodb:DeleteItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table/notes because no identity-based policy allows the dynamodb:DeleteItem action"}`},
		{"GetCallerIdentity", "GET", "/whoami", "", "", "", 200, "arn:aws:sts::000000000000:assumed-role/integrations/BackplaneAssumeRoleSession"},
		{"SendMessage", "POST", "/queue", "hello & goodbye", "", "", 200, "811ce9d59ce2bc337d4cdb1fe26dc1af"},
		{"PutObject", "PUT", "/file?key=a/b%20c.png", png, "image/png", "", 200, ""},
		{"GetObject", "GET", "/file?key=a/b%20c.png", "", "", "image/png", 200, strings.TrimSpace(png)},
		{"GetObject as text", "GET", "/file?key=a/b%20c.png", "", "", "text/plain", 200, "iVBORw0KGgr/"},
		{"PutObject of text", "PUT", "/file?key=t.txt", "text", "text/plain", "", 200, ""},
		{"GetObject of text", "GET", "/file?key=t.txt", "", "", "", 200, "text"},
	} {
		got := invoke(t, s, api, tt.verb, tt.path, tt.body, "Content-Type", tt.contentType, "Accept", tt.accept)
		if got.status != tt.status || got.body != tt.want {
			t.Errorf("%s: %d %s\nwant %d %s", tt.what, got.status, got.body, tt.status, tt.want)
		}
	}
	if got := invokeSigned(t, s.API(api, "live")+"/whoami"); got.body != "arn:aws:iam::000000000000:root" {
		t.Errorf("as the caller: %d %s", got.status, got.body)
	}
	missing := invoke(t, s, api, "GET", "/file?key=none", "")
	if missing.status != 404 || !strings.Contains(missing.body, "<Code>NoSuchKey</Code>") || missing.header.Get("Content-Type") != "application/xml" {
		t.Errorf("a missing object: %d %s", missing.status, missing.body)
	}
}

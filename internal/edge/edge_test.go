package edge

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// doors answers with the name of the door and what it was told.
type doors struct{ domain string }

func (d doors) ServeAPI(w http.ResponseWriter, r *http.Request, apiID, region, path string) {
	fmt.Fprintf(w, "gateway %s %s %s", apiID, region, path)
}

func (d doors) ServesDomain(host string) bool { return strings.HasPrefix(host, d.domain) }

func (d doors) ServeDomain(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "domain %s", r.Host)
}

func (d doors) ServeHTTP(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "api") }

func TestWhichDoor(t *testing.T) {
	t.Parallel()
	d := doors{domain: "api.example.com"}
	door := New(Config{API: d, Gateway: d})
	tests := []struct{ host, path, want string }{
		{"abc.execute-api.eu-west-1.amazonaws.com", "/prod/user/1", "gateway abc eu-west-1 /prod/user/1"},
		{"abc.execute-api.eu-west-1.amazonaws.com:4566", "/prod", "gateway abc eu-west-1 /prod"},
		{"abc.execute-api.cn-north-1.amazonaws.com.cn", "/prod", "gateway abc cn-north-1 /prod"},
		{"ABC.execute-api.localhost:4566", "/prod/a%2Fb/", "gateway abc  /prod/a%2Fb/"},
		{"abc.execute-api.localhost.localstack.cloud:4566", "/prod//x", "gateway abc  /prod//x"},
		{"abc.execute-api.localhost", "/_butai/health", "gateway abc  /_butai/health"},
		{"localhost:4566", "/_aws/execute-api/abc/prod/user/a%2Fb", "gateway abc  /prod/user/a%2Fb"},
		{"localhost:4566", "/_aws/execute-api/abc/prod", "gateway abc  /prod"},
		{"localhost:4566", "/_aws/execute-api/abc", "gateway abc  /"},
		{"localhost:4566", "/restapis/abc/prod/_user_request_/user/a%2Fb", "gateway abc  /prod/user/a%2Fb"},
		{"localhost:4566", "/restapis/abc/prod/_user_request_", "gateway abc  /prod"},
		{"localhost:4566", "/restapis/abc/prod/_user_request_/", "gateway abc  /prod/"},
		{"localhost:4566", "/restapis/abc/stages/prod", "api"},
		{"localhost:4566", "/restapis/abc/resources/x/_user_request_", "api"},
		{"localhost:4566", "/restapis/abc", "api"},
		{"localhost:4566", "/restapis", "api"},
		{"execute-api.us-east-1.amazonaws.com", "/prod", "api"},
		{"a.b.execute-api.us-east-1.amazonaws.com", "/prod", "api"},
		{"api.example.com:4566", "/restapis/abc", "domain api.example.com:4566"},
		{"localhost:4566", HealthPath, "{\"status\":\"ready\"}\n"},
		{"localhost:4566", "/", "api"},
	}
	for _, tt := range tests {
		r := httptest.NewRequest("GET", tt.path, nil)
		r.Host = tt.host
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		if got := w.Body.String(); got != tt.want {
			t.Errorf("%s %s: got %q, want %q", tt.host, tt.path, got, tt.want)
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	ready := false
	door := New(Config{API: doors{}, Gateway: doors{domain: "-"}, Ready: func() bool { return ready }})
	ask := func(verb string) int {
		w := httptest.NewRecorder()
		door.ServeHTTP(w, httptest.NewRequest(verb, HealthPath, nil))
		return w.Code
	}
	if got := ask("GET"); got != 503 {
		t.Errorf("before: %d", got)
	}
	ready = true
	if got := ask("GET"); got != 200 {
		t.Errorf("after: %d", got)
	}
	if got := ask("POST"); got != 405 {
		t.Errorf("POST: %d", got)
	}
}

// spy is a gateway that answers with the header names it sees.
type spy struct{ doors }

func (spy) ServeAPI(w http.ResponseWriter, r *http.Request, _, _, _ string) {
	body, _ := io.ReadAll(r.Body)
	fmt.Fprint(w, strings.Join(slices.Sorted(maps.Keys(r.Header)), " "), " ", len(body))
}

func TestClientSpelling(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := spy{doors{domain: "-"}}
	srv := &http.Server{Handler: New(Config{API: d, Gateway: d})}
	go srv.Serve(Listener(srv, l))
	t.Cleanup(func() { srv.Close() })
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	// All requests go over one connection, the bodies being larger than what
	// the server reads ahead.
	body := strings.Repeat("x-body: trap\r\n\r\n", 1000)
	for _, tt := range []struct{ headers, want string }{
		{"x-tenant: a\r\nX-Trace: b\r\n", "Content-Length X-Trace x-tenant 16000"},
		{"X-TENANT: a\r\nx-tenant: b\r\n", "Content-Length X-TENANT 16000"},
		{"X-Tenant: a\r\n", "Content-Length X-Tenant 16000"},
		{"accept: a\r\ncontent-type: text/plain\r\n", "Content-Length accept content-type 16000"},
		{"x-long: " + strings.Repeat("y", maxHead) + "\r\n", "Content-Length X-Long 16000"},
		{"x-tenant: a\r\n", "Content-Length x-tenant 16000"},
	} {
		fmt.Fprintf(conn, "POST /_aws/execute-api/abc/prod HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", tt.headers, len(body), body)
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(res.Body)
		if diff := cmp.Diff(tt.want, string(got)); diff != "" {
			t.Errorf("%.30q: -want +got\n%s", tt.headers, diff)
		}
	}
}

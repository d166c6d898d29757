package gateway

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/ca"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/wire"
)

// backend is a real HTTP server that remembers its last request.
type backend struct {
	*httptest.Server
	mu   sync.Mutex
	seen *http.Request
	body string
}

// newBackend answers every request with answer, which may be nil.
func newBackend(t testing.TB, answer http.HandlerFunc) *backend {
	t.Helper()
	b := &backend{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		b.mu.Lock()
		b.seen, b.body = r, string(body)
		b.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(b.Close)
	return b
}

// headers lists the names and values that the backend saw, those that differ
// between runs as names alone.
func (b *backend) headers() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var lines []string
	for name, values := range b.seen.Header {
		line := name + ": " + strings.Join(values, "|")
		if name == "X-Amzn-Trace-Id" || name == "X-Forwarded-Port" {
			line = name
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// httpMethod is a method with an HTTP integration; responses are added with
// respond, mappings are targets and sources in turn.
func httpMethod(kind, verb, uri string, mappings ...string) *apigatewayapi.Method {
	m := &apigatewayapi.Method{
		AuthorizationType: wire.Ptr("NONE"),
		MethodIntegration: &apigatewayapi.Integration{Type: wire.Ptr(kind), HttpMethod: wire.Ptr(verb), Uri: wire.Ptr(uri), RequestParameters: strs{}},
	}
	for i := 0; i < len(mappings); i += 2 {
		m.MethodIntegration.RequestParameters[mappings[i]] = mappings[i+1]
	}
	return m
}

// TestHTTPBackendHeaders has what recorded backends saw of a request.
func TestHTTPBackendHeaders(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ kind, want string }{
		{"HTTP", `Accept: application/json
Content-Length: 11
Content-Type: text/plain
Referer: mapped
User-Agent: AmazonAPIGateway_abcdefghij
X-Amzn-Apigateway-Api-Id: abcdefghij
X-Amzn-Trace-Id
X-Mapped: last`},
		{"HTTP_PROXY", `Accept-Encoding: br
Accept: text/html
Authorization: Bearer own
Content-Length: 11
Content-Type: text/plain
Referer: mapped
User-Agent: agent
X-Amzn-Apigateway-Api-Id: abcdefghij
X-Amzn-Trace-Id
X-Forwarded-For: 192.0.2.1
X-Forwarded-Port
X-Forwarded-Proto: http
X-Mapped: last
X-Two: first|last`},
	} {
		b := newBackend(t, nil)
		m := respond(httpMethod(tt.kind, "POST", b.URL+"/p",
			"integration.request.header.X-Mapped", "method.request.header.X-Two",
			"integration.request.header.X-Missing", "method.request.header.X-None",
			"integration.request.header.Referer", "'mapped'",
			"integration.request.header.TE", "'trailers'", "integration.request.header.Via", "'proxy'",
			"integration.request.header.Expect", "'x'", "integration.request.header.Proxy-Authenticate", "'x'"), "200", "", "")
		f := newFixture(t, nil, api{"POST /": m}.stage("s", nil))
		res := f.do(request("POST", "/s", "hello world", "Content-Type", "text/plain", "Accept", "text/html", "User-Agent", "agent", "Accept-Encoding", "br",
			"X-Two", "first", "X-Two", "last", "Authorization", "Bearer own", "Content-Encoding", "identity", "Via", "1.1 x", "Max-Forwards", "3", "Upgrade", "x"))
		if res.StatusCode != 200 {
			t.Fatalf("%s: %s", tt.kind, summary(t, res))
		}
		if diff := cmp.Diff(tt.want, b.headers()); diff != "" {
			t.Errorf("%s: -want +got\n%s", tt.kind, diff)
		}
		if host := strings.TrimPrefix(b.URL, "http://"); b.seen.Host != host {
			t.Errorf("%s: Host is %s, want %s", tt.kind, b.seen.Host, host)
		}
		if b.body != "hello world" {
			t.Errorf("%s: body is %q", tt.kind, b.body)
		}
		if trace := res.Header["X-Amzn-Trace-Id"] != nil; trace != (tt.kind == "HTTP") {
			t.Errorf("%s: answer has a trace id: %v", tt.kind, trace)
		}
	}
}

// TestIllegalMappings runs the recorded matrix of headers that may not be
// mapped to.
func TestIllegalMappings(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	always := []string{"Content-Length", "Transfer-Encoding", "X-Amzn-Trace-Id", "X-Amzn-Apigateway-Api-Id"}
	ofAWS := []string{"Authorization", "Connection", "Expect", "Proxy-Authenticate", "TE"}
	for _, kind := range []string{"MOCK", "AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY"} {
		for _, name := range append(append([]string{"X-Own"}, always...), ofAWS...) {
			m := httpMethod(kind, "POST", b.URL, "integration.request.header."+name, "'v'")
			switch {
			case strings.HasPrefix(kind, "AWS"):
				m.MethodIntegration.Uri = wire.Ptr(functionURI + "/invocations")
			case kind == "MOCK":
				m.MethodIntegration.RequestTemplates = strs{"application/json": `{"statusCode": 200}`}
			}
			f := newFixture(t, returns("{}"), api{"POST /": respond(m, "200", "", "")}.stage("s", nil))
			want := 200
			if slices.Contains(always, name) || strings.HasPrefix(kind, "AWS") && slices.Contains(ofAWS, name) {
				want = 500
			}
			res := f.do(request("POST", "/s", ""))
			if res.StatusCode != want {
				t.Errorf("%s, %s: %d, want %d", kind, name, res.StatusCode, want)
			}
		}
	}
}

// TestBackendAddress has what a backend is asked for.
func TestBackendAddress(t *testing.T) {
	t.Parallel()
	type c struct {
		kind, uri, target string
		mappings          []string
		want              string // verb and address; "" for a 500
	}
	id := []string{"integration.request.path.id", "method.request.path.id"}
	for _, tt := range []c{
		{"HTTP", "/items/{id}", "/s/x/7?q=1", id, "GET /items/7"},
		{"HTTP", "/items/{id}", "/s/x/a%2Fb%20c", id, "GET /items/a%2Fb%20c"},
		{"HTTP", "/items/{id}", "/s/x/7", nil, ""}, // never filled by itself
		{"HTTP", "/${stageVariables.v}/{id}", "/s/x/7", id, "GET /two/7"},
		{"HTTP", "/items", "/s/x/7?q=1&q=2&r=a%20b", []string{
			"integration.request.querystring.one", "method.request.querystring.q",
			"integration.request.querystring.all", "method.request.multivaluequerystring.q",
			"integration.request.querystring.r", "method.request.querystring.r",
			"integration.request.querystring.none", "method.request.querystring.none",
			"integration.request.querystring.fixed", "'a&b'",
			"integration.request.querystring.ctx", "context.httpMethod"}, "GET /items?all=1&all=2&ctx=GET&fixed=a%26b&one=2&r=a%20b"},
		{"HTTP", "/items?have=1", "/s/x/7?q=1", []string{"integration.request.querystring.q", "method.request.querystring.q"}, "GET /items?have=1&q=1"},
		{"HTTP_PROXY", "/items/{id}", "/s/x/7?q=1&q=2&a=b+c", id, "GET /items/7?q=1&q=2&a=b%20c"},
		{"HTTP_PROXY", "/items", "/s/x/7?q=1", []string{"integration.request.querystring.q", "'2'", "integration.request.querystring.n", "'3'"}, "GET /items?q=1&q=2&n=3"},
		{"HTTP_PROXY", "/{proxy}", "/s/g/a/b%2Fc/d", []string{"integration.request.path.proxy", "method.request.path.proxy"}, "GET /a/b%2Fc/d"},
	} {
		b := newBackend(t, nil)
		m := respond(httpMethod(tt.kind, "ANY", b.URL+tt.uri, tt.mappings...), "200", "", "")
		f := newFixture(t, nil, api{"GET /x/{id}": m, "ANY /g/{proxy+}": m}.stage("s", strs{"v": "two"}))
		res := f.do(request("GET", tt.target, ""))
		got := ""
		if b.seen != nil {
			got = b.seen.Method + " " + b.seen.RequestURI
		}
		if got != tt.want || (res.StatusCode == 500) != (tt.want == "") {
			t.Errorf("%s %s %s: %d, got %s, want %s", tt.kind, tt.uri, tt.target, res.StatusCode, got, tt.want)
		}
	}
}

// TestRequestOverrides lets a template set what mappings set.
func TestRequestOverrides(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	m := respond(httpMethod("HTTP", "PUT", b.URL+"/{id}", "integration.request.path.id", "'mapped'", "integration.request.header.X-A", "'mapped'"), "200", "", "")
	m.MethodIntegration.RequestTemplates = strs{"application/json": `#set($context.requestOverride.path.id = "over")` +
		`#set($context.requestOverride.header.X-A = "over")#set($context.requestOverride.querystring.q = ["1", "2"])body`}
	f := newFixture(t, nil, api{"POST /": m}.stage("s", nil))
	f.do(request("POST", "/s", "{}"))
	if got := b.seen.Method + " " + b.seen.RequestURI + " " + b.seen.Header.Get("X-A") + " " + b.body; got != "PUT /over?q=1&q=2 over body" {
		t.Errorf("got %s", got)
	}
}

func TestHTTPAnswers(t *testing.T) {
	t.Parallel()
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["X-One"], h["x-amzn-requestid"], h["Server"], h["Via"] = []string{"1", "2"}, []string{"theirs"}, []string{"own"}, []string{"v"}
		h["Www-Authenticate"], h["Date"] = []string{"Basic"}, nil
		status := 200
		if _, err := fmt.Sscanf(r.URL.Path, "/%d", &status); err == nil && status/100 == 3 {
			h.Set("Location", "/200")
		}
		if r.URL.Path == "/gzip" {
			h.Set("Content-Encoding", "gzip")
			var out bytes.Buffer
			z := gzip.NewWriter(&out)
			_, _ = io.WriteString(z, "plain")
			_ = z.Close()
			_, _ = w.Write(out.Bytes())
			return
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"status": `+fmt.Sprint(status)+`}`)
	})
	path := []string{"integration.request.path.p", "method.request.path.p"}
	m := httpMethod("HTTP", "GET", b.URL+"/{p}", path...)
	respond(m, "200", "", "", "method.response.header.X-Last", "integration.response.header.X-One",
		"method.response.header.X-All", "integration.response.multivalueheader.X-One",
		"method.response.header.WWW-Authenticate", "integration.response.header.WWW-Authenticate",
		"method.response.header.X-Status", "integration.response.body.status")
	respond(m, "404", `4\d{2}`, `[$input.path('$.status')]`)
	respond(m, "502", `5\d{2}`, "broken")
	proxy := httpMethod("HTTP_PROXY", "GET", b.URL+"/{p}", path...)
	f := newFixture(t, nil, api{"GET /h/{p}": m, "GET /p/{p}": proxy}.stage("s", nil))
	for target, want := range map[string]string{
		"/s/h/200":  `200 X-All=1,2 X-Last=2 X-Status=200 x-amzn-Remapped-WWW-Authenticate=Basic {"status": 200}`,
		"/s/h/403":  `404 [403]`,
		"/s/h/500":  `502 broken`,
		"/s/h/302":  `200 X-All=1,2 X-Last=2 X-Status=302 x-amzn-Remapped-WWW-Authenticate=Basic {"status": 302}`,
		"/s/p/201":  `201 Content-Type=text/plain; charset=utf-8 Www-Authenticate=Basic X-One=1|2 x-amzn-Remapped-Content-Length=15 x-amzn-Remapped-Server=own x-amzn-Remapped-x-amzn-RequestId=theirs {"status": 201}`,
		"/s/p/302":  `302 Content-Type=text/plain; charset=utf-8 Location=/200 Www-Authenticate=Basic X-One=1|2 x-amzn-Remapped-Content-Length=15 x-amzn-Remapped-Server=own x-amzn-Remapped-x-amzn-RequestId=theirs {"status": 302}`,
		"/s/p/gzip": `200 Www-Authenticate=Basic X-One=1|2 x-amzn-Remapped-Content-Length=29 x-amzn-Remapped-Server=own x-amzn-Remapped-x-amzn-RequestId=theirs plain`,
	} {
		if got := summary(t, f.do(request("GET", target, ""))); got != want {
			t.Errorf("%s:\n got %s\nwant %s", target, got, want)
		}
	}
}

func TestBackendFailures(t *testing.T) {
	t.Parallel()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + gone.Addr().String()
	_ = gone.Close()
	release := make(chan struct{})
	slow := newBackend(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	large := newBackend(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, maxPayload+1)) })
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it hears of refused handshakes
	secure.StartTLS()
	t.Cleanup(secure.Close)
	const config = "Execution failed due to configuration error: "
	for _, tt := range []struct{ uri, want, log string }{
		{nobody, `504 {"message": "Network error communicating with endpoint"}`, "Execution failed due to a network error communicating with endpoint"},
		{slow.URL, `504 {"message": "Endpoint request timed out"}`, "Execution failed due to a timeout error"},
		{large.URL, `500 {"message": "Internal server error"}`, "Execution failed due to an integration response of more than 10485760 bytes"},
		{"http://no.such.host.invalid", `500 {"message": "Internal server error"}`, config + "Invalid endpoint address"},
		{"http://${stageVariables.none}", `500 {"message": "Internal server error"}`, config + "Invalid endpoint address"},
		{slow.URL + "/{id}", `500 {"message": "Internal server error"}`, config + "Illegal character in path at index 23: " + slow.URL + "/{id}"},
		{secure.URL, `500 {"message": "Internal server error"}`, config + "PKIX path building failed: " +
			"sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid certification path to requested target"},
	} {
		m := httpMethod("HTTP_PROXY", "GET", tt.uri)
		m.MethodIntegration.TimeoutInMillis = wire.Ptr[int64](10_000)
		if tt.uri == slow.URL {
			m.MethodIntegration.TimeoutInMillis = wire.Ptr[int64](60)
		}
		s := api{"GET /": m}.stage("s", nil)
		s.Stage.MethodSettings = map[string]apigatewayapi.MethodSetting{"*/*": {LoggingLevel: wire.Ptr("ERROR")}}
		f := newFixture(t, nil, s)
		if got := summary(t, f.do(request("GET", "/s", ""))); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.uri, got, tt.want)
		}
		lines := f.logs.group("API-Gateway-Execution-Logs_" + testAPI + "/s")
		if len(lines) != 2 || !strings.HasSuffix(lines[0], ") "+tt.log) {
			t.Errorf("%s: log is %q, want %q", tt.uri, lines, tt.log)
		}
	}
}

// TestTLSVerification lets an integration trust anybody.
func TestTLSVerification(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "secret") }))
	t.Cleanup(secure.Close)
	m := httpMethod("HTTP_PROXY", "GET", secure.URL)
	m.MethodIntegration.TlsConfig = &apigatewayapi.TlsConfig{InsecureSkipVerification: wire.Ptr(true)}
	f := newFixture(t, nil, api{"GET /": m}.stage("s", nil))
	if got := bodyOf(t, f.do(request("GET", "/s", ""))); got != "secret" {
		t.Errorf("got %s", got)
	}
}

// TestConnectionsAreKept counts the connections of requests in a row.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	opened := 0
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		if s == http.StateNew {
			opened++
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	f := newFixture(t, nil, api{"GET /": httpMethod("HTTP_PROXY", "GET", srv.URL)}.stage("s", nil))
	for range 20 {
		f.do(request("GET", "/s", ""))
	}
	mu.Lock()
	defer mu.Unlock()
	if opened != 1 {
		t.Errorf("20 requests opened %d connections", opened)
	}
}

// TestVPCLink leads an integration through a link to a local address.
func TestVPCLink(t *testing.T) {
	t.Parallel()
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host+r.RequestURI) })
	target, err := url.Parse(b.URL)
	if err != nil {
		t.Fatal(err)
	}
	m := httpMethod("HTTP_PROXY", "GET", "http://lb.example.com/x")
	m.MethodIntegration.ConnectionType, m.MethodIntegration.ConnectionId = wire.Ptr("VPC_LINK"), wire.Ptr("${stageVariables.link}")
	s := api{"GET /": m}.stage("s", strs{"link": "abc123"})
	link := apigatewayapi.VpcLink{Id: wire.Ptr("abc123"), Name: wire.Ptr("mine"), Status: wire.Ptr("AVAILABLE"), TargetArns: []string{"arn:lb"}}
	s.VPCLinks = map[string]apigatewayapi.VpcLink{"abc123": link}
	m.MethodIntegration.IntegrationTarget = wire.Ptr("arn:alb") // as links of the second API have it
	for _, key := range []string{"abc123", "mine", "arn:lb", "arn:alb"} {
		f := newFixture(t, nil)
		f.backends.links = map[string]*url.URL{key: target}
		if err := f.PublishStage(s); err != nil {
			t.Fatal(err)
		}
		if got := bodyOf(t, f.do(request("GET", "/s", ""))); got != "lb.example.com/x" {
			t.Errorf("by %s: %s", key, got)
		}
	}
	f := newFixture(t, nil, s)
	if got := summary(t, f.do(request("GET", "/s", ""))); !strings.HasPrefix(got, "501 ") || !strings.Contains(got, "--vpc-link mine=http://host:port") {
		t.Errorf("a link that leads nowhere: %s", got)
	}
	s.VPCLinks = nil
	f = newFixture(t, nil, s)
	if res := f.do(request("GET", "/s", "")); res.StatusCode != 500 {
		t.Errorf("a link that does not exist: %d", res.StatusCode)
	}
}

// TestHTTPTimeoutBoundsBodies keeps a backend that dribbles from holding a
// request.
func TestHTTPTimeoutBoundsBodies(t *testing.T) {
	t.Parallel()
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, "x")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	})
	m := httpMethod("HTTP_PROXY", "GET", b.URL)
	m.MethodIntegration.TimeoutInMillis = wire.Ptr[int64](80)
	f := newFixture(t, nil, api{"GET /": m}.stage("s", nil))
	if res := f.do(request("GET", "/s", "")); res.StatusCode != 504 {
		t.Errorf("got %d", res.StatusCode)
	}
}

// TestBackendContentHandling runs the guide's table with what a backend of a
// given type answers (recorded with S3).
func TestBackendContentHandling(t *testing.T) {
	t.Parallel()
	const raw, text = "\xffa", "/2E=" // text is the base64 of raw
	for _, tt := range []struct{ kind, contentType, body, accept, handling, template, want string }{
		{"HTTP", "image/png", raw, "image/png", "", "", raw},
		{"HTTP", "image/png", raw, "text/plain", "", "", text},
		{"HTTP", "image/png", raw, "image/png", "CONVERT_TO_TEXT", "", text},
		{"HTTP", "image/png", raw, "text/plain", "CONVERT_TO_BINARY", "", raw},
		{"HTTP", "image/png", raw, "text/plain", "", "[$input.body]", "[" + text + "]"},
		{"HTTP", "image/png", raw, "image/png", "", "[$input.body]", `{"message": "Internal server error"}`},
		{"HTTP", "text/plain", raw, "text/plain", "", "", "\ufffda"},
		{"HTTP", "text/plain", raw, "image/png", "CONVERT_TO_TEXT", "", "\ufffda"},
		{"HTTP", "text/plain", text, "image/png", "", "", raw},
		{"HTTP", "text/plain", text, "text/plain", "CONVERT_TO_BINARY", "", raw},
		{"HTTP", "text/plain", text, "text/plain", "", "", text},
		{"HTTP", "text/plain", "no base64", "image/png", "", "", `{"message": "Internal server error"}`},
		{"HTTP_PROXY", "image/png", raw, "image/png", "", "", raw},
		{"HTTP_PROXY", "image/png", raw, "text/plain", "", "", text},
		{"HTTP_PROXY", "text/plain", raw, "image/png", "", "", "\ufffda"},
	} {
		b := newBackend(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", tt.contentType)
			_, _ = io.WriteString(w, tt.body)
		})
		m := respond(httpMethod(tt.kind, "GET", b.URL), "200", "", tt.template)
		if tt.handling != "" {
			r := m.MethodIntegration.IntegrationResponses["200"]
			r.ContentHandling = wire.Ptr(tt.handling)
			m.MethodIntegration.IntegrationResponses["200"] = r
		}
		s := api{"GET /": m}.stage("s", nil)
		s.Deployment.API.BinaryMediaTypes = []string{"image/png"}
		f := newFixture(t, nil, s)
		if got := bodyOf(t, f.do(request("GET", "/s", "", "Accept", tt.accept))); got != tt.want {
			t.Errorf("%+v: got %q", tt, got)
		}
	}
}

// TestIntegrationGatewayResponses customises the answers to backends that
// fail.
func TestIntegrationGatewayResponses(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	slow := newBackend(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	silent := httpMethod("HTTP_PROXY", "GET", slow.URL)
	silent.MethodIntegration.TimeoutInMillis = wire.Ptr[int64](60)
	s := api{"GET /slow": silent, "GET /gone": httpMethod("HTTP_PROXY", "GET", "http://127.0.0.1:1"), "GET /bad": httpMethod("HTTP_PROXY", "GET", "http://")}.stage("s", nil)
	for kind, code := range map[string]string{"INTEGRATION_TIMEOUT": "598", "INTEGRATION_FAILURE": "597", "DEFAULT_5XX": "596"} {
		s.Deployment.GatewayResponses = append(s.Deployment.GatewayResponses, apigatewayapi.GatewayResponse{
			ResponseType: wire.Ptr(kind), StatusCode: wire.Ptr(code), ResponseTemplates: strs{"application/json": `$context.error.responseType: $context.error.message`}})
	}
	f := newFixture(t, nil, s)
	for target, want := range map[string]string{
		"/s/slow": "598 INTEGRATION_TIMEOUT: Endpoint request timed out",
		"/s/gone": "597 INTEGRATION_FAILURE: Network error communicating with endpoint",
		"/s/bad":  "596 API_CONFIGURATION_ERROR: Internal server error",
	} {
		if got := summary(t, f.do(request("GET", target, ""))); got != want {
			t.Errorf("%s: got %s, want %s", target, got, want)
		}
	}
}

// TestClientCertificate shows a backend the stage's certificate.
func TestClientCertificate(t *testing.T) {
	t.Parallel()
	authority := ca.New(t.TempDir(), clock.NewFake(time.Now()))
	cert, key, _, err := authority.ClientCertificate()
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(cert)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	srv.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: trusted}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	m := httpMethod("HTTP_PROXY", "GET", srv.URL)
	m.MethodIntegration.TlsConfig = &apigatewayapi.TlsConfig{InsecureSkipVerification: wire.Ptr(true)}
	s := api{"GET /": m}.stage("s", nil)
	f := newFixture(t, nil, s)
	if res := f.do(request("GET", "/s", "")); res.StatusCode != 504 {
		t.Errorf("without a certificate: %d", res.StatusCode)
	}
	s.ClientCertificate = &ClientCertificate{ID: "abc123", Certificate: string(cert), PKCS8: string(key)}
	if err := f.PublishStage(s); err != nil {
		t.Fatal(err)
	}
	if got := summary(t, f.do(request("GET", "/s", ""))); !strings.HasSuffix(got, " ApiGateway") {
		t.Errorf("with one: %s", got)
	}
}

// TestHeaderLinesStayWhole keeps values from a body from adding headers.
func TestHeaderLinesStayWhole(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	const mapping, source = "integration.request.header.X-A", "method.request.body.a"
	backend := respond(httpMethod("HTTP", "POST", b.URL, mapping, source), "200", "", "")
	service := respond(serviceMethod("POST", "dynamodb:action/GetItem", mapping, source), "200", "", "")
	f := newFixture(t, nil)
	s := &services{}
	f.backends.services = s
	if err := f.PublishStage(api{"POST /backend": backend, "POST /service": service}.stage("s", nil)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/s/backend", "/s/service"} {
		for body, want := range map[string]int{`{"a": "x\ty"}`: 200, `{"a": "x\r\nX-B: y"}`: 500, `{"a": "x\u0000"}`: 500} {
			if res := f.do(request("POST", path, body)); res.StatusCode != want {
				t.Errorf("%s %s: %d, want %d", path, body, res.StatusCode, want)
			}
		}
	}
}

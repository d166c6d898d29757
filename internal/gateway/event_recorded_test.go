package gateway

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/butai-dev/butai/internal/wire"
)

// TestRecordedPaths has what recorded functions behind a proxy were told of
// the paths and query strings of their requests.
func TestRecordedPaths(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ sent, path, context, proxy, query, multi string }{
		{"/stage/proxy-value", "/proxy-value", "/stage/proxy-value", "proxy-value", "null", "null"},
		{"/stage/proxy-value/", "/proxy-value/", "/stage/proxy-value/", "proxy-value", "null", "null"},
		{"/stage/proxy-value//double-slash", "/proxy-value//double-slash", "/stage/proxy-value//double-slash", "proxy-value//double-slash", "null", "null"},
		{"//stage/proxy-value", "/proxy-value", "/stage/proxy-value", "proxy-value", "null", "null"},
		{"/stage//proxy-value", "/proxy-value", "/stage//proxy-value", "proxy-value", "null", "null"},
		{"/stage//hardcoded", "/hardcoded", "/stage//hardcoded", "", "null", "null"},
		{"/stage/proxy-value?urlparam=test", "/proxy-value", "/stage/proxy-value", "proxy-value", `{"urlparam":"test"}`, `{"urlparam":["test"]}`},
		{"/stage/proxy-value/?urlparam=test", "/proxy-value/", "/stage/proxy-value/", "proxy-value", `{"urlparam":"test"}`, `{"urlparam":["test"]}`},
		{"/stage/proxy-value/api/user/test%2Balias@gmail.com/plus/test+alias@gmail.com", "/proxy-value/api/user/test%2Balias@gmail.com/plus/test+alias@gmail.com",
			"/stage/proxy-value/api/user/test%2Balias@gmail.com/plus/test+alias@gmail.com", "proxy-value/api/user/test%2Balias@gmail.com/plus/test+alias@gmail.com", "null", "null"},
		{"/stage/proxy-value/api?dateTimeOffset=2023-06-12T18:05:10.123456+00:00&email=test%2Balias@gmail.com&plus=test+alias@gmail.com&url=https://www.google.com/&whitespace=foo%20bar&zhash=abort/",
			"/proxy-value/api", "/stage/proxy-value/api", "proxy-value/api",
			`{"dateTimeOffset":"2023-06-12T18:05:10.123456 00:00","email":"test+alias@gmail.com","plus":"test alias@gmail.com","url":"https://www.google.com/","whitespace":"foo bar","zhash":"abort/"}`,
			`{"dateTimeOffset":["2023-06-12T18:05:10.123456 00:00"],"email":["test+alias@gmail.com"],"plus":["test alias@gmail.com"],"url":["https://www.google.com/"],"whitespace":["foo bar"],"zhash":["abort/"]}`},
		{"/stage/proxy-value?category=electronics&category=books&price=10&price=20&price=30", "/proxy-value", "/stage/proxy-value", "proxy-value",
			`{"category":"books","price":"30"}`, `{"category":["electronics","books"],"price":["10","20","30"]}`},
	} {
		f := newFixture(t, returns(`{}`), api{"ANY /{proxy+}": proxyMethod(), "ANY /hardcoded": proxyMethod()}.stage("stage", strs{"stage": "x"}))
		path, query, _ := strings.Cut(tt.sent, "?")
		r := httptest.NewRequest("GET", "/", nil)
		r.URL = &url.URL{Path: path, RawQuery: query}
		f.ServeAPI(httptest.NewRecorder(), r, testAPI, "", path)
		var event struct {
			Path           string
			PathParameters map[string]string
			Query          json.RawMessage `json:"queryStringParameters"`
			Multi          json.RawMessage `json:"multiValueQueryStringParameters"`
			RequestContext struct{ Path string }
		}
		if err := json.Unmarshal(f.fn.last(t).Payload, &event); err != nil {
			t.Fatal(err)
		}
		got := []string{event.Path, event.RequestContext.Path, event.PathParameters["proxy"], string(event.Query), string(event.Multi)}
		if diff := cmp.Diff([]string{tt.path, tt.context, tt.proxy, tt.query, tt.multi}, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", tt.sent, diff)
		}
	}
}

// TestRecordedSpelling: names reach functions as clients spell them, but for
// three; mappings change nothing.
func TestRecordedSpelling(t *testing.T) {
	t.Parallel()
	m := proxyMethod()
	m.MethodIntegration.RequestParameters = strs{"integration.request.header.headerVar": "method.request.header.foobar",
		"integration.request.querystring.queryString": "method.request.querystring.testQueryString", "integration.request.path.pathVar": "method.request.path.id"}
	f := newFixture(t, returns(`{}`), api{"ANY /{id}": m}.stage("s", strs{"stage": "x"}))
	f.do(request("GET", "/s/1?testQueryString=foo", "", "tEsT-HEADeR", "aValUE", "aUThorization", "Bearer token123;API key456", "user-Agent", "test",
		"headerVar", "request-value", "foobar", "mapped-value"))
	var event struct {
		Headers map[string]string
		Query   map[string]string `json:"queryStringParameters"`
	}
	if err := json.Unmarshal(f.fn.last(t).Payload, &event); err != nil {
		t.Fatal(err)
	}
	delete(event.Headers, "X-Amzn-Trace-Id")
	want := map[string]string{"tEsT-HEADeR": "aValUE", "Authorization": "Bearer token123;API key456", "User-Agent": "test", "headerVar": "request-value", "foobar": "mapped-value",
		"Host": "example.com", "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Port": "80", "X-Forwarded-Proto": "http"}
	if diff := cmp.Diff(want, event.Headers); diff != "" || len(event.Query) != 1 {
		t.Errorf("query %v, headers: -want +got\n%s", event.Query, diff)
	}
}

// TestRecordedContext has the keys of $context and their order; what has no
// value prints nothing, and groups print nothing as a whole.
func TestRecordedContext(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ template, want string }{
		{`$context.keySet()`, `[resourceId, resourcePath, httpMethod, extendedRequestId, requestTime, path, accountId, protocol, requestOverride, stage, ` +
			`domainPrefix, requestTimeEpoch, requestId, identity, domainName, deploymentId, responseOverride, apiId]`},
		{`$context.identity.keySet()`, `[cognitoIdentityPoolId, accountId, cognitoIdentityId, caller, sourceIp, principalOrgId, accessKey, ` +
			`cognitoAuthenticationType, cognitoAuthenticationProvider, userArn, userAgent, user]`},
		{`[$context.identity.userArn|$context.identity|$context.requestOverride|$context.responseOverride]`, `[|||]`},
		{`#foreach($k in $context.identity.keySet())$k=$context.identity.get($k);#end`,
			`cognitoIdentityPoolId=;accountId=;cognitoIdentityId=;caller=;sourceIp=192.0.2.1;principalOrgId=;accessKey=;` +
				`cognitoAuthenticationType=;cognitoAuthenticationProvider=;userArn=;userAgent=agent;user=;`},
	} {
		f := newFixture(t, nil, api{"GET /": respond(mockMethod(`{"statusCode": 200}`), "200", "", tt.template)}.stage("s", nil))
		if got := bodyOf(t, f.do(request("GET", "/s", "", "User-Agent", "agent"))); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.template, got, tt.want)
		}
	}
}

// TestRecordedTraceIDs has which answers carry a trace id, and of what it is
// made: the client's own, with what that lacks.
func TestRecordedTraceIDs(t *testing.T) {
	t.Parallel()
	const root, parent = "Root=1-3152b799-8954dae64eda91bc9a23a7e8", "Parent=7fa8c0f79203be72"
	b := newBackend(t, nil)
	s := api{
		"GET /mock": respond(mockMethod(`{"statusCode": 200}`), "200", "", ""), "GET /proxy": proxyMethod(),
		"GET /function": respond(lambdaMethod(nil), "200", "", ""), "GET /http": respond(httpMethod("HTTP", "GET", b.URL), "200", "", ""),
		"GET /http_proxy": httpMethod("HTTP_PROXY", "GET", b.URL),
	}.stage("s", strs{"stage": "x"})
	f := newFixture(t, returns(`{}`), s)
	for _, tt := range []struct{ path, sent, prefix string }{ // prefix "" is no trace id at all
		{"mock", "", ""},
		{"mock", root + ";" + parent + ";Sampled=1", ""},
		{"http_proxy", "", ""},
		{"http", "", "Root=1-"},
		{"function", "", "Root=1-"},
		{"proxy", "", "Root=1-"},
		{"proxy", root + ";" + parent + ";Sampled=1", root + ";" + parent + ";Sampled=1;"},
		{"proxy", root, root + ";Parent="},
	} {
		var headers []string
		if tt.sent != "" {
			headers = []string{"X-Amzn-Trace-Id", tt.sent}
		}
		res := f.do(request("GET", "/s/"+tt.path, "", headers...))
		got := strings.Join(res.Header["X-Amzn-Trace-Id"], "")
		if !strings.HasPrefix(got, tt.prefix) || (got == "") != (tt.prefix == "") {
			t.Errorf("%s, %q: got %q", tt.path, tt.sent, got)
		}
		if contentType := res.Header["Content-Type"]; len(contentType) != 1 || contentType[0] != applicationJSON {
			t.Errorf("%s without a body: Content-Type %v", tt.path, contentType)
		}
	}
}

// TestRecordedQueryMappings merges a client's parameters, those of the
// integration's address and mapped ones, as recorded with HTTP_PROXY.
func TestRecordedQueryMappings(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	m := httpMethod("HTTP_PROXY", "POST", b.URL+"?testVar={pathVar}&testQs={qsVar}",
		"integration.request.header.headerVar", "method.request.header.foobar",
		"integration.request.path.qsVar", "method.request.querystring.testVar",
		"integration.request.path.pathVar", "method.request.path.pathVariable",
		"integration.request.querystring.queryString", "method.request.querystring.testQueryString",
		"integration.request.querystring.testQs", "method.request.querystring.testQueryString",
		"integration.request.querystring.testEmptyQs", "method.request.header.emptyheader")
	f := newFixture(t, nil, api{"POST /{pathVariable}": m}.stage("s", nil))
	f.do(request("POST", "/s/foobar?testQueryString=foo&testVar=bar", "{}", "Foobar", "mapped-value", "Headervar", "request-value"))
	want := url.Values{"queryString": {"foo"}, "testQs": {"bar", "foo"}, "testQueryString": {"foo"}, "testVar": {"foobar", "bar"}}
	if diff := cmp.Diff(want, b.seen.URL.Query()); diff != "" {
		t.Errorf("query: -want +got\n%s", diff)
	}
	if got := b.seen.Header["Headervar"]; len(got) != 1 || got[0] != "mapped-value" {
		t.Errorf("headerVar is %v", got)
	}
}

// TestRecordedStatusSelection: an HTTP backend's status selects, and a proxy
// passes it on.
func TestRecordedStatusSelection(t *testing.T) {
	t.Parallel()
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(map[string]int{"/200": 200, "/201": 201, "/400": 400, "/404": 404}[r.URL.Path])
	})
	path := []string{"integration.request.path.status", "method.request.path.status"}
	one := respond(httpMethod("HTTP", "GET", b.URL+"/{status}", path...), "200", "", "")
	two := respond(respond(httpMethod("HTTP", "GET", b.URL+"/{status}", path...), "200", "", ""), "400", `4\d{2}`, "")
	f := newFixture(t, nil, api{"ANY /one/{status}": one, "ANY /two/{status}": two, "ANY /proxy/{status}": httpMethod("HTTP_PROXY", "GET", b.URL+"/{status}", path...)}.stage("s", nil))
	for path, want := range map[string]int{
		"one/200": 200, "one/400": 200, "two/404": 400, "two/201": 200, "proxy/200": 200, "proxy/400": 400,
	} {
		if res := f.do(request("GET", "/s/"+path, "")); res.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, res.StatusCode, want)
		}
	}
}

// TestRecordedMethodMapping: an integration's own verb is what S3 is asked by,
// whatever the client's, and it takes no body along with GET.
func TestRecordedMethodMapping(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ client, integration, want, body string }{
		{"PUT", "ANY", "PUT", "body"}, {"DELETE", "ANY", "DELETE", "body"}, {"GET", "ANY", "GET", ""},
		{"GET", "PUT", "PUT", "body"}, {"POST", "GET", "GET", ""}, {"POST", "DELETE", "DELETE", "body"}, {"HEAD", "ANY", "HEAD", ""}, {"OPTIONS", "ANY", "OPTIONS", ""},
	} {
		s := &services{}
		f := newFixture(t, nil)
		f.backends.services = s
		if err := f.PublishStage(api{"ANY /": respond(serviceMethod(tt.integration, "s3:path/bucket/key"), "200", "", "")}.stage("s", nil)); err != nil {
			t.Fatal(err)
		}
		f.do(request(tt.client, "/s", "body", "Content-Type", "text/plain"))
		if s.last.Verb != tt.want || string(s.last.Body) != tt.body {
			t.Errorf("%s through %s: %s %q", tt.client, tt.integration, s.last.Verb, s.last.Body)
		}
	}
}

// TestRecordedRoleFunction invokes a function as a role, which its permissions
// need not mention.
func TestRecordedRoleFunction(t *testing.T) {
	t.Parallel()
	m := proxyMethod()
	m.MethodIntegration.Credentials = wire.Ptr(testRole)
	f := newFixture(t, returns(`{}`), api{"GET /": m}.stage("s", strs{"stage": "x"}))
	f.do(request("GET", "/s", ""))
	if call := f.fn.last(t); call.RoleARN != testRole {
		t.Errorf("invoked as %q", call.RoleARN)
	}
}

// TestMeasuredPrivateEvent has what functions behind private APIs are told of
// the VPC endpoint that their client came through.
func TestMeasuredPrivateEvent(t *testing.T) {
	t.Parallel()
	s := api{"GET /": proxyMethod()}.stage("s", strs{"stage": "x"})
	s.Deployment.API.Policy = ptr(fmt.Sprintf(allowAnyone, ""))
	f := newFixture(t, returns(`{}`), s)
	r := request("GET", "/s", "", "User-Agent", "agent")
	r.TLS = &tls.ConnectionState{Version: tls.VersionTLS12, CipherSuite: tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	f.ServeAPI(httptest.NewRecorder(), r, testAPI+"-vpce-0123abcd", "", "/s")
	var event struct {
		Headers        map[string]string
		RequestContext struct{ Identity json.RawMessage }
	}
	if err := json.Unmarshal(f.fn.last(t).Payload, &event); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"Host": "example.com", "User-Agent": "agent", "X-Forwarded-For": "192.0.2.1", "x-amzn-vpce-config": "1", "x-amzn-vpce-id": "vpce-0123abcd",
		"x-amzn-tls-version": "TLSv1.2", "x-amzn-cipher-suite": "ECDHE-RSA-AES128-GCM-SHA256"}
	if diff := cmp.Diff(want, event.Headers); diff != "" {
		t.Errorf("headers: -want +got\n%s", diff)
	}
	const identity = `{"cognitoIdentityPoolId":null,"cognitoIdentityId":null,"vpceId":"vpce-0123abcd","principalOrgId":null,"cognitoAuthenticationType":null,` +
		`"userArn":null,"userAgent":"agent","accountId":null,"caller":null,"sourceIp":"192.0.2.1","accessKey":null,"vpcId":null,"cognitoAuthenticationProvider":null,"user":null}`
	if diff := cmp.Diff(identity, string(event.RequestContext.Identity)); diff != "" {
		t.Errorf("identity: -want +got\n%s", diff)
	}
}

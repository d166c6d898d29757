package functionurl

import (
	"crypto/tls"
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/clock"
)

// TestAnswersAsRecorded holds what AWS's function URLs made of what a function
// returned (LocalStack's snapshots, test_lambda_url_invocation, 2024-04).
func TestAnswersAsRecorded(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ fact, returned, body string }{
		{"dict", `{"hello": "world"}`, `{"hello":"world"}`},
		{"http-response", `{"statusCode": 200, "body": "body123"}`, "body123"},
		{"http-response-json", `{"statusCode": 200, "body": "{\"hello\": \"world\"}"}`, `{"hello": "world"}`},
		{"list-mixed", `["hello", 3, true]`, `["hello",3,true]`},
		{"string", `"hello"`, "hello"},
		{"integer", "3", "3"},
		{"float", "3.1", "3.1"},
		{"boolean", "true", "true"},
	} {
		w := httptest.NewRecorder()
		x := &exchange{Server: New(Config{}), w: w, r: httptest.NewRequest("GET", "/", nil)}
		x.answer([]byte(row.returned))
		if w.Code != 200 || w.Body.String() != row.body || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s %q, want 200 application/json %q", row.fact, w.Code, w.Header().Get("Content-Type"), w.Body, row.body)
		}
	}
}

// TestEventsAsRecorded: the path stays raw, parameters of one name are joined,
// header names are in lower case, and a form of several parts is base64
// (test_lambda_url_echo_http_fixture_default, test_lambda_url_form_payload).
func TestEventsAsRecorded(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("POST", "https://abc.lambda-url.eu-west-1.on.aws/pa2%25Fth/1?q=query&multiQuery=foo&multiQuery=%2Fbar", nil)
	r.Header.Set("ExTrA-HeadErs", "With WeiRd CapS")
	r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	r.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, CipherSuite: tls.TLS_AES_128_GCM_SHA256}
	x := &exchange{
		Server: New(Config{Clock: clock.NewFake(time.Unix(0, 0))}), r: r, path: "/pa2%Fth/1", requestID: "r", body: []byte("bar"),
		url: &URL{ID: "abc", Region: "eu-west-1"},
	}
	var got struct {
		Version, RouteKey, RawPath, RawQueryString, Body string
		Headers, QueryStringParameters                   map[string]string
		IsBase64Encoded                                  bool
		RequestContext                                   struct {
			AccountID, APIID, DomainName, DomainPrefix, Stage string
			HTTP                                              struct{ Method, Path, Protocol, SourceIP string }
		}
	}
	if err := json.Unmarshal(x.event("Root=1-2-3;Sampled=0"), &got); err != nil {
		t.Fatal(err)
	}
	for fact, pair := range map[string][2]string{
		"version": {got.Version, "2.0"}, "route": {got.RouteKey, "$default"}, "path": {got.RawPath, "/pa2%Fth/1"},
		"query":   {got.RawQueryString, "q=query&multiQuery=foo&multiQuery=%2Fbar"},
		"several": {got.QueryStringParameters["multiQuery"], "foo,/bar"}, "one": {got.QueryStringParameters["q"], "query"},
		"header": {got.Headers["extra-headers"], "With WeiRd CapS"}, "host": {got.Headers["host"], "abc.lambda-url.eu-west-1.on.aws"},
		"trace": {got.Headers["x-amzn-trace-id"], "Root=1-2-3"}, "forwarded": {got.Headers["x-forwarded-for"], "192.0.2.1"},
		"port": {got.Headers["x-forwarded-port"], "443"}, "scheme": {got.Headers["x-forwarded-proto"], "https"},
		"TLS": {got.Headers["x-amzn-tls-version"], "TLSv1.3"}, "cipher": {got.Headers["x-amzn-tls-cipher-suite"], "TLS_AES_128_GCM_SHA256"},
		"body": {got.Body, "YmFy"}, "account": {got.RequestContext.AccountID, "anonymous"}, "API": {got.RequestContext.APIID, "abc"},
		"domain": {got.RequestContext.DomainName, "abc.lambda-url.eu-west-1.on.aws"}, "prefix": {got.RequestContext.DomainPrefix, "abc"},
		"stage": {got.RequestContext.Stage, "$default"}, "method": {got.RequestContext.HTTP.Method, "POST"},
		"path again": {got.RequestContext.HTTP.Path, "/pa2%Fth/1"}, "address": {got.RequestContext.HTTP.SourceIP, "192.0.2.1"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %q, want %q", fact, pair[0], pair[1])
		}
	}
	if !got.IsBase64Encoded {
		t.Error("a form of several parts went as text")
	}
}

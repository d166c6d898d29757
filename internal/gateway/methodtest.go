package gateway

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// MethodTest is a made-up request for one method, deployed or not.
type MethodTest struct {
	// Stage has the API as it is now, with the method and its resource alone,
	// and the variables of the test. Its name is not looked at.
	Stage   *Stage
	Verb    string       // of the request
	Caller  *wire.Caller // who tests
	Headers map[string][]string
	Path    string // with a query string; "" is the resource's own, unfilled
	Body    string
}

// What a test is made with in place of an API key (measured).
const (
	testInvokeKey   = "test-invoke-api-key"
	testInvokeKeyID = "test-invoke-api-key-id"
)

// TestMethod takes a request through the method as clients' requests go, but
// for the front door: nobody is authorized, and no key or limit is asked for.
// What it answers and logs is recorded.
func (g *Gateway) TestMethod(ctx context.Context, t *MethodTest) (*apigatewayapi.TestInvokeMethodResponse, error) {
	x, err := g.methodExchange(ctx, t)
	if err != nil {
		return nil, err
	}
	x.log.start()
	x.failed = x.execute()
	if x.failed != nil {
		x.answerFailure()
	}
	x.log.end(x)
	out := &apigatewayapi.TestInvokeMethodResponse{
		Status: wire.Ptr(int64(x.answer.status)), Body: wire.Ptr(string(x.answer.body)), Headers: map[string]string{},
		MultiValueHeaders: map[string][]string{}, Log: wire.Ptr(x.log.testLog()), Latency: wire.Ptr(time.Since(x.begun).Milliseconds()),
	}
	for _, h := range x.testHeaders() {
		out.Headers[h.name] = h.values[len(h.values)-1]
		out.MultiValueHeaders[h.name] = h.values
	}
	return out, nil
}

// testHeaders are those that a test shows: of a failure, its type alone.
func (x *exchange) testHeaders() fields {
	if x.failed != nil {
		return fields{{"x-amzn-ErrorType", []string{x.failed.errorType}}}
	}
	return x.methodHeaders()
}

// methodExchange makes the exchange of a test. A path that isn't the
// resource's has no path parameters, but is tested all the same.
func (g *Gateway) methodExchange(ctx context.Context, t *MethodTest) (*exchange, error) {
	spec := *t.Stage
	config := *spec.Stage
	config.StageName = wire.Ptr(testStage)
	spec.Stage = &config
	st, err := compileStage(&spec, g.backends, nil, g.log)
	if err != nil {
		return nil, err
	}
	resourcePath := wire.Val(spec.Deployment.Resources[0].Path)
	target, err := parseTestPath(t.Path, resourcePath)
	if err != nil {
		return nil, err
	}
	x := newExchange(g, testRequest(ctx, t.Verb, target), Target{
		APIID: spec.APIID, Stage: testStage, Path: target.EscapedPath(), RequestPath: target.EscapedPath(), DomainName: testDomain,
	})
	x.st, x.test, x.record = st, true, nil
	routed := t.Verb
	if routed == "ANY" {
		routed = http.MethodGet
	}
	// The resource's own path matches itself, its variables unfilled.
	x.m, x.params, _ = st.router.Match(routed, resourcePath, nil)
	if target.Opaque == "" {
		x.target.Path = target.EscapedPath()
		_, x.params, _ = st.router.Match(routed, x.target.Path, nil)
	} else {
		x.target.Path, x.target.RequestPath = resourcePath, resourcePath
	}
	x.body = []byte(t.Body)
	x.caller.signer, x.key = t.Caller, presentedKey{testInvokeKey, testInvokeKeyID}
	x.header = testFields(t.Headers)
	x.log = &executionLog{x: x, info: true, trace: true}
	return x, nil
}

// parseTestPath reads the path and query string of a test. Without one the
// URL is opaque.
func parseTestPath(path, resourcePath string) (*url.URL, error) {
	if path == "" {
		return &url.URL{Opaque: resourcePath}, nil
	}
	target, err := url.ParseRequestURI(path)
	if err != nil {
		message := "Invalid path with query string specified"
		return nil, &apigatewayapi.BadRequestException{Message: &message}
	}
	return target, nil
}

// testRequest is what stands in for a client's request.
func testRequest(ctx context.Context, verb string, target *url.URL) *http.Request {
	return (&http.Request{
		Method: verb, URL: target, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, RemoteAddr: "test-invoke-source-ip", Host: testDomain,
	}).WithContext(ctx)
}

// testFields are the headers of a test, and no others: it has none that a
// front door adds.
func testFields(headers map[string][]string) fields {
	f := fields{}
	for name, values := range headers {
		if len(values) > 0 {
			f = append(f, field{name, values})
		}
	}
	slices.SortFunc(f, func(a, b field) int { return cmp.Or(compareFold(a.name, b.name), strings.Compare(a.name, b.name)) })
	return f
}

package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	testAPI     = "abcdefghij"
	testAccount = "000000000000"
	testRegion  = "us-east-1"
	functionURI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:example"
)

// testTime is when the requests of the tests arrive.
var testTime = time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.UTC)

// functions is a Functions that answers with f and remembers the calls.
type functions struct {
	f     func(*FunctionCall) (*FunctionResult, error)
	mu    sync.Mutex
	calls []*FunctionCall
}

func (f *functions) InvokeFunction(_ context.Context, call *FunctionCall) (*FunctionResult, error) {
	f.mu.Lock()
	f.calls = append(f.calls, call)
	f.mu.Unlock()
	return f.f(call)
}

func (f *functions) last(t *testing.T) *FunctionCall {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.calls) == 0 {
		t.Fatal("the function was not called")
	}
	return f.calls[len(f.calls)-1]
}

// returns answers every call with payload.
func returns(payload string) *functions {
	return &functions{f: func(*FunctionCall) (*FunctionResult, error) {
		return &FunctionResult{Status: 200, RequestID: "lambda-request", Payload: []byte(payload), ExecutedVersion: "3"}, nil
	}}
}

// fails answers every call as a function that raised an error.
func fails(message string) *functions {
	return &functions{f: func(*FunctionCall) (*FunctionResult, error) {
		payload := `{"errorMessage": ` + string(appendText(nil, message)) + `, "errorType": "Exception"}`
		return &FunctionResult{Status: 200, RequestID: "lambda-request", Payload: []byte(payload), FunctionError: "Unhandled"}, nil
	}}
}

// refuses answers every call with Lambda's own error.
func refuses(status int, code string) *functions {
	return &functions{f: func(*FunctionCall) (*FunctionResult, error) {
		return nil, &FunctionError{Status: status, Code: code, Message: code, RequestID: "lambda-request"}
	}}
}

// logLines is a LogSink that keeps messages by "group stream".
type logLines struct {
	mu    sync.Mutex
	lines map[string][]string
}

func (l *logLines) Put(_, _, group, _ string, events []LogEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines == nil {
		l.lines = map[string][]string{}
	}
	for _, e := range events {
		l.lines[group] = append(l.lines[group], e.Message)
	}
}

func (l *logLines) group(name string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines[name])
}

// fixture is a gateway with one published stage.
type fixture struct {
	*Gateway
	fn      *functions
	logs    *logLines
	signers *signers
	pools   *pools
	clock   *clock.Fake
}

// signers is a Signers that knows requests by a header.
type signers struct {
	callers map[string]*wire.Caller // by X-Signer
	decide  func(*wire.Caller, *policy.Request) policy.Decision
}

func (s *signers) Authenticate(r *http.Request, _ []byte, _ string) (*wire.Caller, error) {
	if r.Header.Get("Authorization") != "" {
		return nil, &SignatureError{"IncompleteSignatureException", "not signed like this"}
	}
	switch who := r.Header.Get("X-Signer"); who {
	case "":
		return nil, &SignatureError{"MissingAuthenticationTokenException", "Missing Authentication Token"}
	case "expired":
		return nil, &SignatureError{"ExpiredTokenException", "The security token included in the request is expired"}
	case "wrong":
		return nil, &SignatureError{"InvalidSignatureException", "The request signature we calculated does not match"}
	default:
		return s.callers[who], nil
	}
}

func (s *signers) Decide(c *wire.Caller, r *policy.Request) policy.Decision { return s.decide(c, r) }

// pools is a UserPools whose tokens are their own claims.
type pools struct {
	mu      sync.Mutex
	watched []string
}

func (p *pools) Watch(arn string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watched = append(p.watched, arn)
}

func (p *pools) Verify(_ context.Context, token string, _ []string) ([]byte, error) {
	switch {
	case token == "expired":
		return nil, ErrTokenExpired
	case token == "unreachable":
		return nil, errors.New("no keys")
	case strings.HasPrefix(token, "{"):
		return []byte(token), nil
	}
	return nil, ErrTokenInvalid
}

func newFixture(t testing.TB, fn *functions, stages ...*Stage) *fixture {
	t.Helper()
	f := &fixture{fn: fn, logs: &logLines{}, signers: &signers{}, pools: &pools{}, clock: clock.NewFake(testTime)}
	f.Gateway = New(Config{
		Functions: fn, Signers: f.signers, UserPools: f.pools, Logs: f.logs, Clock: f.clock, Log: slog.New(slog.DiscardHandler),
	})
	for _, s := range stages {
		if err := f.PublishStage(s); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// do sends a request to the API's stage path and returns the answer.
func (f *fixture) do(r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	f.ServeAPI(w, r, testAPI, "", r.URL.EscapedPath())
	return w.Result()
}

func request(verb, target, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(verb, target, nil)
	if body != "" {
		r = httptest.NewRequest(verb, target, strings.NewReader(body))
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header[headers[i]] = append(r.Header[headers[i]], headers[i+1]) // spelled as given
	}
	return r
}

func bodyOf(t testing.TB, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// api is a short way to write a deployment: methods by "VERB /path".
type api map[string]*apigatewayapi.Method

// stage returns the API as the stage of that name.
func (a api) stage(name string, variables map[string]string) *Stage {
	byPath := map[string]*apigatewayapi.Resource{}
	d := &Deployment{ID: "dep123", API: apigatewayapi.RestApi{Id: wire.Ptr(testAPI)}}
	for i, key := range slices.Sorted(maps.Keys(a)) {
		verb, path, _ := strings.Cut(key, " ")
		if byPath[path] == nil {
			byPath[path] = &apigatewayapi.Resource{
				Id: wire.Ptr("res" + string(rune('a'+i))), Path: wire.Ptr(path), ResourceMethods: map[string]apigatewayapi.Method{}}
		}
		byPath[path].ResourceMethods[verb] = *a[key]
	}
	for _, path := range slices.Sorted(maps.Keys(byPath)) {
		d.Resources = append(d.Resources, *byPath[path])
	}
	return &Stage{
		Account: testAccount, Region: testRegion, APIID: testAPI, Deployment: d,
		CloudWatchRole: "arn:aws:iam::000000000000:role/logs",
		Stage:          &apigatewayapi.Stage{StageName: wire.Ptr(name), Variables: variables},
	}
}

type strs = map[string]string

// lambdaMethod is a method with a non-proxy Lambda integration and the given
// request templates; responses are added with respond.
func lambdaMethod(templates strs) *apigatewayapi.Method {
	return &apigatewayapi.Method{
		AuthorizationType: wire.Ptr("NONE"),
		MethodIntegration: &apigatewayapi.Integration{
			Type: wire.Ptr("AWS"), HttpMethod: wire.Ptr("POST"), RequestTemplates: templates,
			Uri: wire.Ptr(functionURI + ":${stageVariables.stage}/invocations"),
		},
	}
}

func proxyMethod() *apigatewayapi.Method {
	m := lambdaMethod(nil)
	m.MethodIntegration.Type = wire.Ptr("AWS_PROXY")
	return m
}

// mockMethod answers by a MOCK integration with the given request template.
func mockMethod(template string) *apigatewayapi.Method {
	return &apigatewayapi.Method{
		AuthorizationType: wire.Ptr("NONE"),
		MethodIntegration: &apigatewayapi.Integration{
			Type: wire.Ptr("MOCK"), RequestTemplates: strs{"application/json": template}},
	}
}

// respond adds a declared method response and an integration response.
func respond(m *apigatewayapi.Method, status, pattern, template string, parameters ...string) *apigatewayapi.Method {
	if m.MethodResponses == nil {
		m.MethodResponses = map[string]apigatewayapi.MethodResponse{}
		m.MethodIntegration.IntegrationResponses = map[string]apigatewayapi.IntegrationResponse{}
	}
	m.MethodResponses[status] = apigatewayapi.MethodResponse{StatusCode: wire.Ptr(status)}
	res := apigatewayapi.IntegrationResponse{StatusCode: wire.Ptr(status)}
	if pattern != "" {
		res.SelectionPattern = wire.Ptr(pattern)
	}
	if template != "" {
		res.ResponseTemplates = strs{"application/json": template}
	}
	for i := 0; i < len(parameters); i += 2 {
		if res.ResponseParameters == nil {
			res.ResponseParameters = strs{}
		}
		res.ResponseParameters[parameters[i]] = parameters[i+1]
	}
	m.MethodIntegration.IntegrationResponses[status] = res
	return m
}

// article is the API of the article: GET and POST /user/{id}, with the
// stage's variable in the event and in the function's qualifier.
func article() api {
	const onError = `{ "error": "$input.path('$.errorMessage').substring(5)" }`
	method := func(template string) *apigatewayapi.Method {
		m := lambdaMethod(strs{"application/json": template})
		respond(m, "200", "", "")
		respond(m, "400", "400: .+", onError)
		return respond(m, "500", "500: .+", onError)
	}
	return api{
		"GET /user/{id}":  method(`{ "id": "$input.params('id')", "stage": "$stageVariables.stage", "_method": "GET" }`),
		"POST /user/{id}": method(`{ "id": "$input.params('id')", "name": "$input.path('$.name')", "stage": "$stageVariables.stage", "_method": "POST" }`),
	}
}

func ptr(s string) *string { return &s }

var (
	traceRoot       = regexp.MustCompile(`Root=1-[0-9a-f]{8}-[0-9a-f]{24}`)
	requestIDHeader = regexp.MustCompile(`(?m)^ *"X-Amzn-Requestid": (?:"[^"]*"|\[[^]]*\]),?\n`)
)

// summary prints an answer without the headers that every answer has.
func summary(t testing.TB, res *http.Response) string {
	t.Helper()
	b := strconv.Itoa(res.StatusCode) + " "
	for _, name := range slices.Sorted(maps.Keys(res.Header)) {
		switch name {
		case "x-amzn-RequestId", "x-amz-apigw-id", "X-Amzn-Trace-Id", "Content-Length", "x-amzn-ErrorType", "Connection":
			continue
		case "Content-Type":
			if res.Header[name][0] == applicationJSON {
				continue
			}
		}
		b += name + "=" + strings.Join(res.Header[name], "|") + " "
	}
	return b + bodyOf(t, res)
}

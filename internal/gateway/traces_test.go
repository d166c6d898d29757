package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/gateway/tracing"
)

// tracedFixture is a fixture that remembers every request.
func tracedFixture(t *testing.T, fn *functions, stages ...*Stage) *fixture {
	t.Helper()
	f := newFixture(t, fn, stages...)
	f.traces = newTraces(Tracing{Keep: 100})
	return f
}

func (f *fixture) lastTrace(t *testing.T) tracing.Trace {
	t.Helper()
	all := f.Traces(testAccount, tracing.Filter{Last: 1})
	if len(all) != 1 {
		t.Fatal("no trace")
	}
	return all[0]
}

// TestTraceOfRequest follows one request from its first byte to its answer.
func TestTraceOfRequest(t *testing.T) {
	t.Parallel()
	f := tracedFixture(t, fails("400: no such user"), article().stage("prod", strs{"stage": "prod"}))
	res := f.do(request("POST", "/prod/user/42?q=1", `{"name": "Ada"}`))
	got := f.lastTrace(t)
	if id := res.Header["x-amzn-RequestId"][0]; got.RequestID != id || f.Traces(testAccount, tracing.Filter{RequestID: id})[0].Seq != got.Seq {
		t.Errorf("request id %s, want %s", got.RequestID, id)
	}
	var road []string
	for _, s := range got.Stops {
		road = append(road, s.Name)
		for _, n := range s.Notes {
			road = append(road, n.Key+"="+n.Value)
		}
	}
	want := []string{"stage", "route", "matched=POST /user/{id}", "read body", "authorize", "throttle", "validate", "map request", "template=application/json", "integrate",
		"map response", "pattern=400: .+ → 400"}
	if diff := cmp.Diff(want, road); diff != "" {
		t.Errorf("road: -want +got\n%s", diff)
	}
	facts := []string{
		got.Request.Method, got.Request.Path, got.Request.Query, got.Request.Body.Text,
		got.Resource.Path, got.Resource.Params["id"], got.DeploymentID,
		got.Integration.Type, got.Integration.Target, got.Integration.Request.Text, fmt.Sprint(got.Integration.FunctionError),
		got.Integration.Selector, got.Integration.RequestID, got.Integration.ExecutedVersion,
		fmt.Sprint(got.Response.Status), got.Response.Body.Text,
	}
	wantFacts := []string{
		"POST", "/prod/user/42", "q=1", `{"name": "Ada"}`,
		"/user/{id}", "42", "dep123",
		"AWS", "arn:aws:lambda:us-east-1:000000000000:function:example:prod", `{ "id": "42", "name": "Ada", "stage": "prod", "_method": "POST" }`, "true",
		"400: no such user", "lambda-request", "",
		"400", `{ "error": "no such user" }`,
	}
	if diff := cmp.Diff(wantFacts, facts); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got.Failure != nil {
		t.Errorf("a mapped error is no failure of the gateway: %+v", got.Failure)
	}
}

// TestTraceSaysWhatToFix: a failure names what is wrong, and the command that
// mends it.
func TestTraceSaysWhatToFix(t *testing.T) {
	t.Parallel()
	undeclared := respond(lambdaMethod(nil), "200", "", "")
	undeclared.MethodResponses = map[string]apigatewayapi.MethodResponse{}
	a := api{
		"GET /user/{id}":  article()["GET /user/{id}"],
		"ANY /any/{x+}":   proxyMethod(),
		"GET /undeclared": undeclared,
		"GET /nodefault":  respond(lambdaMethod(nil), "400", "400: .+", ""),
		"GET /template":   respond(lambdaMethod(strs{"application/json": "#if($x) no end"}), "200", "", ""),
		"GET /mock":       respond(mockMethod(`{"statusCode": "200"}`), "200", "", ""),
		"GET /bare":       {AuthorizationType: ptr("NONE")},
	}
	const permission = "aws lambda add-permission --function-name example --qualifier prod --statement-id apigateway-abcdefghij-prod " +
		"--action lambda:InvokeFunction --principal apigateway.amazonaws.com --source-arn 'arn:aws:execute-api:us-east-1:000000000000:abcdefghij/prod/"
	for _, tt := range []struct {
		path string
		fn   *functions
		want string
	}{
		{"/prod/user/1", refuses(403, "AccessDeniedException"), permission + "GET/user/*'"},
		{"/prod/any/a/b", refuses(403, "AccessDeniedException"), permission + "*/any/*'"},
		{"/prod/user/1", refuses(404, "ResourceNotFoundException"), "There is no function arn:aws:lambda:us-east-1:000000000000:function:example:prod"},
		{"/prod/user/1", refuses(429, "TooManyRequestsException"), "aws lambda put-function-concurrency"},
		{"/prod/any/a", returns(`"text"`), "must return an object"},
		{"/prod/any/a", fails("boom"), "butai logs example"},
		{"/prod/any/a", fails("[Errno 13] Permission denied: '/var/task/main.py'"), "give it mode 644"},
		{"/prod/undeclared", returns("{}"), "aws apigateway put-method-response --rest-api-id abcdefghij --resource-id resf --http-method GET --status-code 200"},
		{"/prod/nodefault", returns("{}"), "there is no default integration response"},
		{"/prod/template", returns("{}"), "The request template of GET /template can't be used (mapping template, line 1"},
		{"/prod/mock", returns("{}"), `{"statusCode": 200}`},
		{"/prod/bare", returns("{}"), "GET /bare has no integration"},
		{"/prod/none", returns("{}"), "no method for GET /none"},
		{"/prd/user/1", returns("{}"), `There is no stage "prd" on API abcdefghij`},
	} {
		f := tracedFixture(t, tt.fn, a.stage("prod", strs{"stage": "prod"}))
		f.do(request("GET", tt.path, ""))
		got := f.lastTrace(t)
		if got.Failure == nil || !strings.Contains(got.Failure.Fix, tt.want) {
			t.Errorf("%s: want %q in %+v", tt.path, tt.want, got.Failure)
		}
	}
}

// TestTraceHidesSecrets looks for them in the whole of a trace: the headers
// turn up again in the event of a proxy integration.
func TestTraceHidesSecrets(t *testing.T) {
	t.Parallel()
	answer := returns(`{"statusCode": 200, "headers": {"Set-Cookie": "session=S3CR3T-answer; Path=/"}, "body": "{\"access_token\": \"S3CR3T-body\"}"}`)
	f := tracedFixture(t, answer, api{"ANY /{p+}": proxyMethod()}.stage("prod", strs{"stage": "prod"}))
	f.do(request("POST", "/prod/x?api_key=S3CR3T-query&a=1", `{"user": "ada", "password": "S3CR3T-password"}`,
		"Authorization", "Bearer S3CR3T-bearer", "Cookie", "a=S3CR3T-cookie; theme=S3CR3T-2", "X-Api-Key", "S3CR3T-key",
		"X-Amz-Security-Token", "S3CR3T-token", "X-Plain", "shown"))
	got := f.lastTrace(t)
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var page strings.Builder
	if err := got.Print(&page); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{string(text), page.String()} {
		if strings.Contains(s, "S3CR3T") {
			t.Errorf("a secret shows:\n%s", s)
		}
		for _, want := range []string{"shown", "Bearer ****", "a=****", "session=****", `ada`} {
			if !strings.Contains(s, want) {
				t.Errorf("%q is missing:\n%s", want, s)
			}
		}
	}
}

// TestTracesBelongToAccounts: nobody sees another account's requests, and of
// those that are nobody's only a line.
func TestTracesBelongToAccounts(t *testing.T) {
	t.Parallel()
	f := tracedFixture(t, returns("{}"), article().stage("prod", strs{"stage": "prod"}))
	f.do(request("GET", "/prod/user/1", ""))
	if got := f.Traces("111122223333", tracing.Filter{}); len(got) != 0 {
		t.Errorf("another account sees %+v", got)
	}
	r := request("POST", "/prod/x?a=private", "private", "X-H", "private")
	f.ServeAPI(discardAnswer(), r, "zzzzzzzzzz", "", "/prod/x")
	text, _ := json.Marshal(f.Traces("111122223333", tracing.Filter{}))
	if !strings.Contains(string(text), "zzzzzzzzzz") || strings.Contains(string(text), "private") {
		t.Errorf("a request for no API: %s", text)
	}
}

func TestTraceFilterAndSampling(t *testing.T) {
	t.Parallel()
	f := tracedFixture(t, fails("500: x"), article().stage("a", strs{"stage": "a"}), article().stage("b", strs{"stage": "b"}))
	f.traces = newTraces(Tracing{Keep: 4})
	for range 10 {
		f.do(request("GET", "/a/user/1", ""))
	}
	f.fn.f = returns("{}").f
	for range 10 {
		f.do(request("GET", "/b/user/1", ""))
	}
	server, _ := tracing.ParseStatus("5xx")
	for _, tt := range []struct {
		filter tracing.Filter
		want   int
	}{
		{tracing.Filter{}, 8}, {tracing.Filter{Last: 5}, 5}, {tracing.Filter{Status: server}, 4}, {tracing.Filter{Stage: "b"}, 4},
		{tracing.Filter{Stage: "b", Status: server}, 0}, {tracing.Filter{API: "x"}, 0}, {tracing.Filter{After: 19}, 1},
	} {
		if got := f.Traces(testAccount, tt.filter); len(got) != tt.want {
			t.Errorf("%+v: %d traces, want %d", tt.filter, len(got), tt.want)
		}
	}
	f.traces = newTraces(Tracing{Keep: 100, Every: 5})
	for range 20 {
		f.do(request("GET", "/b/user/1", ""))
	}
	if got := len(f.Traces(testAccount, tracing.Filter{})); got != 4 {
		t.Errorf("every fifth of 20 is traced: got %d", got)
	}
	f.traces = newTraces(Tracing{})
	f.do(request("GET", "/b/user/1", ""))
	if got := f.Traces(testAccount, tracing.Filter{}); len(got) != 0 {
		t.Errorf("tracing is off: got %d", len(got))
	}
}

// TestTraceMemory: large bodies are cut, and large headers are left out.
func TestTraceMemory(t *testing.T) {
	t.Parallel()
	f := tracedFixture(t, returns(`{"a": "`+strings.Repeat("é", maxExcerpt)+`"}`), article().stage("p", strs{"stage": "p"}))
	f.do(request("POST", "/p/user/1", `{"name": "`+strings.Repeat("x", 1<<20)+`"}`, "X-Large", strings.Repeat("y", maxHeader)))
	got := f.lastTrace(t)
	for _, b := range []*tracing.Body{got.Request.Body, got.Integration.Request, got.Integration.Answer, got.Response.Body} {
		if !b.Truncated || b.Binary || len(b.Text) > maxExcerpt || b.Size < maxExcerpt {
			t.Errorf("a body of %d bytes is kept as %d, truncated %v, binary %v", b.Size, len(b.Text), b.Truncated, b.Binary)
		}
	}
	if got.Request.Header != nil {
		t.Error("large headers are kept")
	}
}

func discardAnswer() *discard { return &discard{header: http.Header{}} }

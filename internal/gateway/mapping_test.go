package gateway

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRequestMapping(t *testing.T) {
	t.Parallel()
	tests := []struct {
		source string
		want   string // the mapped header; "-" for none
	}{
		{"'static'", "static"},
		{"''", ""},
		{"method.request.path.id", "a%20b"},
		{"method.request.querystring.q", "2 x"},
		{"method.request.querystring.Q", "-"},
		{"method.request.multivaluequerystring.q", "1|2 x"},
		{"method.request.header.X-Many", "b"},
		{"method.request.multivalueheader.X-Many", "a,b"},
		{"method.request.header.Host", "example.com"},
		{"method.request.header.X-None", "-"},
		{"method.request.body", `{"a": {"b": [1, "two"]}, "n": null, "t": true}`},
		{"method.request.body.a", `{"b":[1,"two"]}`},
		{"method.request.body.a.b[1]", "two"},
		{"method.request.body.a.b[0]", "1"},
		{"method.request.body.t", "true"},
		{"method.request.body.n", "-"},
		{"method.request.body.none", "-"},
		{"stageVariables.v", "variable"},
		{"stageVariables.none", "-"},
		{"context.requestId", "11111111-2222-4333-8444-555555555555"},
		{"context.identity.sourceIp", "192.0.2.1"},
		{"context.identity.userArn", "-"},
		{"context.nothing", "-"},
	}
	for _, tt := range tests {
		m := respond(lambdaMethod(nil), "200", "", "")
		m.MethodIntegration.Uri = ptr(functionURI + "/invocations")
		m.MethodIntegration.RequestParameters = strs{
			"integration.request.header.X-Out":   tt.source,
			"integration.request.querystring.no": "'effect'",
		}
		fn := returns(`{}`)
		st := api{"POST /{id}": m}.stage("s", strs{"v": "variable"})
		f := newFixture(t, fn, st)
		r := request("POST", "/s/a%20b?q=1&q=2+x", `{"a": {"b": [1, "two"]}, "n": null, "t": true}`,
			"X-Many", "a", "X-Many", "b", "X-Amzn-Requestid", "11111111-2222-4333-8444-555555555555")
		if got := mappedHeader(t, f, r); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.source, got, tt.want)
		}
	}
}

// mappedHeader runs the request's mapping alone and returns header X-Out.
func mappedHeader(t *testing.T, f *fixture, r *http.Request) string {
	t.Helper()
	stage, path := splitStage(r.URL.EscapedPath())
	x := newExchange(f.Gateway, r, Target{APIID: testAPI, Stage: stage, Path: path})
	x.st = f.tables.Load().stages[stageKey{testAPI, stage}]
	for _, stop := range []func() *failure{x.route, x.readBody, x.mapRequest} {
		if fail := stop(); fail != nil {
			t.Fatalf("%v: %v", fail, fail.cause)
		}
	}
	values := x.outbound.header.get("x-out")
	if values == nil {
		return "-"
	}
	return strings.Join(values, "|")
}

func TestBadMappings(t *testing.T) {
	t.Parallel()
	for target, source := range map[string]string{
		"integration.request.header.A":   "method.request.cookie.a",
		"integration.request.header.B":   "integration.response.header.a",
		"integration.request.header.C":   "'open",
		"integration.request.header.D":   "method.request.body.a[",
		"method.response.header.E":       "'x'",
		"integration.request.headerless": "'x'",
	} {
		if _, err := compileMappings(requestSide, strs{target: source}); err == nil {
			t.Errorf("%s from %s compiles", target, source)
		}
	}
}

func TestInvocationType(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		parameters strs
		template   string
		async      bool
	}{
		{strs{"integration.request.header.X-Amz-Invocation-Type": "'Event'"}, "", true},
		{strs{"integration.request.header.x-amz-invocation-type": "'Event'"}, "", true},
		{strs{"integration.request.header.X-Amz-Invocation-Type": "method.request.header.Mode"}, "", true},
		{strs{"integration.request.header.X-Amz-Invocation-Type": "'RequestResponse'"}, "", false},
		{nil, `#set($context.requestOverride.header.X-Amz-Invocation-Type = "Event"){}`, true},
		{nil, `{}`, false},
	} {
		m := respond(lambdaMethod(nil), "200", "", "")
		m.MethodIntegration.RequestParameters = tt.parameters
		if tt.template != "" {
			m.MethodIntegration.RequestTemplates = strs{"application/json": tt.template}
		}
		fn := &functions{f: func(call *FunctionCall) (*FunctionResult, error) {
			if call.Async {
				return &FunctionResult{Status: 202}, nil
			}
			return &FunctionResult{Status: 200, Payload: []byte("done")}, nil
		}}
		f := newFixture(t, fn, api{"POST /": m}.stage("s", strs{"stage": "x"}))
		res := f.do(request("POST", "/s", "", "Mode", "Event"))
		want := "200 done"
		if tt.async {
			want = "200 "
		}
		if got := summary(t, res); got != want || fn.last(t).Async != tt.async {
			t.Errorf("%v %s: async %v, answer %s", tt.parameters, tt.template, fn.last(t).Async, got)
		}
	}
}

func TestResponseMapping(t *testing.T) {
	t.Parallel()
	const target = "method.response.header."
	m := respond(lambdaMethod(nil), "200", "", "",
		target+"X-Static", "'a b'", target+"X-Version", "integration.response.header.X-Amz-Executed-Version",
		target+"X-None", "integration.response.header.None", target+"X-Body", "integration.response.body.list[0].name",
		target+"X-Stage", "context.stage", target+"X-Var", "stageVariables.stage", target+"Content-Type", "'text/plain'")
	f := newFixture(t, returns(`{"list": [{"name": "n"}]}`), api{"GET /": m}.stage("s", strs{"stage": "live"}))
	want := `200 Content-Type=text/plain X-Body=n X-Stage=s X-Static=a b X-Var=live X-Version=3 {"list": [{"name": "n"}]}`
	if got := summary(t, f.do(request("GET", "/s", ""))); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestErrorMessageMembers(t *testing.T) {
	t.Parallel()
	m := respond(lambdaMethod(nil), "400", ".*Bad.*", "", "method.response.header.X-Code", "integration.response.body.errorMessage.code")
	f := newFixture(t, fails(`{"kind": "Bad", "code": 7}`), api{"GET /": m}.stage("s", strs{"stage": "live"}))
	if got := summary(t, f.do(request("GET", "/s", ""))); !strings.HasPrefix(got, "400 X-Code=7 ") {
		t.Errorf("got %s", got)
	}
	broken := newFixture(t, returns(`{"a": `), api{"GET /": respond(lambdaMethod(nil), "200", "", "", "method.response.header.X", "integration.response.body.a")}.stage("s", strs{"stage": "live"}))
	if got := summary(t, broken.do(request("GET", "/s", ""))); !strings.HasPrefix(got, "500 ") {
		t.Errorf("body that only looks like JSON: got %s", got)
	}
}

// TestRemappedHeaders has recorded names: which headers an integration may
// not set under their own name.
func TestRemappedHeaders(t *testing.T) {
	t.Parallel()
	names := []string{"Authorization", "Connection", "Content-Length", "Content-MD5", "Date", "Expect", "Host", "Max-Forwards",
		"Proxy-Authenticate", "Server", "Trailer", "Transfer-Encoding", "Upgrade", "User-Agent", "WWW-Authenticate", "X-Own",
		"Content-Encoding", "Via"}
	everywhere := "Connection Content-Length Date Server"
	notProxied := "Authorization Content-MD5 Expect Host Max-Forwards Proxy-Authenticate Trailer Upgrade User-Agent WWW-Authenticate"
	for _, kind := range []integrationType{typeMock, typeAWS, typeAWSProxy, typeHTTP, typeHTTPProxy} {
		for _, name := range names {
			want := name
			switch {
			case name == "Transfer-Encoding", kind == typeHTTPProxy && (name == "Content-Encoding" || name == "Via"):
				want = ""
			case strings.Contains(everywhere, name), (kind == typeAWS || kind == typeHTTP) && strings.Contains(notProxied, name):
				want = "x-amzn-Remapped-" + name
			}
			if got := remapped(kind, name); got != want {
				t.Errorf("%s, %s: got %q, want %q", kind, name, got, want)
			}
		}
	}
}

func TestOverrides(t *testing.T) {
	t.Parallel()
	const declared = "method.response.header.X-A"
	tests := []struct{ request, response, want string }{
		{`#set($context.responseOverride.status = 418){"statusCode": 200}`, "", "418 X-A=mapped "},
		{`#set($context.responseOverride.status = "418"){"statusCode": 200}`, "", "418 X-A=mapped "},
		{`#set($context.responseOverride.status = 99){"statusCode": 200}`, "", "200 X-A=mapped "},
		{`#set($context.responseOverride.status = "teapot"){"statusCode": 200}`, "", "200 X-A=mapped "},
		{`{"statusCode": 200}`, `#set($context.responseOverride.header.X-A = "over")b`, "200 X-A=over b"},
		{`{"statusCode": 200}`, `#set($context.responseOverride.header.X-B = ["1", "2"])b`, "200 X-A=mapped X-B=1|2 b"},
		{`#set($context.responseOverride.custom = "carried"){"statusCode": 200}`, `$context.responseOverride.custom`, "200 X-A=mapped carried"},
		{`#set($context.requestOverride.path.p = "carried"){"statusCode": 200}`, `$context.requestOverride.path.p`, "200 X-A=mapped carried"},
	}
	for _, tt := range tests {
		m := respond(mockMethod(tt.request), "200", "", tt.response, declared, "'mapped'")
		f := newFixture(t, nil, api{"GET /": m}.stage("s", nil))
		if got := summary(t, f.do(request("GET", "/s", ""))); got != tt.want {
			t.Errorf("%s %s: got %s, want %s", tt.request, tt.response, got, tt.want)
		}
	}
}

func TestSelectionOrder(t *testing.T) {
	t.Parallel()
	m := lambdaMethod(nil)
	respond(m, "502", ".+", "")
	respond(m, "405", ".*four hundred.*", "")
	respond(m, "418", `(?i)TEA(\n|.)*`, "")
	respond(m, "409", `(?=con).*flict`, "")
	respond(m, "200", "", "")
	for message, want := range map[string]int{
		"four hundred": 405, "any": 502, "": 200, "tea\npot": 418, "conflict": 409, "two\nlines": 200, "line\u2028end": 200} {
		f := newFixture(t, fails(message), api{"GET /": m}.stage("s", strs{"stage": "x"}))
		if res := f.do(request("GET", "/s", "")); res.StatusCode != want {
			t.Errorf("%q: got %d, want %d", message, res.StatusCode, want)
		}
	}
	// Success counts as the empty text, which .* covers and .+ does not.
	always := respond(respond(lambdaMethod(nil), "200", "", ""), "201", ".*", "")
	f := newFixture(t, returns("{}"), api{"GET /": always}.stage("s", strs{"stage": "x"}))
	if res := f.do(request("GET", "/s", "")); res.StatusCode != 201 {
		t.Errorf(".* over success: %d", res.StatusCode)
	}
}

func TestMock(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ template, body, accept, want string }{
		{`{"statusCode": 200}`, "", "", "200 default"},
		{`{statusCode: 404,}`, "", "", "404 missing"},
		{`{'statusCode': 404}`, "", "", "404 missing"},
		{`{"statusCode": 418}`, "", "", "200 default"},
		{"", `{"statusCode": 404}`, "", "404 missing"},
		{`{"statusCode": 200}`, "", "text/html", "200 html"},
		{`{"statusCode": 200}`, "", "text/html;q=1, application/json", "200 html"},
		{`{"statusCode": 200}`, "", "image/png", "200 default"},
	} {
		m := respond(respond(mockMethod(tt.template), "200", "", "default"), "404", "404", "missing")
		m.MethodIntegration.IntegrationResponses["200"].ResponseTemplates["text/html"] = "html"
		f := newFixture(t, nil, api{"POST /": m}.stage("s", nil))
		r := request("POST", "/s", tt.body)
		if tt.accept != "" {
			r.Header.Set("Accept", tt.accept)
		}
		res := f.do(r)
		if got := summary(t, res); got != tt.want {
			t.Errorf("%s %s: got %s, want %s", tt.template, tt.accept, got, tt.want)
		}
		if res.Header["X-Amzn-Trace-Id"] != nil {
			t.Error("a mock answers with a trace id")
		}
	}
}

func TestContextInTemplates(t *testing.T) {
	t.Parallel()
	m := respond(mockMethod(`{"statusCode": 200}`), "200", "",
		`$context.httpMethod $context.resourcePath $context.path $context.stage $context.accountId $context.apiId `+
			`$context.requestTime $context.requestTimeEpoch $context.identity.sourceIp $context.identity.userAgent `+
			`[$context.identity.userArn] [$context.none] $context.domainPrefix $context.domainName $context.protocol `+
			`$context.resourceId $context.deploymentId $context.operationName `+
			`$input.params('id') $input.params('q') $input.params('X-H') [$input.params('none')] $stageVariables.v [$stageVariables.none] `+
			`$input.params().path $input.params().querystring`)
	m.OperationName = ptr("GetIt")
	f := newFixture(t, nil, api{"ANY /it/{id}": m}.stage("s", strs{"v": "variable"}))
	r := request("GET", "/s/it/7?q=1&q=2", "", "X-H", "h", "User-Agent", "agent")
	r.Host = "abcdefghij.execute-api.us-east-1.amazonaws.com:4566"
	want := `GET /it/{id} /s/it/7 s 000000000000 abcdefghij 04/Mar/2026:05:06:07 +0000 1772600767089 192.0.2.1 agent ` +
		`[] [] abcdefghij abcdefghij.execute-api.us-east-1.amazonaws.com HTTP/1.1 resa dep123 GetIt 7 2 h [] variable [] {id=7} {q=2}`
	if diff := cmp.Diff(want, bodyOf(t, f.do(r))); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestPassthrough(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		behavior    string
		templates   strs
		contentType string
		want        string // the event; "" for 415
	}{
		{"", strs{"application/json": `"t"`}, "application/json", `"t"`},
		{"", strs{"application/json": `"t"`}, "Application/JSON; charset=x", `"t"`},
		{"", strs{"application/json": `"t"`}, "", `"t"`},
		{"", strs{"application/json": `"t"`}, "text/plain", `"body"`},
		{"", strs{"application/json": ""}, "", `"body"`},
		{"", strs{"$default": `"d"`}, "text/plain", `"d"`},
		{"WHEN_NO_MATCH", nil, "text/plain", `"body"`},
		{"WHEN_NO_TEMPLATES", nil, "text/plain", `"body"`},
		{"WHEN_NO_TEMPLATES", strs{"application/json": `"t"`}, "text/plain", ""},
		{"NEVER", nil, "text/plain", ""},
		{"NEVER", strs{"application/json": `"t"`}, "", `"t"`},
	} {
		m := respond(lambdaMethod(tt.templates), "200", "", "")
		if tt.behavior != "" {
			m.MethodIntegration.PassthroughBehavior = ptr(tt.behavior)
		}
		fn := returns(`{}`)
		f := newFixture(t, fn, api{"POST /": m}.stage("s", strs{"stage": "x"}))
		r := request("POST", "/s", `"body"`)
		if tt.contentType != "" {
			r.Header.Set("Content-Type", tt.contentType)
		}
		res, got := f.do(r), ""
		if len(fn.calls) > 0 {
			got = string(fn.calls[0].Payload)
		}
		if got != tt.want || (res.StatusCode == 415) != (tt.want == "") {
			t.Errorf("%s %v %q: got %d %s, want %s", tt.behavior, tt.templates, tt.contentType, res.StatusCode, got, tt.want)
		}
	}
}

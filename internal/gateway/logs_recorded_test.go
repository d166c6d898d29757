package gateway

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/xray"
)

// TestLogMapOrder has names in the order of recorded lines.
func TestLogMapOrder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		capacity int
		recorded string
	}{
		// Method request headers of two APIs.
		{javaCapacity, "Accept CloudFront-Viewer-Country CloudFront-Forwarded-Proto CloudFront-Is-Tablet-Viewer CloudFront-Is-Mobile-Viewer User-Agent X-Forwarded-Proto " +
			"CloudFront-Is-SmartTV-Viewer Host X-Forwarded-Port X-Amzn-Trace-Id Via X-Amz-Cf-Id X-Forwarded-For CloudFront-Is-Desktop-Viewer"},
		{javaCapacity, "Accept Debug-Log-Enabled User-Agent X-Forwarded-Proto x-correlation-id X-Forwarded-For Host X-Forwarded-Port X-Amzn-Trace-Id Content-Type x-correlation-span-id"},
		// Endpoint request headers of a function and of an HTTP backend.
		{sentCapacity, "X-Amz-Date x-amzn-apigateway-api-id Accept User-Agent Host X-Amz-Content-Sha256 X-Amzn-Trace-Id x-amzn-lambda-integration-tag Authorization X-Amz-Source-Arn X-Amz-Security-Token"},
		{javaCapacity, "DogsAge0 x-amzn-apigateway-api-id Accept User-Agent X-Amzn-Trace-Id"},
		// Method response headers of a function, and of one behind a proxy.
		{javaCapacity, "X-Amzn-Trace-Id Content-Type"},
		{javaCapacity, "Access-Control-Allow-Origin Access-Control-Allow-Headers X-Amzn-Trace-Id"},
	} {
		var f fields
		for name := range strings.FieldsSeq(tt.recorded) {
			f = append(f, field{name: name})
		}
		if got := strings.Join(f.inBuckets(tt.capacity).names(), " "); got != tt.recorded {
			t.Errorf("\n got %s\nwant %s", got, tt.recorded)
		}
	}
}

// recordedTestLog is the log of a recorded test of a function's method, without
// the headers that a signature adds to the function's call.
const recordedTestLog = `Execution log for request ID
TIME Starting execution for request: ID
TIME HTTP Method: GET, Resource Path: /foo
TIME Method request path: {}
TIME Method request query string: {}
TIME Method request headers: {HEADERS}
TIME Method request body before transformations: BODY
TIME Endpoint request URI: URL
TIME Endpoint request headers: {X-Amz-Date=20260304T050607Z, x-amzn-apigateway-api-id=abcdefghij, Accept=application/json, User-Agent=AmazonAPIGateway_abcdefghij, Host=lambda.us-east-1.amazonaws.com, X-Amz-Content-Sha256=SHA, X-Amzn-Trace-Id=Root=R, x-amzn-lambda-integration-tag=ID}
TIME Endpoint request body after transformations: BODY
TIME Sending request to URL
TIME Received response. Status: 200, Integration latency: 0 ms
TIME Endpoint response headers: {Date=Wed, 04 Mar 2026 05:06:07 GMT, Content-Type=application/json, Content-Length=17, Connection=keep-alive, x-amzn-RequestId=lambda-request, x-amzn-Remapped-Content-Length=0, X-Amz-Executed-Version=3, X-Amzn-Trace-Id=Root=R;Parent=P;Sampled=0;LINEAGE}
TIME Endpoint response body before transformations: {"statusCode":20}
TIME Method response body after transformations: {"statusCode":20}
TIME Method response headers: {X-Amzn-Trace-Id=Root=R;Parent=P;Sampled=0;LINEAGE, Content-Type=application/json}
TIME Successfully completed execution
TIME Method completed with status: 200
`

// TestRecordedMethodTest tests a method as a recording does, which calls its
// function as a role: without a body and with one.
func TestRecordedMethodTest(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ headers, body, event string }{
		{"", "", "{}"},
		{"content-type=application/json", `{"test": "val123"}`, `{"test": "val123"}`},
	} {
		m := respond(lambdaMethod(nil), "200", "", "")
		m.MethodIntegration.Credentials = ptr("arn:aws:iam::000000000000:role/r")
		m.MethodIntegration.Uri = ptr(functionURI + "/invocations")
		f := newFixture(t, returns(`{"statusCode":20}`))
		test := &MethodTest{Stage: api{"GET /foo": m}.stage("", nil), Verb: "GET", Path: "/foo", Body: tt.body}
		if name, value, ok := strings.Cut(tt.headers, "="); ok {
			test.Headers = map[string][]string{name: {value}}
		}
		out, err := f.TestMethod(t.Context(), test)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.NewReplacer("HEADERS", tt.headers, "BODY", tt.body,
			"URL", "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:example/invocations").Replace(recordedTestLog)
		got := normalLog([]string{*out.Log})
		got = regexp.MustCompile(`(?m)^\w{3} \w{3} \d\d [0-9:]{8} UTC \d{4} :`).ReplaceAllString(got, "TIME")
		got = regexp.MustCompile(`Lineage=1:[0-9a-f]{8}:0`).ReplaceAllString(got, "LINEAGE")
		got = regexp.MustCompile(`Sha256=[0-9a-f]{64}`).ReplaceAllString(got, "Sha256=SHA")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if event := string(f.fn.last(t).Payload); event != tt.event {
			t.Errorf("the function gets %s, want %s", event, tt.event)
		}
		if keys := len(out.Headers); keys != 2 || out.MultiValueHeaders["Content-Type"][0] != applicationJSON {
			t.Errorf("the answer has %v", out.Headers)
		}
	}
}

// TestRecordedLogEnds has how logs of recorded requests end.
func TestRecordedLogEnds(t *testing.T) {
	t.Parallel()
	const function, headers = `{"errorType": "TypeError", "errorMessage": "no '0'"}`, `Date=Wed, 04 Mar 2026 05:06:07 GMT, Content-Type=application/json, Content-Length=`
	lineage := xray.Lineage("arn:aws:lambda:us-east-1:000000000000:function:example:x")
	failing := &functions{f: func(*FunctionCall) (*FunctionResult, error) {
		return &FunctionResult{Status: 200, RequestID: "lambda-request", Payload: []byte(function), FunctionError: "Unhandled", ExecutedVersion: "$LATEST"}, nil
	}}
	for _, tt := range []struct {
		name   string
		fn     *functions
		method *apigatewayapi.Method
		xray   bool
		want   string
	}{
		{"a function that failed", failing, proxyMethod(), true,
			`(ID) Endpoint response headers: {` + headers + `52, Connection=keep-alive, x-amzn-RequestId=lambda-request, X-Amz-Function-Error=Unhandled, ` +
				`x-amzn-Remapped-Content-Length=0, X-Amz-Executed-Version=$LATEST, X-Amzn-Trace-Id=Root=R;Parent=P;Sampled=0;Lineage=` + lineage + `}
(ID) Endpoint response body before transformations: ` + function + `
(ID) Lambda execution failed with status 200 due to customer function error: no '0'. Lambda request id: lambda-request
(ID) Method completed with status: 502
(ID) AWS Integration Endpoint RequestId : lambda-request
(ID) X-ray Tracing ID : Root=R`},
		{"one whose answer is no proxy's", returns(`"hello world"`), proxyMethod(), false,
			`(ID) Endpoint response body before transformations: "hello world"
(ID) Execution failed due to configuration error: Malformed Lambda proxy response
(ID) Method completed with status: 502
(ID) AWS Integration Endpoint RequestId : lambda-request`},
		{"one behind a proxy, without headers", returns(`{"statusCode":400,"body":"no"}`), proxyMethod(), false,
			`(ID) Endpoint response body before transformations: {"statusCode":400,"body":"no"}
(ID) Method response body after transformations: no
(ID) Method response headers: {X-Amzn-Trace-Id=Root=R;Parent=P;Sampled=0;Lineage=` + lineage + `}
(ID) Successfully completed execution
(ID) Method completed with status: 400
(ID) AWS Integration Endpoint RequestId : lambda-request`},
		{"a mock", nil, respond(mockMethod(`{"statusCode": 200}`), "200", "", ""), false,
			`(ID) Method request body before transformations: 
(ID) Method response body after transformations: 
(ID) Method response headers: {Content-Type=application/json}
(ID) Successfully completed execution
(ID) Method completed with status: 200`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := api{"GET /": tt.method}.stage("s", strs{"stage": "x"})
			s.Stage.TracingEnabled = &tt.xray
			s.Stage.MethodSettings = map[string]apigatewayapi.MethodSetting{"*/*": {LoggingLevel: ptr("INFO"), DataTraceEnabled: wire.Ptr(true)}}
			f := newFixture(t, tt.fn, s)
			f.do(request("GET", "/s", ""))
			got := normalLog(f.logs.group(executionGroup))
			if !strings.HasSuffix(got, tt.want) {
				t.Errorf("ends with\n%s\nwant\n%s", got[strings.Index(got, "(ID) Method request body"):], tt.want)
			}
		})
	}
}

// TestRecordedTruncation: lines say 1,024 bytes at most, not counting whose
// line it is and that it was cut; so do those of a test.
func TestRecordedTruncation(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 2000)
	m := respond(mockMethod(`{"statusCode": 200}`), "200", "", "")
	want := "Method request body before transformations: " + strings.Repeat("x", 1024-len("Method request body before transformations: ")) + " [TRUNCATED]"
	s := api{"POST /": m}.stage("s", nil)
	s.Stage.MethodSettings = map[string]apigatewayapi.MethodSetting{"*/*": {LoggingLevel: ptr("INFO"), DataTraceEnabled: wire.Ptr(true)}}
	f := newFixture(t, nil, s)
	f.do(request("POST", "/s", long))
	if log := normalLog(f.logs.group(executionGroup)); !strings.Contains(log, "(ID) "+want+"\n") {
		t.Errorf("a stage logs\n%s", log)
	}
	out, err := f.TestMethod(t.Context(), &MethodTest{Stage: s, Verb: "POST", Path: "/", Body: long})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(*out.Log, " : "+want+"\n") {
		t.Errorf("a test logs\n%s", *out.Log)
	}
}

// TestValidationLog tells that a body passed (developer guide, "Tutorial:
// Create a REST API with a Lambda custom integration").
func TestValidationLog(t *testing.T) {
	t.Parallel()
	s := validated(calculation)
	s.Stage.MethodSettings = map[string]apigatewayapi.MethodSetting{"*/*": {LoggingLevel: ptr("INFO")}}
	f := newFixture(t, nil, s)
	f.do(request("POST", "/s/1?q=1", `{"a": 1, "b": 2}`, "X-H", "h", "Content-Type", "application/json; charset=utf-8"))
	if log := normalLog(f.logs.group(executionGroup)); !strings.Contains(log, "(ID) Request validation succeeded for content type application/json\n") {
		t.Errorf("log\n%s", log)
	}
}

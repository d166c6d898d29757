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

const executionGroup = "API-Gateway-Execution-Logs_abcdefghij/s"

func loggedStage(level string, trace bool) *Stage {
	s := article().stage("s", strs{"stage": "staging"})
	s.Stage.MethodSettings = map[string]apigatewayapi.MethodSetting{
		"*/*": {LoggingLevel: wire.Ptr(level), DataTraceEnabled: wire.Ptr(trace)}}
	return s
}

// normalLog replaces what differs from run to run.
func normalLog(lines []string) string {
	text := strings.Join(lines, "\n")
	text = traceRoot.ReplaceAllString(text, "Root=R")
	text = regexp.MustCompile(`Parent=[0-9a-f]{16}`).ReplaceAllString(text, "Parent=P")
	text = regexp.MustCompile(`Extended Request Id: [A-Za-z0-9+/]{15}=`).ReplaceAllString(text, "Extended Request Id: E")
	text = regexp.MustCompile(`latency: \d+ ms`).ReplaceAllString(text, "latency: 0 ms")
	text = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`).ReplaceAllString(text, "ID")
	return text
}

func TestExecutionLog(t *testing.T) {
	t.Parallel()
	const head = `(ID) Extended Request Id: E
(ID) Verifying Usage Plan for request: ID. API Key:  API Stage: abcdefghij/s
(ID) API Key  authorized because method 'POST /user/{id}' does not require API Key. Request will not contribute to throttle or quota limits
(ID) Usage Plan check succeeded for API Key  and API Stage abcdefghij/s
(ID) Starting execution for request: ID
(ID) HTTP Method: POST, Resource Path: /user/1
`
	const url = "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:example:staging/invocations"
	tests := []struct {
		name  string
		level string
		trace bool
		fn    *functions
		want  string
	}{
		{"info", "INFO", false, returns("{}"), head +
			`(ID) Endpoint request URI: ` + url + `
(ID) Sending request to ` + url + `
(ID) Received response. Status: 200, Integration latency: 0 ms
(ID) Successfully completed execution
(ID) Method completed with status: 200
(ID) AWS Integration Endpoint RequestId : lambda-request`},
		{"data trace", "INFO", true, returns(`{"ok": 1}`), head +
			`(ID) Method request path: {id=1}
(ID) Method request query string: {q=2}
(ID) Method request headers: {Authorization=*****ecret1, X-Forwarded-Proto=http, X-Forwarded-For=192.0.2.1, Host=example.com, X-Forwarded-Port=80, X-Amzn-Trace-Id=Root=R}
(ID) Method request body before transformations: {"name": "Ada"}
(ID) Endpoint request URI: ` + url + `
(ID) Endpoint request headers: {X-Amz-Date=20260304T050607Z, x-amzn-apigateway-api-id=abcdefghij, Accept=application/json, User-Agent=AmazonAPIGateway_abcdefghij, Host=lambda.us-east-1.amazonaws.com, X-Amz-Content-Sha256=b3e64f3344e90f564a7b2ac1e6cc6799e7ec03125a3579ffd397d2eacbcec3f7, X-Amzn-Trace-Id=Root=R, x-amzn-lambda-integration-tag=ID, X-Amz-Source-Arn=arn:aws:execute-api:us-east-1:000000000000:abcdefghij/s/POST/user/{id}}
(ID) Endpoint request body after transformations: { "id": "1", "name": "Ada", "stage": "staging", "_method": "POST" }
(ID) Sending request to ` + url + `
(ID) Received response. Status: 200, Integration latency: 0 ms
(ID) Endpoint response headers: {Date=Wed, 04 Mar 2026 05:06:07 GMT, Content-Type=application/json, Content-Length=9, Connection=keep-alive, x-amzn-RequestId=lambda-request, x-amzn-Remapped-Content-Length=0, X-Amz-Executed-Version=3, X-Amzn-Trace-Id=Root=R;Parent=P;Sampled=0;Lineage=` + xray.Lineage("arn:aws:lambda:us-east-1:000000000000:function:example:staging") + `}
(ID) Endpoint response body before transformations: {"ok": 1}
(ID) Method response body after transformations: {"ok": 1}
(ID) Method response headers: {X-Amzn-Trace-Id=Root=R;Parent=P;Sampled=0;Lineage=` + xray.Lineage("arn:aws:lambda:us-east-1:000000000000:function:example:staging") + `, Content-Type=application/json}
(ID) Successfully completed execution
(ID) Method completed with status: 200
(ID) AWS Integration Endpoint RequestId : lambda-request`},
		{"no permission", "INFO", false, refuses(403, "AccessDeniedException"), head +
			`(ID) Endpoint request URI: ` + url + `
(ID) Sending request to ` + url + `
(ID) Execution failed due to configuration error: Invalid permissions on Lambda function
(ID) Method completed with status: 500
(ID) AWS Integration Endpoint RequestId : lambda-request`},
		{"errors only, none", "ERROR", true, returns("{}"), ""},
		{"errors only, one", "ERROR", false, refuses(403, "AccessDeniedException"),
			"(ID) Execution failed due to configuration error: Invalid permissions on Lambda function\n(ID) Method completed with status: 500"},
		{"off", "OFF", true, refuses(403, "AccessDeniedException"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, tt.fn, loggedStage(tt.level, tt.trace))
			f.do(request("POST", "/s/user/1?q=2", `{"name": "Ada"}`, "Authorization", "Bearsecret1"))
			if diff := cmp.Diff(tt.want, normalLog(f.logs.group(executionGroup))); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestExecutionLogNeedsRole(t *testing.T) {
	t.Parallel()
	s := loggedStage("INFO", true)
	s.CloudWatchRole = ""
	s.Stage.AccessLogSettings = &apigatewayapi.AccessLogSettings{
		DestinationArn: ptr("arn:aws:logs:us-east-1:000000000000:log-group:access"), Format: ptr("$context.status")}
	f := newFixture(t, returns("{}"), s)
	f.do(request("GET", "/s/user/1", ""))
	if len(f.logs.lines) != 0 {
		t.Errorf("logs without a role: %v", f.logs.lines)
	}
}

func TestLongLogLine(t *testing.T) {
	t.Parallel()
	f := newFixture(t, returns("{}"), loggedStage("INFO", true))
	f.do(request("POST", "/s/user/1", `{"name": "`+strings.Repeat("é", 2000)+`"}`))
	found := false
	for _, line := range f.logs.group(executionGroup) {
		if len(line) > len("(11111111-2222-4333-8444-555555555555) ")+maxLogLine+len(truncated) {
			t.Errorf("a line of %d bytes", len(line))
		}
		found = found || strings.HasSuffix(line, "é [TRUNCATED]")
	}
	if !found {
		t.Error("no line was cut")
	}
}

func TestMethodSettings(t *testing.T) {
	t.Parallel()
	level := func(l string) apigatewayapi.MethodSetting {
		return apigatewayapi.MethodSetting{LoggingLevel: wire.Ptr(l)}
	}
	for _, tt := range []struct {
		settings map[string]apigatewayapi.MethodSetting
		lines    bool
	}{
		{nil, false},
		{map[string]apigatewayapi.MethodSetting{"*/*": level("INFO")}, true},
		{map[string]apigatewayapi.MethodSetting{"*/*": level("INFO"), "user/{id}/GET": level("OFF")}, false},
		{map[string]apigatewayapi.MethodSetting{"*/*": level("OFF"), "user~1{id}/GET": level("INFO")}, true},
		{map[string]apigatewayapi.MethodSetting{"*/*": level("OFF"), "~1user~1{id}/GET": level("INFO")}, true},
		{map[string]apigatewayapi.MethodSetting{"user/{id}/POST": level("INFO")}, false},
	} {
		s := article().stage("s", strs{"stage": "x"})
		s.Stage.MethodSettings = tt.settings
		f := newFixture(t, returns("{}"), s)
		f.do(request("GET", "/s/user/1", ""))
		if got := len(f.logs.group(executionGroup)) > 0; got != tt.lines {
			t.Errorf("%v: logged %v", tt.settings, got)
		}
	}
}

func TestAccessLog(t *testing.T) {
	t.Parallel()
	const id = "11111111-2222-4333-8444-555555555555"
	for _, tt := range []struct {
		format string
		fn     *functions
		path   string
		want   string
	}{
		{`{"id":"$context.requestId","ip":"$context.identity.sourceIp","t":"$context.requestTime","m":"$context.httpMethod $context.resourcePath"}`,
			returns("{}"), "/s/user/1", `{"id":"` + id + `","ip":"192.0.2.1","t":"04/Mar/2026:05:06:07 +0000","m":"GET /user/{id}"}`},
		{"$context.status $context.responseLength $context.protocol.", returns("{}"), "/s/user/1", "200 2 HTTP/1.1."},
		{"$context.status $context.none $context.error.message $context.integration.status", returns("{}"), "/s/user/1", "200 - - 200"},
		{"$context.status $context.error.message $context.error.messageString $context.error.responseType $context.resourcePath",
			returns("{}"), "/s/none", `403 Missing Authentication Token "Missing Authentication Token" MISSING_AUTHENTICATION_TOKEN -`},
		{"$context.status $context.integrationErrorMessage", refuses(403, "X"), "/s/user/1",
			"500 Execution failed due to configuration error: Invalid permissions on Lambda function"},
		{"$context.endpointType $context.waf.status $context.wafResponseCode", returns("{}"), "/s/user/1", "EDGE - -"},
		{"no variables", returns("{}"), "/s/user/1", "no variables"},
	} {
		s := article().stage("s", strs{"stage": "x"})
		s.Stage.AccessLogSettings = &apigatewayapi.AccessLogSettings{
			DestinationArn: ptr("arn:aws:logs:us-east-1:000000000000:log-group:access:*"), Format: &tt.format}
		f := newFixture(t, tt.fn, s)
		f.do(request("GET", tt.path, "", "X-Amzn-Requestid", id))
		if diff := cmp.Diff([]string{tt.want}, f.logs.group("access")); diff != "" {
			t.Errorf("%s: -want +got\n%s", tt.format, diff)
		}
	}
}

package gateway

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// errorsAPI has one method for each way to fail.
func errorsAPI() api {
	const ok = `{"statusCode": 200}`
	onlyErrors := respond(lambdaMethod(nil), "500", ".+", "")
	undeclared := respond(lambdaMethod(nil), "200", "", "")
	undeclared.MethodResponses = map[string]apigatewayapi.MethodResponse{"201": {StatusCode: wire.Ptr("201")}}
	never := respond(lambdaMethod(strs{"application/json": `{}`}), "200", "", "")
	never.MethodIntegration.PassthroughBehavior = wire.Ptr("NEVER")
	noTemplates := respond(lambdaMethod(strs{"application/json": `{}`}), "200", "", "")
	noTemplates.MethodIntegration.PassthroughBehavior = wire.Ptr("WHEN_NO_TEMPLATES")
	illegal := respond(mockMethod(ok), "200", "", "")
	illegal.MethodIntegration.RequestParameters = strs{"integration.request.header.Content-Length": "'x'"}
	badURI := respond(lambdaMethod(nil), "200", "", "")
	badURI.MethodIntegration.Uri = wire.Ptr(functionURI + ":${stageVariables.none}/invocations")
	get := respond(lambdaMethod(nil), "200", "", "")
	get.MethodIntegration.HttpMethod = wire.Ptr("GET")
	notBuilt := respond(mockMethod(ok), "200", "", "")
	notBuilt.MethodIntegration.Type, notBuilt.MethodIntegration.Uri = ptr("AWS"), ptr("arn:aws:apigateway:us-east-1:sqs:path/0/q")
	body := respond(mockMethod(ok), "200", "", "")
	body.MethodIntegration.RequestParameters = strs{"integration.request.header.x": "method.request.body.a.b"}
	return api{
		"GET /mock":         respond(mockMethod(ok), "200", "", ""),
		"POST /function":    respond(lambdaMethod(nil), "200", "", ""),
		"POST /onlyErrors":  onlyErrors,
		"POST /undeclared":  undeclared,
		"POST /never":       never,
		"POST /noTemplates": noTemplates,
		"POST /illegal":     illegal,
		"POST /badURI":      badURI,
		"POST /get":         get,
		"POST /notBuilt":    notBuilt,
		"POST /body":        body,
		"POST /proxy":       proxyMethod(),
		"GET /badMock":      respond(mockMethod(`{"statusCode": "200"}`), "200", "", ""),
		"GET /noDefault":    respond(mockMethod(ok), "200", "4..", ""),
		"GET /badTemplate":  respond(mockMethod(`#if(`), "200", "", ""),
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	const internal = `{"message": "Internal server error"}`
	const config = "Execution failed due to configuration error: "
	rateExceeded := "Lambda invocation failed with status: 429. Lambda request id: lambda-request\n" + config + "Rate Exceeded."
	slow := &functions{f: func(*FunctionCall) (*FunctionResult, error) { return nil, errDeadline }}
	tests := []struct {
		name      string
		verb      string
		path      string
		body      string
		headers   []string
		fn        *functions
		status    int
		errorType string
		trace     bool
		want      string
		log       string // lines of the execution log at level ERROR, without its last
	}{
		{name: "unknown stage", verb: "GET", path: "/nostage/mock", status: 403, errorType: "ForbiddenException", want: `{"message":"Forbidden"}`},
		{name: "no stage", verb: "GET", path: "/", status: 403, errorType: "ForbiddenException", want: `{"message":"Forbidden"}`},
		{name: "unknown path", verb: "GET", path: "/s/nothing", status: 403, errorType: "MissingAuthenticationTokenException", want: `{"message":"Missing Authentication Token"}`},
		{name: "unknown verb", verb: "PUT", path: "/s/mock", status: 403, errorType: "MissingAuthenticationTokenException", want: `{"message":"Missing Authentication Token"}`},
		{name: "unsupported media type, NEVER", verb: "POST", path: "/s/never", body: "a", headers: []string{"Content-Type", "text/plain"},
			status: 415, errorType: "BadRequestException", trace: true, want: `{"message": "Unsupported Media Type"}`},
		{name: "unsupported media type, WHEN_NO_TEMPLATES", verb: "POST", path: "/s/noTemplates", body: "a", headers: []string{"Content-Type", "text/plain"},
			status: 415, errorType: "BadRequestException", trace: true, want: `{"message": "Unsupported Media Type"}`},
		{name: "no permission on the alias", verb: "POST", path: "/s/function", fn: refuses(403, "AccessDeniedException"),
			status: 500, errorType: "InternalServerErrorException", trace: true, want: internal, log: config + "Invalid permissions on Lambda function"},
		{name: "no permission, proxy", verb: "POST", path: "/s/proxy", fn: refuses(403, "AccessDeniedException"),
			status: 500, errorType: "InternalServerErrorException", trace: true, want: internal, log: config + "Invalid permissions on Lambda function"},
		{name: "throttled function", verb: "POST", path: "/s/function", fn: refuses(429, "TooManyRequestsException"),
			status: 500, errorType: "InternalServerErrorException", trace: true, want: internal, log: rateExceeded},
		{name: "timeout", verb: "POST", path: "/s/function", fn: slow,
			status: 504, errorType: "InternalServerErrorException", trace: true, want: `{"message": "Endpoint request timed out"}`,
			log: "Execution failed due to a timeout error"},
		{name: "no match", verb: "POST", path: "/s/onlyErrors", fn: returns(`{}`),
			status: 500, errorType: "InternalServerErrorException", trace: true, want: internal,
			log: config + "No match for output mapping and no default output mapping configured. Endpoint Response Status Code: 200"},
		{name: "undeclared status", verb: "POST", path: "/s/undeclared", fn: returns(`{}`),
			status: 500, errorType: "InternalServerErrorException", trace: true, want: internal,
			log: config + "Output mapping refers to an invalid method response: 200"},
		{name: "illegal header mapping", verb: "POST", path: "/s/illegal",
			status: 500, errorType: "InternalServerErrorException", want: internal, log: config + "Content-Length header already present"},
		{name: "stage variable without value", verb: "POST", path: "/s/badURI",
			status: 500, errorType: "InternalServerErrorException", trace: true, want: internal, log: config + "Invalid endpoint address"},
		{name: "function called by GET", verb: "POST", path: "/s/get",
			status: 500, errorType: "InternalServerErrorException", trace: true, want: internal,
			log: config + "Invalid integration HTTP method: Lambda functions are invoked with POST"},
		{name: "mock status is a string", verb: "GET", path: "/s/badMock",
			status: 500, errorType: "InternalServerErrorException", trace: true, want: internal,
			log: config + "Unable to parse statusCode. It should be an integer that is defined in the request template."},
		{name: "mock without match", verb: "GET", path: "/s/noDefault",
			status: 500, errorType: "InternalServerErrorException", trace: true, want: internal,
			log: config + "No match for output mapping and no default output mapping configured. Endpoint Response Status Code: 200"},
		{name: "template that does not parse", verb: "GET", path: "/s/badTemplate",
			status: 500, errorType: "InternalServerErrorException", trace: true, want: internal},
		{name: "body mapping over bad JSON", verb: "POST", path: "/s/body", body: `{"a": `,
			status: 400, errorType: "BadRequestException", trace: true, want: `{"message": "Invalid JSON in request body"}`},
		{name: "event is not JSON", verb: "POST", path: "/s/function", body: "hello", fn: refuses(400, "Could not parse request body into json: why"),
			status: 400, errorType: "BadRequestException", trace: true, want: `{"message": "Could not parse request body into json: why"}`,
			log: "Lambda invocation failed with status: 400. Lambda request id: lambda-request"},
		{name: "proxy function fails", verb: "POST", path: "/s/proxy", fn: fails("boom"),
			status: 502, errorType: "InternalServerErrorException", trace: true, want: internal,
			log: "Lambda execution failed with status 200 due to customer function error: boom. Lambda request id: lambda-request"},
		{name: "proxy function answers badly", verb: "POST", path: "/s/proxy", fn: returns(`"text"`),
			status: 502, errorType: "InternalServerErrorException", trace: true, want: internal, log: config + "Malformed Lambda proxy response"},
		{name: "not built", verb: "POST", path: "/s/notBuilt",
			status: 501, errorType: "NotImplementedException", trace: true,
			want: `{"message": "butai does not have this part of API Gateway yet: integrations with the service sqs"}`,
			log:  "Execution failed: butai does not have integrations with the service sqs"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := errorsAPI().stage("s", strs{"stage": "prod"})
			s.Stage.MethodSettings = map[string]apigatewayapi.MethodSetting{"*/*": {LoggingLevel: wire.Ptr("ERROR")}}
			f := newFixture(t, tt.fn, s)
			res := f.do(request(tt.verb, tt.path, tt.body, tt.headers...))
			body := bodyOf(t, res)
			if res.StatusCode != tt.status || body != tt.want {
				t.Errorf("got %d %s, want %d %s", res.StatusCode, body, tt.status, tt.want)
			}
			checkErrorHeaders(t, res, tt.errorType, tt.trace)
			if tt.log != "" {
				checkErrorLog(t, f.logs.group("API-Gateway-Execution-Logs_abcdefghij/s"), tt.log, tt.status)
			}
		})
	}
}

var errDeadline = errors.Join(errors.New("waiting for a sandbox"), context.DeadlineExceeded)

func checkErrorHeaders(t *testing.T, res *http.Response, errorType string, trace bool) {
	t.Helper()
	h := res.Header
	if got := h["x-amzn-ErrorType"]; len(got) != 1 || got[0] != errorType {
		t.Errorf("x-amzn-ErrorType is %q, want %q", got, errorType)
	}
	if got := h["X-Amzn-Trace-Id"]; (len(got) == 1) != trace || trace && !regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$`).MatchString(got[0]) {
		t.Errorf("X-Amzn-Trace-Id is %q", got)
	}
	if got := h["Content-Type"]; len(got) != 1 || got[0] != "application/json" {
		t.Errorf("Content-Type is %q", got)
	}
	if len(h["x-amzn-RequestId"]) != 1 || len(h["x-amz-apigw-id"]) != 1 {
		t.Errorf("ids are missing: %v", h)
	}
}

// checkErrorLog compares the execution log with the expected lines, which
// come without the request id and without the closing one.
func checkErrorLog(t *testing.T, lines []string, want string, status int) {
	t.Helper()
	for i := range lines {
		_, lines[i], _ = strings.Cut(lines[i], ") ")
	}
	want += "\n" + "Method completed with status: " + strconv.Itoa(status)
	if diff := cmp.Diff(want, strings.Join(lines, "\n")); diff != "" {
		t.Errorf("execution log: -want +got\n%s", diff)
	}
}

func TestPayloadLimit(t *testing.T) {
	t.Parallel()
	fn := returns(`{}`)
	f := newFixture(t, fn, errorsAPI().stage("s", strs{"stage": "prod"}))
	for _, tt := range []struct {
		size    int
		chunked bool
		status  int
	}{{maxPayload, false, 200}, {maxPayload + 1, false, 413}, {maxPayload, true, 200}, {maxPayload + 1, true, 413}} {
		r := httptest.NewRequest("POST", "/s/function", strings.NewReader(`"`+strings.Repeat("a", tt.size-2)+`"`))
		if tt.chunked {
			r.ContentLength = -1
		}
		res := f.do(r)
		body := bodyOf(t, res)
		if res.StatusCode != tt.status {
			t.Errorf("%d bytes, chunked %v: %d", tt.size, tt.chunked, res.StatusCode)
		}
		if tt.status == 413 && body != `{"message":"HTTP content length exceeded 10485760 bytes."}` {
			t.Errorf("body is %s", body)
		}
	}
}

// A client that sends its whole payload before it reads gets its answer.
func TestRefusedPayloadsAreReadOut(t *testing.T) {
	t.Parallel()
	f := newFixture(t, returns(`{}`), errorsAPI().stage("s", strs{"stage": "prod"}))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.ServeAPI(w, r, testAPI, "", r.URL.EscapedPath())
	}))
	t.Cleanup(server.Close)
	for path, status := range map[string]int{"/s/function": 413, "/s/none": 403, "/nostage/x": 403} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", path, 3*maxPayload); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(make([]byte, 3*maxPayload)); err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if res.StatusCode != status {
			t.Errorf("%s: %d %s", path, res.StatusCode, bodyOf(t, res))
		}
	}
}

func TestGatewayResponses(t *testing.T) {
	t.Parallel()
	s := errorsAPI().stage("s", strs{"stage": "prod"})
	s.Deployment.GatewayResponses = []apigatewayapi.GatewayResponse{
		{ResponseType: ptr("MISSING_AUTHENTICATION_TOKEN"), StatusCode: ptr("404"), ResponseTemplates: strs{
			"application/json": `{"path": "$context.path", "m": $context.error.messageString, "q": "$method.request.querystring.q", "v": "$stageVariables.stage", "n": "$context.none"}`,
			"text/html":        `<p>$context.error.message.</p>`}},
		{ResponseType: ptr("DEFAULT_5XX"), ResponseParameters: strs{
			"gatewayresponse.header.Access-Control-Allow-Origin": "'*'", "gatewayresponse.header.X-H": "method.request.header.X-H"}},
		{ResponseType: ptr("UNSUPPORTED_MEDIA_TYPE"), StatusCode: ptr("400"), DefaultResponse: wire.Ptr(true)},
	}
	f := newFixture(t, refuses(403, "AccessDeniedException"), s)
	for _, tt := range []struct {
		request         *http.Request
		want, errorType string
	}{
		{request("GET", "/s/none?q=1", ""), `404 {"path": "/s/none", "m": "Missing Authentication Token", "q": "1", "v": "prod", "n": ""}`, "MissingAuthenticationTokenException"},
		{request("GET", "/s/none", "", "Accept", "text/html"), `404 Content-Type=text/html <p>Missing Authentication Token.</p>`, "MissingAuthenticationTokenException"},
		{request("POST", "/s/function", "", "X-H", "h"), `500 Access-Control-Allow-Origin=* X-H=h {"message":"Internal server error"}`, "InternalServerErrorException"},
		{request("POST", "/s/never", "a", "Content-Type", "text/plain"), `415 {"message": "Unsupported Media Type"}`, "BadRequestException"},
		{request("POST", "/s/notBuilt", ""), `501 {"message": "butai does not have this part of API Gateway yet: integrations with the service sqs"}`, "NotImplementedException"},
	} {
		res := f.do(tt.request)
		if got := summary(t, res); got != tt.want || res.Header["x-amzn-ErrorType"][0] != tt.errorType {
			t.Errorf("%s: got %s, %s\nwant %s, %s", tt.request.URL, got, res.Header["x-amzn-ErrorType"], tt.want, tt.errorType)
		}
	}
}

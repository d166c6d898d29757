package gateway

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// The recording maps each of these headers of a client, in both directions,
// for four types of integrations.
var recordedClient = strs{
	"Accept": "application/json", "Accept-Charset": "UTF-8", "Accept-Encoding": "br", "Age": "age", "Authorization": "Unauthorized", "Connection": "close",
	"Content-Encoding": "deflate", "Content-MD5": "md5", "Content-Type": "application/json", "Date": "date", "Expect": "100-continue", "Max-Forwards": "2",
	"Pragma": "cache", "Proxy-Authenticate": "Basic", "Range": "bytes=500-999", "Referer": "https://example.com/", "Server": "server", "TE": "deflate",
	"Trailer": "Expires", "Transfer-Encoding": "chunked", "Upgrade": "HTTP/2.0", "User-Agent": "agent/0.0", "Via": "p.example.net",
	"Warn": "299 agent", "WWW-Authenticate": "Basic eHg=",
}

// recordedNames are those of the client and two that it doesn't set itself.
var recordedNames = append(slices.Sorted(maps.Keys(recordedClient)), "Content-Length", "Host")

// specialMappings are the headers that the recording maps to alone, since the
// answer is a 500.
var specialMappings = map[string][]string{
	"HTTP":       {"Content-Length", "Transfer-Encoding"},
	"HTTP_PROXY": {"Content-Length", "Transfer-Encoding"},
	"AWS":        {"Content-Length", "Transfer-Encoding", "Authorization", "Connection", "Expect", "Proxy-Authenticate", "TE"},
	"AWS_PROXY":  {"Content-Length", "Transfer-Encoding", "Authorization", "Connection", "Expect", "Proxy-Authenticate", "TE"},
}

// recordedMatrix is an API with an integration of one type at three kinds of
// paths: /no-param, /full and one for each special mapping.
func recordedMatrix(kind, uri string) api {
	method := func(names ...string) *apigatewayapi.Method {
		m := httpMethod(kind, "POST", uri)
		for _, name := range names {
			m.MethodIntegration.RequestParameters["integration.request.header."+name] = "'mapped'"
		}
		return m
	}
	out := api{"GET /no-param": respond(method(), "200", "", "")}
	var parts, mapped, answered []string
	for _, name := range recordedNames {
		parts = append(parts, `"`+name+`": "$input.params('`+name+`')"`)
		answered = append(answered, "method.response.header."+name, "'answered'")
		if !slices.Contains(specialMappings[kind], name) {
			mapped = append(mapped, name)
		}
	}
	full := method(mapped...)
	full.MethodIntegration.RequestTemplates = strs{"application/json": "{" + strings.Join(parts, ",") + "}"}
	out["GET /full"] = respond(full, "200", "", "", answered...)
	for _, name := range specialMappings[kind] {
		out["GET /"+name] = respond(method(name), "200", "", "")
	}
	return out
}

func recordedRequest(path string) *http.Request {
	r := request("GET", path, "")
	for name, value := range recordedClient {
		r.Header[name] = []string{value}
	}
	return r
}

// headerLines lists headers, those that differ between requests as names alone.
func headerLines(h http.Header) string {
	var lines []string
	for name, values := range h {
		switch name {
		case "X-Amzn-Trace-Id", "x-amzn-RequestId", "x-amz-apigw-id", "Content-Length", "x-amzn-Remapped-Content-Length", "x-amzn-Remapped-Date":
			lines = append(lines, name)
		default:
			lines = append(lines, name+": "+strings.Join(values, "|"))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// What templates see of the client: "" are the headers that nothing behind the
// front door sees.
const recordedParams = `Accept: application/json
Accept-Charset: UTF-8
Accept-Encoding: br
Age: age
Authorization: Unauthorized
Connection: 
Content-Encoding: deflate
Content-Length: 
Content-MD5: 
Content-Type: application/json
Date: date
Expect: 
Host: example.com
Max-Forwards: 
Pragma: cache
Proxy-Authenticate: 
Range: bytes=500-999
Referer: https://example.com/
Server: 
TE: 
Trailer: 
Transfer-Encoding: 
Upgrade: 
User-Agent: agent/0.0
Via: p.example.net
WWW-Authenticate: 
Warn: 299 agent`

// What the client sees where every header is mapped.
const recordedAnswer = `Accept-Charset: answered
Accept-Encoding: answered
Accept: answered
Age: answered
Connection: keep-alive
Content-Encoding: answered
Content-Length
Content-Type: answered
Pragma: answered
Range: answered
Referer: answered
TE: answered
Via: answered
Warn: answered
X-Amzn-Trace-Id
x-amz-apigw-id
x-amzn-Remapped-Authorization: answered
x-amzn-Remapped-Connection: answered
x-amzn-Remapped-Content-Length
x-amzn-Remapped-Content-MD5: answered
x-amzn-Remapped-Date
x-amzn-Remapped-Expect: answered
x-amzn-Remapped-Host: answered
x-amzn-Remapped-Max-Forwards: answered
x-amzn-Remapped-Proxy-Authenticate: answered
x-amzn-Remapped-Server: answered
x-amzn-Remapped-Trailer: answered
x-amzn-Remapped-Upgrade: answered
x-amzn-Remapped-User-Agent: answered
x-amzn-Remapped-WWW-Authenticate: answered
x-amzn-RequestId`

const recordedPlainAnswer = `Connection: keep-alive
Content-Length
Content-Type: application/json
X-Amzn-Trace-Id
x-amz-apigw-id
x-amzn-RequestId`

const recordedProxied = `Accept-Charset: UTF-8
Accept-Encoding: br
Accept: application/json
Age: age
Authorization: Unauthorized
`

// TestRecordedHeadersHTTP has what the recorded backends and clients saw. The
// recording's backend doesn't show X-Forwarded- headers and Via.
func TestRecordedHeadersHTTP(t *testing.T) {
	t.Parallel()
	const answer = `Access-Control-Allow-Origin: *
Connection: keep-alive
Content-Length
Content-Type: application/json
x-amz-apigw-id
x-amzn-Remapped-Connection: keep-alive
x-amzn-Remapped-Content-Length
x-amzn-Remapped-Date
x-amzn-Remapped-Server: gunicorn/19.9.0
x-amzn-RequestId`
	const mapped = `Accept-Charset: mapped
Accept-Encoding: mapped
Accept: mapped
Age: mapped
Authorization: mapped
Content-Encoding: mapped
Content-Length: LENGTH
Content-Md5: mapped
Content-Type: mapped
Date: mapped
Max-Forwards: mapped
Pragma: mapped
Range: mapped
Referer: mapped
Server: mapped
Trailer: mapped
Upgrade: mapped
User-Agent: mapped
Warn: mapped
Www-Authenticate: mapped
X-Amzn-Apigateway-Api-Id: abcdefghij
X-Amzn-Trace-Id`
	for _, tt := range []struct{ kind, path, seen, params, answer string }{
		{"HTTP", "/no-param", `Accept: application/json
Content-Length: 0
User-Agent: AmazonAPIGateway_abcdefghij
X-Amzn-Apigateway-Api-Id: abcdefghij
X-Amzn-Trace-Id`, "", recordedPlainAnswer},
		{"HTTP", "/full", mapped, recordedParams, recordedAnswer},
		{"HTTP_PROXY", "/no-param", recordedProxied + `Content-Length: 0
Content-Type: application/json
Date: date
Pragma: cache
Range: bytes=500-999
Referer: https://example.com/
User-Agent: agent/0.0
Warn: 299 agent
X-Amzn-Apigateway-Api-Id: abcdefghij
X-Amzn-Trace-Id`, "", answer},
		{"HTTP_PROXY", "/full", mapped, "", answer},
	} {
		b := newBackend(t, func(w http.ResponseWriter, _ *http.Request) {
			h := w.Header()
			h["Connection"], h["Server"], h["Content-Type"], h["Access-Control-Allow-Origin"] = keepAlive, []string{"gunicorn/19.9.0"}, jsonType, []string{"*"}
		})
		f := newFixture(t, nil, recordedMatrix(tt.kind, b.URL).stage("s", nil))
		res := f.do(recordedRequest("/s" + tt.path))
		if res.StatusCode != 200 {
			t.Fatalf("%s %s: %s", tt.kind, tt.path, summary(t, res))
		}
		var seen []string
		for line := range strings.SplitSeq(b.headers(), "\n") {
			if !strings.HasPrefix(line, "X-Forwarded-") && !strings.HasPrefix(line, "Via") {
				seen = append(seen, line)
			}
		}
		want := strings.Replace(tt.seen, "LENGTH", strconv.Itoa(len(b.body)), 1)
		if diff := cmp.Diff(want, strings.Join(seen, "\n")); diff != "" {
			t.Errorf("%s %s, the backend: -want +got\n%s", tt.kind, tt.path, diff)
		}
		if tt.path == "/full" && b.seen.Host != "mapped" {
			t.Errorf("%s: Host is %s", tt.kind, b.seen.Host)
		}
		if diff := cmp.Diff(tt.params, paramLines(t, b.body)); diff != "" {
			t.Errorf("%s %s, the template: -want +got\n%s", tt.kind, tt.path, diff)
		}
		if diff := cmp.Diff(tt.answer, headerLines(res.Header)); diff != "" {
			t.Errorf("%s %s, the client: -want +got\n%s", tt.kind, tt.path, diff)
		}
	}
}

// paramLines lists an object of texts.
func paramLines(t *testing.T, object string) string {
	t.Helper()
	if object == "" {
		return ""
	}
	var params map[string]string
	if err := json.Unmarshal([]byte(object), &params); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		lines = append(lines, name+": "+params[name])
	}
	return strings.Join(lines, "\n")
}

// TestRecordedHeadersAWS has what the recorded functions and their clients saw.
func TestRecordedHeadersAWS(t *testing.T) {
	t.Parallel()
	const proxied = recordedProxied + `Content-Encoding: deflate
Content-Type: application/json
Date: date
Host: example.com
Pragma: cache
Range: bytes=500-999
Referer: https://example.com/
User-Agent: agent/0.0
Via: p.example.net
Warn: 299 agent
X-Amzn-Trace-Id
X-Forwarded-For: 192.0.2.1
X-Forwarded-Port: 80
X-Forwarded-Proto: http`
	for _, tt := range []struct{ kind, path, event, answer string }{
		{"AWS", "/no-param", "", recordedPlainAnswer},
		{"AWS", "/full", recordedParams, recordedAnswer},
		{"AWS_PROXY", "/no-param", proxied, recordedPlainAnswer},
		{"AWS_PROXY", "/full", proxied, recordedPlainAnswer}, // mappings change nothing
	} {
		f := newFixture(t, returns(`{"statusCode": 200}`), recordedMatrix(tt.kind, functionURI+"/invocations").stage("s", nil))
		res := f.do(recordedRequest("/s" + tt.path))
		payload, got := f.fn.last(t).Payload, ""
		switch {
		case tt.kind == "AWS_PROXY":
			var event struct {
				Headers http.Header `json:"multiValueHeaders"`
				Body    *string
			}
			if err := json.Unmarshal(payload, &event); err != nil || event.Body != nil {
				t.Fatalf("%s: %v", payload, err)
			}
			got = headerLines(event.Headers)
		case string(payload) != "{}":
			got = paramLines(t, string(payload))
		}
		if diff := cmp.Diff(tt.event, got); diff != "" {
			t.Errorf("%s %s, the function: -want +got\n%s", tt.kind, tt.path, diff)
		}
		if diff := cmp.Diff(tt.answer, headerLines(res.Header)); diff != "" {
			t.Errorf("%s %s, the client: -want +got\n%s", tt.kind, tt.path, diff)
		}
	}
}

// TestRecordedIllegalMappings has the answers to mappings to headers that
// nobody may set.
func TestRecordedIllegalMappings(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	for kind, names := range specialMappings {
		uri := b.URL
		if strings.HasPrefix(kind, "AWS") {
			uri = functionURI + "/invocations"
		}
		s := recordedMatrix(kind, uri).stage("s", nil)
		s.Stage.MethodSettings = map[string]apigatewayapi.MethodSetting{"*/*": {LoggingLevel: wire.Ptr("ERROR")}}
		f := newFixture(t, returns("{}"), s)
		for _, name := range names {
			res := f.do(recordedRequest("/s/" + name))
			if body := bodyOf(t, res); res.StatusCode != 500 || body != `{"message": "Internal server error"}` || res.Header.Get("Content-Length") != "36" {
				t.Errorf("%s, %s: %d %s", kind, name, res.StatusCode, body)
			}
			want := "Connection: keep-alive\nContent-Length\nContent-Type: application/json\nx-amz-apigw-id\nx-amzn-ErrorType: InternalServerErrorException\nx-amzn-RequestId"
			if diff := cmp.Diff(want, headerLines(res.Header)); diff != "" {
				t.Errorf("%s, %s: -want +got\n%s", kind, name, diff)
			}
		}
	}
	if b.seen != nil {
		t.Error("a backend was called all the same")
	}
}

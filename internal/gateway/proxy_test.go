package gateway

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func proxyStage(variables strs, binary ...string) *Stage {
	m := proxyMethod()
	m.MethodIntegration.Uri = ptr(functionURI + ":live/invocations")
	s := api{"ANY /{proxy+}": m, "GET /user/{id}": m, "ANY /": m}.stage("prod", variables)
	s.Deployment.API.BinaryMediaTypes = binary
	return s
}

// TestProxyEvent compares whole events, byte for byte once they are indented.
func TestProxyEvent(t *testing.T) {
	t.Parallel()
	const ids = `"requestId": "11111111-2222-4333-8444-555555555555"`
	identity := func(agent string) string {
		return `"identity": {
      "cognitoIdentityPoolId": null,
      "accountId": null,
      "cognitoIdentityId": null,
      "caller": null,
      "sourceIp": "192.0.2.1",
      "principalOrgId": null,
      "accessKey": null,
      "cognitoAuthenticationType": null,
      "cognitoAuthenticationProvider": null,
      "userArn": null,
      "userAgent": ` + agent + `,
      "user": null
    }`
	}
	tests := []struct {
		name      string
		variables strs
		request   *http.Request
		want      string
	}{
		{"everything", strs{"b": "2", "a": "1"},
			request("GET", "/prod/user/a%2Fb%40x/?q=1&r=%2B+&q=2&flag", "", "accept", "*/*", "X-Many", "1", "X-Many", "2", "User-Agent", "test"),
			`{
  "resource": "/user/{id}",
  "path": "/user/a%2Fb%40x/",
  "httpMethod": "GET",
  "headers": {
    "accept": "*/*",
    "Host": "example.com",
    "User-Agent": "test",
    "X-Amzn-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793",
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded-Port": "80",
    "X-Forwarded-Proto": "http",
    "X-Many": "2"
  },
  "multiValueHeaders": {
    "accept": [
      "*/*"
    ],
    "Host": [
      "example.com"
    ],
    "User-Agent": [
      "test"
    ],
    "X-Amzn-Trace-Id": [
      "Root=1-5759e988-bd862e3fe1be46a994272793"
    ],
    "X-Forwarded-For": [
      "192.0.2.1"
    ],
    "X-Forwarded-Port": [
      "80"
    ],
    "X-Forwarded-Proto": [
      "http"
    ],
    "X-Many": [
      "1",
      "2"
    ]
  },
  "queryStringParameters": {
    "q": "2",
    "r": "+ ",
    "flag": ""
  },
  "multiValueQueryStringParameters": {
    "q": [
      "1",
      "2"
    ],
    "r": [
      "+ "
    ],
    "flag": [
      ""
    ]
  },
  "pathParameters": {
    "id": "a%2Fb%40x"
  },
  "stageVariables": {
    "a": "1",
    "b": "2"
  },
  "requestContext": {
    "resourceId": "resc",
    "resourcePath": "/user/{id}",
    "httpMethod": "GET",
    "extendedRequestId": "-",
    "requestTime": "04/Mar/2026:05:06:07 +0000",
    "path": "/prod/user/a%2Fb%40x/",
    "accountId": "000000000000",
    "protocol": "HTTP/1.1",
    "stage": "prod",
    "domainPrefix": "abcdefghij",
    "requestTimeEpoch": 1772600767089,
    ` + ids + `,
    ` + identity(`"test"`) + `,
    "domainName": "abcdefghij.execute-api.us-east-1.amazonaws.com",
    "deploymentId": "dep123",
    "apiId": "abcdefghij"
  },
  "body": null,
  "isBase64Encoded": false
}`},
		{"nothing", nil,
			request("POST", "/prod", `{"é": "\u0000"}`, "Content-Length", "3", "Connection", "close", "Authorization", "AWS4-HMAC-SHA256 x", "X-Forwarded-For", "10.0.0.1"),
			`{
  "resource": "/",
  "path": "/",
  "httpMethod": "POST",
  "headers": {
    "Host": "example.com",
    "X-Amzn-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793",
    "X-Forwarded-For": "10.0.0.1, 192.0.2.1",
    "X-Forwarded-Port": "80",
    "X-Forwarded-Proto": "http"
  },
  "multiValueHeaders": {
    "Host": [
      "example.com"
    ],
    "X-Amzn-Trace-Id": [
      "Root=1-5759e988-bd862e3fe1be46a994272793"
    ],
    "X-Forwarded-For": [
      "10.0.0.1, 192.0.2.1"
    ],
    "X-Forwarded-Port": [
      "80"
    ],
    "X-Forwarded-Proto": [
      "http"
    ]
  },
  "queryStringParameters": null,
  "multiValueQueryStringParameters": null,
  "pathParameters": null,
  "stageVariables": null,
  "requestContext": {
    "resourceId": "resa",
    "resourcePath": "/",
    "httpMethod": "POST",
    "extendedRequestId": "-",
    "requestTime": "04/Mar/2026:05:06:07 +0000",
    "path": "/prod",
    "accountId": "000000000000",
    "protocol": "HTTP/1.1",
    "stage": "prod",
    "domainPrefix": "abcdefghij",
    "requestTimeEpoch": 1772600767089,
    ` + ids + `,
    ` + identity("null") + `,
    "domainName": "abcdefghij.execute-api.us-east-1.amazonaws.com",
    "deploymentId": "dep123",
    "apiId": "abcdefghij"
  },
  "body": "{\"é\": \"\\u0000\"}",
  "isBase64Encoded": false
}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fn := returns(`{}`)
			f := newFixture(t, fn, proxyStage(tt.variables))
			tt.request.Header.Set("X-Amzn-Requestid", "11111111-2222-4333-8444-555555555555")
			res := f.do(tt.request)
			got := indent(t, fn.last(t).Payload)
			got = strings.ReplaceAll(got, res.Header["x-amz-apigw-id"][0], "-")
			got = traceRoot.ReplaceAllString(got, "Root=1-5759e988-bd862e3fe1be46a994272793")
			got = requestIDHeader.ReplaceAllString(got, "")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func indent(t *testing.T, payload []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, payload, "", "  "); err != nil {
		t.Fatalf("%v: %s", err, payload)
	}
	return b.String()
}

func TestProxyEventBody(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		binary      []string
		contentType string
		body        string
		want        string
	}{
		{nil, "image/png", "\x89PNG", `"` + "\ufffd" + `PNG" false`},
		{[]string{"image/png"}, "image/png", "\x89PNG", `"iVBORw==" true`},
		{[]string{"image/*"}, "image/png; q=1", "\x89PNG", `"iVBORw==" true`},
		{[]string{"image/png"}, "image/gif", "text", `"text" false`},
		{[]string{"*/*"}, "", "text", `"dGV4dA==" true`},
		{[]string{"application/json"}, "", "text", `"dGV4dA==" true`},
		{[]string{"*/*"}, "image/png", "", `null false`},
	} {
		fn := returns(`{}`)
		f := newFixture(t, fn, proxyStage(nil, tt.binary...))
		r := request("POST", "/prod/x", tt.body)
		if tt.contentType != "" {
			r.Header.Set("Content-Type", tt.contentType)
		}
		f.do(r)
		var event struct {
			Body            json.RawMessage
			IsBase64Encoded json.RawMessage
		}
		if err := json.Unmarshal(fn.last(t).Payload, &event); err != nil {
			t.Fatal(err)
		}
		if got := string(event.Body) + " " + string(event.IsBase64Encoded); got != tt.want {
			t.Errorf("%v %s: got %s, want %s", tt.binary, tt.contentType, got, tt.want)
		}
	}
}

func TestProxyResponse(t *testing.T) {
	t.Parallel()
	bad := "502 {\"message\": \"Internal server error\"}"
	tests := []struct{ payload, want string }{
		{`{}`, "200 "},
		{`{"statusCode": 201, "body": "hi"}`, "201 hi"},
		{`{"statusCode": "201"}`, "201 "},
		{`{"headers": {"X-A": "b"}}`, "200 X-A=b "},
		{`{"headers": null, "multiValueHeaders": null, "body": null, "isBase64Encoded": null}`, "200 "},
		{`{"headers": {"X-A": true, "X-B": 5}}`, "200 X-A=true X-B=5 "},
		{`{"headers": {"content-type": "text/html"}, "body": "<p>"}`, "200 Content-Type=text/html <p>"},
		{`{"multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}, "headers": {"set-cookie": "c=3", "X": "1"}}`, "200 Set-Cookie=a=1|b=2|c=3 X=1 "},
		{`{"multiValueHeaders": {"X": ["1"]}, "headers": {"X": "1"}}`, "200 X=1 "},
		{`{"headers": {"Connection": "close", "Content-Length": "9", "date": "x", "Server": "y", "Transfer-Encoding": "z", "Host": "h"}}`,
			"200 Host=h x-amzn-Remapped-Connection=close x-amzn-Remapped-Content-Length=9 x-amzn-Remapped-Server=y x-amzn-Remapped-date=x "},
		{`{"body": "aGk=", "isBase64Encoded": true}`, "200 aGk="},
		{`{"statusCode": 201, "headers": {"X": "1", "X": "2"}, "statusCode": 202}`, "202 X=2 "},
		{`{"statusCode": 200, "other": 1}`, bad},
		{`{"statusCode": "abc"}`, bad},
		{`{"statusCode": 200.5}`, bad},
		{`{"statusCode": 99}`, bad},
		{`{"headers": {"X-A": ["b"]}}`, bad},
		{`{"headers": "x"}`, bad},
		{`{"multiValueHeaders": {"X-A": "b"}}`, bad},
		{`{"body": {"a": 1}}`, bad},
		{`{"body": 5}`, bad},
		{`"text"`, bad},
		{`5`, bad},
		{`[]`, bad},
		{`null`, bad},
		{`not json`, bad},
		{``, bad},
		{`{"body": "x"`, bad},
	}
	for _, tt := range tests {
		f := newFixture(t, returns(tt.payload), proxyStage(nil))
		if got := summary(t, f.do(request("GET", "/prod/x", ""))); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.payload, got, tt.want)
		}
	}
}

// TestContentTypeInLowerCase asks over a real connection: net/http adds a type
// of its own where it finds none in its spelling.
func TestContentTypeInLowerCase(t *testing.T) {
	t.Parallel()
	f := newFixture(t, returns(`{"headers": {"content-type": "application/json"}, "body": "{}"}`), proxyStage(nil))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.ServeAPI(w, r, testAPI, "", r.URL.EscapedPath())
	}))
	defer s.Close()
	res, err := http.Get(s.URL + "/prod/x")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if got := res.Header.Values("Content-Type"); !slices.Equal(got, []string{"application/json"}) {
		t.Errorf("Content-Type: %q", got)
	}
}

func TestProxyBinaryResponse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ binary, accept, want string }{
		{"image/png", "image/png", "hi"},
		{"image/png", "image/png, text/html", "hi"},
		{"image/png", "text/html, image/png", "aGk="},
		{"image/png", "*/*", "aGk="},
		{"image/*", "image/gif;q=0.5", "hi"},
		{"*/*", "text/html", "hi"},
	} {
		f := newFixture(t, returns(`{"body": "aGk=", "isBase64Encoded": true}`), proxyStage(nil, tt.binary))
		if got := bodyOf(t, f.do(request("GET", "/prod/x", "", "Accept", tt.accept))); got != tt.want {
			t.Errorf("%s for %s: got %s, want %s", tt.binary, tt.accept, got, tt.want)
		}
	}
}

func FuzzProxyResponse(f *testing.F) {
	for _, seed := range []string{`{}`, `{"statusCode": 201, "headers": {"a": "b"}, "multiValueHeaders": {"a": ["c"]}, "body": "x", "isBase64Encoded": true}`, `[`, `{"headers": {"a"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		res, err := parseProxyResponse(payload)
		if err != nil {
			return
		}
		if res.status < 100 || res.status > 599 {
			t.Errorf("status %d", res.status)
		}
		for _, h := range res.merged() {
			if len(h.values) == 0 {
				t.Errorf("header %q has no values", h.name)
			}
		}
	})
}

package apigateway_test

import (
	"regexp"
	"strings"
	"testing"
)

// testLog is a test's log with times and ids replaced, by line.
func testLog(t *testing.T, answer object) []string {
	t.Helper()
	text := answer["log"].(string)
	id := regexp.MustCompile(`^Execution log for request (\S+)\n`).FindStringSubmatch(text)
	if id == nil {
		t.Fatalf("the log is %q", text)
	}
	text = strings.ReplaceAll(text, id[1], "ID")
	text = regexp.MustCompile(`(?m)^Tue Jul 01 12:00:00 UTC 2025 : `).ReplaceAllString(text, "TIME ")
	return strings.Split(text, "\n")
}

// TestInvokeMethod holds tests of a mock against what AWS answered and logged
// (recorded).
func TestInvokeMethod(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, root := h.newAPI()
	pets := h.must(201, "POST", "/restapis/"+api+"/resources/"+root, object{"pathPart": "pets"})["id"].(string)
	pet := h.must(201, "POST", "/restapis/"+api+"/resources/"+pets, object{"pathPart": "{petId}"})["id"].(string)
	path := "/restapis/" + api + "/resources/"
	mock := func(method, template string) {
		h.must(201, "PUT", method, object{"authorizationType": "AWS_IAM", "apiKeyRequired": true})
		h.must(201, "PUT", method+"/integration", object{"type": "MOCK", "requestTemplates": object{"application/json": `{"statusCode": 200}`}})
		h.must(201, "PUT", method+"/responses/200", object{})
		h.must(201, "PUT", method+"/integration/responses/200", object{"responseTemplates": object{"application/json": template}})
	}
	mock(path+pets+"/methods/GET", `{"pets": "all the pets", "by": "$context.identity.apiKey", "at": "$context.path", "on": "$context.stage", "v": "$stageVariables.v"}`)
	mock(path+pet+"/methods/ANY", `{"petId": "$input.params('petId')"}`)
	for _, c := range []struct {
		name, method string
		body         object
		answer       string
		lines        []string
	}{
		{"plain", pets + "/methods/GET", object{"stageVariables": object{"v": "1"}},
			`{"pets": "all the pets", "by": "test-invoke-api-key", "at": "/pets", "on": "test-invoke-stage", "v": "1"}`,
			[]string{"HTTP Method: GET, Resource Path: /pets", "Method request path: {}", "Method request query string: {}", "Method request headers: {}",
				"Method request body before transformations: "}},
		{"another path", pets + "/methods/GET", object{"pathWithQueryString": "/random/test"},
			`{"pets": "all the pets", "by": "test-invoke-api-key", "at": "/random/test", "on": "test-invoke-stage", "v": ""}`,
			[]string{"HTTP Method: GET, Resource Path: /random/test", "Method request path: {}", "Method request query string: {}", "Method request headers: {}",
				"Method request body before transformations: "}},
		{"parameters", pet + "/methods/POST", object{"pathWithQueryString": "/pets/123?foo=bar", "headers": object{"X-A": "b", "Content-Type": "text/plain"}, "body": `{"foo": "bar"}`},
			`{"petId": "123"}`,
			[]string{"HTTP Method: POST, Resource Path: /pets/123", "Method request path: {petId=123}", "Method request query string: {foo=bar}",
				"Method request headers: {X-A=b, Content-Type=text/plain}", `Method request body before transformations: {"foo": "bar"}`}},
		{"no path", pet + "/methods/GET", object{}, `{"petId": "{petId}"}`,
			[]string{"HTTP Method: GET, Resource Path: /pets/{petId}", "Method request path: {petId={petId}}", "Method request query string: {}",
				"Method request headers: {}", "Method request body before transformations: "}},
		{"a path that isn't the resource's", pet + "/methods/GET", object{"pathWithQueryString": "/random/test"}, `{"petId": ""}`,
			[]string{"HTTP Method: GET, Resource Path: /random/test", "Method request path: {}", "Method request query string: {}",
				"Method request headers: {}", "Method request body before transformations: "}},
	} {
		got := h.must(200, "POST", path+c.method, c.body)
		want := []string{"Execution log for request ID", "TIME Starting execution for request: ID"}
		for _, line := range c.lines {
			want = append(want, "TIME "+line)
		}
		want = append(want, "TIME Method response body after transformations: "+c.answer, "TIME Method response headers: {Content-Type=application/json}",
			"TIME Successfully completed execution", "TIME Method completed with status: 200", "")
		if log := testLog(t, got); strings.Join(log, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: log\n%s\nwant\n%s", c.name, strings.Join(log, "\n"), strings.Join(want, "\n"))
		}
		delete(got, "log")
		if got["body"] != c.answer {
			t.Errorf("%s: body %v, want %s", c.name, got["body"], c.answer)
		}
		delete(got, "body")
		h.same(c.name, got, `{"status": 200, "latency": "*", "headers": {"Content-Type": "application/json"}, "multiValueHeaders": {"Content-Type": ["application/json"]}}`)
	}
	h.fails("NotFoundException", "Invalid Client Certificate identifier specified", "POST", path+pets+"/methods/GET", object{"clientCertificateId": "nope"})
	for _, c := range [][2]string{
		{"Invalid Method identifier specified", path + pets + "/methods/POST"},
		{"Invalid Resource identifier specified", path + "nope12/methods/GET"},
		{"Invalid Resource identifier specified", "/restapis/nope/resources/" + pets + "/methods/GET"},
	} {
		h.fails("NotFoundException", c[0], "POST", c[1], object{})
	}
}

// TestInvokeMethodFails: a failure shows its type alone (recorded).
func TestInvokeMethodFails(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	_, method := h.newMock()
	got := h.must(200, "POST", method, object{})
	h.same("failure", got, `{"status": 500, "body": "{\"message\": \"Internal server error\"}", "latency": "*", "log": "*",
		"headers": {"x-amzn-ErrorType": "InternalServerErrorException"}, "multiValueHeaders": {"x-amzn-ErrorType": ["InternalServerErrorException"]}}`)
	log := testLog(t, got)
	if want := "TIME Method completed with status: 500"; log[len(log)-2] != want || !strings.HasPrefix(log[len(log)-3], "TIME Execution failed due to configuration error: ") {
		t.Errorf("the log ends %q", log[len(log)-4:])
	}
}

package gateway

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestArticle(t *testing.T) {
	t.Parallel()
	staging := func() *Stage { return article().stage("staging", strs{"stage": "staging"}) }
	tests := []struct {
		name    string
		fn      *functions
		request *http.Request
		event   string
		status  int
		body    string
	}{
		{"get", returns(`{"id": "42", "name": "Ada"}`), request("GET", "/staging/user/42", ""),
			`{ "id": "42", "stage": "staging", "_method": "GET" }`, 200, `{"id": "42", "name": "Ada"}`},
		{"post", returns(`{"id": "42"}`), request("POST", "/staging/user/42", `{"name": "Ada"}`, "Content-Type", "application/json; charset=utf-8"),
			`{ "id": "42", "name": "Ada", "stage": "staging", "_method": "POST" }`, 200, `{"id": "42"}`},
		{"invalid", fails("400: `id` should match [0-9A-Za-z]{8,64}"), request("GET", "/staging/user/42", ""),
			`{ "id": "42", "stage": "staging", "_method": "GET" }`, 400, "{ \"error\": \"`id` should match [0-9A-Za-z]{8,64}\" }"},
		{"broken", fails("500: no table"), request("GET", "/staging/user/42", ""),
			`{ "id": "42", "stage": "staging", "_method": "GET" }`, 500, `{ "error": "no table" }`},
		{"unmatched error gives the default response", fails("boom"), request("GET", "/staging/user/42", ""),
			`{ "id": "42", "stage": "staging", "_method": "GET" }`, 200, `{"errorMessage": "boom", "errorType": "Exception"}`},
		{"a pattern must cover the whole message", fails("400: two\nlines"), request("GET", "/staging/user/42", ""),
			`{ "id": "42", "stage": "staging", "_method": "GET" }`, 200, `{"errorMessage": "400: two\nlines", "errorType": "Exception"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, tt.fn, staging())
			res := f.do(tt.request)
			if got := bodyOf(t, res); res.StatusCode != tt.status || got != tt.body {
				t.Errorf("got %d %s, want %d %s", res.StatusCode, got, tt.status, tt.body)
			}
			call := tt.fn.last(t)
			if diff := cmp.Diff(tt.event, string(call.Payload)); diff != "" {
				t.Errorf("event: -want +got\n%s", diff)
			}
			want := FunctionCall{
				FunctionARN:   "arn:aws:lambda:us-east-1:000000000000:function:example:staging",
				SourceARN:     "arn:aws:execute-api:us-east-1:000000000000:abcdefghij/staging/" + tt.request.Method + "/user/{id}",
				SourceAccount: testAccount, Payload: call.Payload, TraceID: call.TraceID, Deadline: call.Deadline,
			}
			if diff := cmp.Diff(want, *call); diff != "" {
				t.Errorf("call: -want +got\n%s", diff)
			}
		})
	}
}

// TestTwoStages checks that stages of one deployment call their own aliases,
// and that what was published stays as it was until it is published again.
func TestTwoStages(t *testing.T) {
	t.Parallel()
	a := article()
	fn := returns(`{}`)
	f := newFixture(t, fn, a.stage("staging", strs{"stage": "staging"}), a.stage("prod", strs{"stage": "prod"}))

	template := a["GET /user/{id}"].MethodIntegration.RequestTemplates
	edited := `{"edited": true}`
	before := template["application/json"]
	template["application/json"] = edited
	for _, stage := range []string{"staging", "prod"} {
		f.do(request("GET", "/"+stage+"/user/1", ""))
		call := fn.last(t)
		want := `{ "id": "1", "stage": "` + stage + `", "_method": "GET" }`
		if got := string(call.Payload); got != want || before == edited {
			t.Errorf("%s: event %s, want %s", stage, got, want)
		}
	}
	if err := f.PublishStage(a.stage("staging", strs{"stage": "staging"})); err != nil {
		t.Fatal(err)
	}
	f.do(request("GET", "/staging/user/1", ""))
	if got := string(fn.last(t).Payload); got != edited {
		t.Errorf("after publishing: event %s, want %s", got, edited)
	}
	f.RemoveStage(testAPI, "staging")
	if res := f.do(request("GET", "/staging/user/1", "")); res.StatusCode != 403 {
		t.Errorf("removed stage answers %d", res.StatusCode)
	}
	if res := f.do(request("GET", "/prod/user/1", "")); res.StatusCode != 200 {
		t.Errorf("other stage answers %d", res.StatusCode)
	}
}

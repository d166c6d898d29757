package functionurl

import (
	"net/http/httptest"
	"testing"
)

// TestAnswersAsRecorded holds what AWS's function URLs made of what a function
// returned (LocalStack's snapshots, test_lambda_url_invocation, 2024-04).
func TestAnswersAsRecorded(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ fact, returned, body string }{
		{"dict", `{"hello": "world"}`, `{"hello":"world"}`},
		{"http-response", `{"statusCode": 200, "body": "body123"}`, "body123"},
		{"http-response-json", `{"statusCode": 200, "body": "{\"hello\": \"world\"}"}`, `{"hello": "world"}`},
		{"list-mixed", `["hello", 3, true]`, `["hello",3,true]`},
		{"string", `"hello"`, "hello"},
		{"integer", "3", "3"},
		{"float", "3.1", "3.1"},
		{"boolean", "true", "true"},
	} {
		w := httptest.NewRecorder()
		x := &exchange{Server: New(Config{}), w: w, r: httptest.NewRequest("GET", "/", nil)}
		x.answer([]byte(row.returned))
		if w.Code != 200 || w.Body.String() != row.body || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s %q, want 200 application/json %q", row.fact, w.Code, w.Header().Get("Content-Type"), w.Body, row.body)
		}
	}
}

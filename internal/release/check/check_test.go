package check

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/release/config"
	"github.com/butai-dev/butai/internal/release/plan"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	body := []byte(`{"name": "Ada", "tags": ["a", 1.0, null], "version": "7", "of": {"b": 1, "a": 2}}`)
	for name, tt := range map[string]struct {
		expect config.Expect
		want   string // part of what is wrong, or ""
	}{
		"all as expected": {config.Expect{Headers: map[string]string{"X-Kind": "^u"}, Body: "Ada", Version: "$.version", Latency: config.Duration(time.Second),
			JSON: map[string]any{"$.name": "Ada", "$.tags": []any{"a", 1.0, nil}, "$.tags[1]": 1.0}}, ""},
		"version in a header": {config.Expect{Version: "header:X-Version"}, ""},
		"another status":      {config.Expect{Status: 404}, "status 200, want 404"},
		"another header":      {config.Expect{Headers: map[string]string{"x-kind": "group"}}, `header x-kind is "user"`},
		"no such header":      {config.Expect{Headers: map[string]string{"X-None": "."}}, `header X-None is ""`},
		"another value":       {config.Expect{JSON: map[string]any{"$.name": "Eve"}}, `$.name is "Ada", want "Eve"`},
		"another type":        {config.Expect{JSON: map[string]any{"$.version": 7}}, `$.version is "7", want 7`},
		"no such value":       {config.Expect{JSON: map[string]any{"$.none": "x"}}, "$.none is not there"},
		"no path":             {config.Expect{JSON: map[string]any{"name[": "x"}}, "no JSONPath"},
		"another body":        {config.Expect{Body: "Eve"}, "want Eve"},
		"too slow":            {config.Expect{Latency: config.Duration(time.Millisecond)}, "took 10ms, want 1ms at most"},
	} {
		if tt.expect.Status == 0 {
			tt.expect.Status = 200
		}
		res := &http.Response{StatusCode: 200, Header: http.Header{"X-Kind": {"user"}, "X-Version": {"7"}}}
		wrong := strings.Join(Judge(&tt.expect, res, body, 10*time.Millisecond, map[string]string{"f": "7"}), "; ")
		if (tt.want == "") != (wrong == "") || !strings.Contains(wrong, tt.want) {
			t.Errorf("%s: %q, want %q", name, wrong, tt.want)
		}
	}
	other := Judge(&config.Expect{Status: 200, Version: "$.version"}, &http.Response{StatusCode: 200}, body, 0, map[string]string{"f": "8"})
	if len(other) != 1 || other[0] != "version 7 answered, want 8" {
		t.Errorf("%q", other)
	}
}

func TestRunAndReport(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/stage/echo" && r.Method == "POST" && r.Header.Get("X-Key") == "k" {
			_, _ = w.Write(body)
			return
		}
		w.WriteHeader(http.StatusTeapot)
	}))
	defer server.Close()
	checks := []config.Check{
		{Name: "echo", Method: "POST", Path: "/echo", Body: `{"a": 1}`, Headers: map[string]string{"X-Key": "k"}, Expect: config.Expect{Status: 200, Body: `"a"`}},
		{Name: "pot", Method: "GET", Path: "/pot", Expect: config.Expect{Status: 200}},
		{Name: "elsewhere", Method: "GET", Path: "/pot", Stages: []string{"production"}, Expect: config.Expect{Status: 200}},
	}
	runner := &Runner{Client: server.Client(), Clock: clock.System{}}
	results := runner.Run(t.Context(), checks, Target{Stage: "staging", URL: server.URL + "/stage"})
	if len(results) != 2 || results[0].Verdict != plan.Passed || results[1].Verdict != plan.Failed {
		t.Fatalf("%+v", results)
	}
	var b bytes.Buffer
	if err := JUnit(&b, "staging", results); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `tests="2" failures="1" skipped="0"`) || !strings.Contains(b.String(), `<failure message="GET /pot: status 418, want 200`) {
		t.Errorf("JUnit:\n%s", &b)
	}
}

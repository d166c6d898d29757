package gateway

import (
	"context"
	"net/http"
	"testing"
)

// constant is a Functions that always answers the same.
type constant struct{ result FunctionResult }

func (c *constant) InvokeFunction(context.Context, *FunctionCall) (*FunctionResult, error) {
	return &c.result, nil
}

// discard is a ResponseWriter that keeps the status alone.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkTraced is BenchmarkGateway with every request leaving a trace.
func BenchmarkTraced(b *testing.B) { benchmarkGateway(b, Tracing{Keep: 500}) }

// BenchmarkGateway is what the gateway itself costs, without net/http and
// without a function, for the article's GET through two templates, for its
// error mapped back, for a MOCK and for a proxy integration.
func BenchmarkGateway(b *testing.B) { benchmarkGateway(b, Tracing{}) }

func benchmarkGateway(b *testing.B, tracing Tracing) {
	ok := FunctionResult{Status: 200, RequestID: "r", Payload: []byte(`{"id": "42", "name": "Ada"}`)}
	failed := FunctionResult{Status: 200, RequestID: "r", FunctionError: "Unhandled",
		Payload: []byte(`{"errorMessage": "400: bad id", "errorType": "EventValidationException", "stackTrace": ["main.py, line 1"]}`)}
	proxied := FunctionResult{Status: 200, RequestID: "r",
		Payload: []byte(`{"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": "{\"id\": \"42\"}"}`)}
	article := article().stage("staging", strs{"stage": "staging"})
	for _, bench := range []struct {
		name   string
		result FunctionResult
		stage  *Stage
		status int
	}{
		{"article", ok, article, 200},
		{"article error", failed, article, 400},
		{"mock", FunctionResult{}, api{"GET /user/{id}": respond(mockMethod(`{"statusCode": 200}`), "200", "", `{"id": "$input.params('id')"}`)}.stage("staging", nil), 200},
		{"proxy", proxied, api{"GET /user/{id}": proxyMethod()}.stage("staging", strs{"stage": "staging"}), 200},
	} {
		b.Run(bench.name, func(b *testing.B) {
			f := newFixture(b, nil, bench.stage)
			f.functions, f.traces = &constant{bench.result}, newTraces(tracing)
			r := request("GET", "/staging/user/42", "", "User-Agent", "bench", "Accept", "*/*", "Accept-Encoding", "gzip")
			w := &discard{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				f.ServeAPI(w, r, testAPI, "", r.URL.EscapedPath())
			}
			if w.status != bench.status {
				b.Fatalf("status %d", w.status)
			}
		})
	}
}

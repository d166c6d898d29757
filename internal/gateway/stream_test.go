package gateway

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
)

const nulls = "\x00\x00\x00\x00\x00\x00\x00\x00"

// streamMethod is a method with a proxy integration that streams.
func streamMethod() *apigatewayapi.Method {
	m := proxyMethod()
	m.MethodIntegration.Uri = ptr(strings.Replace(functionURI, "2015-03-31", "2021-11-15", 1) + "/response-streaming-invocations")
	m.MethodIntegration.ResponseTransferMode = ptr("STREAM")
	return m
}

// streams answers by what write streams, and then with payload or an error.
func streams(write func(AnswerStream) error, result FunctionResult) *functions {
	return &functions{f: func(call *FunctionCall) (*FunctionResult, error) {
		call.Stream.Begin("application/vnd.awslambda.http-integration-response")
		if err := write(call.Stream); err != nil {
			return nil, err
		}
		result.Status, result.RequestID = 200, "lambda-request"
		return &result, nil
	}}
}

// serveAPI serves the fixture's API on a real listener.
func (f *fixture) serveAPI(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.ServeAPI(w, r, testAPI, "", r.URL.EscapedPath()) }))
	t.Cleanup(s.Close)
	return s.URL
}

// TestStreamedFunction reads each piece before the function writes the next.
func TestStreamedFunction(t *testing.T) {
	t.Parallel()
	read := make(chan bool)
	f := newFixture(t, streams(func(w AnswerStream) error {
		for _, piece := range []string{`{"statusCode": 201, "headers": {"Content-Type": "text/event-stream", "X-A": "1"}, "multiValueHeaders": {"X-B": ["2", "3"]},`,
			` "cookies": ["a=1", "b=2"]}` + nulls[:3], nulls[3:] + "one\n", "two\n"} {
			if _, err := io.WriteString(w, piece); err != nil {
				return err
			}
			if strings.HasSuffix(piece, "\n") {
				<-read
			}
		}
		return nil
	}, FunctionResult{}), api{"GET /": streamMethod()}.stage("s", nil))
	res, err := http.Get(f.serveAPI(t) + "/s")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewReader(res.Body)
	for _, want := range []string{"one\n", "two\n"} {
		if got, err := lines.ReadString('\n'); got != want || err != nil {
			t.Fatalf("read %q, %v, want %q", got, err, want)
		}
		read <- true
	}
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("behind the end: %q, %v", rest, err)
	}
	got := fmt.Sprint(res.StatusCode, res.Header["Content-Type"], res.Header["X-A"], res.Header["X-B"], res.Header["Set-Cookie"], res.TransferEncoding)
	if want := "201 [text/event-stream] [1] [2 3] [a=1 b=2] [chunked]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if res.Header.Get("X-Amzn-Requestid") == "" || res.Header.Get("X-Amz-Apigw-Id") == "" || res.Header.Get("X-Amzn-Trace-Id") == "" {
		t.Errorf("headers of every answer are missing: %v", res.Header)
	}
}

func TestStreamFaults(t *testing.T) {
	t.Parallel()
	pieces := func(pieces ...string) func(AnswerStream) error {
		return func(w AnswerStream) error {
			for _, p := range pieces {
				_, _ = io.WriteString(w, p) // the engine goes on, too, when the client has gone
			}
			return nil
		}
	}
	const broken = `500 {"message": "Internal server error"}`
	for name, tt := range map[string]struct {
		write  func(AnswerStream) error
		result FunctionResult
		want   string
	}{
		"metadata alone":             {pieces(`{"statusCode": "204"}` + nulls), FunctionResult{}, "204 "},
		"empty metadata":             {pieces("{}" + nulls + "x"), FunctionResult{}, "200 x"},
		"length given":               {pieces(`{"headers": {"content-length": "3"}}`+nulls, "abc"), FunctionResult{}, "200 abc"},
		"no delimiter":               {pieces(`{"statusCode": 200}`, "text"), FunctionResult{}, broken},
		"late delimiter":             {pieces(`{"headers": {"a": "` + strings.Repeat("a", maxPrelude) + `"}}` + nulls), FunctionResult{}, broken},
		"unknown member":             {pieces(`{"body": "x"}` + nulls), FunctionResult{}, broken},
		"no JSON":                    {pieces("x" + nulls + "y"), FunctionResult{}, broken},
		"more behind the metadata":   {pieces("{} {}" + nulls + "y"), FunctionResult{}, broken},
		"a function of another kind": {pieces(), FunctionResult{Payload: []byte(`{"statusCode": 200, "body": "x"}`)}, broken},
		"a failing function": {pieces(), FunctionResult{Payload: []byte(`{"errorMessage": "x"}`), FunctionError: "Unhandled"},
			`502 {"message": "Internal server error"}`},
	} {
		f := newFixture(t, streams(tt.write, tt.result), api{"GET /": streamMethod()}.stage("s", nil))
		res := f.do(request("GET", "/s", ""))
		if got := fmt.Sprint(res.StatusCode, " ", bodyOf(t, res)); got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}

// TestStreamCutOff lets a function fail in the middle of its answer: the
// client must not take it for whole.
func TestStreamCutOff(t *testing.T) {
	t.Parallel()
	f := newFixture(t, streams(func(w AnswerStream) error {
		_, err := io.WriteString(w, "{}"+nulls+"half")
		return err
	}, FunctionResult{Payload: []byte(`{"errorMessage": "x"}`), FunctionError: "Unhandled"}), api{"GET /": streamMethod()}.stage("s", nil))
	res, err := http.Get(f.serveAPI(t) + "/s")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); string(body) != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("read %q, %v", body, err)
	}
}

// TestStreamedBackend passes a backend's answer on as it comes, and as it is.
func TestStreamedBackend(t *testing.T) {
	t.Parallel()
	read := make(chan bool)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Server", "backend")
		if r.URL.Path == "/long" {
			w.Header().Set("Content-Length", "4")
			_, _ = io.WriteString(w, "\xff\xfe\x00\x01")
			return
		}
		_, _ = io.WriteString(w, "one\n")
		_ = http.NewResponseController(w).Flush()
		<-read
		if r.URL.Path == "/broken" {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, "two\n")
	}))
	t.Cleanup(backend.Close)
	method := func(path string) *apigatewayapi.Method {
		m := httpMethod("HTTP_PROXY", "GET", backend.URL+path)
		m.MethodIntegration.ResponseTransferMode = ptr("STREAM")
		return m
	}
	f := newFixture(t, nil, api{"GET /": method("/"), "GET /long": method("/long"), "GET /broken": method("/broken")}.stage("s", nil))
	url := f.serveAPI(t)
	get := func(path string) (*http.Response, *bufio.Reader) {
		req, err := http.NewRequest(http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Encoding", "br") // else net/http would decode
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { res.Body.Close() })
		return res, bufio.NewReader(res.Body)
	}
	res, lines := get("/s")
	if line, err := lines.ReadString('\n'); line != "one\n" || err != nil {
		t.Fatalf("read %q, %v", line, err)
	}
	read <- true
	if rest, err := io.ReadAll(lines); string(rest) != "two\n" || err != nil {
		t.Errorf("read %q, %v", rest, err)
	}
	if res.Header.Get("Content-Encoding") != "gzip" || res.Header.Get("X-Amzn-Remapped-Server") != "backend" {
		t.Errorf("headers %v", res.Header)
	}
	res, lines = get("/s/long")
	if body, err := io.ReadAll(lines); string(body) != "\xff\xfe\x00\x01" || err != nil || res.ContentLength != 4 {
		t.Errorf("read %q of %d bytes, %v", body, res.ContentLength, err)
	}
	_, lines = get("/s/broken")
	read <- true
	if body, err := io.ReadAll(lines); string(body) != "one\n" || err == nil {
		t.Errorf("of an answer that breaks off: %q, %v", body, err)
	}
}

// TestStreamedMethodTest shows a streamed answer when it is whole.
func TestStreamedMethodTest(t *testing.T) {
	t.Parallel()
	s := api{"GET /": streamMethod()}.stage("s", nil)
	f := newFixture(t, streams(func(w AnswerStream) error {
		_, err := io.WriteString(w, `{"headers": {"X-A": "1"}}`+nulls+"whole")
		return err
	}, FunctionResult{}), s)
	out, err := f.TestMethod(t.Context(), &MethodTest{Stage: s, Verb: "GET", Path: "/"})
	if err != nil {
		t.Fatal(err)
	}
	if *out.Status != 200 || *out.Body != "whole" || out.Headers["X-A"] != "1" {
		t.Errorf("got %d %q %v", *out.Status, *out.Body, out.Headers)
	}
}

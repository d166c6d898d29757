package gateway

import (
	"testing"

	"github.com/butai-dev/butai/internal/wire"
)

func TestContentHandlingOfRequests(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		binary   bool
		handling contentHandling
		in, out  string
		isBinary bool
		fails    bool
	}{
		{false, "", "\xffa", "\ufffda", false, false},
		{false, convertToText, "a", "a", false, false},
		{false, convertToBinary, "/2E=", "\xffa", true, false},
		{false, convertToBinary, "!", "", true, true},
		{true, "", "\xffa", "\xffa", true, false},
		{true, convertToBinary, "\xffa", "\xffa", true, false},
		{true, convertToText, "\xffa", "/2E=", false, false},
	} {
		out, isBinary, err := tt.handling.forRequest([]byte(tt.in), tt.binary)
		if string(out) != tt.out || isBinary != tt.isBinary || (err != nil) != tt.fails {
			t.Errorf("%v %q %q: got %q, %v, %v", tt.binary, tt.handling, tt.in, out, isBinary, err)
		}
	}
}

// TestContentHandlingOfResponses runs the guide's table with a function that
// returns the text /2E=, the base64 of two bytes. Its answers are JSON, so they
// are binary to an API that lists application/json.
func TestContentHandlingOfResponses(t *testing.T) {
	t.Parallel()
	const text, decoded, encoded = `"/2E="`, "\xffa", "Ii8yRT0i"
	for _, tt := range []struct {
		types            []string
		accept, handling string
		want             string
	}{
		{nil, "image/png", "", text},
		{[]string{"image/png"}, "text/html", "", text},
		{[]string{"image/png"}, "text/html", "CONVERT_TO_BINARY", decoded},
		{[]string{"image/png"}, "text/html", "CONVERT_TO_TEXT", text},
		{[]string{"image/png"}, "image/png", "", decoded},
		{[]string{"image/png"}, "image/png", "CONVERT_TO_TEXT", text},
		{[]string{"application/json"}, "text/html", "", encoded},
		{[]string{"application/json"}, "text/html", "CONVERT_TO_BINARY", text},
		{[]string{"*/*"}, "image/png", "", text},
		{[]string{"*/*"}, "image/png", "CONVERT_TO_TEXT", encoded},
	} {
		m := respond(lambdaMethod(nil), "200", "", "")
		if tt.handling != "" {
			r := m.MethodIntegration.IntegrationResponses["200"]
			r.ContentHandling = wire.Ptr(tt.handling)
			m.MethodIntegration.IntegrationResponses["200"] = r
		}
		s := api{"GET /": m}.stage("s", strs{"stage": "x"})
		s.Deployment.API.BinaryMediaTypes = tt.types
		f := newFixture(t, returns(text), s)
		if got := bodyOf(t, f.do(request("GET", "/s", "", "Accept", tt.accept))); got != tt.want {
			t.Errorf("%v %s %s: got %q, want %q", tt.types, tt.accept, tt.handling, got, tt.want)
		}
	}
}

func TestBinaryBodies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		handling, template string
		status             int
		event              string
	}{
		{"CONVERT_TO_TEXT", `"$input.body"`, 200, `"iVBORw=="`},
		{"", `"$input.body"`, 500, ""},
		{"", "", 200, "\x89PNG"}, // raw bytes, which Lambda itself refuses
	} {
		m := respond(lambdaMethod(nil), "200", "", "")
		if tt.handling != "" {
			m.MethodIntegration.ContentHandling = wire.Ptr(tt.handling)
		}
		if tt.template != "" {
			m.MethodIntegration.RequestTemplates = strs{"image/png": tt.template}
		}
		s := api{"POST /": m}.stage("s", strs{"stage": "x"})
		s.Deployment.API.BinaryMediaTypes = []string{"image/png"}
		fn := returns("{}")
		f := newFixture(t, fn, s)
		if res := f.do(request("POST", "/s", "\x89PNG", "Content-Type", "image/png")); res.StatusCode != tt.status {
			t.Errorf("%s %s: %d", tt.handling, tt.template, res.StatusCode)
		}
		if tt.event != "" && string(fn.last(t).Payload) != tt.event {
			t.Errorf("event is %s", fn.last(t).Payload)
		}
	}
}

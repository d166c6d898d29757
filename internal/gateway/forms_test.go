package gateway

import (
	"os"
	"testing"
)

const (
	formType = "application/x-www-form-urlencoded"
	formBody = "name=Ada+Lovelace&note=1%2B1%3D2&quote=it%27s+%22x%22&empty=&bare&%C3%A4=%E2%82%AC"
)

// TestFormTemplates has the ways in which templates make JSON of a form.
func TestFormTemplates(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("../../examples/forms/form.vtl")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, template, body, want string }{
		{"the example", string(example), formBody,
			`{"name": "Ada Lovelace", "note": "1+1=2", "quote": "it's \"x\"", "empty": "", "bare": "", "\u00E4": "\u20AC"}` + "\n"},
		{"the example without a body", string(example), "", "{}\n"},
		{"decoded as a whole", `{"form": "$util.urlDecode($input.body)"}`, "a=1+2%263", `{"form": "a=1 2&3"}`},
		{"$input.path gives a body that is no JSON as text",
			`{ #foreach($pair in $input.path('$').split('&'))#set($at = $pair.indexOf('='))` +
				`"$pair.substring(0, $at)": "$util.urlDecode($pair.substring($at).substring(1))"#if($foreach.hasNext), #end#end }`,
			"a=1&b=x%20y", `{ "a": "1", "b": "x y" }`},
		{"$input.json quotes it", `{"body": $input.json('$')}`, "a=1&b=2", `{"body": "a=1&b=2"}`},
	} {
		fn := returns("{}")
		m := respond(lambdaMethod(strs{formType: tt.template}), "200", "", "")
		m.MethodIntegration.PassthroughBehavior = ptr("NEVER")
		f := newFixture(t, fn, api{"POST /": m}.stage("s", strs{"stage": "x"}))
		if got := summary(t, f.do(request("POST", "/s", tt.body, "Content-Type", formType+"; charset=UTF-8"))); got != "200 {}" {
			t.Errorf("%s: answered %s", tt.name, got)
			continue
		}
		if got := string(fn.last(t).Payload); got != tt.want {
			t.Errorf("%s: the function got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestFormMappings hands a form on by parameter mapping: the body is text to
// it, which a query string encodes and a header doesn't.
func TestFormMappings(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	m := respond(httpMethod("HTTP", "GET", b.URL, "integration.request.querystring.form", "method.request.body",
		"integration.request.header.X-Form", "method.request.body"), "200", "", "")
	f := newFixture(t, nil, api{"POST /": m}.stage("s", nil))
	f.do(request("POST", "/s", formBody, "Content-Type", formType))
	if got := b.seen.URL.Query().Get("form"); got != formBody {
		t.Errorf("the query string has %q, want %q", got, formBody)
	}
	if got := b.seen.Header.Get("X-Form"); got != formBody {
		t.Errorf("the header is %q, want %q", got, formBody)
	}
}

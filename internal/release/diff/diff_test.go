package diff

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
)

const before = `{
 "openapi": "3.0.1", "info": {"title": "users", "version": "2026-11-28T10:00:00Z"},
 "servers": [{"url": "https://a"}],
 "paths": {
  "/user/{id}": {
   "get": {
    "parameters": [{"name": "id", "in": "path", "required": true}, {"name": "verbose", "in": "query"}],
    "responses": {"200": {"description": "200 response", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/User"}}}}},
    "x-amazon-apigateway-integration": {
     "type": "aws", "uri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:1:function:user:${stageVariables.stage}/invocations",
     "requestTemplates": {"application/json": "{\n  \"id\": \"$input.params('id')\"\n}"}
    }
   },
   "delete": {"responses": {}}
  }
 },
 "components": {"schemas": {"User": {"type": "object", "properties": {"id": {"type": "string"}, "age": {"type": "integer"}}}}}
}`

// TestCompare finds each kind of change and says which break clients.
func TestCompare(t *testing.T) {
	t.Parallel()
	after := strings.NewReplacer(
		`"version": "2026-11-28T10:00:00Z"`, `"version": "2026-11-28T11:00:00Z"`, // when the deployment was made
		`stageVariables.stage}/`, `stageVariables.releaseAlias}/`, // who made it
		`{"name": "verbose", "in": "query"}`, `{"name": "verbose", "in": "query", "required": true}`,
		`"id\": \"$input`, `"user\": \"$stageVariables.prefix$input`,
		`"delete"`, `"patch"`,
		`"age": {"type": "integer"}`, `"age": {"type": "string"}`,
	).Replace(before)
	b, err := Parse([]byte(before), "stage", "releaseAlias")
	if err != nil {
		t.Fatal(err)
	}
	a, err := Parse([]byte(after), "stage", "releaseAlias")
	if err != nil {
		t.Fatal(err)
	}
	if same := Compare(b, b); len(same) != 0 {
		t.Errorf("a definition differs from itself: %+v", same)
	}
	r := &Report{Stage: "production", From: "d1", To: "d2", Changes: Compare(b, a)}
	r.Add(Absent(a, map[string]string{"stage": "prod"}, "production")...)
	r.Sort()
	got := map[string]string{}
	for _, c := range r.Changes {
		got[c.Kind+" "+c.Name] = c.Breaking
	}
	want := map[string]string{
		"removed DELETE /user/{id}":                                            "the route is gone",
		"added PATCH /user/{id}":                                               "",
		"added GET /user/{id} parameters.query verbose.required":               "the parameter query verbose is required now",
		"changed GET /user/{id} integration.requestTemplates.application/json": "",
		"changed User":   "answers have another age than before, or none",
		"missing prefix": "the gateway reads it, and stage production hasn't got it",
	}
	for name, why := range want {
		if breaking, ok := got[name]; !ok || breaking != why {
			t.Errorf("%s: found %v, breaking %q, want %q", name, ok, breaking, why)
		}
	}
	if len(got) != len(want) {
		t.Errorf("found %q", got)
	}
	printed(t, r)
}

func printed(t *testing.T, r *Report) {
	t.Helper()
	for name, print := range map[string]func(*bytes.Buffer) error{
		"text":     func(b *bytes.Buffer) error { return r.Text(b) },
		"markdown": func(b *bytes.Buffer) error { return r.Markdown(b) },
		"html":     func(b *bytes.Buffer) error { return r.HTML(b) },
	} {
		var b bytes.Buffer
		if err := print(&b); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"6 differences, of which 4 may break clients", "stageVariables.prefix", "the route is gone"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s lacks %q:\n%s", name, want, &b)
			}
		}
	}
}

func TestUnified(t *testing.T) {
	t.Parallel()
	got := Unified("a\nb\nc\nd\ne\nf\ng\nh\n", "a\nb\nc\nD\ne\nf\ng\nh\ni\n")
	want := []string{" b", " c", "-d", "+D", " e", " f", " g", " h", "+i"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func archive(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestZips(t *testing.T) {
	t.Parallel()
	got, err := Zips("user",
		archive(t, map[string]string{"main.py": "a\nb\n", "same": "x", "gone": "y", "image": "\x00\x01"}),
		archive(t, map[string]string{"main.py": "a\nc\n", "same": "x", "new": "zz", "image": "\x00\x01\x02"}))
	if err != nil {
		t.Fatal(err)
	}
	var heads []string
	for _, c := range got {
		heads = append(heads, c.headline()+strings.Join(c.Lines, "|"))
	}
	want := []string{"- user gone: 1 bytes", "~ user image: 2 bytes → 3 bytes", "~ user main.py a|-b|+c", "+ user new: 2 bytes"}
	if !slices.Equal(heads, want) {
		t.Errorf("%q, want %q", heads, want)
	}
}

func TestMaskedValuesAreNowhere(t *testing.T) {
	t.Parallel()
	before := map[string]string{"KEY": "old secret", "PEM": "a\nold secret", "GONE": "old secret", "SAME": "secret"}
	after := map[string]string{"KEY": "new secret", "PEM": "a\nnew secret", "NEW": "new secret", "SAME": "secret"}
	r := &Report{Stage: "production", Changes: Masked(Values(Environment, "user", before, after))}
	var b strings.Builder
	for _, write := range []func(io.Writer) error{r.Text, r.Markdown, r.HTML, func(w io.Writer) error { return json.NewEncoder(w).Encode(r) }} {
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.Changes) != 4 || strings.Contains(b.String(), "secret") {
		t.Errorf("%d changes, want 4, or a secret is shown:\n%s", len(r.Changes), b.String())
	}
	if want := "~ user KEY: ••• → •••\n"; !strings.Contains(b.String(), want) {
		t.Errorf("the report doesn't say %q:\n%s", want, b.String())
	}
}

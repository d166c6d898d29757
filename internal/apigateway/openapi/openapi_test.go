package openapi

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// TestYAMLIsJSON: what is printed reads back as it was, in both languages.
func TestYAMLIsJSON(t *testing.T) {
	t.Parallel()
	const document = `{"openapi": "3.0.1", "200": {"no": false, "null": null, "n": 1.50, "text": "true", "date": "2012-10-17", "many": ["a", ["b"], {"c": "d", "e": []}, {}],
		"lines": "a\nb: \"c\" # d", "/pets/{id+}": {"application/json": "x"}, "": "", "- a": "b: c", "x y": {"z": {}}}}`
	want, err := parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	for name, print := range map[string]func(*strings.Builder, *node, int){"JSON": printJSON, "YAML": printYAML} {
		var b strings.Builder
		print(&b, want, 0)
		got, err := parse([]byte(b.String()))
		if err != nil || compactJSON(got) != compactJSON(want) {
			t.Errorf("%s: %v\n%s\nread back as %s, want %s", name, err, b.String(), compactJSON(got), compactJSON(want))
		}
	}
}

func TestYAMLAliases(t *testing.T) {
	t.Parallel()
	got, err := parse([]byte("base: &base {a: 1, b: 2}\nmerged:\n  <<: *base\n  b: 3\nalso: *base\n"))
	if err != nil || compactJSON(got.get("merged")) != `{"b":3,"a":1}` || compactJSON(got.get("also")) != `{"a":1,"b":2}` {
		t.Errorf("%v %s", err, compactJSON(got))
	}
	// Each line is ten times as long as the one before.
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		line := strings.TrimSuffix(strings.Repeat("*"+string(c-1)+", ", 10), ", ")
		bomb += string(c) + ": &" + string(c) + " [" + line + "]\n"
	}
	if _, err := parse([]byte(bomb)); err == nil {
		t.Error("a document that grows without end was read")
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	root, err := parse([]byte(`{"a": {"b~c/d": {"x": "found"}}, "loop": {"$ref": "#/loop"}, "to": {"$ref": "#/a/b~0c~1d"}}`))
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{root: root}
	if got := r.resolve(root.get("to")).get("x").str(); got != "found" {
		t.Errorf("the reference leads to %q", got)
	}
	if r.resolve(root.get("loop")) != nil {
		t.Error("a reference to itself leads somewhere")
	}
}

// TestImportVariables: the pseudo parameters are the caller's.
func TestImportVariables(t *testing.T) {
	t.Parallel()
	api, err := Import([]byte(`{"swagger": "2.0", "info": {"title": "x"}, "paths": {"/": {"get": {"x-amazon-apigateway-integration": {
		"type": "aws_proxy", "uri": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:f/invocations"}}}}}`),
		Options{Account: "111111111111", Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	const want = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:111111111111:function:f/invocations"
	if got := wire.Val(api.Resources[0].Methods[0].MethodIntegration.Uri); got != want {
		t.Errorf("uri %s", got)
	}
}

// FuzzImport: no document makes the importer panic or hang, and what it makes
// of one can be exported.
func FuzzImport(f *testing.F) {
	files, err := filepath.Glob("../testdata/*.oas30.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range append(files, "../testdata/shop.swagger.yaml") {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, small := range []string{
		"openapi: 3.0.1\ninfo: {title: a}\npaths: {/: {get: {x-amazon-apigateway-integration: {type: mock}}}}",
		"a: &a [*a]", `{"swagger": "2.0", "paths": {"/{a+}": {"x-amazon-apigateway-any-method": {"parameters": [{"in": "body", "schema": {"$ref": "#/definitions/A"}}]}}}, "definitions": {"A": {"allOf": [{"$ref": "#/definitions/A"}]}}}`,
		`{"openapi": "3.0.1", "paths": {"/\u007f\ufeff": {"get": {"responses": {"default": {"headers": {"null": {}}}}}}}}`,
		`{"openapi": "3.0.1", "x-amazon-apigateway-gateway-responses": {"DEFAULT_4XX": {}}, "x-amazon-apigateway-request-validators": {"a": {}}}`,
	} {
		f.Add([]byte(small))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		api, err := Import(document, Options{APIID: "abc", BasePath: "prepend"})
		if err != nil {
			return
		}
		src := &Source{API: api.RestApi, Models: api.Models, GatewayResponses: api.GatewayResponses}
		for i := range api.Authorizers {
			api.Authorizers[i].Id = api.Authorizers[i].Name
		}
		src.Authorizers = api.Authorizers
		for _, r := range api.Resources {
			res := apigatewayapi.Resource{Id: wire.Ptr(r.Path), Path: &r.Path, ResourceMethods: map[string]apigatewayapi.Method{}}
			for _, m := range r.Methods {
				m.AuthorizerId = &m.Authorizer
				res.ResourceMethods[*m.HttpMethod] = m.Method
			}
			src.Resources = append(src.Resources, res)
		}
		for _, format := range []Format{{Swagger: true, Integrations: true, Authorizers: true}, {YAML: true, Integrations: true}} {
			if _, err := parse(Export(src, format)); err != nil {
				t.Errorf("the export can't be read: %v", err)
			}
		}
	})
}

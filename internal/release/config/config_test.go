package config

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

const example = `
api: abc
records: butai-release
variable: stage
pairing: snapshot
functions: [user]
stages:
  - {name: staging, alias: staging}
  - {name: production, alias: prod, strategy: canary 10% for 5m}
checks:
  - {name: ada, path: /user/ada, expect: {json: {$.name: Ada}, latency: 2s}}
gates: {metrics: {}}
`

func TestParse(t *testing.T) {
	t.Parallel()
	f, err := Parse([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if f.Propagation != Duration(30*time.Second) || f.Checks[0].Method != "GET" || f.Checks[0].Expect.Status != 200 || f.Gates.Metrics.MinimumRequests != 50 {
		t.Errorf("defaults are missing: %+v", f)
	}
	again, err := f.Write()
	if err != nil {
		t.Fatal(err)
	}
	g, err := Parse(again)
	if err != nil {
		t.Fatalf("%v\n%s", err, again)
	}
	if diff := cmp.Diff(f, g); diff != "" {
		t.Errorf("what is written reads differently:\n%s", diff)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for before, after := range map[string]string{
		"api: abc":                      "apis: abc",
		"records: butai-release":        "records: s3://Releases",
		"pairing: snapshot":             "pairing: both",
		"variable: stage":               "variable: a b",
		"canary 10% for 5m":             "canary 100% for 5m",
		"name: production, alias: prod": "name: staging, alias: prod",
		"path: /user/ada":               "path: user",
		"latency: 2s":                   "latency: 2 seconds",
		"expect: {json:":                "stages: [nowhere], expect: {json:",
		"expect: {json: {$.name: Ada}":  "expect: {body: '('",
		"functions: [user]":             "functions: []",
	} {
		text := strings.Replace(example, before, after, 1)
		if text == example {
			t.Fatalf("the example has no %q", before)
		}
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q was taken", after)
		}
	}
}

// TestSchemaAgrees validates, as an editor does, what Parse takes and refuses.
func TestSchemaAgrees(t *testing.T) {
	t.Parallel()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(SchemaName, document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(SchemaName)
	if err != nil {
		t.Fatal(err)
	}
	validate := func(text string) error {
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		return schema.Validate(value)
	}
	whole := strings.Replace(example, "name: staging, alias: staging", "name: staging, alias: staging, domain: api.example.com, url: https://api.example.com, variables: {a: b}", 1)
	whole = strings.Replace(whole, "records: butai-release", "records: s3://releases/shop\ndarkHeader: x-who\npropagation: 30s\nlease: 1m\nrolesCallPins: true", 1)
	for _, text := range []string{example, whole} {
		if _, err := Parse([]byte(text)); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
		if err := validate(text); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	}
	for before, after := range map[string]string{
		"api: abc": "apis: abc", "records: butai-release": "records: s3://Releases", "pairing: snapshot": "pairing: both",
		"variable: stage": "variable: a b", "path: /user/ada": "path: user", "latency: 2s": "latency: 2 seconds", "functions: [user]": "functions: []",
		"metrics: {}": "metric: {}",
	} {
		text := strings.Replace(example, before, after, 1)
		if err := validate(text); err == nil {
			t.Errorf("the schema takes %q", after)
		}
	}
}

// TestSchemaListsEveryMember keeps schema and structs together.
func TestSchemaListsEveryMember(t *testing.T) {
	t.Parallel()
	var schema map[string]any
	if err := json.Unmarshal(Schema, &schema); err != nil {
		t.Fatal(err)
	}
	compare(t, "", schema, reflect.TypeFor[File]())
}

func compare(t *testing.T, at string, schema map[string]any, typ reflect.Type) {
	t.Helper()
	properties, _ := schema["properties"].(map[string]any)
	seen := map[string]bool{}
	for i := range typ.NumField() {
		field := typ.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		seen[name] = true
		member, ok := properties[name].(map[string]any)
		if !ok {
			t.Errorf("the schema has no %s.%s", at, name)
			continue
		}
		inner := field.Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if items, ok := member["items"].(map[string]any); ok {
			member = items
		}
		if inner.Kind() == reflect.Struct {
			compare(t, at+"."+name, member, inner)
		}
	}
	for name := range properties {
		if !seen[name] {
			t.Errorf("the schema has %s.%s, which butai.yaml doesn't", at, name)
		}
	}
}

package schema

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAgainstJava compares with what com.github.java-json-tools'
// json-schema-validator 2.2.14 said, on 2026-11-28, about each line of
// testdata/java.jsonl.
func TestAgainstJava(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/java.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cases := 0
	for lines := bufio.NewScanner(f); lines.Scan(); cases++ {
		var c struct {
			Schema, Instance json.RawMessage
			Messages         []string
			Error            string // why the Java library refused the schema
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		got, err := validate(string(c.Schema), string(c.Instance))
		if (err != nil) != (c.Error != "") {
			t.Errorf("%s: error %v, want %q", lines.Text(), err, c.Error)
		}
		if diff := cmp.Diff(strings.Join(c.Messages, "\n"), strings.Join(got, "\n")); diff != "" {
			t.Errorf("%s\n of %s: (-Java +butai)\n%s", c.Instance, c.Schema, diff)
		}
	}
	if cases < 50 {
		t.Errorf("only %d cases", cases)
	}
}

func validate(schema, instance string) ([]string, error) {
	const at = "https://apigateway.amazonaws.com/restapis/a/models/M"
	m := NewModels()
	if err := m.Add(at, schema); err != nil {
		return nil, err
	}
	s, err := m.Compile(at)
	if err != nil {
		return nil, err
	}
	return s.Validate([]byte(instance))
}

// TestBodiesBeyondJSON: what one of the parsers takes and another might not.
func TestBodiesBeyondJSON(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"a": 1, "a": [1, "x"]}`, "{\"a\": [\"\xff\", 1]}", `{"a": [1e9999, 1]}`, `[[[]]]`, `"\ud800"`, `{"": {"": 0}}`} {
		if _, err := validate(`{"enum": [0], "properties": {"a": {"items": {"enum": ["z"], "minimum": 3}}}, "items": {"enum": [1]}}`, body); err != nil {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// TestHostileBodies: a small body that would be a large number, or a deep
// one, is taken for no JSON.
func TestHostileBodies(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`1e99999`, `[-1.5E+99999]`, `{"a": ` + strings.Repeat("1", 1001) + `}`, strings.Repeat("[", 1001) + strings.Repeat("]", 1001)} {
		if _, err := validate(`{"minimum": 3}`, body); err != ErrUnparsed {
			t.Errorf("%.20s: %v", body, err)
		}
	}
	many := "[" + strings.Repeat("1e9, 123456, ", 1000) + "1]"
	if _, err := validate(`{"type": "array", "items": {"title": "1e99999 and [[["}}`, many); err != nil {
		t.Errorf("many numbers: %v", err)
	}
}

func FuzzValidate(f *testing.F) {
	f.Add(`{"enum": [0], "properties": {"a": {"items": {"enum": ["z"]}}}}`, `{"a": [1, {"b": 2}]}`)
	f.Add(`{"oneOf": [{"$ref": "#"}]}`, `[1e999, "x"]`)
	f.Fuzz(func(_ *testing.T, schema, body string) {
		_ = Check(schema, "https://apigateway.amazonaws.com/restapis/a/models/")
		_ = Template(schema)
		_, _ = validate(schema, body)
	})
}

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

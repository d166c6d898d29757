package input

import (
	"errors"
	"testing"
)

const event = `{"version":"0","id":"1","detail-type":"order","time":"2026-11-28T12:00:00Z","resources":["a","b"],"detail":{"n":1.50,"who":"Ada \"A\"","list":[{"x":1},{"x":2}],"deep":{"k":"v"}}}`

func TestPick(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"$.detail-type":      `"order"`,
		"$.detail.deep":      `{"k":"v"}`,
		"$.detail.list[1].x": `2`,
		"$.resources":        `["a","b"]`,
		"$.detail.missing":   `null`,
		"$.detail.list[*].x": `[1,2]`,
	} {
		p, err := ParsePath(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if got, err := p.Pick([]byte(event)); err != nil || string(got) != want {
			t.Errorf("%s picks %s, %v; want %s", path, got, err, want)
		}
	}
	for _, path := range []string{"detail", "", "$.["} {
		if _, err := ParsePath(path); err == nil {
			t.Errorf("the path %q was taken", path)
		}
	}
}

// TestRender fills templates as recorded from AWS, and as its guide tells of
// values within texts.
func TestRender(t *testing.T) {
	t.Parallel()
	paths := map[string]string{"type": "$.detail-type", "who": "$.detail.who", "deep": "$.detail.deep", "none": "$.detail.none", "n": "$.detail.n", "all": "$.resources"}
	for template, want := range map[string]string{
		`"A <type> of <none>at <rule>"`:          `"A order of at arn:rule"`,
		`{"type": <type>, "none": <none>}`:       `{"type": "order", "none": ""}`,
		`{"type": "<type>!", "deep": <deep>}`:    `{"type": "order!", "deep": {"k":"v"}}`,
		`{"deep": "it is <deep>", "all": <all>}`: `{"deep": "it is {k:v}", "all": ["a","b"]}`,
		`{"who": <who>}`:                         `{"who": "Ada \"A\""}`,
		`"<who>"`:                                `"Ada "A""`, // not escaped
		"\"one\"\n\"two <type>\"":                "\"one\"\n\"two order\"",
		`"{[/<type>"`:                            `"{[/order"`,
		`{"quote": "\"<type>", "v": <type>}`:     `{"quote": "\"order", "v": "order"}`,
	} {
		c, err := Compile(paths, template, "rule")
		if err != nil {
			t.Errorf("%s: %v", template, err)
			continue
		}
		if got, err := c.Render([]byte(event), Variables{"rule": []byte(`"arn:rule"`)}); err != nil || string(got) != want {
			t.Errorf("%s renders %s, %v; want %s", template, got, err, want)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	t.Parallel()
	_, err := Compile(nil, `{"a": <b>}`)
	if e, ok := errors.AsType[*PlaceholderError](err); !ok || e.Name != "b" {
		t.Errorf("an undefined placeholder: %v", err)
	}
	_, err = Compile(map[string]string{"b": "$.x"}, `Hello <b>`)
	if e, ok := errors.AsType[*SyntaxError](err); !ok || e.Column != 6 || e.Source != "Hello null" {
		t.Errorf("a bare text: %v", err)
	}
	if _, err = Compile(map[string]string{"b": "x"}, `{"a": <b>}`); err == nil {
		t.Error("a path without $ was taken")
	}
}

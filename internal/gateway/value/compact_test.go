package value

import (
	"math"
	"strings"
	"testing"
)

// compactBoth compacts src in both ways and returns the text of the short one.
func compactBoth(t *testing.T, src string) (string, bool) {
	t.Helper()
	got, ok := AppendCompact([]byte("x"), []byte(src))
	if !ok {
		if string(got) != "x" {
			t.Errorf("%q was refused and left %q", src, got)
		}
		return "", false
	}
	doc, err := Parse(src)
	if want := string(AppendJSON([]byte("x"), doc, math.MaxInt)); err != nil || string(got) != want {
		t.Errorf("%q\n got %s\nwant %s, %v", src, got, want, err)
	}
	return string(got[1:]), true
}

func TestAppendCompact(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		` { "a" : [ 1 , -2.5 , "x\n\"y" , true , null ] , "b" : { } } `: `{"a":[1,-2.5,"x\n\"y",true,null],"b":{}}`,
		`[]`:                       `[]`,
		`["é世", 0, 0.0, 1.0, 0.5]`: `["é世",0,0.0,1.0,0.5]`,
		// Left to the parser: they are no JSON, or print otherwise.
		``: "", `1`: "", `"a"`: "", `{"a":1,"a":2}`: "", `[1,]`: "", `[1] x`: "", `[tru]`: "", `[01]`: "", `[1e3]`: "", `[2.50]`: "",
		`["\u0041"]`: "", `["\/"]`: "", "[\"\u2028\"]": "", "[\"\x7f\"]": "", `[-0]`: "", `[0.05]`: "", `[12345678.5]`: "",
		`{a:1}`: "", `{"a" 1}`: "", `["a`: "", `["a\`: "", `[`: "", `[.5]`: "", `[1.]`: "", `[1 2]`: "",
		strings.Repeat("[", 300) + strings.Repeat("]", 300): "",
	} {
		if got, ok := compactBoth(t, src); got != want || ok != (want != "") {
			t.Errorf("%q gave %q, %v; want %q", src, got, ok, want)
		}
	}
}

func FuzzAppendCompact(f *testing.F) {
	for _, src := range []string{`{"a":[1,2.5,"x"],"b":{"c":null}}`, `[0.1,1.0,-1,123456789012345678]`, `{"\"":"\\\n"}`, `[ "é" , true ]`} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) { compactBoth(t, src) })
}

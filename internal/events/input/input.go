// Package input makes what a target of a rule is given of an event: a part of
// it, or a template filled with parts (User Guide: "Amazon EventBridge input
// transformation"). It is pure.
package input

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/gateway/jsonpath"
	"github.com/butai-dev/butai/internal/gateway/value"
)

// Path is a JSONPath into events.
type Path struct{ compiled *jsonpath.Path }

// ParsePath compiles a path, which begins with "$".
func ParsePath(text string) (*Path, error) {
	if !strings.HasPrefix(text, "$") {
		return nil, fmt.Errorf("the path %q doesn't begin with $", text)
	}
	p, err := jsonpath.Compile(text)
	if err != nil {
		return nil, err
	}
	return &Path{p}, nil
}

// Pick is the part of an event that the path leads to, as JSON; null if there
// is none.
func (p *Path) Pick(event []byte) ([]byte, error) {
	root, err := value.Parse(string(event))
	if err != nil {
		return nil, err
	}
	part, ok := p.compiled.Eval(root)
	if !ok {
		return []byte("null"), nil
	}
	return value.AppendJSON(nil, part, math.MaxInt), nil
}

// Variables are those that every template knows, by name, as JSON.
type Variables map[string]jsontext.Value

// Template is a compiled InputTransformer. It is immutable.
type Template struct {
	text  string
	paths map[string]*Path
}

// PlaceholderError names a variable that a template uses and nothing defines.
type PlaceholderError struct{ Name string }

func (e *PlaceholderError) Error() string { return "invalid placeholder " + e.Name }

// SyntaxError says where a template isn't JSON, placeholders aside.
type SyntaxError struct {
	Source string // with null in the place of each placeholder
	Column int    // from 1
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("not JSON: %s at column %d", e.Source, e.Column)
}

var placeholder = regexp.MustCompile(`<([A-Za-z0-9_.-]+)>`)

// Compile reads a transformer. known are the variables that there will be
// beside those of paths.
func Compile(paths map[string]string, text string, known ...string) (*Template, error) {
	t := &Template{text: text, paths: map[string]*Path{}}
	for name, path := range paths {
		p, err := ParsePath(path)
		if err != nil {
			return nil, err
		}
		t.paths[name] = p
	}
	reserved := map[string]bool{}
	for _, name := range known {
		reserved[name] = true
	}
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		if t.paths[m[1]] == nil && !reserved[m[1]] {
			return nil, &PlaceholderError{m[1]}
		}
	}
	return t, t.check()
}

// check parses the template with null in the place of each placeholder: it is
// an object, or texts, of which there may be several, a line each.
func (t *Template) check() error {
	source := placeholder.ReplaceAllString(t.text, "null")
	at := 0
	for rest := source; strings.TrimSpace(rest) != ""; rest = source[at:] {
		d := jsontext.NewDecoder(strings.NewReader(rest), jsontext.AllowDuplicateNames(true))
		if _, err := d.ReadValue(); err != nil {
			at += int(d.InputOffset())
			for at < len(source) && isWord(source[at]) {
				at++
			}
			return &SyntaxError{source, at + 1}
		}
		at += int(d.InputOffset())
	}
	return nil
}

func isWord(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' }

// Render fills the template for an event. Values aren't escaped, as in AWS, so
// that the outcome need not be JSON.
func (t *Template) Render(event []byte, variables Variables) ([]byte, error) {
	root, err := value.Parse(string(event))
	if err != nil {
		return nil, err
	}
	var out []byte
	quoted := false
	rest := t.text
	for rest != "" {
		m := placeholder.FindStringSubmatchIndex(rest)
		literal := rest
		if m != nil {
			literal = rest[:m[0]]
		}
		out, quoted = append(out, literal...), inQuotes(quoted, literal)
		if m == nil {
			return out, nil
		}
		v := variables[rest[m[2]:m[3]]]
		if p := t.paths[rest[m[2]:m[3]]]; p != nil {
			if part, ok := p.compiled.Eval(root); ok {
				v = value.AppendJSON(nil, part, math.MaxInt)
			}
		}
		out, rest = fill(out, v, quoted), rest[m[1]:]
	}
	return out, nil
}

// inQuotes tells whether a template is within a JSON text behind more of it.
func inQuotes(quoted bool, text string) bool {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		}
	}
	return quoted
}

// fill appends a variable's value. Within quotes it is bare text: a text
// without its quotes, an object without any of those within it. What there
// isn't is the empty text.
func fill(out []byte, v jsontext.Value, quoted bool) []byte {
	switch {
	case v == nil && quoted:
		return out
	case v == nil:
		return append(out, `""`...)
	case !quoted:
		return append(out, v...)
	case v.Kind() == '"':
		text, err := jsontext.AppendUnquote(nil, v)
		if err != nil {
			return out // can't happen: it was printed as JSON
		}
		return append(out, text...)
	}
	return append(out, strings.ReplaceAll(string(v), `"`, "")...)
}

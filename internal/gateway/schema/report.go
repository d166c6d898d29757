package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// report collects what is wrong with a value that failed, in the Java
// library's words and order: the keywords of a schema by name, "format" last;
// then the value's members, by name. Once anything is wrong no value is looked
// into any further.
type report struct {
	messages []string
	text     []byte // of the value that is being checked, as it came
}

func (r *report) add(format string, args ...any) {
	r.messages = append(r.messages, fmt.Sprintf(format, args...))
}

// check reports what of v, which came as text, does not conform to s.
func (r *report) check(s *jsonschema.Schema, v any, text []byte) {
	for s.Ref != nil {
		s = s.Ref // in draft 4 a reference has no siblings
	}
	for _, keyword := range keywords() {
		r.text = text
		keyword(r, s, v)
	}
	if len(r.messages) > 0 {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		parts := members(text)
		for _, name := range slices.Sorted(maps.Keys(v)) {
			for _, child := range ofMember(s, name) {
				r.check(child, v[name], find(parts, name))
			}
		}
	case []any:
		parts := items(text)
		for i := range v {
			if child := ofItem(s, i); child != nil && i < len(parts) {
				r.check(child, v[i], parts[i])
			}
		}
	}
}

// ofMember are the schemas that a member of an object must conform to.
func ofMember(s *jsonschema.Schema, name string) []*jsonschema.Schema {
	var out []*jsonschema.Schema
	if child := s.Properties[name]; child != nil {
		out = append(out, child)
	}
	for _, p := range patterns(s) {
		if p.MatchString(name) {
			out = append(out, s.PatternProperties[p])
		}
	}
	if child, ok := s.AdditionalProperties.(*jsonschema.Schema); ok && out == nil {
		out = append(out, child)
	}
	return out
}

// patterns are the keys of patternProperties, sorted.
func patterns(s *jsonschema.Schema) []jsonschema.Regexp {
	return slices.SortedFunc(maps.Keys(s.PatternProperties), func(a, b jsonschema.Regexp) int { return strings.Compare(a.String(), b.String()) })
}

// ofItem is the schema that an element of an array must conform to, or nil.
func ofItem(s *jsonschema.Schema, i int) *jsonschema.Schema {
	switch items := s.Items.(type) {
	case *jsonschema.Schema:
		return items
	case []*jsonschema.Schema:
		if i < len(items) {
			return items[i]
		}
		child, _ := s.AdditionalItems.(*jsonschema.Schema)
		return child
	}
	return nil
}

// numberOf is a JSON number's value, nil for anything else.
func numberOf(v any) *big.Rat {
	n, ok := v.(json.Number)
	if !ok {
		return nil
	}
	r, ok := new(big.Rat).SetString(n.String())
	if !ok {
		return nil
	}
	return r
}

// decimal prints a number without exponent or needless zeros.
func decimal(r *big.Rat) string {
	digits, _ := r.FloatPrec()
	return r.FloatString(digits)
}

// printed is the value v, which came as text, as compact JSON.
func printed(v any, text []byte) string {
	switch v.(type) {
	case map[string]any, []any:
		compact := jsontext.Value(bytes.Clone(text))
		if compact.Compact() == nil {
			return string(compact)
		}
	case json.Number:
		if n := numberOf(v); n != nil {
			return decimal(n)
		}
	}
	return jsonText(v)
}

// jsonText is v as compact JSON.
func jsonText(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v) // what was parsed encodes
	}
	return strings.TrimSuffix(b.String(), "\n")
}

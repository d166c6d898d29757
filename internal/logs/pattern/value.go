package pattern

import (
	"encoding/json"
	"strconv"
	"strings"
)

// number is a field's value as conditions compare it.
func number(text string) any {
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		return f
	}
	return text
}

// Value looks up what ref refers to in an event that the pattern matches: a
// selector such as $.latency for JSON, or $name for a field of a
// space-delimited pattern. ok is false if there is no such value.
func (p *Pattern) Value(message, ref string) (text string, ok bool) {
	if p.delimited != nil {
		text, ok = p.delimited.values(message)[strings.TrimPrefix(ref, "$")]
		return text, ok
	}
	s := &parser{rest: ref}
	path, err := s.selector()
	if err != nil {
		return "", false
	}
	var event any
	if json.Unmarshal([]byte(message), &event) != nil {
		return "", false
	}
	value, found := follow(event, path)
	if !found {
		return "", false
	}
	if b, isBool := value.(bool); isBool {
		return strconv.FormatBool(b), true
	}
	return scalarText(value)
}

// Values are the named fields of an event, by $name, for a space-delimited
// pattern; none for others.
func (p *Pattern) Values(message string) map[string]string {
	out := map[string]string{}
	if p.delimited != nil {
		for name, v := range p.delimited.values(message) {
			out["$"+name] = v
		}
	}
	return out
}

// Structured reports whether events have values to look up: JSON or fields.
func (p *Pattern) Structured() bool { return p.terms == nil }

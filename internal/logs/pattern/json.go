package pattern

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

// node is a condition on a JSON event.
type node interface {
	holds(event any) bool
}

type both struct{ a, b node }
type either struct{ a, b node }

func (n both) holds(event any) bool   { return n.a.holds(event) && n.b.holds(event) }
func (n either) holds(event any) bool { return n.a.holds(event) || n.b.holds(event) }

// comparison is one selector and what its value must be: exactly one of glob,
// re and is.
type comparison struct {
	path   []step
	op     string   // = != < <= > >=, or "is"
	number *float64 // beside glob, if the value reads as a number
	glob   *string
	re     *regexp.Regexp
	is     string // NULL, TRUE, FALSE, NOT EXISTS
}

// step is a member name or an index.
type step struct {
	name  string
	index int // -1 for a name
}

func matchJSON(n node, message string) bool {
	d := json.NewDecoder(strings.NewReader(message))
	var event any
	if err := d.Decode(&event); err != nil {
		return false
	}
	return n.holds(event)
}

func (c comparison) holds(event any) bool {
	value, found := follow(event, c.path)
	if c.op == "is" {
		return c.isIt(value, found)
	}
	if n, ok := value.(float64); ok && c.number != nil {
		return compareNumbers(n, c.op, *c.number)
	}
	text, ok := scalarText(value)
	if !found || !ok || c.op != "=" && c.op != "!=" {
		return false
	}
	var hit bool
	if c.re != nil {
		hit = c.re.MatchString(text)
	} else {
		hit = matchGlob(*c.glob, text)
	}
	return hit == (c.op == "=")
}

func (c comparison) isIt(value any, found bool) bool {
	switch c.is {
	case "NULL":
		return found && value == nil
	case "TRUE":
		return value == true
	case "FALSE":
		return value == false
	}
	return !found
}

func follow(value any, path []step) (any, bool) {
	for _, st := range path {
		if st.index >= 0 {
			list, ok := value.([]any)
			if !ok || st.index >= len(list) {
				return nil, false
			}
			value = list[st.index]
			continue
		}
		object, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, ok = object[st.name]; !ok {
			return nil, false
		}
	}
	return value, true
}

// scalarText is a string's text or a number's digits, for patterns like 4*.
func scalarText(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return "", false
}

func compareNumbers(a float64, op string, b float64) bool {
	switch op {
	case "=":
		return a == b
	case "!=":
		return a != b
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	}
	return a >= b
}

// matchGlob matches the whole of text; * stands for any characters.
func matchGlob(glob, text string) bool {
	parts := strings.Split(glob, "*")
	if len(parts) == 1 {
		return glob == text
	}
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return strings.HasSuffix(text, last)
}

package pattern

import (
	"fmt"
	"strings"
)

// delimited is a pattern for events of fields with spaces between them, such
// as [ip, user, ..., status=4*, bytes > 1000].
type delimited struct {
	fields   []column
	ellipsis int // where ... stands, -1 if nowhere
}

// column is a field with its name and conditions, all of which must hold; the
// selector of a condition is the field's name.
type column struct {
	name  string
	holds node // nil if there are none
}

// maxColumns bounds the fields of a pattern.
const maxColumns = 200

func parseDelimited(text string) (*delimited, error) {
	inner, ok := strings.CutSuffix(strings.TrimPrefix(text, "["), "]")
	if !ok {
		return nil, fmt.Errorf("the bracket isn't closed: %q", text)
	}
	d := &delimited{ellipsis: -1}
	for part := range strings.SplitSeq(inner, ",") {
		part = strings.TrimSpace(part)
		switch {
		case part == "..." && d.ellipsis >= 0, len(d.fields) == maxColumns:
			return nil, fmt.Errorf("too many fields or more than one ... in %q", text)
		case part == "...":
			d.ellipsis = len(d.fields)
			continue
		}
		c, err := parseColumn(part)
		if err != nil {
			return nil, err
		}
		d.fields = append(d.fields, c)
	}
	return d, nil
}

// parseColumn reads a name, or conditions on it: status=4* && status!=404.
func parseColumn(text string) (column, error) {
	name := leadingName(text)
	rest := strings.TrimSpace(text[len(name):])
	if name == "" && rest == "" || name != "" && rest == "" {
		return column{name: name}, nil
	}
	if name == "" {
		return column{}, fmt.Errorf("expected a field's name before %q", text)
	}
	// Conditions are those of JSON patterns, with names instead of selectors.
	var b strings.Builder
	for i, condition := range splitConditions(text) {
		if i%2 == 1 {
			b.WriteString(condition)
			continue
		}
		b.WriteString(" $." + strings.TrimSpace(condition) + " ")
	}
	p := &parser{rest: strings.TrimSpace(b.String())}
	holds, err := p.either()
	if err == nil && p.rest != "" {
		err = fmt.Errorf("unexpected %q", p.rest)
	}
	return column{name, holds}, err
}

// splitConditions cuts at && and ||, which are kept between the parts.
func splitConditions(text string) []string {
	var out []string
	for {
		i, j := strings.Index(text, "&&"), strings.Index(text, "||")
		if i < 0 || j >= 0 && j < i {
			i = j
		}
		if i < 0 {
			return append(out, text)
		}
		out, text = append(out, text[:i], text[i:i+2]), text[i+2:]
	}
}

// split cuts an event into its fields: words, and what stands in double quotes
// or brackets.
func split(message string) []string {
	var out []string
	for message = strings.TrimSpace(message); message != ""; message = strings.TrimLeft(message, " \t") {
		end, skip := strings.IndexAny(message, " \t"), 0
		switch message[0] {
		case '"':
			end, skip = strings.IndexByte(message[1:], '"'), 1
		case '[':
			end, skip = strings.IndexByte(message[1:], ']'), 1
		}
		if end < 0 {
			return append(out, strings.TrimLeft(message, `"[`))
		}
		out, message = append(out, message[skip:skip+end]), message[min(len(message), end+2*skip):]
	}
	return out
}

// values are an event's fields by the pattern's names; nil if it has another
// number of fields, or one doesn't fulfil its conditions.
func (d *delimited) values(message string) map[string]string {
	fields := split(strings.TrimRight(message, "\r\n"))
	extra := len(fields) - len(d.fields)
	if extra != 0 && d.ellipsis < 0 || extra < 0 {
		return nil
	}
	out := map[string]string{}
	for i, c := range d.fields {
		at := i
		if d.ellipsis >= 0 && i >= d.ellipsis {
			at += extra
		}
		if c.holds != nil && !c.holds.holds(map[string]any{c.name: number(fields[at])}) {
			return nil
		}
		if c.name != "" {
			out[c.name] = fields[at]
		}
	}
	return out
}

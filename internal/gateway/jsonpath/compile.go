package jsonpath

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/gateway/value"
)

// Compile parses expr. A leading "$" may be missing: "a.b" means "$.a.b".
// The error names the place in the expression.
func Compile(expr string) (*Path, error) {
	src := strings.TrimSpace(expr)
	if src == "" {
		return nil, fmt.Errorf("JSONPath expression is empty")
	}
	if src[0] != '$' && src[0] != '@' {
		src = "$." + src
	}
	c := compiler{src: src, pos: 1}
	steps, err := c.path()
	if err != nil {
		return nil, err
	}
	if c.pos < len(src) {
		return nil, c.errorf("unexpected %q", src[c.pos:])
	}
	return &Path{steps: steps, definite: isDefinite(steps)}, nil
}

func isDefinite(steps []step) bool {
	for i, s := range steps {
		if !s.definite(i == len(steps)-1) {
			return false
		}
	}
	return true
}

type compiler struct {
	src   string
	pos   int
	depth int
}

func (c *compiler) errorf(format string, args ...any) error {
	return fmt.Errorf("JSONPath %q, position %d: %s", c.src, c.pos+1, fmt.Sprintf(format, args...))
}

func (c *compiler) peek() byte {
	if c.pos < len(c.src) {
		return c.src[c.pos]
	}
	return 0
}

func (c *compiler) space() {
	for c.peek() == ' ' {
		c.pos++
	}
}

// path reads steps up to a byte that cannot continue a path, which ends it
// (inside a filter something else follows there).
func (c *compiler) path() ([]step, error) {
	var steps []step
	for {
		scanning := false
		switch {
		case strings.HasPrefix(c.src[c.pos:], ".."):
			c.pos += 2
			scanning = true
		case c.peek() == '.':
			c.pos++
		case c.peek() == '[':
		default:
			return seal(steps), nil
		}
		s, call, err := c.step()
		switch {
		case err != nil:
			return nil, err
		case call != nil:
			return []step{function{of: seal(steps), call: call}}, nil
		case scanning:
			s = scan{next: s}
		}
		steps = append(steps, s)
	}
}

// seal tells a final ['a','b'] that it is the last step.
func seal(steps []step) []step {
	if n := len(steps); n > 0 {
		if last, ok := steps[n-1].(children); ok {
			last.last = true
			steps[n-1] = last
		}
	}
	return steps
}

// step reads what follows a point, or a bracket. Exactly one of its results
// is set: the second for a function call.
func (c *compiler) step() (step, func(value.Value) (value.Value, bool), error) {
	switch c.peek() {
	case '[':
		s, err := c.bracket()
		return s, nil, err
	case '*':
		c.pos++
		return wildcard{}, nil, nil
	}
	start := c.pos
	for c.pos < len(c.src) && !strings.ContainsRune(" .[()]=!<>&|,", rune(c.src[c.pos])) {
		c.pos++
	}
	name := c.src[start:c.pos]
	if name == "" {
		return nil, nil, c.errorf("a name is missing")
	}
	if !strings.HasPrefix(c.src[c.pos:], "()") {
		return child(name), nil, nil
	}
	call := lookupFunction(name)
	if call == nil {
		return nil, nil, c.errorf("function %s() is not supported", name)
	}
	c.pos += 2
	return nil, call, nil
}

func (c *compiler) bracket() (step, error) {
	c.pos++
	c.space()
	var s step
	var err error
	switch b := c.peek(); {
	case b == '*':
		c.pos++
		s = wildcard{}
	case b == '\'' || b == '"':
		s, err = c.names()
	case b == '?':
		s, err = c.filter()
	case b == '-' || b == ':' || b >= '0' && b <= '9':
		s, err = c.positions()
	default:
		return nil, c.errorf("expected a quoted name, an index, a slice, * or ?(…)")
	}
	if err != nil {
		return nil, err
	}
	c.space()
	if c.peek() != ']' {
		return nil, c.errorf("expected ]")
	}
	c.pos++
	return s, nil
}

func (c *compiler) names() (step, error) {
	var names []string
	for {
		name, err := c.quoted()
		if err != nil {
			return nil, err
		}
		names = append(names, name)
		c.space()
		if c.peek() != ',' {
			break
		}
		c.pos++
		c.space()
		if b := c.peek(); b != '\'' && b != '"' {
			return nil, c.errorf("expected a quoted name")
		}
	}
	if len(names) == 1 {
		return child(names[0]), nil
	}
	return children{names: names}, nil
}

// quoted reads a string in either kind of quotes; a backslash takes the next
// byte as it is.
func (c *compiler) quoted() (string, error) {
	quote := c.src[c.pos]
	var b strings.Builder
	for i := c.pos + 1; i < len(c.src); i++ {
		switch ch := c.src[i]; {
		case ch == quote:
			c.pos = i + 1
			return b.String(), nil
		case ch == '\\' && i+1 < len(c.src):
			i++
			b.WriteByte(c.src[i])
		default:
			b.WriteByte(ch)
		}
	}
	return "", c.errorf("string is not closed")
}

// positions reads [n], [n,m] or [from:to].
func (c *compiler) positions() (step, error) {
	end := strings.IndexByte(c.src[c.pos:], ']')
	if end < 0 {
		return nil, c.errorf("expected ]")
	}
	text := c.src[c.pos : c.pos+end]
	var s step
	var err error
	if strings.Contains(text, ":") {
		s, err = parseSlice(text)
	} else {
		s, err = parseIndexes(text)
	}
	if err != nil {
		return nil, c.errorf("%v", err)
	}
	c.pos += end
	return s, nil
}

func parseIndexes(text string) (step, error) {
	var at []index
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("%q is not an index", part)
		}
		at = append(at, index(n))
	}
	if len(at) == 1 {
		return at[0], nil
	}
	return indexes{at: at}, nil
}

func parseSlice(text string) (step, error) {
	parts := strings.Split(text, ":")
	if len(parts) > 3 {
		return nil, fmt.Errorf("%q is not a slice", text)
	}
	var n [3]int
	var set [3]bool
	for i, part := range parts {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		var err error
		if n[i], err = strconv.Atoi(part); err != nil {
			return nil, fmt.Errorf("%q is not a slice", text)
		}
		set[i] = true
	}
	return slice{from: n[0], to: n[1], hasFrom: set[0], hasTo: set[1]}, nil
}

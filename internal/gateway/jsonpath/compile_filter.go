package jsonpath

import (
	"regexp"
	"strings"

	"github.com/butai-dev/butai/internal/gateway/value"
)

// maxFilterDepth bounds the nesting of parentheses in a filter.
const maxFilterDepth = 50

// filter reads ?(…) inside brackets.
func (c *compiler) filter() (step, error) {
	c.pos++
	c.space()
	if c.peek() != '(' {
		return nil, c.errorf("expected ( after ?")
	}
	cond, err := c.group()
	if err != nil {
		return nil, err
	}
	return filter{cond: cond}, nil
}

// group reads a condition in parentheses.
func (c *compiler) group() (condition, error) {
	if c.depth++; c.depth > maxFilterDepth {
		return nil, c.errorf("filter is nested too deep")
	}
	defer func() { c.depth-- }()
	c.pos++
	cond, err := c.or()
	if err != nil {
		return nil, err
	}
	c.space()
	if c.peek() != ')' {
		return nil, c.errorf("expected )")
	}
	c.pos++
	return cond, nil
}

func (c *compiler) or() (condition, error) {
	terms, err := c.chain("||", c.and)
	if len(terms) == 1 {
		return terms[0], err
	}
	return anyOf(terms), err
}

func (c *compiler) and() (condition, error) {
	terms, err := c.chain("&&", c.term)
	if len(terms) == 1 {
		return terms[0], err
	}
	return allOf(terms), err
}

// chain reads one or more conditions with op between them.
func (c *compiler) chain(op string, next func() (condition, error)) ([]condition, error) {
	var terms []condition
	for {
		cond, err := next()
		if err != nil {
			return nil, err
		}
		terms = append(terms, cond)
		c.space()
		if !strings.HasPrefix(c.src[c.pos:], op) {
			return terms, nil
		}
		c.pos += len(op)
	}
}

func (c *compiler) term() (condition, error) {
	c.space()
	switch c.peek() {
	case '(':
		return c.group()
	case '!':
		if c.depth++; c.depth > maxFilterDepth {
			return nil, c.errorf("filter is nested too deep")
		}
		defer func() { c.depth-- }()
		c.pos++
		cond, err := c.term()
		return negate{cond}, err
	}
	left, err := c.operand()
	if err != nil {
		return nil, err
	}
	c.space()
	op := c.operator()
	switch op {
	case "":
		if left.path == nil {
			return nil, c.errorf("expected a comparison")
		}
		return exists{left}, nil
	case "=~":
		re, err := c.regexp()
		return matches{left, re}, err
	}
	c.space()
	right, err := c.operand()
	return compare{left, right, op}, err
}

// operator reads a comparison operator, or nothing.
func (c *compiler) operator() string {
	rest := c.src[c.pos:]
	for _, op := range [...]string{"==", "!=", "<=", ">=", "=~", "<", ">"} {
		if strings.HasPrefix(rest, op) {
			c.pos += len(op)
			return op
		}
	}
	for _, op := range [...]string{"in", "nin", "contains", "anyof", "noneof", "subsetof", "size", "empty"} {
		if len(rest) > len(op) && strings.EqualFold(rest[:len(op)], op) && strings.IndexByte(" ['\"@$", rest[len(op)]) >= 0 {
			c.pos += len(op)
			return op
		}
	}
	return ""
}

func (c *compiler) operand() (operand, error) {
	switch b := c.peek(); b {
	case '@', '$':
		c.pos++
		steps, err := c.path()
		return operand{path: &Path{steps: steps, definite: isDefinite(steps)}, fromRoot: b == '$'}, err
	case '\'', '"':
		s, err := c.quoted()
		return operand{constant: s}, err
	case '[', '{':
		return c.jsonOperand()
	}
	start := c.pos
	for c.pos < len(c.src) && !strings.ContainsRune(" )&|=!<>", rune(c.src[c.pos])) {
		c.pos++
	}
	switch word := c.src[start:c.pos]; word {
	case "true":
		return operand{constant: true}, nil
	case "false":
		return operand{constant: false}, nil
	case "null":
		return operand{}, nil
	default:
		n, ok := value.ParseNumber(word)
		if !ok {
			c.pos = start
			return operand{}, c.errorf("expected a path, a string, a number, true, false or null")
		}
		return operand{constant: n}, nil
	}
}

// jsonOperand reads a list or object constant.
func (c *compiler) jsonOperand() (operand, error) {
	start, depth := c.pos, 0
	for c.pos < len(c.src) {
		switch c.src[c.pos] {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case '\'', '"':
			if _, err := c.quoted(); err != nil {
				return operand{}, err
			}
			continue
		}
		c.pos++
		if depth == 0 {
			v, err := value.Parse(c.src[start:c.pos])
			if err != nil {
				return operand{}, c.errorf("%v", err)
			}
			return operand{constant: v}, nil
		}
	}
	return operand{}, c.errorf("list is not closed")
}

// regexp reads /pattern/flags. Go's syntax is used, whose running time is
// linear; a pattern that needs more (a backreference) is refused here.
func (c *compiler) regexp() (*regexp.Regexp, error) {
	c.space()
	if c.peek() != '/' {
		return nil, c.errorf("expected /pattern/ after =~")
	}
	end := c.pos + 1
	for end < len(c.src) && c.src[end] != '/' {
		if c.src[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(c.src) {
		return nil, c.errorf("pattern is not closed")
	}
	pattern := strings.ReplaceAll(c.src[c.pos+1:end], `\/`, `/`)
	c.pos = end + 1
	flags := c.pos
	for c.pos < len(c.src) && strings.IndexByte("ims", c.src[c.pos]) >= 0 {
		c.pos++
	}
	if f := c.src[flags:c.pos]; f != "" {
		pattern = "(?" + f + ")" + pattern
	}
	re, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return nil, c.errorf("%v", err)
	}
	return re, nil
}

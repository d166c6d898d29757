package pattern

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// maxDepth bounds how deep parentheses nest.
const maxDepth = 32

// parser reads { condition }, where a condition is made of comparisons, &&,
// || and parentheses; && binds closer.
type parser struct {
	rest  string
	depth int
}

func parseJSON(text string) (node, error) {
	p := &parser{rest: text}
	p.take("{")
	n, err := p.either()
	switch {
	case err != nil:
		return nil, err
	case !p.take("}"):
		return nil, fmt.Errorf("expected && or || or } before %q", p.rest)
	case p.rest != "":
		return nil, fmt.Errorf("text behind the closing brace: %q", p.rest)
	}
	return n, nil
}

// take skips token and the space around it, if it comes next.
func (p *parser) take(token string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSpace(p.rest), token)
	if ok {
		p.rest = strings.TrimSpace(rest)
	}
	return ok
}

func (p *parser) either() (node, error) {
	n, err := p.both()
	for err == nil && p.take("||") {
		var next node
		next, err = p.both()
		n = either{n, next}
	}
	return n, err
}

func (p *parser) both() (node, error) {
	n, err := p.condition()
	for err == nil && p.take("&&") {
		var next node
		next, err = p.condition()
		n = both{n, next}
	}
	return n, err
}

func (p *parser) condition() (node, error) {
	if !p.take("(") {
		return p.comparison()
	}
	if p.depth++; p.depth > maxDepth {
		return nil, errors.New("parentheses nest too deep")
	}
	n, err := p.either()
	if err == nil && !p.take(")") {
		err = errors.New("a parenthesis isn't closed")
	}
	p.depth--
	return n, err
}

func (p *parser) comparison() (node, error) {
	var c comparison
	var err error
	if c.path, err = p.selector(); err != nil {
		return nil, err
	}
	for _, op := range []string{"!=", "<=", ">=", "=", "<", ">"} {
		if p.take(op) {
			c.op = op
			err = p.value(&c)
			return c, err
		}
	}
	c.op = "is"
	switch word := strings.ToUpper(p.word()); word {
	case "IS":
		c.is = strings.ToUpper(p.word())
		if c.is == "NULL" || c.is == "TRUE" || c.is == "FALSE" {
			return c, nil
		}
	case "NOT":
		if strings.ToUpper(p.word()) == "EXISTS" {
			c.is = "NOT EXISTS"
			return c, nil
		}
	}
	return nil, fmt.Errorf("expected an operator, IS NULL, IS TRUE, IS FALSE or NOT EXISTS before %q", p.rest)
}

func (p *parser) word() string {
	end := strings.IndexFunc(p.rest, func(r rune) bool { return !unicode.IsLetter(r) })
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = strings.TrimSpace(p.rest[end:])
	return word
}

// selector reads $ and the steps behind it: .name, ['name'] or [0].
func (p *parser) selector() ([]step, error) {
	if !p.take("$") {
		return nil, fmt.Errorf("expected a selector such as $.name before %q", p.rest)
	}
	var path []step
	for {
		switch {
		case strings.HasPrefix(p.rest, "."):
			name := leadingName(p.rest[1:])
			if name == "" {
				return nil, fmt.Errorf("expected a name before %q", p.rest)
			}
			path, p.rest = append(path, step{name, -1}), p.rest[1+len(name):]
		case strings.HasPrefix(p.rest, "["):
			st, rest, err := bracketed(p.rest)
			if err != nil {
				return nil, err
			}
			path, p.rest = append(path, st), rest
		default:
			if path == nil {
				return nil, errors.New("a selector needs a name behind $")
			}
			p.rest = strings.TrimSpace(p.rest)
			return path, nil
		}
	}
}

func leadingName(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-'
	})
	if end < 0 {
		end = len(text)
	}
	return text[:end]
}

func bracketed(text string) (st step, rest string, err error) {
	for _, quote := range []string{"'", `"`} {
		inner, ok := strings.CutPrefix(text, "["+quote)
		if !ok {
			continue
		}
		name, rest, ok := strings.Cut(inner, quote+"]")
		if !ok {
			return st, "", errors.New("a bracket isn't closed")
		}
		return step{name, -1}, rest, nil
	}
	digits, rest, ok := strings.Cut(text[1:], "]")
	index, err := strconv.ParseUint(digits, 10, 31)
	if !ok || err != nil {
		return st, "", fmt.Errorf("expected an index such as [0] before %q", text)
	}
	return step{index: int(index)}, rest, nil
}

// value reads what a comparison compares with.
func (p *parser) value(c *comparison) (err error) {
	ordered := c.op != "=" && c.op != "!="
	var text string
	switch {
	case strings.HasPrefix(p.rest, `"`):
		if text, p.rest, err = quoted(p.rest); err != nil {
			return err
		}
	case strings.HasPrefix(p.rest, "%"):
		if c.re, p.rest, err = expression(p.rest); err != nil {
			return err
		}
	default:
		end := strings.IndexFunc(p.rest, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("(){}&|\"", r) })
		if end < 0 {
			end = len(p.rest)
		}
		if text, p.rest = p.rest[:end], p.rest[end:]; text == "" {
			return fmt.Errorf("expected a value before %q", p.rest)
		}
		if number, err := strconv.ParseFloat(text, 64); err == nil {
			c.number = &number
		}
	}
	p.rest = strings.TrimSpace(p.rest)
	if ordered && c.number == nil {
		return fmt.Errorf("%s compares numbers only", c.op)
	}
	if c.re == nil {
		c.glob = &text
	}
	return nil
}

package expr

import (
	"fmt"
	"strconv"
	"strings"
)

// maxDepth bounds how deep an expression is nested.
const maxDepth = 100

// Expr is a parsed expression.
type Expr struct {
	root node
}

// node is a part of an expression.
type node interface {
	eval(e *evaluation) (Value, error)
}

type (
	number  float64
	literal string
	name    string // the id of another query
	unary   struct {
		op  string
		arg node
	}
	binary struct {
		op          string
		left, right node
	}
	call struct {
		function string // upper case
		args     []node
	}
	array []node
)

// Parse reads an expression.
func Parse(source string) (*Expr, error) {
	p := &parser{rest: source}
	if err := p.next(); err != nil {
		return nil, err
	}
	root, err := p.expression(0, 0)
	if err != nil {
		return nil, err
	}
	if p.token != "" {
		return nil, fmt.Errorf("unexpected %q", p.token)
	}
	return &Expr{root}, nil
}

// Names are the ids of the queries that the expression names, in the order of
// their appearance; METRICS() may use more.
func (x *Expr) Names() []string {
	var out []string
	var walk func(n node)
	walk = func(n node) {
		switch n := n.(type) {
		case name:
			out = append(out, string(n))
		case unary:
			walk(n.arg)
		case binary:
			walk(n.left)
			walk(n.right)
		case array:
			for _, a := range n {
				walk(a)
			}
		case call:
			for _, a := range n.args {
				walk(a)
			}
		}
	}
	walk(x.root)
	return out
}

type parser struct {
	rest  string
	token string // "" at the end
}

// binding is how strongly operators bind.
var binding = map[string]int{
	"OR": 1, "||": 1, "AND": 2, "&&": 2,
	"==": 3, "!=": 3, "<": 4, ">": 4, "<=": 4, ">=": 4,
	"+": 5, "-": 5, "*": 6, "/": 6, "^": 8,
}

const unaryBinding = 7

// next reads the next token.
func (p *parser) next() error {
	s := strings.TrimLeft(p.rest, " \t\r\n")
	if s == "" {
		p.token, p.rest = "", ""
		return nil
	}
	n := 1
	switch c := s[0]; {
	case len(s) > 1 && strings.Contains("== != <= >= && ||", s[:2]) && s[1] != ' ' && s[0] != ' ':
		n = 2
	case isDigit(c) || c == '.':
		for n < len(s) && (isDigit(s[n]) || s[n] == '.' || s[n] == 'e' || s[n] == 'E' || (s[n] == '-' || s[n] == '+') && (s[n-1] == 'e' || s[n-1] == 'E')) {
			n++
		}
	case isLetter(c):
		for n < len(s) && (isLetter(s[n]) || isDigit(s[n])) {
			n++
		}
	case c == '"' || c == '\'':
		for n < len(s) && s[n] != c {
			n++
		}
		if n == len(s) {
			return fmt.Errorf("a string isn't closed")
		}
		n++
	case !strings.ContainsRune("+-*/^()[],<>", rune(c)):
		return fmt.Errorf("unexpected %q", c)
	}
	p.token, p.rest = s[:n], s[n:]
	return nil
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func (p *parser) expression(least, depth int) (node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested too deeply")
	}
	left, err := p.operand(depth)
	if err != nil {
		return nil, err
	}
	for {
		op := strings.ToUpper(p.token)
		strength, ok := binding[op]
		if !ok || strength <= least {
			return left, nil
		}
		if err := p.next(); err != nil {
			return nil, err
		}
		right, err := p.expression(strength, depth+1)
		if err != nil {
			return nil, err
		}
		left = binary{op, left, right}
	}
}

func (p *parser) operand(depth int) (node, error) {
	token := p.token
	if token == "" {
		return nil, fmt.Errorf("the expression ends early")
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	switch c := token[0]; {
	case isDigit(c) || c == '.':
		v, err := strconv.ParseFloat(token, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", token)
		}
		return number(v), nil
	case c == '"' || c == '\'':
		return literal(token[1 : len(token)-1]), nil
	case c == '-':
		arg, err := p.expression(unaryBinding, depth+1)
		return unary{"-", arg}, err
	case c == '+':
		return p.expression(unaryBinding, depth+1)
	case c == '(':
		inner, err := p.expression(0, depth+1)
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	case c == '[':
		items, err := p.list("]", depth)
		return array(items), err
	case isLetter(c) && p.token == "(":
		if err := p.next(); err != nil {
			return nil, err
		}
		args, err := p.list(")", depth)
		return call{strings.ToUpper(token), args}, err
	case isLetter(c):
		return name(token), nil
	}
	return nil, fmt.Errorf("unexpected %q", token)
}

func (p *parser) list(end string, depth int) ([]node, error) {
	var items []node
	for p.token != end {
		if len(items) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		item, err := p.expression(0, depth+1)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, p.next()
}

func (p *parser) expect(token string) error {
	if p.token != token {
		return fmt.Errorf("want %q, not %q", token, p.token)
	}
	return p.next()
}

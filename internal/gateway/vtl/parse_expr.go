package vtl

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// space skips whitespace inside a directive or a parameter list.
func (p *parser) space() {
	for {
		switch p.peek() {
		case ' ', '\t', '\n', '\r':
			if p.pos < len(p.src) {
				p.pos++
				continue
			}
		}
		return
	}
}

// operators of one precedence, weakest first. Words are operators too.
var precedence = [...][]operator{
	{{"||", "||"}, {"or", "||"}},
	{{"&&", "&&"}, {"and", "&&"}},
	{{"==", "=="}, {"eq", "=="}, {"!=", "!="}, {"ne", "!="}},
	{{"<=", "<="}, {"le", "<="}, {">=", ">="}, {"ge", ">="}, {"<", "<"}, {"lt", "<"}, {">", ">"}, {"gt", ">"}},
	{{"+", "+"}, {"-", "-"}},
	{{"*", "*"}, {"/", "/"}, {"%", "%"}},
}

type operator struct{ spelling, symbol string }

func (p *parser) expression() expr {
	p.enter()
	defer p.leave()
	return p.binary(0)
}

// binary parses operands of the given precedence, left to right.
func (p *parser) binary(level int) expr {
	if level == len(precedence) {
		return p.unary()
	}
	left := p.binary(level + 1)
	for {
		p.space()
		op := p.operator(precedence[level])
		if op == "" {
			return left
		}
		left = newBinary(op, left, p.binary(level+1))
	}
}

func newBinary(op string, a, b expr) expr {
	switch op {
	case "||", "&&":
		return &logicExpr{a: a, b: b, or: op == "||"}
	case "+", "-", "*", "/", "%":
		return &arithExpr{op: op[0], a: a, b: b}
	}
	return &compareExpr{op: op, a: a, b: b}
}

// operator consumes one of ops and returns its symbol, or "".
func (p *parser) operator(ops []operator) string {
	rest := p.src[p.pos:]
	for _, op := range ops {
		n := len(op.spelling)
		switch {
		case !strings.HasPrefix(rest, op.spelling):
		case isAlpha(op.spelling[0]) && isWordByte(p.at(p.pos+n)):
			// A longer word.
		case op.symbol == "-" && p.negativeAhead():
			// 7 -1 is two numbers, as in Velocity, and so an error.
		default:
			p.pos += n
			return op.symbol
		}
	}
	return ""
}

func (p *parser) negativeAhead() bool {
	c := p.at(p.pos + 1)
	return isDigit(c) || c == '.' && isDigit(p.at(p.pos+2))
}

func (p *parser) unary() expr {
	p.space()
	rest := p.src[p.pos:]
	switch {
	case strings.HasPrefix(rest, "!") && !strings.HasPrefix(rest, "!="):
		p.pos++
	case strings.HasPrefix(rest, "not") && !isWordByte(p.at(p.pos+3)):
		p.pos += 3
	default:
		return p.primary()
	}
	p.enter()
	defer p.leave()
	return &notExpr{p.unary()}
}

func (p *parser) primary() expr {
	p.space()
	if p.peek() != '(' {
		return p.parameter()
	}
	p.pos++
	e := p.expression()
	p.space()
	if p.peek() != ')' {
		p.fail(p.pos, "expected )")
	}
	p.pos++
	return e
}

// parameter parses a literal or a reference, which is all that a method's
// arguments and the members of lists and maps may be.
func (p *parser) parameter() expr {
	p.space()
	switch c := p.peek(); {
	case c == '$':
		return p.mustRef()
	case c == '"' || c == '\'':
		return p.stringLiteral()
	case c == '[':
		return p.listLiteral()
	case c == '{':
		return p.mapLiteral()
	case isDigit(c) || c == '.' || c == '-':
		return p.number()
	case p.keyword("true"):
		return constant{true}
	case p.keyword("false"):
		return constant{false}
	}
	p.fail(p.pos, "expected a value, found "+p.found())
	return nil
}

// found names the next character for an error message.
func (p *parser) found() string {
	if p.pos >= len(p.src) {
		return "the end of the template"
	}
	r, _ := utf8.DecodeRuneInString(p.src[p.pos:])
	return strconv.QuoteRune(r)
}

func (p *parser) keyword(word string) bool {
	if !strings.HasPrefix(p.src[p.pos:], word) || isWordByte(p.at(p.pos+len(word))) {
		return false
	}
	p.pos += len(word)
	return true
}

func (p *parser) mustRef() *ref {
	at := p.pos
	r := p.ref()
	if r == nil {
		p.fail(at, "expected a reference")
	}
	return r
}

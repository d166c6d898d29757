package vtl

import (
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/butai-dev/butai/internal/gateway/value"
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

// number parses an integer or a floating-point literal. Two points behind an
// integer belong to a range.
func (p *parser) number() expr {
	start := p.pos
	i := start
	if p.at(i) == '-' {
		i++
	}
	digits := func() (n int) {
		for ; isDigit(p.at(i)); i++ {
			n++
		}
		return n
	}
	whole := digits()
	isFloat := false
	if p.at(i) == '.' && !(whole > 0 && p.at(i+1) == '.') {
		i++
		if isFloat = true; digits()+whole == 0 {
			p.fail(start, "expected a number")
		}
	}
	if whole == 0 && !isFloat {
		p.fail(start, "expected a number")
	}
	if e := i; p.at(e)|0x20 == 'e' {
		if i++; p.at(i) == '+' || p.at(i) == '-' {
			i++
		}
		if digits() == 0 {
			i = e
		} else {
			isFloat = true
		}
	}
	p.pos = i
	return constant{numberValue(p.src[start:i], isFloat)}
}

func numberValue(s string, isFloat bool) Value {
	if isFloat {
		f, _ := strconv.ParseFloat(s, 64) // an overflow is an infinity, as in Java
		return f
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	n, _ := new(big.Int).SetString(s, 10)
	return value.NormBig(n)
}

// listLiteral parses [a, b] or [a..b].
func (p *parser) listLiteral() expr {
	p.enter()
	defer p.leave()
	p.pos++
	p.space()
	if p.peek() == ']' {
		p.pos++
		return &listExpr{}
	}
	at := p.pos
	first := p.parameter()
	p.space()
	if strings.HasPrefix(p.src[p.pos:], "..") {
		p.rangeEnd(first, at)
		p.pos += 2
		p.space()
		at = p.pos
		last := p.parameter()
		p.rangeEnd(last, at)
		p.space()
		if p.peek() != ']' {
			p.fail(p.pos, "expected ] behind the range")
		}
		p.pos++
		return &rangeExpr{from: first, to: last}
	}
	if p.peek() == ',' {
		p.pos++
		return &listExpr{items: append([]expr{first}, p.nonEmptyList(']')...)}
	}
	return &listExpr{items: append([]expr{first}, p.list(']')...)}
}

// nonEmptyList is list for what follows a comma.
func (p *parser) nonEmptyList(closing byte) []expr {
	at := p.pos
	items := p.list(closing)
	if len(items) == 0 {
		p.fail(at, "expected a value")
	}
	return items
}

func (p *parser) rangeEnd(e expr, at int) {
	switch e := e.(type) {
	case *ref:
		return
	case constant:
		if _, ok := e.value.(int64); ok {
			return
		}
	}
	p.fail(at, "expected an integer or a reference as the end of a range")
}

// mapLiteral parses {a: b, c: d}.
func (p *parser) mapLiteral() expr {
	p.enter()
	defer p.leave()
	p.pos++
	m := &mapExpr{}
	p.space()
	if p.peek() == '}' {
		p.pos++
		return m
	}
	for {
		m.keys = append(m.keys, p.parameter())
		p.space()
		if p.peek() != ':' {
			p.fail(p.pos, "expected : behind the key")
		}
		p.pos++
		m.values = append(m.values, p.parameter())
		p.space()
		switch p.peek() {
		case ',':
			p.pos++
		case '}':
			p.pos++
			return m
		default:
			p.fail(p.pos, "expected , or } in the map")
		}
	}
}

// stringLiteral parses '…', which is taken as it is, or "…", in which
// references and directives work. A doubled quote stands for one.
func (p *parser) stringLiteral() expr {
	start := p.pos
	quote := p.src[start]
	end := 0
	for i := start + 1; i < len(p.src); i++ {
		if p.src[i] != quote {
			continue
		}
		end = i
		if p.at(i+1) != quote {
			break
		}
		// Two quotes are one only if the string is closed further on.
		i++
	}
	if end == 0 {
		p.fail(start, "string is not closed")
	}
	p.pos = end + 1
	q := string(quote)
	body := strings.ReplaceAll(p.src[start+1:end], q+q, q)
	if quote == '\'' {
		return constant{body}
	}
	if strings.Contains(body, `\u`) {
		body = unescapeUnicode(body)
	}
	if !strings.ContainsAny(body, "$#") {
		return constant{body}
	}
	return p.interpolate(body, start)
}

// interpolate compiles the text of a double-quoted string.
func (p *parser) interpolate(body string, at int) expr {
	p.enter()
	defer p.leave()
	line, column := p.position(at)
	// Velocity parses the text with a space behind it, so that a trailing
	// dollar is text, and drops the space from the result; not if there is a
	// line comment, which would swallow it.
	padded := !strings.Contains(body, "##")
	if padded {
		body += " "
	}
	inner := &parser{src: body, names: p.names, macros: p.macros, depth: p.depth, place: &place{line, column}}
	list, end := inner.block()
	if end != "" {
		p.fail(at, end+" in a string without a directive to close")
	}
	if padded {
		list = trimPad(list)
	}
	var literal strings.Builder
	for _, n := range list {
		t, ok := n.(text)
		if !ok {
			return &interpolated{body: list}
		}
		literal.WriteString(string(t))
	}
	return constant{literal.String()}
}

// trimPad takes the added space off the end again. A directive at the end may
// have swallowed it, which Velocity does not notice: then the string loses its
// last character, whatever that is.
func trimPad(list nodes) nodes {
	if n := len(list); n > 0 {
		if t, ok := list[n-1].(text); ok {
			if t = t[:len(t)-1]; t == "" {
				return list[:n-1]
			}
			list[n-1] = t
			return list
		}
	}
	return append(list, chop{})
}

// chop removes the last character of the string being built.
type chop struct{}

func (chop) render(st *state) error {
	_, n := utf8.DecodeLastRune(st.out)
	if len(st.out) > st.base {
		st.out = st.out[:max(st.base, len(st.out)-n)]
	}
	return nil
}

// unescapeUnicode replaces \uXXXX, the only escape that Velocity's strings have.
func unescapeUnicode(s string) string {
	var b strings.Builder
	for {
		head, tail, ok := strings.Cut(s, `\u`)
		b.WriteString(head)
		if !ok {
			return b.String()
		}
		if len(tail) >= 4 {
			if n, err := strconv.ParseUint(tail[:4], 16, 16); err == nil {
				b.WriteRune(rune(n))
				s = tail[4:]
				continue
			}
		}
		b.WriteString(`\u`)
		s = tail
	}
}

package vtl

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/gateway/value"
)

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

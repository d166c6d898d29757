package vtl

import (
	"strings"

	"github.com/butai-dev/butai/internal/gateway/jsonpath"
)

// dollar parses what starts with a dollar in text, after n backslashes: a
// reference, or just text.
func (p *parser) dollar(b *builder, n int) {
	start := p.pos - n
	r := p.ref()
	if r == nil {
		b.text.WriteString(p.strayDollar(start, n))
		return
	}
	if n > 0 {
		r.slashes = strings.Repeat(`\`, n/2)
		r.escaped = n%2 == 1
	}
	b.add(r)
}

// strayDollar consumes dollars that begin no reference and returns the text
// they stand for: Velocity loses an exclamation mark behind them.
func (p *parser) strayDollar(start, slashes int) string {
	p.pos++
	if p.peek() == '!' {
		p.pos++
		if p.pos == len(p.src) {
			p.fail(start, "template ends in a dollar sign")
		}
		return strings.Repeat(`\`, slashes) + "$"
	}
	if p.pos == len(p.src) {
		p.fail(start, "template ends in a dollar sign")
	}
	return p.src[start:p.pos]
}

// ref parses a reference at p.pos, or returns nil without moving if there is
// none. Dollars ahead of the last one become text printed before the value.
func (p *parser) ref() *ref {
	start, i := p.pos, p.pos
	r := &ref{}
	for {
		at := i
		i++
		for j := i; ; j++ {
			if c := p.at(j); c == '!' {
				r.void = j > i
				i = j + 1
				break
			} else if c != '\\' {
				break
			}
		}
		if p.at(i) == '$' {
			continue
		}
		r.stray = p.src[start:at]
		start = at
		break
	}
	formal := p.at(i) == '{'
	if formal {
		i++
	}
	if c := p.at(i); !isAlpha(c) && c != '_' {
		return nil
	}
	p.pos = i
	r.slot = p.names.slot(p.identifier())
	r.line, r.column = p.position(start)
	p.steps(r)
	if formal {
		if p.peek() != '}' {
			p.fail(p.pos, "expected } to close the reference "+p.src[start:p.pos])
		}
		p.pos++
	}
	r.source = p.src[start:p.pos]
	r.recognize(p.names)
	return r
}

// recognize sees the forms that are rendered without being evaluated.
func (r *ref) recognize(names symbols) {
	if len(r.steps) != 1 || r.void {
		return
	}
	switch s := &r.steps[0]; {
	case s.name == "json" && s.path != nil && s.path.IsRoot():
		r.form = wholeBody
	case s.name == "json" && s.path != nil:
		r.form = inputJSON
	case s.name == "path" && s.parent != nil:
		r.form = inputPath
	case s.kind != property:
	case s.name == "hasNext" && r.slot == names.slot("foreach"):
		r.form = hasNext
	default:
		r.form = member
	}
}

func (p *parser) identifier() string {
	start := p.pos
	for {
		c := p.peek()
		if !isAlpha(c) && !isDigit(c) && c != '_' && c != '-' {
			return p.src[start:p.pos]
		}
		p.pos++
	}
}

// steps parses .name, .name(…) and […] as far as they go.
func (p *parser) steps(r *ref) {
	p.enter()
	defer p.leave()
	for {
		switch {
		case p.peek() == '[':
			p.pos++
			r.steps = append(r.steps, refStep{kind: index, args: []expr{p.indexArg()}})
		case p.peek() == '.' && isAlpha(p.at(p.pos+1)):
			p.pos++
			s := refStep{kind: property, name: p.identifier()}
			if p.peek() == '(' {
				p.pos++
				p.call(&s)
			}
			r.steps = append(r.steps, s)
		default:
			return
		}
	}
}

func (p *parser) indexArg() expr {
	p.space()
	at := p.pos
	e := p.parameter()
	switch c := e.(type) {
	case *listExpr, *mapExpr, *rangeExpr:
		p.fail(at, "expected a string, an integer or a reference as index")
	case constant:
		if _, ok := c.value.(float64); ok {
			p.fail(at, "expected a string, an integer or a reference as index")
		}
	}
	p.space()
	if p.peek() != ']' {
		p.fail(p.pos, "expected ]")
	}
	p.pos++
	return e
}

// call parses a method's arguments and resolves what is constant about it.
func (p *parser) call(s *refStep) {
	s.kind = method
	s.methods, s.utility = methodsNamed(s.name), utilities[s.name]
	s.args = p.list(')')
	if len(s.args) == 0 {
		switch s.name {
		case "size":
			s.shortcut = sizeOf
		case "keySet":
			s.shortcut = keysOf
		}
		return
	}
	if s.name == "get" && len(s.args) == 1 {
		s.shortcut = getOf
	}
	lit, ok := s.args[0].(constant)
	text, isText := lit.value.(string)
	if !ok || !isText {
		return
	}
	switch {
	case s.name == "params" && len(s.args) == 1:
		s.shortcut = paramOf
	case (s.name == "path" || s.name == "json") && len(s.args) == 1:
		// A bad expression fails when it is reached, like any method that
		// throws, and not when the template is stored.
		s.path, _ = jsonpath.Compile(text)
		s.split()
	case s.name == "replaceAll" || s.name == "replaceFirst" || s.name == "split" || s.name == "matches":
		s.pattern, _ = compilePattern(text)
		if s.name == "replaceAll" && s.pattern != nil && s.pattern.plain && len(s.args) == 2 && isPlainReplacement(s.args[1]) {
			s.shortcut = replaceAll
		}
	}
}

// split cuts the path ahead of its last name, if it ends in one.
func (s *refStep) split() {
	if s.path == nil {
		return
	}
	if parent, leaf, ok := s.path.Split(); ok {
		s.parent, s.leaf = parent, leaf
	}
}

// isPlainReplacement tells a constant text that refers to no group.
func isPlainReplacement(e expr) bool {
	c, _ := e.(constant)
	with, ok := c.value.(string)
	return ok && !strings.ContainsAny(with, `\$`)
}

// list parses parameters with commas between them up to the closing byte.
func (p *parser) list(closing byte) []expr {
	p.space()
	if p.peek() == closing {
		p.pos++
		return nil
	}
	var items []expr
	for {
		items = append(items, p.parameter())
		p.space()
		switch p.peek() {
		case ',':
			p.pos++
			p.space()
		case closing:
			p.pos++
			return items
		default:
			p.fail(p.pos, "expected , or "+string(closing))
		}
	}
}

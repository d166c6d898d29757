package vtl

import "strings"

// hash parses what starts with # in text. It returns the name of a directive
// that ends the enclosing block, having consumed it, or "".
func (p *parser) hash(b *builder) (end string) {
	rest := p.src[p.pos:]
	switch {
	case strings.HasPrefix(rest, "##"):
		p.lineComment()
		return ""
	case strings.HasPrefix(rest, "#*"):
		p.through("*#", 2, "comment is not closed by *#")
		b.flush()
		return ""
	case strings.HasPrefix(rest, "#[["):
		start := p.pos
		p.through("]]#", 3, "unparsed text is not closed by ]]#")
		b.text.WriteString(p.src[start+3 : p.pos-3])
		return ""
	}
	name, after := p.word(p.pos + 1)
	if name == "" {
		if len(rest) == 1 {
			p.fail(p.pos, "template ends in a number sign")
		}
		b.text.WriteByte('#')
		p.pos++
		return ""
	}
	return p.directive(b, name, after)
}

// lineComment skips to the end of the line, newline included.
func (p *parser) lineComment() {
	n := strings.IndexAny(p.src[p.pos:], "\r\n")
	if n < 0 {
		p.pos = len(p.src)
		return
	}
	p.pos += n
	p.eatLine()
}

// through skips to behind the closing mark.
func (p *parser) through(mark string, skip int, msg string) {
	n := strings.Index(p.src[p.pos+skip:], mark)
	if n < 0 {
		p.fail(p.pos, msg)
	}
	p.pos += skip + n + len(mark)
}

// directive parses the directive whose name ends at after.
func (p *parser) directive(b *builder, name string, after int) (end string) {
	start := p.pos
	p.pos = after
	switch name {
	case "end", "else":
		p.eatLine()
		return "#" + name
	case "elseif":
		return "#elseif"
	case "if":
		b.add(p.ifDirective(start))
	case "foreach":
		b.add(p.foreach(start))
	case "break":
		p.optionalParens()
		b.add(signal{errBreak})
	case "stop":
		p.optionalParens()
		b.add(signal{errStop})
	case "macro":
		b.flush()
		p.macroDirective(start)
	case "define":
		b.add(p.define(start))
	case "evaluate":
		b.add(p.evaluate(start))
	case "literal":
		b.text.WriteString(p.literal(start))
	case "include", "parse":
		p.fail(start, "#"+name+" is not supported: there are no other templates to read")
	default:
		p.macroCall(b, start, name)
	}
	return ""
}

// open consumes the parenthesis that must follow a directive's name.
func (p *parser) open(start int) {
	p.space()
	if p.peek() != '(' {
		p.fail(p.pos, "expected ( behind "+strings.TrimSpace(p.src[start:p.pos]))
	}
	p.pos++
}

// close consumes the parenthesis at a directive's end and the rest of the
// line, if that is blank.
func (p *parser) close() {
	p.space()
	if p.peek() != ')' {
		p.fail(p.pos, "expected ), found "+p.found())
	}
	p.pos++
	p.eatLine()
}

// parensAhead tells whether the next thing that is not white is "(".
func (p *parser) parensAhead() bool {
	rest := strings.TrimLeft(p.src[p.pos:], " \t\r\n")
	return strings.HasPrefix(rest, "(")
}

func (p *parser) optionalParens() {
	if p.parensAhead() {
		p.space()
		p.pos++
		p.close()
	}
}

// closedBlock parses a block that must end in #end.
func (p *parser) closedBlock(start int) nodes {
	body, end := p.block()
	p.mustEnd(start, end)
	return body
}

func (p *parser) mustEnd(start int, end string) {
	switch end {
	case "#end":
	case "":
		name, _ := p.word(start + 1)
		p.fail(start, "#"+name+" has no #end")
	default:
		p.fail(p.pos, end+" where #end is expected")
	}
}

// set parses #set behind its parenthesis; start is where it began.
func (p *parser) set(start int) node {
	p.space()
	target := p.mustRef()
	p.space()
	if p.peek() != '=' || p.at(p.pos+1) == '=' {
		p.fail(p.pos, "expected = in #set")
	}
	p.pos++
	from := p.expression()
	p.close()
	return p.located(start, &setNode{target: target, from: from})
}

// located wraps a directive so that its errors say where it stands.
func (p *parser) located(start int, n node) node {
	start = p.skipBlanks(start)
	line, column := p.position(start)
	source, _, _ := strings.Cut(p.src[start:p.pos], "\n")
	return &located{node: n, source: strings.TrimSpace(source), line: line, column: column}
}

func (p *parser) ifDirective(start int) node {
	n := &ifNode{}
	for {
		p.open(start)
		cond := p.expression()
		p.close()
		body, end := p.block()
		n.branches = append(n.branches, branch{cond, body})
		switch end {
		case "#elseif":
			continue
		case "#else":
			n.otherwise = p.closedBlock(start)
		default:
			p.mustEnd(start, end)
			if r, ok := cond.(*ref); ok && r.form == hasNext && len(n.branches) == 1 && len(body) == 1 {
				if between, ok := body[0].(text); ok {
					return &separator{cond: r, text: between}
				}
			}
		}
		return n
	}
}

func (p *parser) foreach(start int) node {
	p.open(start)
	p.space()
	at := p.pos
	item := p.mustRef()
	if len(item.steps) > 0 {
		p.fail(at, "expected a plain variable in #foreach")
	}
	p.space()
	if !p.keyword("in") {
		p.fail(p.pos, `expected "in" in #foreach`)
	}
	n := &foreachNode{item: item.slot, loop: p.names.slot("foreach"), count: p.names.slot("velocityCount")}
	n.over = p.parameter()
	p.close()
	head := p.pos
	n.body = p.closedBlock(start)
	line, column := p.position(start)
	return &located{n, strings.TrimSpace(p.src[start:head]), line, column}
}

func (p *parser) define(start int) node {
	p.open(start)
	p.space()
	at := p.pos
	target := p.mustRef()
	if len(target.steps) > 0 {
		p.fail(at, "expected a plain variable in #define")
	}
	p.close()
	return &defineNode{slot: target.slot, body: p.closedBlock(start)}
}

func (p *parser) evaluate(start int) node {
	p.open(start)
	p.space()
	at := p.pos
	e := p.parameter()
	switch c := e.(type) {
	case *ref, *interpolated:
	case constant:
		if !isString(c.value) {
			p.fail(at, "expected a string or a reference in #evaluate")
		}
	default:
		p.fail(at, "expected a string or a reference in #evaluate")
	}
	p.close()
	return p.located(start, &evaluateNode{e})
}

// literal returns the source text between #literal() and its #end.
func (p *parser) literal(start int) string {
	p.open(start)
	p.close()
	from := p.pos
	p.closedBlock(start)
	body := p.src[from:p.pos]
	return body[:strings.LastIndex(body, "#")]
}

// macroDirective defines a macro. It is known to the whole template, to what
// stands before it as well.
func (p *parser) macroDirective(start int) {
	p.open(start)
	p.space()
	name, after := p.word(p.pos)
	if name == "" || p.peek() == '{' {
		p.fail(p.pos, "expected a name in #macro")
	}
	p.pos = after
	m := &macro{}
	for p.argAhead() {
		at := p.pos
		if p.peek() != '$' {
			p.fail(at, "expected a parameter such as $x in #macro")
		}
		r := p.mustRef()
		if len(r.steps) > 0 {
			p.fail(at, "expected a plain parameter in #macro")
		}
		m.params = append(m.params, r.slot)
	}
	p.close()
	m.body = p.closedBlock(start)
	p.macros[name] = m
}

// argAhead skips white space and one comma and tells whether an argument of a
// directive follows.
func (p *parser) argAhead() bool {
	p.space()
	if p.peek() == ',' {
		p.pos++
		p.space()
	}
	return p.peek() != ')'
}

// macroCall parses #name, #name(args) or #@name(args) … #end, where name may
// be a macro's or no macro's at all.
func (p *parser) macroCall(b *builder, start int, name string) {
	call := &macroCall{name: name}
	if p.parensAhead() {
		p.space()
		p.pos++
		for p.argAhead() {
			call.args = append(call.args, p.macroArg())
		}
		p.close()
		if inner, isBlock := strings.CutPrefix(name, "@"); isBlock {
			body := p.closedBlock(start)
			call.name, call.content, call.slot = inner, &body, p.names.slot("bodyContent")
		}
	}
	call.source = p.src[start:p.pos]
	b.add(p.located(start, call))
}

// macroArg parses an argument. Words are allowed, because text such as
// #channel (see there) is no macro call; a macro would see null for them.
func (p *parser) macroArg() expr {
	if isAlpha(p.peek()) || p.peek() == '_' || p.peek() == '@' {
		if name, after := p.word(p.pos); name != "true" && name != "false" {
			p.pos = after
			return constant{nil}
		}
	}
	return p.parameter()
}

package vtl

import "strings"

// parser turns source text into nodes. It works on characters, since what a
// character means in a template depends on where it stands: outside directives
// anything that is not a complete reference or directive is text.
//
// The whitespace rules are Velocity 1.7's: a directive's closing parenthesis,
// #end and #else swallow spaces, tabs and the newline if nothing else stands
// between; #set also swallows the spaces and tabs before it, but only if they
// begin a stretch of text (that is, follow a directive, a comment or a
// reference, or begin the template).
type parser struct {
	src    string
	pos    int
	names  symbols
	macros map[string]*macro
	depth  int
	// place is set while the text of a string literal is parsed: where the
	// literal stands, to report positions of the template.
	place *place
}

type place struct{ line, column int }

// failure carries a *SyntaxError out of the recursion; see parser.template.
type failure struct{ err *SyntaxError }

func (p *parser) position(offset int) (line, column int) {
	if p.place != nil {
		return p.place.line, p.place.column
	}
	return lineColumn(p.src, offset)
}

// fail stops parsing. The parser uses panic for this within one call of
// template, which keeps the grammar below free of error plumbing.
func (p *parser) fail(offset int, msg string) {
	line, column := p.position(offset)
	panic(failure{&SyntaxError{line, column, msg}})
}

// template parses all of the source.
func (p *parser) template() (body nodes, err error) {
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(failure)
			if !ok {
				panic(r)
			}
			err = f.err
		}
	}()
	body, end := p.block()
	if end != "" {
		p.fail(p.pos, end+" without a directive to close")
	}
	return body, nil
}

// builder collects nodes and joins neighbouring text.
type builder struct {
	list nodes
	text strings.Builder
}

func (b *builder) add(n node) {
	switch n := n.(type) {
	case *ref:
		if !n.escaped {
			n.lead = b.take() + n.slashes + n.stray
		}
	case *separator:
		n.lead = b.take()
	}
	b.flush()
	b.list = append(b.list, n)
}

func (b *builder) flush() {
	if b.text.Len() > 0 {
		b.list = append(b.list, text(b.take()))
	}
}

// take returns the text that no node has yet.
func (b *builder) take() string {
	s := b.text.String()
	b.text.Reset()
	return s
}

func (b *builder) done() nodes {
	b.flush()
	return b.list
}

func (p *parser) peek() byte { return p.at(p.pos) }

func (p *parser) at(i int) byte {
	if i < len(p.src) {
		return p.src[i]
	}
	return 0
}

func (p *parser) enter() {
	if p.depth++; p.depth > maxNesting {
		p.fail(p.pos, "directives or expressions are nested too deeply")
	}
}

func (p *parser) leave() { p.depth-- }

// block parses statements up to the end of the source or to a directive that
// ends a block, whose name it returns ("#end", "#else", "#elseif" or "").
// For #elseif the condition is still to be read.
func (p *parser) block() (nodes, string) {
	p.enter()
	defer p.leave()
	b := &builder{}
	for p.pos < len(p.src) {
		if open := p.setAhead(p.pos); open > 0 {
			start := p.pos
			p.pos = open
			b.add(p.set(start))
			continue
		}
		switch p.src[p.pos] {
		case '$':
			p.dollar(b, 0)
		case '\\':
			p.backslashes(b)
		case '#':
			if end := p.hash(b); end != "" {
				return b.done(), end
			}
		default:
			n := strings.IndexAny(p.src[p.pos:], `$#\`)
			if n < 0 {
				n = len(p.src) - p.pos
			}
			b.text.WriteString(p.src[p.pos : p.pos+n])
			p.pos += n
		}
	}
	return b.done(), ""
}

// setAhead returns the offset behind the parenthesis of a #set that starts at
// i, spaces before it included, or 0.
func (p *parser) setAhead(i int) int {
	i = p.skipBlanks(i)
	rest := p.src[i:]
	switch {
	case strings.HasPrefix(rest, "#set"):
		i += len("#set")
	case strings.HasPrefix(rest, "#{set}"):
		i += len("#{set}")
	default:
		return 0
	}
	for p.at(i) == ' ' {
		i++
	}
	if p.at(i) != '(' {
		return 0
	}
	return i + 1
}

func (p *parser) skipBlanks(i int) int {
	for p.at(i) == ' ' || p.at(i) == '\t' {
		i++
	}
	return i
}

// eatLine skips spaces, tabs and one newline, if the newline is there.
func (p *parser) eatLine() {
	i := p.skipBlanks(p.pos)
	switch {
	case strings.HasPrefix(p.src[min(i, len(p.src)):], "\r\n"):
		p.pos = i + 2
	case p.at(i) == '\n' || p.at(i) == '\r':
		p.pos = i + 1
	}
}

// backslashes parses a run of them. They escape only what follows directly: a
// reference or a directive.
func (p *parser) backslashes(b *builder) {
	start := p.pos
	for p.peek() == '\\' {
		p.pos++
	}
	n := p.pos - start
	switch p.peek() {
	case '$':
		p.dollar(b, n)
		return
	case '#':
		if name, end := p.word(p.pos + 1); name != "" {
			p.escapedDirective(b, n, name, end)
			return
		}
	}
	b.text.WriteString(p.src[start:p.pos])
}

// escapedDirective halves the backslashes before a directive that exists. An
// odd number makes it text; after an even number it is parsed as usual.
func (p *parser) escapedDirective(b *builder, n int, name string, end int) {
	known := p.isDirective(name)
	if n%2 == 0 {
		if known && name != "set" {
			n /= 2
		}
		b.text.WriteString(strings.Repeat(`\`, n))
		return
	}
	if known {
		n /= 2
	}
	b.text.WriteString(strings.Repeat(`\`, n))
	b.text.WriteString(p.src[p.pos:end])
	p.pos = end
}

func (p *parser) isDirective(name string) bool {
	switch name {
	case "set", "if", "elseif", "else", "end", "foreach", "break", "stop", "macro",
		"define", "evaluate", "literal", "include", "parse":
		return true
	}
	_, ok := p.macros[name]
	return ok
}

// word reads a directive's name at i, plain or in braces, and returns it with
// the offset behind it; the name is empty if there is none.
func (p *parser) word(i int) (name string, end int) {
	braces := p.at(i) == '{'
	if braces {
		i++
	}
	start := i
	if c := p.at(i); !isAlpha(c) && c != '_' && (c != '@' || braces) {
		return "", 0
	}
	for isWordByte(p.at(i)) {
		i++
	}
	if braces && p.at(i) != '}' {
		return "", 0
	}
	name, end = p.src[start:i], i
	if braces {
		end++
	}
	return name, end
}

func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWordByte(c byte) bool { return isAlpha(c) || isDigit(c) || c == '_' || c == '@' }

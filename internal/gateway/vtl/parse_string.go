package vtl

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

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

package policy

import (
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	literal  tokenKind = iota // text
	anyRune                   // ?
	anyText                   // *
	variable                  // ${text}, or fallback if the key is absent
)

type token struct {
	kind        tokenKind
	text        string // the literal, or the variable's key in lower case
	fallback    string
	hasFallback bool
}

// glob is a pattern with wildcards and policy variables, cut into tokens
// once so that matching only compares.
type glob struct {
	tokens  []token
	hasVars bool
}

// compileGlob cuts s. Wildcards are honoured only if wild, variables only if
// vars is set. ${*}, ${?} and ${$} stand for the plain characters (page "IAM
// policy elements: Variables and tags"). It reports false for a variable that
// is not closed or has no name.
func compileGlob(s string, wild, vars bool) (glob, bool) {
	var g glob
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			g.tokens = append(g.tokens, token{kind: literal, text: text.String()})
			text.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case wild && c == '*':
			flush()
			if n := len(g.tokens); n == 0 || g.tokens[n-1].kind != anyText {
				g.tokens = append(g.tokens, token{kind: anyText})
			}
		case wild && c == '?':
			flush()
			g.tokens = append(g.tokens, token{kind: anyRune})
		case vars && c == '$' && strings.HasPrefix(s[i:], "${"):
			end := variableEnd(s[i:])
			if end < 0 {
				return glob{}, false
			}
			body := s[i+2 : i+end]
			i += end
			if body == "*" || body == "?" || body == "$" {
				text.WriteString(body)
				continue
			}
			t, ok := parseVariable(body)
			if !ok {
				return glob{}, false
			}
			flush()
			g.tokens = append(g.tokens, t)
			g.hasVars = true
		default:
			text.WriteByte(c)
		}
	}
	flush()
	return g, true
}

// variableEnd returns the index of the brace that closes the variable s
// starts with, or -1. A default value in quotes may hold braces.
func variableEnd(s string) int {
	quoted := false
	for i := 2; i < len(s); i++ {
		switch s[i] {
		case '\'':
			quoted = !quoted
		case '}':
			if !quoted {
				return i
			}
		}
	}
	return -1
}

// parseVariable reads "key" or "key, 'default'".
func parseVariable(body string) (token, bool) {
	key, rest, hasDefault := strings.Cut(body, ",")
	key = strings.TrimSpace(key)
	if key == "" {
		return token{}, false
	}
	t := token{kind: variable, text: lower(key)}
	if hasDefault {
		rest = strings.TrimSpace(rest)
		if len(rest) < 2 || rest[0] != '\'' || rest[len(rest)-1] != '\'' {
			return token{}, false
		}
		t.fallback, t.hasFallback = rest[1:len(rest)-1], true
	}
	return t, true
}

// match reports whether g covers all of s. A variable without a value in ctx
// and without a default matches nothing, whatever s is.
func (g *glob) match(s string, ctx Context) bool {
	if !g.hasVars {
		return matchTokens(g.tokens, s)
	}
	var space [12]token
	tokens, ok := g.resolve(space[:0], ctx)
	return ok && matchTokens(tokens, s)
}

// resolve appends g's tokens to dst with the variables replaced. A value is
// taken literally: wildcards in it have no power.
func (g *glob) resolve(dst []token, ctx Context) ([]token, bool) {
	for _, t := range g.tokens {
		if t.kind == variable {
			value, ok := t.value(ctx)
			if !ok {
				return nil, false
			}
			t = token{kind: literal, text: value}
		}
		dst = append(dst, t)
	}
	return dst, true
}

// value returns the variable's replacement. Only single-valued keys can be
// used as variables; the first value stands for a multivalued one.
func (t *token) value(ctx Context) (string, bool) {
	if v := ctx.get(t.text); len(v) > 0 {
		return v[0], true
	}
	return t.fallback, t.hasFallback
}

// plain returns the pattern as plain text with variables replaced; it is meant
// for globs compiled without wildcards.
func (g *glob) plain(ctx Context) (string, bool) {
	switch {
	case len(g.tokens) == 0:
		return "", true
	case len(g.tokens) == 1 && !g.hasVars:
		return g.tokens[0].text, true
	}
	var b strings.Builder
	for i := range g.tokens {
		t := &g.tokens[i]
		text, ok := t.text, true
		if t.kind == variable {
			text, ok = t.value(ctx)
		}
		if !ok {
			return "", false
		}
		b.WriteString(text)
	}
	return b.String(), true
}

// matchTokens is the usual wildcard walk: on a mismatch, go back to the last
// star and let it take one character more. Tokens hold no variables here.
func matchTokens(tokens []token, s string) bool {
	i, pos := 0, 0
	star, starPos := -1, 0
	for {
		if i == len(tokens) {
			if pos == len(s) {
				return true
			}
		} else {
			t := &tokens[i]
			switch t.kind {
			case anyText:
				if i == len(tokens)-1 {
					return true
				}
				star, starPos = i, pos
				i++
				continue
			case anyRune:
				if pos < len(s) {
					_, size := utf8.DecodeRuneInString(s[pos:])
					pos += size
					i++
					continue
				}
			case literal:
				if strings.HasPrefix(s[pos:], t.text) {
					pos += len(t.text)
					i++
					continue
				}
			}
		}
		if star < 0 || starPos >= len(s) {
			return false
		}
		starPos = nextStart(tokens[star+1:], s, starPos+1)
		if starPos < 0 {
			return false
		}
		i, pos = star+1, starPos
	}
}

// nextStart returns the next position at or behind from where the tokens
// behind a star can begin, or -1. It skips ahead when they begin with text.
func nextStart(tokens []token, s string, from int) int {
	if len(tokens) == 0 || tokens[0].kind != literal {
		return from
	}
	n := strings.Index(s[from:], tokens[0].text)
	if n < 0 {
		return -1
	}
	return from + n
}

// lower is an ASCII lower-case: action and key names have no other letters.
func lower(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			return lowerFrom(s, i)
		}
	}
	return s
}

func lowerFrom(s string, i int) string {
	b := []byte(s)
	for ; i < len(b); i++ {
		if c := b[i]; 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

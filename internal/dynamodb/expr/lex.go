package expr

import (
	"strings"
	"unicode/utf8"
)

// tokenKind is the class of a token.
type tokenKind uint8

const (
	tokEOF     tokenKind = iota
	tokWord              // identifier or keyword
	tokName              // #n
	tokValue             // :v
	tokNumber            // digits
	tokOp                // = <> < <= > >= ( ) [ ] , . + -
	tokIllegal           // a character that starts no token
)

// token is a piece of the source, by position.
type token struct {
	kind       tokenKind
	start, end int
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// lex cuts src into tokens, the last of which is tokEOF.
func lex(src string) []token {
	tokens := make([]token, 0, len(src)/3+2)
	for i := 0; ; {
		for i < len(src) && strings.IndexByte(" \t\r\n", src[i]) >= 0 {
			i++
		}
		if i == len(src) {
			return append(tokens, token{tokEOF, i, i})
		}
		t := lexOne(src, i)
		tokens = append(tokens, t)
		i = t.end
	}
}

func lexOne(src string, i int) token {
	c := src[i]
	switch {
	case isLetter(c):
		return token{tokWord, i, scan(src, i, isWordByte)}
	case isDigit(c):
		return token{tokNumber, i, scan(src, i, isDigit)}
	case c == '#':
		return token{tokName, i, scan(src, i+1, isWordByte)}
	case c == ':':
		return token{tokValue, i, scan(src, i+1, isWordByte)}
	case i+1 < len(src) && (src[i:i+2] == "<>" || src[i:i+2] == "<=" || src[i:i+2] == ">="):
		return token{tokOp, i, i + 2}
	case strings.IndexByte("=<>()[],.+-", c) >= 0:
		return token{tokOp, i, i + 1}
	}
	_, size := utf8.DecodeRuneInString(src[i:])
	return token{tokIllegal, i, i + size}
}

func scan(src string, i int, in func(byte) bool) int {
	for i < len(src) && in(src[i]) {
		i++
	}
	return i
}

// stream reads the tokens of an expression.
type stream struct {
	src    string
	tokens []token
	at     int
	// operators counts operators and functions towards MaxOperators.
	operators int
}

// open checks the length of an expression and lexes it.
func open(src string) (*stream, error) {
	if src == "" {
		return nil, invalid("The expression can not be empty;")
	}
	if len(src) > MaxLength {
		return nil, invalid("Expression size has exceeded the maximum allowed size; expression size: %d", len(src))
	}
	return &stream{src: src, tokens: lex(src)}, nil
}

func (s *stream) peek() token { return s.tokens[s.at] }

func (s *stream) text(t token) string { return s.src[t.start:t.end] }

// isOp reports whether the next token is the operator op.
func (s *stream) isOp(op string) bool {
	t := s.peek()
	return t.kind == tokOp && s.text(t) == op
}

// isWord reports whether the next token is the keyword, in any case.
func (s *stream) isWord(keyword string) bool {
	t := s.peek()
	return t.kind == tokWord && strings.EqualFold(s.text(t), keyword)
}

// next consumes a token. The closing tokEOF is never consumed.
func (s *stream) next() token {
	t := s.tokens[s.at]
	if t.kind != tokEOF {
		s.at++
	}
	return t
}

// acceptOp consumes the operator op if it is next.
func (s *stream) acceptOp(op string) bool {
	if !s.isOp(op) {
		return false
	}
	s.at++
	return true
}

// acceptWord consumes the keyword if it is next.
func (s *stream) acceptWord(keyword string) bool {
	if !s.isWord(keyword) {
		return false
	}
	s.at++
	return true
}

// expectOp consumes the operator op or reports what stands in its place.
func (s *stream) expectOp(op string) error {
	if !s.acceptOp(op) {
		return s.unexpected()
	}
	return nil
}

// expectWord is expectOp for a keyword.
func (s *stream) expectWord(keyword string) error {
	if !s.acceptWord(keyword) {
		return s.unexpected()
	}
	return nil
}

// unexpected is the syntax error at the next token. It shows the source from
// the token before to the token behind.
func (s *stream) unexpected() error { return s.unexpectedAt(s.at) }

func (s *stream) unexpectedAt(at int) error {
	t := s.tokens[at]
	from, to := s.tokens[max(at-1, 0)], s.tokens[min(at+1, len(s.tokens)-1)]
	text := s.text(t)
	if t.kind == tokEOF {
		text = "<EOF>"
	}
	near := strings.TrimRight(s.src[from.start:to.end], " \t\r\n")
	return invalid("Syntax error; token: \"%s\", near: \"%s\"", text, near)
}

// checkOperators reports an expression with too many operators.
func (s *stream) checkOperators() error {
	if s.operators > MaxOperators {
		return invalid("The expression contains too many operators; operator count: %d", s.operators)
	}
	return nil
}

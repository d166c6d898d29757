package partiql

import (
	"strconv"
	"strings"
)

type tokenKind uint8

const (
	end    tokenKind = iota
	word             // keyword or bare identifier
	quoted           // "identifier"
	text             // 'string'
	number
	sign // punctuation and operators
)

type token struct {
	kind tokenKind
	text string
}

// is reports whether the token is a keyword, whatever its case.
func (t token) is(keyword string) bool { return t.kind == word && strings.EqualFold(t.text, keyword) }

// signs are longest first.
var signs = []string{"<<", ">>", "<=", ">=", "<>", "!=", "=", "<", ">", "(", ")", "{", "}", "[", "]", ",", ".", ";", ":", "?", "*", "+", "-"}

// lex cuts a statement into tokens. What can't be one is an error without a
// detail, as AWS's is.
func lex(s string) ([]token, error) {
	var all []token
	for {
		rest, err := skipSpace(s)
		if err != nil {
			return nil, err
		}
		if rest == "" {
			return append(all, token{kind: end}), nil
		}
		t, size, err := lexOne(rest)
		if err != nil {
			return nil, err
		}
		all, s = append(all, t), rest[size:]
	}
}

// skipSpace passes over white space and comments.
func skipSpace(s string) (string, error) {
	for {
		s = strings.TrimLeft(s, " \t\r\n")
		switch {
		case strings.HasPrefix(s, "--"):
			_, s, _ = strings.Cut(s, "\n")
		case strings.HasPrefix(s, "/*"):
			_, after, ok := strings.Cut(s[2:], "*/")
			if !ok {
				return "", malformed("")
			}
			s = after
		default:
			return s, nil
		}
	}
}

func lexOne(s string) (t token, size int, err error) {
	switch c := s[0]; {
	case c == '\'' || c == '"':
		return lexQuoted(s)
	case isDigit(c) || c == '.' && len(s) > 1 && isDigit(s[1]):
		return lexNumber(s)
	case isLetter(c):
		for size < len(s) && (isLetter(s[size]) || isDigit(s[size])) {
			size++
		}
		return token{word, s[:size]}, size, nil
	}
	for _, sgn := range signs {
		if strings.HasPrefix(s, sgn) {
			return token{sign, sgn}, len(sgn), nil
		}
	}
	return token{}, 0, malformed("")
}

// lexQuoted reads a string or a quoted identifier; a doubled quote stands for
// itself.
func lexQuoted(s string) (token, int, error) {
	quote := s[:1]
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != quote[0]:
			b.WriteByte(s[i])
		case strings.HasPrefix(s[i+1:], quote):
			b.WriteByte(quote[0])
			i++
		case quote == "'":
			return token{text, b.String()}, i + 1, nil
		default:
			return token{quoted, b.String()}, i + 1, nil
		}
	}
	return token{}, 0, malformed("")
}

// lexNumber reads a number without its sign. Exponents have 32 bits.
func lexNumber(s string) (token, int, error) {
	digits := func(i int) int {
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		return i
	}
	size := digits(0)
	if size < len(s) && s[size] == '.' {
		size = digits(size + 1)
	}
	if size < len(s) && (s[size] == 'e' || s[size] == 'E') {
		from := size + 1
		at := from
		if at < len(s) && (s[at] == '+' || s[at] == '-') {
			at++
		}
		if last := digits(at); last > at {
			if _, err := strconv.ParseInt(s[from:last], 10, 32); err != nil {
				return token{}, 0, malformed("")
			}
			size = last
		}
	}
	return token{number, s[:size]}, size, nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '$' || c == '@' || c >= 0x80
}

package vtl

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/butai-dev/butai/internal/gateway/value"
)

// utilObject is $util: the six functions that the developer guide documents
// for REST APIs ("API Gateway mapping template and access logging variable
// reference"). A null argument gives null.
type utilObject struct{}

// AppendJava prints nothing: what API Gateway prints for $util is not known.
func (utilObject) AppendJava(dst []byte) []byte { return dst }

func (utilObject) callMethod(st *state, s *refStep, args []Value) (Value, error) {
	if len(args) != 1 {
		return nil, nil
	}
	o, err := s.util(st, unboxed(args[0]))
	return o.boxed(), err
}

// callUtil is call for a function of $util.
func (s *refStep) callUtil(st *state, arg outcome) (outcome, error) {
	o, err := s.util(st, arg)
	if err != nil {
		return outcome{}, err
	}
	return o, st.spend(1 + len(o.text)/64)
}

func (s *refStep) util(st *state, arg outcome) (o outcome, err error) {
	text := arg.text
	if !arg.isText {
		if arg.value == nil {
			return outcome{}, nil
		}
		if text, err = st.text(arg.value); err != nil {
			return outcome{}, err
		}
	}
	if err := st.spend(len(text) / 16); err != nil {
		return outcome{}, err
	}
	if s.utility == nil {
		return outcome{}, nil
	}
	return s.utility(text)
}

// utilities are the functions of $util, given a text.
var utilities = map[string]func(string) (outcome, error){
	"escapeJavaScript": func(s string) (outcome, error) { return textOutcome(escapeJavaScript(s)), nil },
	"urlEncode":        func(s string) (outcome, error) { return textOutcome(urlEncode(s)), nil },
	"base64Encode": func(s string) (outcome, error) {
		return textOutcome(base64.StdEncoding.EncodeToString([]byte(s))), nil
	},
	"urlDecode": func(s string) (outcome, error) {
		text, err := urlDecode(s)
		return textOutcome(text), err
	},
	"base64Decode": func(s string) (outcome, error) {
		text, err := base64Decode(s)
		return textOutcome(text), err
	},
	// Text that is not JSON gives null, not an error (reported for API Gateway).
	"parseJson": func(s string) (outcome, error) {
		v, err := value.Parse(s)
		if err != nil {
			return outcome{}, nil
		}
		return unboxed(v), nil
	},
}

// escapeJavaScript escapes as Apache Commons Lang 2 does, the slash and the
// single quote among the rest.
func escapeJavaScript(s string) string {
	const hex = "0123456789ABCDEF"
	first := plainRun(s)
	if first == len(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + len(s)/8 + 16)
	b.WriteString(s[:first])
	for s = s[first:]; s != ""; {
		switch c := s[0]; {
		case c == '\'' || c == '"' || c == '\\' || c == '/':
			b.WriteByte('\\')
			b.WriteByte(c)
			s = s[1:]
		default:
			r, size := utf8.DecodeRuneInString(s)
			s = s[size:]
			if esc := letterOf(r); esc != 0 {
				b.WriteByte('\\')
				b.WriteByte(esc)
				break
			}
			var units [2]uint16
			for _, u := range utf16.AppendRune(units[:0], r) {
				b.Write([]byte{'\\', 'u', hex[u>>12], hex[u>>8&15], hex[u>>4&15], hex[u&15]})
			}
		}
		n := plainRun(s)
		b.WriteString(s[:n])
		s = s[n:]
	}
	return b.String()
}

// letterOf is the letter of r's escape, or 0 if it has four digits.
func letterOf(r rune) byte {
	switch r {
	case '\b':
		return 'b'
	case '\n':
		return 'n'
	case '\t':
		return 't'
	case '\f':
		return 'f'
	case '\r':
		return 'r'
	}
	return 0
}

// plainRun is how many bytes at the start of s are left alone.
func plainRun(s string) int {
	n := 0
	for n < len(s) && isPlainJavaScript[s[n]] {
		n++
	}
	return n
}

// isPlainJavaScript tells the bytes that escapeJavaScript leaves alone.
var isPlainJavaScript = func() (is [256]bool) {
	for c := byte(0x20); c < 0x7f; c++ {
		is[c] = c != '\'' && c != '"' && c != '\\' && c != '/'
	}
	return is
}()

// urlEncode is java.net.URLEncoder: form encoding that leaves letters, digits
// and .-*_ alone.
func urlEncode(s string) string {
	// Go's QueryEscape differs in two characters.
	s = url.QueryEscape(s)
	s = strings.ReplaceAll(s, "%2A", "*")
	return strings.ReplaceAll(s, "~", "%7E")
}

func urlDecode(s string) (string, error) {
	out, err := url.QueryUnescape(s)
	if err != nil {
		return "", fmt.Errorf("urlDecode: %w", err)
	}
	return strings.ToValidUTF8(out, string(utf8.RuneError)), nil
}

func base64Decode(s string) (string, error) {
	out, err := base64.StdEncoding.WithPadding(base64.NoPadding).DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return "", fmt.Errorf("base64Decode: %w", err)
	}
	return strings.ToValidUTF8(string(out), string(utf8.RuneError)), nil
}

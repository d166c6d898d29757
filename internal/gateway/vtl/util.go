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
	if len(args) != 1 || args[0] == nil {
		return nil, nil
	}
	arg, err := st.text(args[0])
	if err != nil {
		return nil, err
	}
	if err := st.spend(len(arg) / 16); err != nil {
		return nil, err
	}
	switch s.name {
	case "escapeJavaScript":
		return escapeJavaScript(arg), nil
	case "parseJson":
		// Text that is not JSON gives null, not an error (reported for API
		// Gateway).
		v, err := value.Parse(arg)
		if err != nil {
			return nil, nil
		}
		return v, nil
	case "urlEncode":
		return urlEncode(arg), nil
	case "urlDecode":
		return urlDecode(arg)
	case "base64Encode":
		return base64.StdEncoding.EncodeToString([]byte(arg)), nil
	case "base64Decode":
		return base64Decode(arg)
	}
	return nil, nil
}

// escapeJavaScript escapes as Apache Commons Lang 2 does, the slash and the
// single quote among the rest.
func escapeJavaScript(s string) string {
	const hex = "0123456789ABCDEF"
	first := 0
	for first < len(s) && plainJavaScript(s[first]) {
		first++
	}
	if first == len(s) {
		return s
	}
	b := append(make([]byte, 0, len(s)+len(s)/8+16), s[:first]...)
	for _, r := range s[first:] {
		switch {
		case r < utf8.RuneSelf && plainJavaScript(byte(r)):
			b = append(b, byte(r))
		case r == '\'' || r == '"' || r == '\\' || r == '/':
			b = append(b, '\\', byte(r))
		default:
			if esc := strings.IndexRune("\b\n\t\f\r", r); esc >= 0 {
				b = append(b, '\\', "bntfr"[esc])
				continue
			}
			var units [2]uint16
			for _, u := range utf16.AppendRune(units[:0], r) {
				b = append(b, '\\', 'u', hex[u>>12], hex[u>>8&15], hex[u>>4&15], hex[u&15])
			}
		}
	}
	return string(b)
}

// plainJavaScript tells what escapeJavaScript leaves alone.
func plainJavaScript(c byte) bool {
	return c >= 0x20 && c < 0x7f && c != '\'' && c != '"' && c != '\\' && c != '/'
}

// urlEncode is java.net.URLEncoder: form encoding that leaves letters, digits
// and .-*_ alone.
func urlEncode(s string) string {
	// Go's QueryEscape differs in two characters.
	s = url.QueryEscape(s)
	s = strings.ReplaceAll(s, "%2A", "*")
	return strings.ReplaceAll(s, "~", "%7E")
}

func urlDecode(s string) (Value, error) {
	out, err := url.QueryUnescape(s)
	if err != nil {
		return nil, fmt.Errorf("urlDecode: %w", err)
	}
	return strings.ToValidUTF8(out, string(utf8.RuneError)), nil
}

func base64Decode(s string) (Value, error) {
	out, err := base64.StdEncoding.WithPadding(base64.NoPadding).DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return nil, fmt.Errorf("base64Decode: %w", err)
	}
	return strings.ToValidUTF8(string(out), string(utf8.RuneError)), nil
}

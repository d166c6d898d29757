package catalog

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// permissive reads JSON as Lambda does: a repeated member name is no error.
var permissive = []jsontext.Options{jsontext.AllowDuplicateNames(true)}

const expectedValue = "was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

// jsonFault says what is wrong with a payload in the words of Jackson, the
// parser that Lambda's front end uses and whose text it passes on. It returns
// "" if nothing is.
func jsonFault(payload []byte) string {
	p := &faultFinder{text: payload}
	if p.skipSpace(); p.at == len(p.text) {
		return "No content to map due to end-of-input" + p.location(p.at)
	}
	if !p.value() {
		return p.fault
	}
	if p.skipSpace(); p.at < len(p.text) && p.value() {
		p.fail(p.at, "Trailing token found after value")
	}
	return p.fault
}

// faultFinder walks over JSON until something is wrong; it is only used on
// text that is known to be wrong somewhere, and favours clarity over speed.
type faultFinder struct {
	text  []byte
	at    int
	depth int
	fault string
}

// maxNesting is Jackson's limit (StreamReadConstraints). Text that is right
// otherwise may go deeper: it never comes here.
const maxNesting = 1000

func (p *faultFinder) location(offset int) string {
	before := p.text[:min(offset, len(p.text))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Sprintf("\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: %d, column: %d]", line, column)
}

func (p *faultFinder) fail(offset int, format string, args ...any) bool {
	p.fault = fmt.Sprintf(format, args...) + p.location(offset)
	return false
}

func (p *faultFinder) skipSpace() {
	for p.at < len(p.text) && bytes.IndexByte([]byte(" \t\r\n"), p.text[p.at]) >= 0 {
		p.at++
	}
}

// unexpected reports the byte at hand, which Jackson takes for a character of
// its own even if it begins a longer one.
func (p *faultFinder) unexpected(expecting string) bool {
	if c := p.text[p.at]; c < 0x20 {
		return p.fail(p.at, "Illegal character (%s): only regular white space (\\r, \\n, \\t) is allowed between tokens", described(rune(c)))
	}
	return p.fail(p.at, "Unexpected character (%s): %s", described(rune(p.text[p.at])), expecting)
}

// described is a character as Jackson's messages show it.
func described(r rune) string {
	switch {
	case unicode.IsControl(r):
		return fmt.Sprintf("(CTRL-CHAR, code %d)", r)
	case r > 0xff:
		return fmt.Sprintf("'%c' (code %d / 0x%x)", r, r, r)
	}
	return fmt.Sprintf("'%c' (code %d)", r, r)
}

// decode reads a character of UTF-8 at hand and moves past it. A wrong byte is
// reported at the place behind it, as it is by the parser (recorded).
func (p *faultFinder) decode() (rune, bool) {
	r, n := utf8.DecodeRune(p.text[p.at:])
	if r != utf8.RuneError || n > 1 {
		p.at += n
		return r, true
	}
	first := p.text[p.at]
	more := 0
	switch {
	case first&0xe0 == 0xc0:
		more = 1
	case first&0xf0 == 0xe0:
		more = 2
	case first&0xf8 == 0xf0:
		more = 3
	default:
		return 0, p.fail(p.at+1, "Invalid UTF-8 start byte 0x%x", first)
	}
	for i := 1; i <= more; i++ {
		if p.at+i == len(p.text) {
			return 0, p.endOfInput("")
		}
		if c := p.text[p.at+i]; c&0xc0 != 0x80 {
			return 0, p.fail(p.at+i+1, "Invalid UTF-8 middle byte 0x%x", c)
		}
	}
	p.at += more + 1
	return utf8.RuneError, true // well formed, but no character: Jackson lets it pass
}

func (p *faultFinder) endOfInput(within string) bool {
	if within == "" {
		return p.fail(len(p.text), "Unexpected end-of-input")
	}
	return p.fail(len(p.text), "Unexpected end-of-input%s", within)
}

// value reads one value at a character that isn't space.
func (p *faultFinder) value() bool {
	switch c := p.text[p.at]; {
	case c == '{':
		return p.nested(p.object)
	case c == '[':
		return p.nested(p.array)
	case c == '"':
		return p.str()
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	case unicode.IsLetter(rune(c)):
		return p.word()
	}
	return p.unexpected("expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')")
}

func (p *faultFinder) nested(read func() bool) bool {
	if p.depth++; p.depth > maxNesting {
		return p.fail(p.at, "Document nesting depth (%d) exceeds the maximum allowed (%d, from `StreamReadConstraints.getMaxNestingDepth()`)", p.depth, maxNesting)
	}
	p.at++
	ok := read()
	p.depth--
	return ok
}

func (p *faultFinder) object() bool {
	for first := true; ; first = false {
		if p.skipSpace(); p.at == len(p.text) {
			return p.endOfInput(": expected close marker for Object")
		}
		switch c := p.text[p.at]; {
		case c == '}' && first:
			p.at++
			return true
		case c < 0x20:
			return p.unexpected("")
		case c != '"':
			at := p.at
			r, ok := p.decode()
			return ok && p.fail(at, "Unexpected character (%s): was expecting double-quote to start field name", described(r))
		}
		if !p.str() {
			return false
		}
		if p.skipSpace(); p.at == len(p.text) {
			return p.endOfInput(" within/between Object entries")
		}
		if p.text[p.at] != ':' {
			return p.unexpected("was expecting a colon to separate field name and value")
		}
		p.at++
		if done, ok := p.member('}', "Object"); done || !ok {
			return ok
		}
	}
}

func (p *faultFinder) array() bool {
	for first := true; ; first = false {
		if p.skipSpace(); p.at == len(p.text) {
			return p.endOfInput(": expected close marker for Array")
		}
		if p.text[p.at] == ']' && first {
			p.at++
			return true
		}
		if done, ok := p.member(']', "Array"); done || !ok {
			return ok
		}
	}
}

// member reads a value and what follows it: a comma or the end of the
// structure, which sets done.
func (p *faultFinder) member(closing byte, structure string) (done, ok bool) {
	if p.skipSpace(); p.at == len(p.text) {
		return false, p.endOfInput(" within/between " + structure + " entries")
	}
	if !p.value() {
		return false, false
	}
	if p.skipSpace(); p.at == len(p.text) {
		return false, p.endOfInput(": expected close marker for " + structure)
	}
	switch p.text[p.at] {
	case closing:
		p.at++
		return true, true
	case ',':
		p.at++
		return false, true
	}
	return false, p.unexpected("was expecting comma to separate " + structure + " entries")
}

func (p *faultFinder) str() bool {
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return true
		case c == '\\':
			if !p.escape() {
				return false
			}
		case c < 0x20:
			return p.fail(p.at, "Illegal unquoted character ((CTRL-CHAR, code %d)): has to be escaped using backslash to be included in string value", c)
		case c >= utf8.RuneSelf:
			if _, ok := p.decode(); !ok {
				return false
			}
			p.at-- // the loop moves on
		}
	}
	return p.endOfInput(" in VALUE_STRING")
}

// escape reads the escape at a backslash and stays on its last byte.
func (p *faultFinder) escape() bool {
	if p.at++; p.at == len(p.text) {
		return p.endOfInput(" in character escape sequence")
	}
	c := p.text[p.at]
	if bytes.IndexByte([]byte(`"\/bfnrt`), c) >= 0 {
		return true
	}
	if c != 'u' {
		r, _ := utf8.DecodeRune(p.text[p.at:])
		return p.fail(p.at, "Unrecognized character escape '%c' (code %d)", r, r)
	}
	for range 4 {
		if p.at++; p.at == len(p.text) {
			return p.endOfInput(" in character escape sequence")
		}
		if bytes.IndexByte([]byte("0123456789abcdefABCDEF"), p.text[p.at]) < 0 {
			return p.unexpected("expected a hex-digit for character escape sequence")
		}
	}
	return true
}

func (p *faultFinder) digits() bool {
	if p.at == len(p.text) {
		return p.endOfInput(" in a Number value")
	}
	if c := p.text[p.at]; c < '0' || c > '9' {
		return p.unexpected("expected digit (0-9) for valid numeric value")
	}
	for p.at < len(p.text) && '0' <= p.text[p.at] && p.text[p.at] <= '9' {
		p.at++
	}
	return true
}

func (p *faultFinder) number() bool {
	if p.text[p.at] == '-' {
		p.at++
	}
	start := p.at
	if !p.digits() {
		return false
	}
	if p.text[start] == '0' && p.at > start+1 {
		p.at = start + 1
		return p.fail(p.at, "Invalid numeric value: Leading zeroes not allowed")
	}
	if p.at < len(p.text) && p.text[p.at] == '.' {
		if p.at++; !p.digits() {
			return false
		}
	}
	if p.at < len(p.text) && p.text[p.at]|0x20 == 'e' {
		if p.at++; p.at < len(p.text) && (p.text[p.at] == '+' || p.text[p.at] == '-') {
			p.at++
		}
		return p.digits()
	}
	return true
}

// word reads a bare word, of which JSON knows three.
func (p *faultFinder) word() bool {
	word := string(rune(p.text[p.at])) // the first byte counts as a character, as in unexpected
	for p.at++; p.at < len(p.text); {
		at := p.at
		r, ok := p.decode()
		if !ok {
			return false
		}
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '$' {
			p.at = at
			break
		}
		word += string(r)
	}
	if word == "true" || word == "false" || word == "null" {
		return true
	}
	// Jackson reports the place behind the token and the character that ends it.
	end := p.at
	if end < len(p.text) {
		end++
	}
	return p.fail(end, "Unrecognized token '%s': %s", word, expectedValue)
}

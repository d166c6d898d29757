package pattern

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// reader reads the tokens of a pattern and knows where AWS's parser (Jackson)
// would be in the text: that is part of its errors.
type reader struct {
	text  string
	d     *jsontext.Decoder
	at    int   // offset where Jackson would be
	opens []int // where the objects and lists begin that are open
}

func newReader(text string) *reader {
	return &reader{text: text, d: jsontext.NewDecoder(strings.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
}

// next reads a token. Jackson reads no more of a text than its first quote until
// somebody asks for it (see whole), and behind a name the next token's start.
func (r *reader) next() (jsontext.Token, error) {
	start := r.skip(int(r.d.InputOffset()), ":,")
	kind, length := r.d.StackIndex(r.d.StackDepth())
	name := kind == '{' && length%2 == 0
	t, err := r.d.ReadToken()
	if err != nil {
		return t, r.syntaxError(name)
	}
	t = t.Clone()
	r.at = int(r.d.InputOffset())
	switch t.Kind() {
	case '{', '[':
		r.opens = append(r.opens, start)
	case '}', ']':
		r.opens = r.opens[:len(r.opens)-1]
	case '"':
		if r.at = start + 1; name {
			r.at = r.ahead(int(r.d.InputOffset()))
		}
	}
	return t, nil
}

// whole says that the text just read was asked for.
func (r *reader) whole() { r.at = int(r.d.InputOffset()) }

// skip is the offset of the first byte from at on that is neither blank nor one
// of others.
func (r *reader) skip(at int, others string) int {
	for at < len(r.text) && strings.IndexByte(" \t\r\n"+others, r.text[at]) >= 0 {
		at++
	}
	return at
}

// ahead is where Jackson is behind a name that ends at at: within the value.
func (r *reader) ahead(at int) int {
	at = r.skip(at, ":")
	if at < len(r.text) && strings.IndexByte(`"{[`, r.text[at]) >= 0 {
		return at + 1
	}
	for at < len(r.text) && strings.IndexByte(" \t\r\n,}]", r.text[at]) < 0 {
		at++
	}
	return at
}

// invalid is an error where the reader is.
func (r *reader) invalid(format string, args ...any) error {
	return &invalidError{reason: fmt.Sprintf(format, args...), place: "\n at " + location(r.text, r.at)}
}

// twice marks an error as one that AWS's parser has met within a list, where it
// tells the place again.
func twice(err error) error {
	if e, ok := err.(*invalidError); ok && e.place != "" {
		e.place += e.place
	}
	return err
}

// syntaxError is what Jackson says of a text that isn't JSON; name tells
// whether it was to read the name of a member.
func (r *reader) syntaxError(name bool) error {
	before := int(r.d.InputOffset())
	at := r.skip(before, "")
	comma := at < len(r.text) && r.text[at] == ','
	if comma || at < len(r.text) && r.text[at] == ':' {
		at = r.skip(at+1, "")
	}
	word := at
	for word < len(r.text) && isWord(r.text[word]) {
		word++
	}
	e := &invalidError{syntax: true}
	switch {
	case at >= len(r.text):
		e.reason = "Unexpected end-of-input"
		if len(r.opens) > 0 {
			open := r.opens[len(r.opens)-1]
			what := map[byte]string{'{': "Object", '[': "Array"}[r.text[open]]
			e.reason += ": expected close marker for " + what + " (start marker at " + location(r.text, open) + ")"
		}
	case name && len(r.opens) > 0 && (comma || r.opens[len(r.opens)-1] == before-1):
		e.reason = fmt.Sprintf("Unexpected character ('%c' (code %d)): was expecting double-quote to start field name", r.text[at], r.text[at])
	case name:
		e.reason = fmt.Sprintf("Unexpected character ('%c' (code %d)): was expecting comma to separate Object entries", r.text[at], r.text[at])
		at++
	case word > at:
		e.reason = fmt.Sprintf("Unrecognized token '%s': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')", r.text[at:word])
		at = word
	default:
		e.reason = fmt.Sprintf("Unexpected character ('%c' (code %d)): expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')", r.text[at], r.text[at])
		at++
	}
	e.place = "\n at " + location(r.text, at)
	return e
}

func isWord(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' }

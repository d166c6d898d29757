package value

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// Parse reads s as API Gateway's templates do, which is far more forgiving
// than JSON: API Gateway behaves as json-smart's permissive mode does (the
// parser under Jayway's JsonPath). Unquoted and single-quoted strings, stray
// commas and text after the value all pass, and a body that does not look
// like JSON at all is one string. That last rule is why the widely published
// template {"body": $input.json("$")} hands a form-encoded body to a function
// as a string. Of two equal keys the last value wins, at the first one's place.
//
// The error of malformed text (an unclosed object, array or string, a bad
// escape, a stray closing bracket) is for the caller to hide or to log.
func Parse(s string) (Value, error) {
	p := parsers.Get().(*parser)
	p.src = s
	defer p.release()
	p.space()
	if p.pos == len(s) {
		return "", nil
	}
	return p.value("", 0)
}

var parsers = sync.Pool{New: func() any { return &parser{} }}

// maxKept is how many members and items a parser may have room for to be used
// again.
const maxKept = 1024

// release keeps the parser's room for values, but nothing of the document.
func (p *parser) release() {
	if cap(p.members) > maxKept || cap(p.items) > maxKept {
		return
	}
	clear(p.members) // an error leaves some
	clear(p.items)
	*p = parser{members: p.members[:0], items: p.items[:0]}
	parsers.Put(p)
}

// errEnd is reported for text that stops in the middle of a value.
var errEnd = errors.New("unexpected end of JSON text")

type parser struct {
	src string
	pos int
	// members and items are those of the maps and lists being read, inner
	// behind outer; what is complete moves into a piece of the stocks.
	members    []Entry
	items      []Value
	memberPool stock[Entry]
	itemPool   stock[Value]
	mapPool    stock[Map]
	listPool   stock[List]
}

// stock gives out pieces of larger allocations, for values that live and die
// together.
type stock[T any] []T

// take returns a copy of have, without room behind it.
func (s *stock[T]) take(have []T, room int) []T {
	if len(have) > len(*s) {
		*s = make([]T, max(len(have), room))
	}
	piece := (*s)[:len(have):len(have)]
	*s = (*s)[len(have):]
	copy(piece, have)
	return piece
}

// one returns a zero T.
func (s *stock[T]) one(room int) *T {
	if len(*s) == 0 {
		*s = make([]T, room)
	}
	t := &(*s)[0]
	*s = (*s)[1:]
	return t
}

// room guesses how many more values the rest of the text may hold, each of so
// many bytes.
func (p *parser) room(each int) int { return min(256, 1+(len(p.src)-p.pos)/each) }

func (p *parser) space() {
	for p.pos < len(p.src) {
		switch p.src[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

func (p *parser) unexpected() error {
	if p.pos >= len(p.src) {
		return errEnd
	}
	r, _ := utf8.DecodeRuneInString(p.src[p.pos:])
	return fmt.Errorf("unexpected character %q at position %d of JSON text", r, p.pos)
}

// value reads one value; an unquoted one ends before any byte of stop.
// Leading space must have been skipped.
func (p *parser) value(stop string, depth int) (Value, error) {
	if p.pos >= len(p.src) {
		return nil, errEnd
	}
	if depth >= maxDepth {
		return nil, fmt.Errorf("JSON text is nested more than %d levels deep", maxDepth)
	}
	switch c := p.src[p.pos]; c {
	case '{':
		return p.object(depth)
	case '[':
		return p.array(depth)
	case '"', '\'':
		return p.quoted(c)
	case ':', '}', ']':
		return nil, p.unexpected()
	}
	return bareValue(p.bare(stop)), nil
}

func (p *parser) object(depth int) (Value, error) {
	base := len(p.members)
	for p.pos++; ; {
		p.space()
		if p.pos >= len(p.src) {
			return nil, errEnd
		}
		switch p.src[p.pos] {
		case '}':
			p.pos++
			return p.newMap(base), nil
		case ',':
			p.pos++
			continue
		case ':', ']', '[', '{':
			return nil, p.unexpected()
		}
		key, err := p.key()
		if err != nil {
			return nil, err
		}
		p.space()
		if p.pos >= len(p.src) || p.src[p.pos] != ':' {
			return nil, p.unexpected()
		}
		p.pos++
		p.space()
		v, err := p.value(",}", depth+1)
		if err != nil {
			return nil, err
		}
		p.members = append(p.members, Entry{key, v})
		p.space()
		if p.pos >= len(p.src) || p.src[p.pos] != ',' && p.src[p.pos] != '}' {
			return nil, p.unexpected()
		}
	}
}

// newMap makes a map of the members from base on. Of two equal keys the last
// value wins, at the first one's place.
func (p *parser) newMap(base int) *Map {
	have := p.members[base:]
	m := p.mapPool.one(p.room(128))
	if len(have) >= indexFrom || repeats(have) {
		for _, e := range have {
			m.Put(e.Key, e.Value)
		}
	} else {
		m.members = p.memberPool.take(have, p.room(24))
	}
	clear(have)
	p.members = p.members[:base]
	return m
}

// repeats tells whether a key stands twice among a few members.
func repeats(list []Entry) bool {
	for i := range list {
		for j := range i {
			if list[j].Key == list[i].Key {
				return true
			}
		}
	}
	return false
}

func (p *parser) key() (string, error) {
	if c := p.src[p.pos]; c == '"' || c == '\'' {
		return p.quoted(c)
	}
	return p.bare(":"), nil
}

func (p *parser) array(depth int) (Value, error) {
	base := len(p.items)
	for p.pos++; ; {
		p.space()
		if p.pos >= len(p.src) {
			return nil, errEnd
		}
		switch p.src[p.pos] {
		case ']':
			p.pos++
			return p.newList(base), nil
		case ',':
			p.pos++
			continue
		}
		v, err := p.value(",]", depth+1)
		if err != nil {
			return nil, err
		}
		p.items = append(p.items, v) // the comma behind it may be missing
	}
}

// newList makes a list of the items from base on.
func (p *parser) newList(base int) *List {
	have := p.items[base:]
	l := p.listPool.one(p.room(256))
	l.JSON = true
	if len(have) > 0 {
		l.items = p.itemPool.take(have, p.room(64))
	}
	clear(have)
	p.items = p.items[:base]
	return l
}

// bare reads up to a byte of stop and trims trailing space.
func (p *parser) bare(stop string) string {
	start := p.pos
	for p.pos < len(p.src) && strings.IndexByte(stop, p.src[p.pos]) < 0 {
		p.pos++
	}
	return strings.TrimRight(p.src[start:p.pos], " \t\r\n")
}

// bareValue gives unquoted text its type.
func bareValue(s string) Value {
	switch s {
	case "null":
		return nil
	case "true":
		return true
	case "false":
		return false
	case "-":
		return int64(0) // json-smart's reading of a number without digits
	}
	if v, ok := ParseNumber(s); ok {
		return v
	}
	return s
}

// ParseNumber reads JSON number text; leading zeros and a bare trailing point
// pass, as does a leading point behind a minus, but no other.
func ParseNumber(s string) (Value, bool) {
	digits, minus := strings.CutPrefix(s, "-")
	if digits == "" || (digits[0] < '0' || digits[0] > '9') && !(minus && digits[0] == '.') {
		return nil, false
	}
	for i := range len(digits) {
		switch c := digits[i]; {
		case c >= '0' && c <= '9':
		case c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-':
			f, err := strconv.ParseFloat(s, 64)
			if err != nil && !errors.Is(err, strconv.ErrRange) {
				return nil, false
			}
			return f, true
		default:
			return nil, false
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	n, ok := new(big.Int).SetString(s, 10)
	return n, ok
}

// quoted reads a string in the given quotes and undoes its escapes.
func (p *parser) quoted(quote byte) (string, error) {
	p.pos++
	start := p.pos
	for p.pos < len(p.src) && p.src[p.pos] != quote && p.src[p.pos] != '\\' {
		p.pos++
	}
	if p.pos >= len(p.src) {
		return "", errEnd
	}
	if p.src[p.pos] == quote {
		p.pos++
		return p.src[start : p.pos-1], nil
	}
	end := p.pos
	for end < len(p.src) && p.src[end] != quote {
		if p.src[end] == '\\' {
			end++
		}
		end++
	}
	var b strings.Builder
	b.Grow(end - start) // what escapes stand for is never longer than they are
	b.WriteString(p.src[start:p.pos])
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; c {
		case quote:
			p.pos++
			return b.String(), nil
		case '\\':
			if err := p.escape(&b); err != nil {
				return "", err
			}
		default:
			plain := p.pos
			for p.pos < len(p.src) && p.src[p.pos] != quote && p.src[p.pos] != '\\' {
				p.pos++
			}
			b.WriteString(p.src[plain:p.pos])
		}
	}
	return "", errEnd
}

func (p *parser) escape(b *strings.Builder) error {
	if p.pos+1 >= len(p.src) {
		return errEnd
	}
	c := p.src[p.pos+1]
	p.pos += 2
	switch c {
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		r, err := p.hex(4)
		if err != nil {
			return err
		}
		b.WriteRune(p.surrogate(r))
		return nil
	case 'x':
		r, err := p.hex(2)
		if err != nil {
			return err
		}
		b.WriteRune(r)
		return nil
	}
	if strings.IndexByte("\b\f\n\r\t\"'\\/", c) >= 0 {
		b.WriteByte(c)
	}
	return nil // json-smart drops an escape that it does not know
}

// hex reads n hexadecimal digits.
func (p *parser) hex(n int) (rune, error) {
	if p.pos+n > len(p.src) {
		return 0, errEnd
	}
	r, err := strconv.ParseUint(p.src[p.pos:p.pos+n], 16, 32)
	if err != nil {
		return 0, p.unexpected()
	}
	p.pos += n
	return rune(r), nil
}

// surrogate joins r with a following low surrogate; a lone one becomes U+FFFD
// since Go strings cannot hold it.
func (p *parser) surrogate(r rune) rune {
	if !utf16.IsSurrogate(r) || !strings.HasPrefix(p.src[p.pos:], `\u`) {
		return r
	}
	at := p.pos
	p.pos += 2
	low, err := p.hex(4)
	if joined := utf16.DecodeRune(r, low); err == nil && joined != utf8.RuneError {
		return joined
	}
	p.pos = at
	return r
}

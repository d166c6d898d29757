package value

import (
	"bytes"
	"strings"
	"sync"
)

// Document is a JSON text that is read where it stands: Parse passes over it
// once and notes where its values are, and maps, lists and scalars are made of
// it only when something asks for them. A Document belongs to one goroutine.
//
// The values of a Document live until its next Parse or Reset, which make
// others of the same memory.
type Document struct {
	src  []byte
	text string // src as a string, made when the first string is asked for
	tape []mark
	// maps and lists have room for all of the tape's; a zero one has not been
	// asked for.
	maps          []Map
	lists         []List
	nMaps, nLists int
}

// Parse reads src, which must not change as long as the document's values are
// used, as the function Parse reads it, and returns the value.
func (d *Document) Parse(src []byte) (Value, error) {
	d.Reset()
	d.src = src
	if !d.scan() {
		return Parse(string(src))
	}
	d.maps, d.lists = room(d.maps, d.nMaps), room(d.lists, d.nLists)
	return d.value(0), nil
}

// documents are those that nobody reads, with their room for values.
var documents = sync.Pool{New: func() any { return &Document{} }}

// BorrowDocument returns a Document without a text. Who can tell that none of
// its maps and lists is used any more may give it back by Return.
func BorrowDocument() *Document { return documents.Get().(*Document) }

// Return resets the document and lets others borrow it.
func (d *Document) Return() {
	d.Reset()
	documents.Put(d)
}

// Member returns the scalar at key in the object that Parse reads from src. It
// is nil if there is none.
func Member(src []byte, key string) Value {
	d := BorrowDocument()
	defer d.Return()
	root, err := d.Parse(src)
	m, ok := root.(*Map)
	if err != nil || !ok {
		return nil
	}
	switch v, _ := m.Get(key); v.(type) {
	case *Map, *List:
		return nil
	default:
		return v
	}
}

// Bounds of what a document keeps for its next text.
const (
	keptMarks      = 8192
	keptContainers = 1024
)

// Reset forgets the text and all its values.
func (d *Document) Reset() {
	clear(d.maps)
	clear(d.lists)
	if cap(d.tape) > keptMarks || cap(d.maps) > keptContainers || cap(d.lists) > keptContainers {
		*d = Document{}
		return
	}
	*d = Document{tape: d.tape[:0], maps: d.maps[:0], lists: d.lists[:0]}
}

// room returns n zero values, in the memory of have if that suffices.
func room[T any](have []T, n int) []T {
	if n > cap(have) {
		return make([]T, n)
	}
	return have[:n]
}

// value makes the value at a mark.
func (d *Document) value(p int) Value {
	switch m := d.tape[p]; m.kind() {
	case markMap:
		return d.mapAt(p)
	case markList:
		return d.listAt(p)
	case markString:
		return d.slice(m)
	case markEscaped:
		return d.unescaped(m)
	default:
		return d.bare(m)
	}
}

// bare makes the number or literal at a mark. Common ones take no string.
func (d *Document) bare(m mark) Value {
	text := d.bytes(m)
	switch text[0] {
	case 't':
		return true
	case 'f':
		return false
	case 'n':
		return nil
	}
	var n int64
	for _, c := range text {
		if c < '0' || c > '9' || len(text) > 18 {
			return bareValue(d.slice(m))
		}
		n = n*10 + int64(c-'0')
	}
	return n
}

// mapAt is the map at a mark, the same one each time.
func (d *Document) mapAt(p int) *Map {
	m := &d.maps[d.tape[p+1].start]
	if !m.made {
		m.made, m.doc, m.at = true, d, p
		if m.Len() > maxKeys {
			m.settle()
		}
	}
	return m
}

func (d *Document) listAt(p int) *List {
	l := &d.lists[d.tape[p+1].start]
	if !l.JSON {
		l.JSON, l.doc, l.at = true, d, p
	}
	return l
}

// next is the position of the mark behind the value at p.
func (d *Document) next(p int) int {
	if m := d.tape[p]; m.container() {
		return int(m.size())
	}
	return p + 1
}

// find returns where the object at a mark has the value of key, or -1. It
// looks first at a guess, a distance from at.
func (d *Document) find(at int, key string, guess int) int {
	if d.isKey(at+guess, at, key) {
		return at + guess + 1
	}
	tape, end := d.tape, int(d.tape[at].size())
	info := tape[at+1].info | uint32(len(key))
	for p := at + 2; p < end; {
		if m := tape[p]; m.info == info && d.spells(m, key) {
			return p + 1
		}
		p++
		if m := tape[p]; m.container() {
			p = int(m.size())
		} else {
			p++
		}
	}
	return -1
}

// isKey tells whether the mark at p is that key of the object at a mark.
func (d *Document) isKey(p, at int, key string) bool {
	return p < int(d.tape[at].size()) && d.tape[p].info == d.tape[at+1].info|uint32(len(key)) && d.spells(d.tape[p], key)
}

// spells tells whether a mark of the key's length is that key.
func (d *Document) spells(m mark, key string) bool {
	return string(d.src[m.start:int(m.start)+len(key)]) == key
}

// bytes is the text at a mark of a scalar.
func (d *Document) bytes(m mark) []byte { return d.src[m.start : m.start+m.size()] }

// key is the text at a key's mark.
func (d *Document) key(m mark) []byte { return d.src[m.start : m.start+m.info&(maxKeySize-1)] }

// name is key as a string.
func (d *Document) name(m mark) string { return d.slice(mark{m.start, m.info & (maxKeySize - 1)}) }

// slice is bytes as a string.
func (d *Document) slice(m mark) string {
	if d.text == "" {
		d.text = string(d.src)
	}
	return d.text[m.start : m.start+m.size()]
}

// unescaped is the string at a mark. Its escapes are known to be good.
func (d *Document) unescaped(m mark) string {
	var b strings.Builder
	b.Grow(int(m.size()))
	for rest := d.bytes(m); ; {
		n := bytes.IndexByte(rest, '\\')
		if n < 0 {
			b.Write(rest)
			return b.String()
		}
		b.Write(rest[:n])
		c := escapedByte(rest[n+1])
		if c == 0 { // of an escape of four digits
			p := parser{src: string(d.src[m.start-1 : m.start+m.size()+1])}
			s, _ := p.quoted('"')
			return s
		}
		b.WriteByte(c)
		rest = rest[n+2:]
	}
}

// textAt is the string at a mark, if it is one.
func (d *Document) textAt(p int) (string, bool) {
	switch m := d.tape[p]; m.kind() {
	case markString:
		return d.slice(m), true
	case markEscaped:
		return d.unescaped(m), true
	}
	return "", false
}

// appendText appends what the scalar at a mark prints as. It tells false for
// those that print otherwise than they are written, and for null.
func (d *Document) appendText(dst []byte, p int) ([]byte, bool) {
	m := d.tape[p]
	switch m.kind() {
	case markString:
		return append(dst, d.bytes(m)...), true
	case markBare:
		if text := d.bytes(m); text[0] == 't' || text[0] == 'f' || plainNumber(text) {
			return append(dst, text...), true
		}
	}
	return dst, false
}

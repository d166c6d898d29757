package attr

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
)

// The stored form: every value is its kind in one byte (BOOL in two kinds, so
// that it needs no body) and a body; lengths and counts are varints; map and
// item names are sorted, so equal items have equal bytes unless a set's order
// differs. Kind numbers are part of the stored form and never change.
const storedTrue = 0x40 | byte(BOOL)

// errStored reports bytes that are not a stored item.
var errStored = errors.New("attr: malformed stored item")

// AppendItem appends the stored form of it.
func AppendItem(dst []byte, it Item) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(it)))
	for _, name := range slices.Sorted(maps.Keys(it)) {
		dst = appendText(dst, name)
		dst = appendValue(dst, it[name])
	}
	return dst
}

func appendText(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

func appendValue(dst []byte, v Value) []byte {
	if v.kind == BOOL && v.yes {
		return append(dst, storedTrue)
	}
	dst = append(dst, byte(v.kind))
	switch v.kind {
	case S, N, B:
		return appendText(dst, v.text)
	case SS, NS, BS:
		dst = binary.AppendUvarint(dst, uint64(len(v.deep.set)))
		for _, m := range v.deep.set {
			dst = appendText(dst, m)
		}
	case L:
		dst = binary.AppendUvarint(dst, uint64(len(v.deep.list)))
		for _, e := range v.deep.list {
			dst = appendValue(dst, e)
		}
	case M:
		return AppendItem(dst, v.deep.m)
	}
	return dst
}

// DecodeItem reads one stored item, which must fill b. The item does not
// refer to b afterwards.
func DecodeItem(b []byte) (Item, error) {
	// One copy for the whole item; its strings are slices of it.
	r := reader{rest: string(b)}
	it := r.item()
	if r.bad || r.rest != "" {
		return nil, errStored
	}
	return it, nil
}

type reader struct {
	rest  string
	depth int
	bad   bool
}

func (r *reader) item() Item {
	n := r.count()
	it := make(Item, n)
	for range n {
		if r.bad {
			return nil
		}
		name := r.text()
		it[name] = r.value()
	}
	return it
}

func (r *reader) value() Value {
	if r.rest == "" || r.depth > MaxNesting {
		r.bad = true
		return Value{}
	}
	tag := r.rest[0]
	r.rest = r.rest[1:]
	if tag == storedTrue {
		return Bool(true)
	}
	r.depth++
	defer func() { r.depth-- }()
	switch kind := Kind(tag); kind {
	case S, N, B:
		return Value{kind: kind, text: r.text()}
	case NULL, BOOL:
		return Value{kind: kind}
	case SS, NS, BS:
		set := make([]string, r.count())
		for i := range set {
			set[i] = r.text()
		}
		return newSet(kind, set)
	case L:
		list := make([]Value, r.count())
		for i := range list {
			list[i] = r.value()
		}
		return List(list)
	case M:
		return Map(r.item())
	}
	r.bad = true
	return Value{}
}

func (r *reader) text() string {
	n := r.count()
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

// count reads a varint. Every counted thing takes at least a byte, which
// bounds what a damaged count can make us allocate.
func (r *reader) count() int {
	var v uint64
	for i := 0; i < len(r.rest) && i < binary.MaxVarintLen64; i++ {
		c := r.rest[i]
		v |= uint64(c&0x7F) << (7 * i)
		if c < 0x80 {
			r.rest = r.rest[i+1:]
			if v > uint64(len(r.rest)) {
				break
			}
			return int(v)
		}
	}
	r.bad = true
	return 0
}

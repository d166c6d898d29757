package value

import (
	"slices"
	"sync/atomic"
)

// indexFrom is the size at which a map starts to keep a hash index; below it
// a linear search over the entries is faster and needs no memory.
const indexFrom = 24

// Entry is one key and its value.
type Entry struct {
	Key   string
	Value Value
}

// Map is a mutable map that keeps the order in which keys were first put.
// The zero Map is empty and ready for use. Keys are strings: templates do put
// other types, which are stored under their printed form.
type Map struct {
	members []Entry
	index   map[string]int // nil while the map is small
	// doc is set while the members stand in a document's text only, described
	// by its marks from at on.
	doc  *Document
	at   int
	made bool // by a document
}

// settle makes the members of a map that stands in a document's text.
func (m *Map) settle() {
	if m == nil || m.doc == nil {
		return
	}
	d, p, n := m.doc, m.at+2, m.Len()
	m.doc = nil
	m.members = make([]Entry, 0, n)
	for range n {
		e := Entry{d.name(d.tape[p]), d.value(p + 1)}
		if n > maxKeys {
			m.Put(e.Key, e.Value) // a key may be there twice
		} else {
			m.members = append(m.members, e)
		}
		p = d.next(p + 1)
	}
	if len(m.members) >= indexFrom && m.index == nil {
		m.reindex()
	}
}

// NewMap returns a map with the given entries, in that order.
func NewMap(entries ...Entry) *Map {
	small := &struct {
		Map
		room [3]Entry
	}{}
	m := &small.Map
	m.members = small.room[:0]
	if len(entries) > len(small.room) {
		m.members = make([]Entry, 0, len(entries))
	}
	for _, e := range entries {
		m.Put(e.Key, e.Value)
	}
	return m
}

// Len returns the number of entries. It is 0 for a nil map.
func (m *Map) Len() int {
	switch {
	case m == nil:
		return 0
	case m.doc != nil:
		return int(m.doc.tape[m.at].start)
	}
	return len(m.members)
}

// At returns the entry at position i, 0 ≤ i < Len.
func (m *Map) At(i int) Entry {
	m.settle()
	return m.members[i]
}

// Get returns the value at key and whether the key is there.
func (m *Map) Get(key string) (Value, bool) {
	if m != nil && m.doc != nil {
		if p := m.doc.find(m.at, key, 0); p >= 0 {
			return m.doc.value(p), true
		}
		return nil, false
	}
	if i := m.find(key); i >= 0 {
		return m.members[i].Value, true
	}
	return nil, false
}

// Seek is Get for a key that is asked of many maps. It remembers in guess, 0 at
// first and shared by whoever asks, where the key was, since others often have
// it at the same place.
func (m *Map) Seek(key string, guess *int32) (Value, bool) {
	if m.doc == nil {
		return m.Get(key)
	}
	if p := m.seek(key, guess); p >= 0 {
		return m.doc.value(p), true
	}
	return nil, false
}

// AppendText appends what the value at key prints as, if that can be told
// without making the value. The guess is that of Seek.
func (m *Map) AppendText(dst []byte, key string, guess *int32) ([]byte, bool) {
	d := m.doc
	if d == nil {
		return dst, false
	}
	if p := m.at + int(atomic.LoadInt32(guess)); d.isKey(p, m.at, key) {
		return d.appendText(dst, p+1)
	}
	if p := m.seek(key, guess); p >= 0 {
		return d.appendText(dst, p)
	}
	return dst, false
}

// SeekText is Seek for a value that is a string in a document's text.
func (m *Map) SeekText(key string, guess *int32) (string, bool) {
	if m.doc != nil {
		if p := m.seek(key, guess); p >= 0 {
			return m.doc.textAt(p)
		}
	}
	return "", false
}

// seek returns the mark of key's value, or -1.
func (m *Map) seek(key string, guess *int32) int {
	last := atomic.LoadInt32(guess)
	p := m.doc.find(m.at, key, int(last))
	if now := int32(p - 1 - m.at); p >= 0 && now != last {
		atomic.StoreInt32(guess, now)
	}
	return p
}

// Put stores v at key and returns what was there, or nil.
func (m *Map) Put(key string, v Value) Value {
	m.settle()
	if i := m.find(key); i >= 0 {
		old := m.members[i].Value
		m.members[i].Value = v
		return old
	}
	m.members = append(m.members, Entry{key, v})
	if m.index != nil {
		m.index[key] = len(m.members) - 1
	} else if len(m.members) >= indexFrom {
		m.reindex()
	}
	return nil
}

// Remove deletes key and returns what was there, or nil.
func (m *Map) Remove(key string) Value {
	m.settle()
	i := m.find(key)
	if i < 0 {
		return nil
	}
	old := m.members[i].Value
	m.members = slices.Delete(m.members, i, i+1)
	if m.index != nil {
		m.reindex()
	}
	return old
}

// Clear removes every entry.
func (m *Map) Clear() { m.members, m.index, m.doc = nil, nil, nil }

// Keys returns the keys in order, in a slice of its own.
func (m *Map) Keys() []string {
	keys := make([]string, m.Len())
	for i := range keys {
		keys[i] = m.At(i).Key
	}
	return keys
}

func (m *Map) find(key string) int {
	if m == nil {
		return -1
	}
	if m.index != nil {
		if i, ok := m.index[key]; ok {
			return i
		}
		return -1
	}
	for i := range m.members {
		if m.members[i].Key == key {
			return i
		}
	}
	return -1
}

func (m *Map) reindex() {
	m.index = make(map[string]int, 2*len(m.members))
	for i := range m.members {
		m.index[m.members[i].Key] = i
	}
}

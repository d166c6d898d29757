package value

import "slices"

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
	members []member
	index   map[string]int // nil while the map is small
}

// member is an entry. While raw is set, the value still has to be made: raw is
// a JSON string without escapes, or a number that prints as it is written.
type member struct {
	key   string
	value Value
	raw   string
}

// text is what a raw member prints as.
func (e *member) text() string {
	if e.raw[0] == '"' {
		return e.raw[1 : len(e.raw)-1]
	}
	return e.raw
}

// get returns the value, which it makes if need be.
func (e *member) get() Value {
	if e.raw != "" {
		if e.raw[0] == '"' {
			e.value = e.text()
		} else {
			e.value = bareValue(e.raw)
		}
		e.raw = ""
	}
	return e.value
}

// NewMap returns a map with the given entries, in that order.
func NewMap(entries ...Entry) *Map {
	m := &Map{members: make([]member, 0, len(entries))}
	for _, e := range entries {
		m.Put(e.Key, e.Value)
	}
	return m
}

// Len returns the number of entries. It is 0 for a nil map.
func (m *Map) Len() int {
	if m == nil {
		return 0
	}
	return len(m.members)
}

// At returns the entry at position i, 0 ≤ i < Len.
func (m *Map) At(i int) Entry { return Entry{m.members[i].key, m.members[i].get()} }

// Get returns the value at key and whether the key is there.
func (m *Map) Get(key string) (Value, bool) {
	if i := m.find(key); i >= 0 {
		return m.members[i].get(), true
	}
	return nil, false
}

// Text returns what the value at key prints as, if that can be told without
// making the value.
func (m *Map) Text(key string) (string, bool) {
	if i := m.find(key); i >= 0 && m.members[i].raw != "" {
		return m.members[i].text(), true
	}
	return "", false
}

// Put stores v at key and returns what was there, or nil.
func (m *Map) Put(key string, v Value) Value {
	if i := m.find(key); i >= 0 {
		old := m.members[i].get()
		m.members[i].value = v
		return old
	}
	m.putMember(&member{key: key, value: v})
	return nil
}

// putMember is Put for a member that may be raw.
func (m *Map) putMember(e *member) {
	if i := m.find(e.key); i >= 0 {
		m.members[i].value, m.members[i].raw = e.value, e.raw
		return
	}
	m.members = append(m.members, *e)
	if m.index != nil {
		m.index[e.key] = len(m.members) - 1
	} else if len(m.members) >= indexFrom {
		m.reindex()
	}
}

// Remove deletes key and returns what was there, or nil.
func (m *Map) Remove(key string) Value {
	i := m.find(key)
	if i < 0 {
		return nil
	}
	old := m.members[i].get()
	m.members = slices.Delete(m.members, i, i+1)
	if m.index != nil {
		m.reindex()
	}
	return old
}

// Clear removes every entry.
func (m *Map) Clear() { m.members, m.index = nil, nil }

// Keys returns the keys in order, in a slice of its own.
func (m *Map) Keys() []string {
	keys := make([]string, m.Len())
	for i := range keys {
		keys[i] = m.members[i].key
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
		if m.members[i].key == key {
			return i
		}
	}
	return -1
}

func (m *Map) reindex() {
	m.index = make(map[string]int, 2*len(m.members))
	for i := range m.members {
		m.index[m.members[i].key] = i
	}
}

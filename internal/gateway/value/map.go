package value

// indexFrom is the size at which a map starts to keep a hash index; below it
// a linear search over the entries is faster and needs no memory.
const indexFrom = 12

// Entry is one key and its value.
type Entry struct {
	Key   string
	Value Value
}

// Map is a mutable map that keeps the order in which keys were first put.
// The zero Map is empty and ready for use. Keys are strings: templates do put
// other types, which are stored under their printed form.
type Map struct {
	entries []Entry
	index   map[string]int // nil while the map is small
}

// NewMap returns a map with the given entries, in that order.
func NewMap(entries ...Entry) *Map {
	m := &Map{entries: make([]Entry, 0, len(entries))}
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
	return len(m.entries)
}

// At returns the entry at position i, 0 ≤ i < Len.
func (m *Map) At(i int) Entry { return m.entries[i] }

// Get returns the value at key and whether the key is there.
func (m *Map) Get(key string) (Value, bool) {
	if i := m.find(key); i >= 0 {
		return m.entries[i].Value, true
	}
	return nil, false
}

// Put stores v at key and returns what was there, or nil.
func (m *Map) Put(key string, v Value) Value {
	if i := m.find(key); i >= 0 {
		old := m.entries[i].Value
		m.entries[i].Value = v
		return old
	}
	m.entries = append(m.entries, Entry{key, v})
	switch {
	case m.index != nil:
		m.index[key] = len(m.entries) - 1
	case len(m.entries) >= indexFrom:
		m.reindex()
	}
	return nil
}

// Remove deletes key and returns what was there, or nil.
func (m *Map) Remove(key string) Value {
	i := m.find(key)
	if i < 0 {
		return nil
	}
	old := m.entries[i].Value
	m.entries = append(m.entries[:i], m.entries[i+1:]...)
	if m.index != nil {
		m.reindex()
	}
	return old
}

// Clear removes every entry.
func (m *Map) Clear() { m.entries, m.index = nil, nil }

// Keys returns the keys in order, in a slice of its own.
func (m *Map) Keys() []string {
	keys := make([]string, m.Len())
	for i := range keys {
		keys[i] = m.entries[i].Key
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
	for i := range m.entries {
		if m.entries[i].Key == key {
			return i
		}
	}
	return -1
}

func (m *Map) reindex() {
	m.index = make(map[string]int, 2*len(m.entries))
	for i, e := range m.entries {
		m.index[e.Key] = i
	}
}

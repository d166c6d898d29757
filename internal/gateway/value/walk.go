package value

// Scalar is a scalar of a document, or a key, that has not been made a value.
type Scalar struct {
	doc *Document // nil for a key
	at  int
	key string
}

// Value makes the value.
func (s *Scalar) Value() Value {
	if s.doc == nil {
		return s.key
	}
	return s.doc.value(s.at)
}

// Text returns the value if it is a string.
func (s *Scalar) Text() (string, bool) {
	if s.doc == nil {
		return s.key, true
	}
	return s.doc.textAt(s.at)
}

// AppendText appends what the value prints as, if that can be told without
// making it.
func (s *Scalar) AppendText(dst []byte) ([]byte, bool) {
	if s.doc == nil {
		return append(dst, s.key...), true
	}
	return s.doc.appendText(dst, s.at)
}

// Walk visits the items of a list, the values of a map, or keys. What replaces
// items and values meanwhile is seen, and what is added.
type Walk struct {
	list *List
	dict *Map
	keys []string
	n    int // how many were visited
	mark int // where the next one is, while all are in the document's text
}

// WalkList begins at a list's first item.
func WalkList(l *List) Walk { return Walk{list: l, mark: l.at + 2} }

// WalkMap begins at a map's first value.
func WalkMap(m *Map) Walk {
	w := Walk{dict: m}
	if m != nil {
		w.mark = m.at + 3
	}
	return w
}

// WalkKeys begins at the first of some keys.
func WalkKeys(keys []string) Walk { return Walk{keys: keys} }

// Len is how many there are now.
func (w *Walk) Len() int {
	if w.keys != nil {
		return len(w.keys)
	}
	if w.list != nil {
		return w.list.Len()
	}
	return w.dict.Len()
}

// Next returns the next value. If that is a scalar in a document's text, or a
// key, it describes it in s and returns s. There must be one more.
func (w *Walk) Next(s *Scalar) Value {
	w.n++
	switch {
	case w.keys != nil:
		*s = Scalar{key: w.keys[w.n-1]}
		return s
	case w.list != nil && w.list.doc != nil:
		return w.read(w.list.doc, s, 0)
	case w.list != nil:
		return w.list.items[w.n-1]
	case w.dict.doc != nil:
		return w.read(w.dict.doc, s, 1)
	}
	return w.dict.members[w.n-1].Value
}

// read takes the value at the mark, and skips as many marks of a next key.
func (w *Walk) read(d *Document, s *Scalar, key int) Value {
	p := w.mark
	w.mark = d.next(p) + key
	if d.tape[p].container() {
		return d.value(p)
	}
	*s = Scalar{doc: d, at: p}
	return s
}

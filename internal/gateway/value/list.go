package value

// List is a mutable sequence, shared by reference as Java's are.
type List struct {
	items []Value
	// JSON tells lists that came out of a JSON document from lists that a
	// template made: the first kind prints as JSON, the second as Java prints
	// a collection (`[a, b]`). A map prints as Java prints it in both cases.
	JSON bool
	// doc is set while the items stand in a document's text only, described
	// by its marks from at on.
	doc *Document
	at  int
}

// NewList returns a list as a template makes it, of these items themselves.
func NewList(items ...Value) *List { return &List{items: items} }

// NewJSONList is NewList for a list that prints as JSON.
func NewJSONList(items ...Value) *List { return &List{items: items, JSON: true} }

// Len returns the number of items.
func (l *List) Len() int {
	if l.doc != nil {
		return int(l.doc.tape[l.at].start)
	}
	return len(l.items)
}

// nearStart is how many items are passed over in a document's text to get one.
const nearStart = 16

// At returns the item at position i, 0 ≤ i < Len.
func (l *List) At(i int) Value {
	if l.doc == nil {
		return l.items[i]
	}
	if i > nearStart {
		return l.Items()[i]
	}
	p := l.at + 2
	for range i {
		p = l.doc.next(p)
	}
	return l.doc.value(p)
}

// Items returns the items themselves: to change one is to change the list.
func (l *List) Items() []Value {
	if l.doc != nil {
		d, p, n := l.doc, l.at+2, l.Len()
		l.doc = nil
		l.items = make([]Value, n)
		for i := range l.items {
			l.items[i] = d.value(p)
			p = d.next(p)
		}
	}
	return l.items
}

// SetItems replaces all items by these themselves.
func (l *List) SetItems(items []Value) { l.items, l.doc = items, nil }

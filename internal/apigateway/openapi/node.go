package openapi

import (
	"iter"
	"slices"
)

// kind is the type of a node.
type kind uint8

const (
	null kind = iota
	text
	number
	boolean
	list
	object
)

// node is a value of a document. Members of objects keep their order. A nil
// node is a missing value: every reading method may be called on it.
type node struct {
	kind  kind
	text  string   // of scalars: the text, or the literal
	keys  []string // of objects, parallel to items
	items []*node
}

func textNode(s string) *node { return &node{kind: text, text: s} }

func newObject() *node { return &node{kind: object} }

func boolNode(b bool) *node {
	if b {
		return &node{kind: boolean, text: "true"}
	}
	return &node{kind: boolean, text: "false"}
}

func textList(values ...string) *node {
	n := &node{kind: list}
	for _, v := range values {
		n.items = append(n.items, textNode(v))
	}
	return n
}

// get returns the member at a path of names, or nil.
func (n *node) get(path ...string) *node {
	for _, name := range path {
		if n == nil || n.kind != object {
			return nil
		}
		i := slices.Index(n.keys, name)
		if i < 0 {
			return nil
		}
		n = n.items[i]
	}
	return n
}

// str is a scalar's text; "" of null and of what is no scalar.
func (n *node) str() string {
	if n == nil || n.kind == null || n.kind == list || n.kind == object {
		return ""
	}
	return n.text
}

// optional is a pointer to the text of a scalar that isn't empty, or nil.
func (n *node) optional() *string {
	if s := n.str(); s != "" {
		return &s
	}
	return nil
}

// isTrue reads a flag, which may be spelt as text.
func (n *node) isTrue() bool { return n.str() == "true" }

// fields yields the members of an object in order.
func (n *node) fields() iter.Seq2[string, *node] {
	return func(yield func(string, *node) bool) {
		if n == nil || n.kind != object {
			return
		}
		for i, key := range n.keys {
			if !yield(key, n.items[i]) {
				return
			}
		}
	}
}

// elements are the items of a list.
func (n *node) elements() []*node {
	if n == nil || n.kind != list {
		return nil
	}
	return n.items
}

// texts are the scalars of a list.
func (n *node) texts() []string {
	var out []string
	for _, item := range n.elements() {
		out = append(out, item.str())
	}
	return out
}

// isObject reports whether there is an object.
func (n *node) isObject() bool { return n != nil && n.kind == object }

// set adds or replaces a member and returns n; a nil v is left out.
func (n *node) set(key string, v *node) *node {
	if v == nil {
		return n
	}
	if i := slices.Index(n.keys, key); i >= 0 {
		n.items[i] = v
		return n
	}
	n.keys, n.items = append(n.keys, key), append(n.items, v)
	return n
}

// setText adds a text member unless it is missing.
func (n *node) setText(key string, v *string) *node {
	if v == nil {
		return n
	}
	return n.set(key, textNode(*v))
}

// Package pattern decides which events rules, event source mappings and
// subscriptions let through. A pattern is JSON of the event's own form whose
// leaves are lists of what may stand there (EventBridge User Guide: "Amazon
// EventBridge event patterns"; Lambda and SNS have the same). It is pure.
package pattern

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Pattern is a compiled pattern. It is immutable.
type Pattern struct{ root *node }

// node is what must hold at one place of an event: of its members, of itself,
// or of at least one of several alternatives.
type node struct {
	members map[string]*node
	any     []*node // $or
	leaf    []rule  // one of which must match
}

// rule is one element of a leaf. present tells whether there is a value.
type rule func(v any, present bool) bool

// Matches reports whether an event, as decoded JSON, fits the pattern.
func (p *Pattern) Matches(event any) bool { return p.root.matches(event, true) }

// Asks reports whether the pattern has something to say about members of the
// member of this name: whether it is for values that are objects.
func (p *Pattern) Asks(name string) bool {
	n := p.root.members[name]
	return n != nil && n.leaf == nil
}

func (n *node) matches(v any, present bool) bool {
	if n.leaf != nil {
		return n.leafMatches(v, present)
	}
	if len(n.any) > 0 && !slices.ContainsFunc(n.any, func(one *node) bool { return one.matches(v, present) }) {
		return false
	}
	// A list of objects fits if one of them does.
	if list, ok := v.([]any); ok {
		for _, element := range list {
			if n.matches(element, true) {
				return true
			}
		}
		return false
	}
	object, _ := v.(map[string]any)
	for name, child := range n.members {
		value, there := find(object, name, child.leaf == nil)
		if !child.matches(value, there) {
			return false
		}
	}
	return true
}

func (n *node) leafMatches(v any, present bool) bool {
	if list, ok := v.([]any); ok && len(list) > 0 {
		for _, element := range list {
			if n.leafMatches(element, true) {
				return true
			}
		}
		return false
	} else if ok {
		v, present = nil, false // a list of nothing has no value
	}
	for _, r := range n.leaf {
		if r(v, present) {
			return true
		}
	}
	return false
}

// find is the member of a name. Dots in names are those between them: "a.b" is
// also the member b of a, and the other way round (User Guide: "Considerations
// when creating event patterns").
func find(object map[string]any, name string, deep bool) (v any, there bool) {
	if v, there = object[name]; there {
		return v, true
	}
	if first, rest, dotted := strings.Cut(name, "."); dotted {
		inner, ok := object[first].(map[string]any)
		if ok {
			return find(inner, rest, deep)
		}
	}
	if !deep {
		return nil, false
	}
	inner := map[string]any{}
	for key, value := range object {
		if rest, ok := strings.CutPrefix(key, name+"."); ok {
			inner[rest] = value
		}
	}
	return inner, len(inner) > 0
}

// Decode reads an event for Matches.
func Decode(text []byte) (any, error) {
	var v any
	err := json.Unmarshal(text, &v, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return v, err
}

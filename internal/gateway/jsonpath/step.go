package jsonpath

import "github.com/butai-dev/butai/internal/gateway/value"

// child selects a map's value by name: .name or ['name'].
type child string

func (c child) one(v value.Value) (value.Value, bool) {
	m, ok := v.(*value.Map)
	if !ok {
		return nil, false
	}
	return m.Get(string(c))
}

func (c child) each(_ *run, v value.Value, yield func(value.Value) bool) bool {
	if got, ok := c.one(v); ok {
		return yield(got)
	}
	return true
}

func (child) definite(bool) bool { return true }

// children is ['a','b']. At the end of a path it gives one object with the
// keys that are there; before another step it selects each value in turn.
type children struct {
	names []string
	last  bool
}

func (c children) one(v value.Value) (value.Value, bool) {
	m, ok := v.(*value.Map)
	if !ok {
		return nil, false
	}
	picked := &value.Map{}
	for _, name := range c.names {
		if got, ok := m.Get(name); ok {
			picked.Put(name, got)
		}
	}
	return picked, true
}

func (c children) each(_ *run, v value.Value, yield func(value.Value) bool) bool {
	if c.last {
		if got, ok := c.one(v); ok {
			return yield(got)
		}
		return true
	}
	m, ok := v.(*value.Map)
	if !ok {
		return true
	}
	for _, name := range c.names {
		if got, ok := m.Get(name); ok && !yield(got) {
			return false
		}
	}
	return true
}

func (children) definite(last bool) bool { return last }

// index is [n], counted from the end if negative.
type index int

func (n index) one(v value.Value) (value.Value, bool) {
	l, ok := v.(*value.List)
	if !ok {
		return nil, false
	}
	i := int(n)
	if i < 0 {
		i += l.Len()
	}
	if i < 0 || i >= l.Len() {
		return nil, false
	}
	return l.At(i), true
}

func (n index) each(_ *run, v value.Value, yield func(value.Value) bool) bool {
	if got, ok := n.one(v); ok {
		return yield(got)
	}
	return true
}

func (index) definite(bool) bool { return true }

// many is the base of the steps that may select several values.
type many struct{}

func (many) definite(bool) bool                  { return false }
func (many) one(value.Value) (value.Value, bool) { return nil, false }

// indexes is [a,b,…].
type indexes struct {
	many
	at []index
}

func (s indexes) each(r *run, v value.Value, yield func(value.Value) bool) bool {
	for _, n := range s.at {
		if !n.each(r, v, yield) {
			return false
		}
	}
	return true
}

// slice is [from:to]; Jayway reads a third part, the stride, and ignores it.
type slice struct {
	many
	from, to       int
	hasFrom, hasTo bool
}

func (s slice) each(_ *run, v value.Value, yield func(value.Value) bool) bool {
	l, ok := v.(*value.List)
	if !ok {
		return true
	}
	n := l.Len()
	from, to := 0, n
	if s.hasFrom {
		from = clamp(s.from, n)
	}
	if s.hasTo {
		to = clamp(s.to, n)
	}
	for i := from; i < to; i++ {
		if !yield(l.Items()[i]) {
			return false
		}
	}
	return true
}

func clamp(i, n int) int {
	if i < 0 {
		i += n
	}
	return max(0, min(i, n))
}

// wildcard is .* or [*].
type wildcard struct{ many }

func (wildcard) each(_ *run, v value.Value, yield func(value.Value) bool) bool {
	switch v := v.(type) {
	case *value.Map:
		for i := range v.Len() {
			if !yield(v.At(i).Value) {
				return false
			}
		}
	case *value.List:
		for _, item := range v.Items() {
			if !yield(item) {
				return false
			}
		}
	}
	return true
}

// scan is "..": the value itself and everything below it, parents first.
type scan struct {
	many
	next step // applied at every level
}

func (s scan) each(r *run, v value.Value, yield func(value.Value) bool) bool {
	return s.level(r, v, yield, 0)
}

// scanDepth bounds the descent; parsed documents are never deeper, but a
// template can put a map into itself.
const scanDepth = 300

func (s scan) level(r *run, v value.Value, yield func(value.Value) bool, depth int) bool {
	if depth > scanDepth {
		return true
	}
	if r.visits++; r.visits > maxVisits {
		return false
	}
	if f, ok := s.next.(filter); ok {
		// Under a scan a filter judges the objects themselves, not the items
		// of each list, or every match would come twice.
		if _, isMap := v.(*value.Map); isMap && f.cond.test(r.root, v) && !yield(v) {
			return false
		}
	} else if !s.next.each(r, v, yield) {
		return false
	}
	return wildcard{}.each(r, v, func(v value.Value) bool {
		return s.level(r, v, yield, depth+1)
	})
}

// filter is [?(…)]: the items of a list for which the condition holds, or the
// object itself.
type filter struct {
	many
	cond condition
}

func (f filter) each(r *run, v value.Value, yield func(value.Value) bool) bool {
	switch v := v.(type) {
	case *value.List:
		for _, item := range v.Items() {
			if f.cond.test(r.root, item) && !yield(item) {
				return false
			}
		}
	case *value.Map:
		if f.cond.test(r.root, v) {
			return yield(v)
		}
	}
	return true
}

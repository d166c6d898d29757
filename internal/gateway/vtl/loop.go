package vtl

import "github.com/butai-dev/butai/internal/gateway/value"

// foreachNode is #foreach.
type foreachNode struct {
	item, loop, count int // variables: the item, $foreach, $velocityCount
	over              expr
	body              nodes
}

// loop is $foreach.
type loop struct {
	index, size int
	parent      *loop
}

func (n *foreachNode) render(st *state) error {
	over, err := n.over.eval(st)
	if err != nil {
		return err
	}
	items, ok := iterate(st, over)
	if !ok || len(items) == 0 {
		return nil
	}
	oldItem, oldLoop, oldCount := st.vars[n.item], st.vars[n.loop], st.vars[n.count]
	parent, _ := oldLoop.(*loop)
	l := &loop{size: len(items), parent: parent}
	for i, item := range items {
		if i == MaxRounds {
			return errRounds
		}
		l.index = i
		st.vars[n.item], st.vars[n.loop], st.vars[n.count] = item, l, int64(i+1)
		if err = n.body.render(st); err != nil {
			break
		}
	}
	st.vars[n.item], st.vars[n.loop], st.vars[n.count] = oldItem, oldLoop, oldCount
	if err == errBreak {
		err = nil
	}
	return err
}

// iterate returns what #foreach visits in v: a list's items, a map's values.
// A list changed by the loop's body does not change the visit.
func iterate(st *state, v Value) ([]Value, bool) {
	switch v := v.(type) {
	case *value.List:
		return v.Items[:len(v.Items):len(v.Items)], true
	case *value.Map:
		return mapValues(v), true
	case source:
		return mapValues(v.toMap()), true
	case stageObject:
		return mapValues(v.source(st.env).toMap()), true
	case contextObject:
		return mapValues(v.toMap(st.env)), true
	case *iterator:
		return v.rest(), true
	}
	return nil, false
}

func mapValues(m *value.Map) []Value {
	items := make([]Value, m.Len())
	for i := range items {
		items[i] = m.At(i).Value
	}
	return items
}

// property returns $foreach.name.
func (l *loop) property(name string) Value {
	switch name {
	case "index":
		return int64(l.index)
	case "count":
		return int64(l.index + 1)
	case "hasNext":
		return l.index+1 < l.size
	case "first":
		return l.index == 0
	case "last":
		return l.index+1 == l.size
	case "parent":
		if l.parent != nil {
			return l.parent
		}
	case "topmost":
		for l.parent != nil {
			l = l.parent
		}
		return l
	}
	return nil
}

// AppendJava prints $foreach itself. Velocity prints an object's address.
func (l *loop) AppendJava(dst []byte) []byte { return append(dst, "foreach"...) }

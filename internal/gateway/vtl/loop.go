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
	items := iterate(st, over)
	n0 := items.len()
	if n0 == 0 {
		return nil
	}
	oldItem, oldLoop, oldCount := st.vars[n.item], st.vars[n.loop], st.vars[n.count]
	parent, _ := oldLoop.(*loop)
	l := &loop{size: n0, parent: parent}
	// The body may change the collection: what it replaces is seen, what it
	// adds is not.
	for i := 0; i < n0 && i < items.len(); i++ {
		if i == MaxRounds {
			err = errRounds
			break
		}
		l.index = i
		st.vars[n.item], st.vars[n.loop], st.vars[n.count] = items.at(i), l, int64(i+1)
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

// sequence is what #foreach visits: a list's items or a map's values.
type sequence struct {
	list *value.List
	dict *value.Map
}

func (s sequence) len() int {
	if s.list != nil {
		return len(s.list.Items)
	}
	return s.dict.Len()
}

func (s sequence) at(i int) Value {
	if s.list != nil {
		return s.list.Items[i]
	}
	return s.dict.At(i).Value
}

// iterate returns the sequence that v offers, an empty one for most values.
func iterate(st *state, v Value) sequence {
	switch v := v.(type) {
	case *value.List:
		return sequence{list: v}
	case *value.Map:
		return sequence{dict: v}
	case source:
		return sequence{dict: v.toMap()}
	case stageObject:
		return sequence{dict: v.source(st.env).toMap()}
	case contextObject:
		return sequence{dict: v.toMap(st.env)}
	case *iterator:
		return sequence{list: value.NewList(v.rest()...)}
	}
	return sequence{}
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

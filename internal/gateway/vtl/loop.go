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
	item        value.Scalar // the item, while it is only text in the payload
	kept        bool         // some value refers to the loop
}

// keep makes the loop, and those around it, outlive their #foreach.
func (l *loop) keep() {
	for ; l != nil && !l.kept; l = l.parent {
		l.kept = true
	}
}

// loop returns one that nothing refers to.
func (st *state) loop() *loop {
	if n := len(st.loops); n > 0 {
		l := st.loops[n-1]
		st.loops = st.loops[:n-1]
		return l
	}
	return &loop{}
}

// done takes a loop back that has ended.
func (st *state) done(l *loop) {
	if !l.kept {
		*l = loop{}
		st.loops = append(st.loops, l)
	}
}

// counts are the values of $velocityCount.
var counts = func() (c [MaxRounds + 1]Value) {
	for i := range c {
		c[i] = int64(i)
	}
	return c
}()

func (n *foreachNode) render(st *state) error {
	items, err := n.items(st)
	if err != nil {
		return err
	}
	size := items.Len()
	if size == 0 {
		return nil
	}
	oldItem, oldLoop, oldCount := st.vars[n.item], st.vars[n.loop], st.vars[n.count]
	l := st.loop()
	l.parent, _ = oldLoop.(*loop)
	l.size = size
	// The body may change the collection: what it replaces is seen, what it
	// adds is not.
	for i := 0; i < size && i < items.Len(); i++ {
		if i == MaxRounds {
			err = errRounds
			break
		}
		l.index = i
		st.vars[n.item], st.vars[n.loop], st.vars[n.count] = items.Next(&l.item), l, counts[i+1]
		if err = n.body.render(st); err != nil {
			break
		}
	}
	st.vars[n.item], st.vars[n.loop], st.vars[n.count] = oldItem, oldLoop, oldCount
	st.done(l)
	if err == errBreak {
		err = nil
	}
	return err
}

// items is what the loop visits. The list that keySet() would make of keys isn't
// made for that.
func (n *foreachNode) items(st *state) (value.Walk, error) {
	r, ok := n.over.(*ref)
	last := 0
	if ok {
		last = len(r.steps) - 1
	}
	if !ok || last < 0 || r.steps[last].shortcut != keysOf || st.env.Trace != nil {
		v, err := n.over.eval(st)
		return iterate(st, v), err
	}
	v, err := r.walk(st, last)
	if err == nil && v != nil {
		switch owner := v.(type) {
		case *value.Map:
			return value.WalkKeys(owner.Keys()), locate(st.spend(1+owner.Len()/4), r.source, r.line, r.column)
		case source:
			return value.WalkKeys(owner.keys()), locate(st.spend(1), r.source, r.line, r.column)
		case stageObject:
			return value.WalkKeys(owner.source(st.env).keys()), locate(st.spend(1), r.source, r.line, r.column)
		}
		v, err = r.steps[last].apply(st, v)
	}
	return iterate(st, v), locate(err, r.source, r.line, r.column)
}

// iterate returns the values that v offers, none for most kinds.
func iterate(st *state, v Value) value.Walk {
	switch v := v.(type) {
	case *value.List:
		return value.WalkList(v)
	case *value.Map:
		return value.WalkMap(v)
	case source:
		return value.WalkMap(v.toMap())
	case stageObject:
		return value.WalkMap(v.source(st.env).toMap())
	case contextObject:
		return value.WalkMap(v.toMap(st.env))
	case *iterator:
		return value.WalkList(value.NewList(v.rest()...))
	}
	return value.Walk{}
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

package expr

import (
	"cmp"
	"maps"
	"slices"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
)

// The complaints about an update that fits no item of this shape. They come
// without naming the expression.
var (
	errPath        = invalid("The document path provided in the update expression is invalid for update")
	errNoAttribute = invalid("The provided expression refers to an attribute that does not exist in the item")
	errOperand     = invalid("An operand in the update expression has an incorrect data type")
	errLegacyType  = invalid("Type mismatch for attribute to update")
)

// Result is an item after an update.
type Result struct {
	Item attr.Item
	old  attr.Item
	// staged is Item before removed list elements were taken out, so that
	// the positions in touched still hold.
	staged           attr.Item
	before, affected pathTree
}

// Old returns the previous values of what the update touched, as
// ReturnValues=UPDATED_OLD does.
func (r *Result) Old() attr.Item { return r.before.pick(r.old) }

// New returns the present values of what the update touched, as
// ReturnValues=UPDATED_NEW does.
func (r *Result) New() attr.Item { return r.affected.pick(r.staged) }

// Apply returns old after the update; old itself is not changed. All right
// sides see old. The item to create, if there is none yet, starts as its key.
func (u *Update) Apply(old attr.Item) (*Result, error) {
	values := make([]attr.Value, len(u.actions))
	for i, a := range u.actions {
		var err error
		if values[i], err = a.newValue(old); err != nil {
			return nil, err
		}
	}
	st := &stage{item: maps.Clone(old)}
	if st.item == nil {
		st.item = attr.Item{}
	}
	var before, affected collector
	for _, i := range u.order() {
		a := u.actions[i]
		at, err := st.put(a.path, values[i])
		if err != nil {
			return nil, err
		}
		before.add(a.path)
		affected.add(at)
	}
	res := &Result{Item: st.item, staged: st.item, old: old, before: before.root, affected: affected.root}
	if st.removed {
		res.Item = compactItem(st.item, u)
	}
	return res, nil
}

// order lists the actions with indexes into a list ascending, so that several
// new elements are appended in the order of their indexes. As the paths of an
// update never overlap, no other effect depends on the order.
func (u *Update) order() []int {
	order := make([]int, len(u.actions))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return slices.CompareFunc(u.actions[a].path, u.actions[b].path, func(x, y Step) int {
			return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.Index, y.Index))
		})
	})
	return order
}

// newValue returns what the action leaves at its path; absent to remove it.
func (a action) newValue(old attr.Item) (attr.Value, error) {
	switch a.section {
	case sectionSet:
		return a.operand.compute(old)
	case sectionAdd:
		return a.add(a.path.Lookup(old))
	case sectionDelete:
		return a.subtract(a.path.Lookup(old))
	}
	return attr.Value{}, nil
}

func (a action) add(old attr.Value) (attr.Value, error) {
	v := a.operand.value
	switch {
	case old.IsZero():
		return v, nil
	case old.Kind() != v.Kind():
		return attr.Value{}, a.mismatch()
	case v.Kind() == attr.N:
		return arithmetic("+", old, v)
	case v.Kind() == attr.L:
		return attr.List(slices.Concat(old.Elements(), v.Elements())), nil
	}
	members := slices.Clone(old.Members())
	has := setOf(members)
	for _, m := range v.Members() {
		if _, ok := has[m]; !ok {
			members = append(members, m)
		}
	}
	return attr.Set(v.Kind(), members), nil
}

func (a action) subtract(old attr.Value) (attr.Value, error) {
	v := a.operand.value
	switch {
	case old.IsZero():
		return old, nil
	case old.Kind() != v.Kind():
		return attr.Value{}, a.mismatch()
	}
	gone := setOf(v.Members())
	members := slices.DeleteFunc(slices.Clone(old.Members()), func(m string) bool {
		_, ok := gone[m]
		return ok
	})
	if len(members) == 0 {
		return attr.Value{}, nil
	}
	return attr.Set(v.Kind(), members), nil
}

func (a action) mismatch() error {
	if a.legacy {
		return errLegacyType
	}
	return errOperand
}

func setOf(members []string) map[string]struct{} {
	m := make(map[string]struct{}, len(members))
	for _, s := range members {
		m[s] = struct{}{}
	}
	return m
}

// compute returns the value of the right side of a SET.
func (n *node) compute(it attr.Item) (attr.Value, error) {
	switch n.kind {
	case nodeValue:
		return n.value, nil
	case nodePath:
		v := n.path.Lookup(it)
		if v.IsZero() {
			return v, errNoAttribute
		}
		return v, nil
	}
	if n.kind == nodeCall && n.text == "if_not_exists" {
		if v := n.kids[0].path.Lookup(it); !v.IsZero() {
			return v, nil
		}
		return n.kids[1].compute(it)
	}
	a, err := n.kids[0].compute(it)
	if err != nil {
		return a, err
	}
	b, err := n.kids[1].compute(it)
	if err != nil {
		return b, err
	}
	if n.kind == nodeArith {
		return arithmetic(n.text, a, b)
	}
	if a.Kind() != attr.L || b.Kind() != attr.L {
		return attr.Value{}, errOperand
	}
	return attr.List(slices.Concat(a.Elements(), b.Elements())), nil
}

func arithmetic(op string, a, b attr.Value) (attr.Value, error) {
	if a.Kind() != attr.N || b.Kind() != attr.N {
		return attr.Value{}, errOperand
	}
	do := attr.AddNumbers
	if op == "-" {
		do = attr.SubtractNumbers
	}
	sum, err := do(a.Text(), b.Text())
	if err != nil {
		return attr.Value{}, err
	}
	return attr.Number(sum)
}

// stage is an item under change. The documents on the way to a change are
// copied; everything else is shared with the old item.
type stage struct {
	item    attr.Item
	removed bool // a list element was replaced by an absent value
}

// put sets the value at p, or removes it if v is absent, and returns where
// the value now is: an index past the end of its list appends.
func (st *stage) put(p Path, v attr.Value) (Path, error) {
	if len(p) == 1 {
		setField(st.item, p[0].Name, v)
		return p, nil
	}
	root := st.item[p[0].Name]
	at := slices.Clone(p)
	changed, err := st.putBelow(root, at[1:], v)
	if err != nil {
		return nil, err
	}
	st.item[p[0].Name] = changed
	return at, nil
}

// putBelow returns doc with v at p, which it corrects where it appends.
func (st *stage) putBelow(doc attr.Value, p Path, v attr.Value) (attr.Value, error) {
	step := p[0]
	switch {
	case step.IsIndex && doc.Kind() == attr.L:
		return st.putElement(doc, p, v)
	case step.IsIndex || doc.Kind() != attr.M:
		return doc, errPath
	}
	fields := maps.Clone(doc.Fields())
	if fields == nil {
		fields = attr.Item{}
	}
	if len(p) == 1 {
		setField(fields, step.Name, v)
		return attr.Map(fields), nil
	}
	child, err := st.putBelow(fields[step.Name], p[1:], v)
	fields[step.Name] = child
	return attr.Map(fields), err
}

func (st *stage) putElement(doc attr.Value, p Path, v attr.Value) (attr.Value, error) {
	list := slices.Clone(doc.Elements())
	i := p[0].Index
	switch {
	case len(p) > 1 && i >= len(list):
		return doc, errPath
	case len(p) > 1:
		child, err := st.putBelow(list[i], p[1:], v)
		if err != nil {
			return doc, err
		}
		list[i] = child
	case i < len(list):
		list[i] = v
		st.removed = st.removed || v.IsZero()
	case !v.IsZero():
		p[0].Index = len(list)
		list = append(list, v)
	}
	return attr.List(list), nil
}

func setField(m attr.Item, name string, v attr.Value) {
	if v.IsZero() {
		delete(m, name)
	} else {
		m[name] = v
	}
}

// compactItem takes the removed elements out of the lists that u reaches.
func compactItem(it attr.Item, u *Update) attr.Item {
	out := maps.Clone(it)
	done := map[string]bool{}
	for _, a := range u.actions {
		if top := a.path.Top(); len(a.path) > 1 && !done[top] {
			out[top], done[top] = compact(out[top]), true
		}
	}
	return out
}

func compact(v attr.Value) attr.Value {
	switch v.Kind() {
	case attr.L:
		list := make([]attr.Value, 0, len(v.Elements()))
		for _, e := range v.Elements() {
			if !e.IsZero() {
				list = append(list, compact(e))
			}
		}
		return attr.List(list)
	case attr.M:
		fields := make(attr.Item, len(v.Fields()))
		for name, e := range v.Fields() {
			fields[name] = compact(e)
		}
		return attr.Map(fields)
	}
	return v
}

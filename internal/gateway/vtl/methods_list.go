package vtl

import (
	"errors"
	"fmt"
	"slices"

	"github.com/butai-dev/butai/internal/gateway/value"
)

var errNoElement = errors.New("iterator has no more elements")

// listMethods are those of java.util.List, and what Velocity offers on arrays.
var listMethods = map[string]*methodDef{
	"size":    {0, 0, func(c callee, _ []Value) (Value, error) { return int64(c.list().Len()), nil }},
	"isEmpty": {0, 0, func(c callee, _ []Value) (Value, error) { return c.list().Len() == 0, nil }},
	"clear": {0, 0, func(c callee, _ []Value) (Value, error) {
		c.list().SetItems(nil)
		return nil, nil
	}},
	"iterator": {0, 0, func(c callee, _ []Value) (Value, error) {
		return &iterator{items: slices.Clone(c.list().Items())}, nil
	}},
	"toArray": {0, 0, func(c callee, _ []Value) (Value, error) {
		return value.NewList(slices.Clone(c.list().Items())...), c.st.spend(c.list().Len())
	}},
	"get":         {1, 1, listGet},
	"set":         {2, 2, listSet},
	"add":         {1, 2, listAdd},
	"addAll":      {1, 1, listAddAll},
	"remove":      {1, 1, listRemove},
	"subList":     {2, 2, listSub},
	"contains":    {1, 1, func(c callee, args []Value) (Value, error) { return c.find(args[0]) >= 0, c.scanned() }},
	"containsAll": {1, 1, listContainsAll},
	"indexOf":     {1, 1, func(c callee, args []Value) (Value, error) { return int64(c.find(args[0])), c.scanned() }},
	"lastIndexOf": {1, 1, func(c callee, args []Value) (Value, error) {
		items := c.list().Items()
		for i := len(items) - 1; i >= 0; i-- {
			if javaEquals(items[i], args[0]) {
				return int64(i), c.scanned()
			}
		}
		return int64(-1), c.scanned()
	}},
}

func (c callee) list() *value.List { return c.recv.(*value.List) }

// scanned accounts for a walk over the list.
func (c callee) scanned() error { return c.st.spend(c.list().Len() / 4) }

func (c callee) find(v Value) int {
	return slices.IndexFunc(c.list().Items(), func(item Value) bool { return javaEquals(item, v) })
}

// position reads an index argument within [0, limit).
func (c callee) position(args []Value, limit int) (int, bool, error) {
	i, ok := intArg(args, 0, 0)
	if ok && (i < 0 || i >= limit) {
		return 0, true, fmt.Errorf("index %d is outside the list of %d", i, c.list().Len())
	}
	return i, ok, nil
}

func listGet(c callee, args []Value) (Value, error) {
	i, ok, err := c.position(args, c.list().Len())
	if !ok || err != nil {
		return nil, err
	}
	return c.list().At(i), nil
}

func listSet(c callee, args []Value) (Value, error) {
	i, ok, err := c.position(args, c.list().Len())
	if !ok || err != nil {
		return nil, err
	}
	old := c.list().Items()[i]
	c.list().Items()[i] = args[1]
	return old, nil
}

// listAdd is add(v), which is true, or add(i, v), which is void.
func listAdd(c callee, args []Value) (Value, error) {
	l := c.list()
	if l.Len() >= maxItems {
		return nil, errItems
	}
	if len(args) == 1 {
		l.SetItems(append(l.Items(), args[0]))
		return true, nil
	}
	i, ok, err := c.position(args, l.Len()+1)
	if !ok || err != nil {
		return nil, err
	}
	l.SetItems(slices.Insert(l.Items(), i, args[1]))
	return nil, c.scanned()
}

func listAddAll(c callee, args []Value) (Value, error) {
	l := c.list()
	more, ok := args[0].(*value.List)
	if !ok {
		return nil, nil
	}
	if l.Len()+more.Len() > maxItems {
		return nil, errItems
	}
	changed := more.Len() > 0
	l.SetItems(append(l.Items(), more.Items()...))
	return changed, c.scanned()
}

// listRemove is remove(index), which gives the item, or remove(item), which
// tells whether it was there. An integer is an index, as Java's overloads have it.
func listRemove(c callee, args []Value) (Value, error) {
	l := c.list()
	if _, isInt := args[0].(int64); isInt {
		i, ok, err := c.position(args, l.Len())
		if !ok || err != nil {
			return nil, err
		}
		old := l.Items()[i]
		l.SetItems(slices.Delete(slices.Clone(l.Items()), i, i+1))
		return old, c.scanned()
	}
	i := c.find(args[0])
	if i >= 0 {
		l.SetItems(slices.Delete(slices.Clone(l.Items()), i, i+1))
	}
	return i >= 0, c.scanned()
}

// listSub is subList. Java's prints like any collection, not as JSON.
func listSub(c callee, args []Value) (Value, error) {
	items := c.list().Items()
	from, ok1 := intArg(args, 0, 0)
	to, ok2 := intArg(args, 1, 0)
	if !ok1 || !ok2 {
		return nil, nil
	}
	if from < 0 || to > len(items) || from > to {
		return nil, fmt.Errorf("subList from %d to %d of a list of %d", from, to, len(items))
	}
	return value.NewList(slices.Clone(items[from:to])...), c.st.spend(to - from)
}

func listContainsAll(c callee, args []Value) (Value, error) {
	more, ok := args[0].(*value.List)
	if !ok {
		return nil, nil
	}
	for _, item := range more.Items() {
		if err := c.scanned(); err != nil {
			return nil, err
		}
		if c.find(item) < 0 {
			return false, nil
		}
	}
	return true, nil
}

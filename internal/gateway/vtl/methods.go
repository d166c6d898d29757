package vtl

import "github.com/butai-dev/butai/internal/gateway/value"

// methodDef is one Java method of a type, under all its overloads. Velocity
// takes a call that fits no overload as null, so a function that is given
// arguments of the wrong type returns nil; an error is what Java would throw.
type methodDef struct {
	min, max int // number of arguments
	fn       func(c callee, args []Value) (Value, error)
}

// callee is the receiver of a method call.
type callee struct {
	st   *state
	step *refStep
	recv Value
}

func (m *methodDef) call(c callee, args []Value) (Value, error) {
	if m == nil || len(args) < m.min || len(args) > m.max {
		return nil, nil
	}
	return m.fn(c, args)
}

// methodSet is what one method name means on each type, looked up when the
// template is compiled.
type methodSet struct {
	str, list, dict, num, boolean, any *methodDef
}

func methodsNamed(name string) methodSet {
	return methodSet{
		str:     pick(stringMethods, name),
		list:    pick(listMethods, name),
		dict:    pick(mapMethods, name),
		num:     pick(numberMethods, name),
		boolean: pick(boolMethods, name),
		any:     pick(anyMethods, name),
	}
}

func pick(table map[string]*methodDef, name string) *methodDef {
	if m := table[name]; m != nil {
		return m
	}
	return anyMethods[name]
}

// anyMethods are those of java.lang.Object. Reflection (getClass) is not
// offered.
var anyMethods = map[string]*methodDef{
	"toString": {0, 0, func(c callee, _ []Value) (Value, error) {
		s, err := c.st.text(c.recv)
		return s, err
	}},
	"equals": {1, 1, func(c callee, args []Value) (Value, error) {
		return javaEquals(c.recv, args[0]), nil
	}},
}

var boolMethods = map[string]*methodDef{
	"booleanValue": {0, 0, func(c callee, _ []Value) (Value, error) { return c.recv, nil }},
	"parseBoolean": {1, 1, parseBool},
	"valueOf":      {1, 1, parseBool},
	"compareTo": {1, 1, func(c callee, args []Value) (Value, error) {
		b, ok := args[0].(bool)
		if !ok {
			return nil, nil
		}
		return int64(boolInt(c.recv == true) - boolInt(b)), nil
	}},
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func parseBool(_ callee, args []Value) (Value, error) {
	switch v := args[0].(type) {
	case bool:
		return v, nil
	case string:
		return len(v) == 4 && equalFold(v, "true"), nil
	}
	return nil, nil
}

// intArg returns args[i] as an int, or def if there are fewer arguments.
// Numbers beyond a Java int fit no overload.
func intArg(args []Value, i, def int) (int, bool) {
	if i >= len(args) {
		return def, true
	}
	n, ok := args[i].(int64)
	return int(n), ok && n == int64(int32(n))
}

// entry is a Map.Entry.
type entry struct {
	key string
	of  *value.Map
}

func (e *entry) get() Value {
	v, _ := e.of.Get(e.key)
	return v
}

// AppendJava prints key=value.
func (e *entry) AppendJava(dst []byte) []byte {
	dst = append(append(dst, e.key...), '=')
	return value.AppendJava(dst, e.get(), len(dst)+MaxOutput)
}

func (e *entry) callMethod(st *state, s *refStep, args []Value) (Value, error) {
	switch {
	case s.name == "getKey" && len(args) == 0:
		return e.key, nil
	case s.name == "getValue" && len(args) == 0:
		return e.get(), nil
	case s.name == "setValue" && len(args) == 1:
		return e.of.Put(e.key, args[0]), nil
	}
	return s.methods.any.call(callee{st, s, e}, args)
}

// callMethod gives $foreach's values under their getters' names too.
func (l *loop) callMethod(_ *state, s *refStep, args []Value) (Value, error) {
	if len(args) > 0 {
		return nil, nil
	}
	switch s.name {
	case "getIndex":
		return l.property("index"), nil
	case "getCount":
		return l.property("count"), nil
	case "hasNext", "getHasNext":
		return l.property("hasNext"), nil
	case "isFirst", "getFirst":
		return l.property("first"), nil
	case "isLast", "getLast":
		return l.property("last"), nil
	case "getParent":
		return l.property("parent"), nil
	case "getTopmost":
		return l.property("topmost"), nil
	}
	return nil, nil
}

// iterator is what .iterator() returns.
type iterator struct {
	items []Value
	next  int
}

// AppendJava prints the iterator itself. Java prints an object's address.
func (it *iterator) AppendJava(dst []byte) []byte { return append(dst, "iterator"...) }

func (it *iterator) rest() []Value {
	items := it.items[it.next:]
	it.next = len(it.items)
	return items
}

func (it *iterator) callMethod(_ *state, s *refStep, args []Value) (Value, error) {
	if len(args) > 0 {
		return nil, nil
	}
	switch s.name {
	case "hasNext":
		return it.next < len(it.items), nil
	case "next":
		if it.next >= len(it.items) {
			return nil, errNoElement
		}
		it.next++
		return it.items[it.next-1], nil
	}
	return nil, nil
}

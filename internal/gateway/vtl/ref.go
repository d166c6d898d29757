package vtl

import (
	"fmt"
	"strconv"

	"github.com/butai-dev/butai/internal/gateway/jsonpath"
	"github.com/butai-dev/butai/internal/gateway/value"
)

// ref is a reference: $x, $!x, ${x.y}, $x.y("z")[0].
type ref struct {
	source       string // as written, without backslashes before it
	line, column int
	slot         int
	steps        []refStep
	// slashes is half of the backslashes before the reference, and stray are
	// dollars that did not start one; both are printed ahead of the value.
	slashes, stray string
	// escaped marks an odd number of backslashes: the reference prints as it
	// is written if it has a value.
	escaped bool
	// void marks $\!x, which Velocity reads and prints nothing for.
	void bool
	form form
	// lead is all that is printed ahead of the value, text before the reference
	// included.
	lead string
}

// form tells references that are rendered, or asked as a condition, without
// being evaluated.
type form uint8

const (
	anyForm   form = iota
	member         // $x.name
	hasNext        // $foreach.hasNext
	wholeBody      // $input.json('$')
	inputJSON      // $input.json('…')
	inputPath      // $input.path('….name')
)

// refStep is one .name, .name(args) or [index].
type refStep struct {
	kind    stepKind
	name    string
	args    []expr // of a method; the one index
	methods methodSet
	utility func(string) (outcome, error) // the method on $util
	// path is the compiled argument of .path('…') or .json('…').
	path *jsonpath.Path
	// pattern is the compiled first argument of a method that takes a regular
	// expression, when it is a literal.
	pattern  *pattern
	shortcut shortcut
	// parent and leaf are path, cut ahead of its last name.
	parent *jsonpath.Path
	leaf   string
	// guess is where maps had the property.
	guess int32
}

// shortcut tells method calls that need no arguments put together for them.
type shortcut uint8

const (
	noShortcut shortcut = iota
	sizeOf              // .size()
	keysOf              // .keySet()
	getOf               // .get(…)
	paramOf             // .params('name') of a constant name
	replaceAll          // of one constant text by another
)

type stepKind uint8

const (
	property stepKind = iota
	method
	index
)

func (r *ref) eval(st *state) (Value, error) {
	v, err := r.walk(st, len(r.steps))
	if err != nil {
		return nil, locate(err, r.source, r.line, r.column)
	}
	if l, ok := v.(*loop); ok {
		l.keep()
	}
	if st.env.Trace != nil {
		st.env.Trace(Reading{r.source, r.line, r.column, v})
	}
	return v, nil
}

// walk evaluates the root and the first n steps.
func (r *ref) walk(st *state, n int) (Value, error) {
	if r.void {
		return nil, nil
	}
	v, err := st.get(r.slot)
	i := 0
	if _, ok := v.(contextObject); ok && n > 0 {
		var o outcome
		o, i = st.descend(r.steps[:n])
		v = o.boxed()
	}
	for ; i < n && v != nil && err == nil; i++ {
		v, err = r.steps[i].apply(st, v)
	}
	return v, err
}

func (r *ref) truth(st *state) (bool, error) {
	if r.form == hasNext && st.env.Trace == nil {
		if l, ok := st.vars[r.slot].(*loop); ok {
			return l.index+1 < l.size, nil
		}
	}
	v, err := r.eval(st)
	if b, ok := v.(bool); ok {
		return b, err
	}
	return v != nil, err
}

// assign is #set($r = v). What cannot be assigned to is left alone.
func (r *ref) assign(st *state, v Value) error {
	if r.void {
		return nil
	}
	if len(r.steps) == 0 {
		st.vars[r.slot] = v
		return nil
	}
	last := &r.steps[len(r.steps)-1]
	if last.kind == method {
		return nil
	}
	owner, err := r.walk(st, len(r.steps)-1)
	if err != nil || owner == nil {
		return locate(err, r.source, r.line, r.column)
	}
	key := Value(last.name)
	if last.kind == index {
		if key, err = last.args[0].eval(st); err != nil {
			return err
		}
	}
	return locate(st.put(owner, key, v), r.source, r.line, r.column)
}

// put is owner[key] = v, or owner.key = v.
func (st *state) put(owner, key, v Value) error {
	switch owner := owner.(type) {
	case *value.Map:
		k, err := st.text(key)
		if err != nil {
			return err
		}
		if owner.Len() >= maxItems {
			return errItems
		}
		owner.Put(k, v)
	case *value.List:
		i, ok := key.(int64)
		if !ok {
			return nil
		}
		if i < 0 {
			i += int64(owner.Len())
		}
		if i < 0 || i >= int64(owner.Len()) {
			return fmt.Errorf("index %v is outside the list of %d", key, owner.Len())
		}
		owner.Items()[i] = v
	}
	return st.spend(1)
}

// apply takes one step from a value that is not null.
func (s *refStep) apply(st *state, v Value) (Value, error) {
	switch s.kind {
	case property:
		if m, ok := v.(*value.Map); ok {
			got, _ := m.Seek(s.name, &s.guess)
			return got, nil
		}
		return getProperty(st, v, s.name)
	case index:
		key, err := s.args[0].eval(st)
		if err != nil || key == nil {
			return nil, err
		}
		return getIndex(st, v, key)
	}
	switch {
	case len(s.args) == 0:
		return s.call(st, v, nil)
	case s.shortcut == getOf:
		if got, done, err := s.get(st, v); done {
			return got, err
		}
	}
	start := len(st.args)
	for _, arg := range s.args {
		a, err := arg.eval(st)
		if err != nil {
			st.args = st.args[:start]
			return nil, err
		}
		st.args = append(st.args, a)
	}
	got, err := s.call(st, v, st.args[start:])
	st.args = st.args[:start]
	return got, err
}

// call calls the method and accounts for the size of the text it returns.
func (s *refStep) call(st *state, v Value, args []Value) (Value, error) {
	got, err := s.dispatch(st, v, args)
	if err != nil {
		return nil, err
	}
	work := 1
	if text, ok := got.(string); ok {
		work += len(text) / 64
	}
	return got, st.spend(work)
}

func (s *refStep) dispatch(st *state, v Value, args []Value) (Value, error) {
	c := callee{st, s, v}
	switch v := v.(type) {
	case string:
		return s.methods.str.call(c, args)
	case *value.List:
		return s.methods.list.call(c, args)
	case *value.Map:
		return s.methods.dict.call(c, args)
	case int64, float64:
		return s.methods.num.call(c, args)
	case bool:
		return s.methods.boolean.call(c, args)
	case caller:
		return v.callMethod(st, s, args)
	}
	return s.methods.any.call(c, args)
}

// caller is implemented by the engine's own objects that have methods.
type caller interface {
	callMethod(st *state, s *refStep, args []Value) (Value, error)
}

// getProperty is v.name without parentheses.
func getProperty(st *state, v Value, name string) (Value, error) {
	switch v := v.(type) {
	case *value.Map:
		got, _ := v.Get(name)
		return got, nil
	case string:
		if name == "empty" {
			return v == "", nil
		}
	case *value.List:
		if name == "empty" {
			return v.Len() == 0, nil
		}
	case *loop:
		return v.property(name), nil
	case *entry:
		switch name {
		case "key":
			return v.key, nil
		case "value":
			return v.get(), nil
		}
	case source:
		return v.lookup(name), nil
	case stageObject:
		return v.source(st.env).lookup(name), nil
	case contextObject:
		return v.lookup(st.env, name), nil
	case inputObject:
		if name == "body" {
			return st.env.bodyText(), nil
		}
	}
	return nil, nil
}

// getIndex is v[key].
func getIndex(st *state, v, key Value) (Value, error) {
	switch v := v.(type) {
	case *value.List:
		i, ok := key.(int64)
		if !ok {
			return nil, nil
		}
		if i < 0 {
			i += int64(v.Len())
		}
		if i < 0 || i >= int64(v.Len()) {
			return nil, fmt.Errorf("index %v is outside the list of %d", key, v.Len())
		}
		return v.At(int(i)), nil
	case *value.Map, source, stageObject, contextObject:
		switch k := key.(type) {
		case string:
			return getProperty(st, v, k)
		case int64:
			return getProperty(st, v, strconv.FormatInt(k, 10))
		}
	}
	return nil, nil
}

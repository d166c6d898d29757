package vtl

import "github.com/butai-dev/butai/internal/gateway/value"

// expr is a part of a template that has a value.
type expr interface {
	// eval returns the value, nil for null.
	eval(st *state) (Value, error)
	// truth is the expression as a condition. In Velocity 1.7 that is not a
	// question about the value alone: references, comparisons, logic and the
	// words true and false can be true; literals and arithmetic never are.
	truth(st *state) (bool, error)
}

// untrue is the base of expressions that are false as a condition.
type untrue struct{}

func (untrue) truth(*state) (bool, error) { return false, nil }

// constant is a literal without references.
type constant struct{ value Value }

func (c constant) eval(*state) (Value, error) { return c.value, nil }

func (c constant) truth(*state) (bool, error) {
	b, _ := c.value.(bool)
	return b, nil
}

// interpolated is a double-quoted string with references or directives.
type interpolated struct {
	untrue
	body nodes
}

func (e *interpolated) eval(st *state) (Value, error) {
	s, err := st.capture(e.body)
	if err != nil && err != errBreak {
		return nil, err
	}
	return s, nil
}

// listExpr is [a, b].
type listExpr struct {
	untrue
	items []expr
}

func (e *listExpr) eval(st *state) (Value, error) {
	items := make([]Value, len(e.items))
	for i, item := range e.items {
		var err error
		if items[i], err = item.eval(st); err != nil {
			return nil, err
		}
	}
	return value.NewList(items...), st.spend(len(e.items))
}

// mapExpr is {a: b}.
type mapExpr struct {
	untrue
	keys, values []expr
}

func (e *mapExpr) eval(st *state) (Value, error) {
	m := &value.Map{}
	for i := range e.keys {
		k, err := e.keys[i].eval(st)
		if err != nil {
			return nil, err
		}
		v, err := e.values[i].eval(st)
		if err != nil {
			return nil, err
		}
		key, err := st.text(k)
		if err != nil {
			return nil, err
		}
		m.Put(key, v)
	}
	return m, st.spend(len(e.keys))
}

// rangeExpr is [from..to], which counts down if from is the larger.
type rangeExpr struct {
	untrue
	from, to expr
}

func (e *rangeExpr) eval(st *state) (Value, error) {
	a, err := e.from.eval(st)
	if err != nil {
		return nil, err
	}
	b, err := e.to.eval(st)
	if err != nil {
		return nil, err
	}
	from, okA := a.(int64)
	to, okB := b.(int64)
	if !okA || !okB {
		return nil, nil
	}
	step := int64(1)
	if from > to {
		step = -1
	}
	// Unsigned, so that the distance of any two integers fits.
	n := (uint64(to) - uint64(from)) * uint64(step)
	if n >= maxItems {
		return nil, errItems
	}
	items := make([]Value, 0, n+1)
	for i := from; ; i += step {
		items = append(items, i)
		if i == to {
			break
		}
	}
	return value.NewList(items...), st.spend(len(items))
}

// notExpr is !x.
type notExpr struct{ of expr }

func (e *notExpr) truth(st *state) (bool, error) {
	ok, err := e.of.truth(st)
	return !ok, err
}

func (e *notExpr) eval(st *state) (Value, error) {
	ok, err := e.truth(st)
	return ok, err
}

// logicExpr is a && b, or a || b if or is set. The second side is evaluated
// only if it decides.
type logicExpr struct {
	a, b expr
	or   bool
}

func (e *logicExpr) truth(st *state) (bool, error) {
	ok, err := e.a.truth(st)
	if err != nil || ok == e.or {
		return ok, err
	}
	return e.b.truth(st)
}

func (e *logicExpr) eval(st *state) (Value, error) {
	ok, err := e.truth(st)
	return ok, err
}

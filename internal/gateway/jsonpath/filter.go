package jsonpath

import (
	"cmp"
	"math/big"
	"regexp"
	"strings"

	"github.com/butai-dev/butai/internal/gateway/value"
)

// condition is the boolean inside [?(…)].
type condition interface {
	test(root, item value.Value) bool
}

type (
	anyOf  []condition
	allOf  []condition
	negate struct{ of condition }
	// exists is a path standing alone: true if it selects anything.
	exists struct{ of operand }
	// compare is left op right.
	compare struct {
		left, right operand
		op          string
	}
	// matches is left =~ /re/, where the whole text must match.
	matches struct {
		left operand
		re   *regexp.Regexp
	}
)

func (c anyOf) test(root, item value.Value) bool {
	for _, cond := range c {
		if cond.test(root, item) {
			return true
		}
	}
	return false
}

func (c allOf) test(root, item value.Value) bool {
	for _, cond := range c {
		if !cond.test(root, item) {
			return false
		}
	}
	return true
}

func (c negate) test(root, item value.Value) bool { return !c.of.test(root, item) }

func (c exists) test(root, item value.Value) bool {
	v, ok := c.of.get(root, item)
	if l, isList := v.(*value.List); isList && c.of.path != nil && !c.of.path.definite {
		return l.Len() > 0
	}
	return ok
}

func (c matches) test(root, item value.Value) bool {
	v, ok := c.left.get(root, item)
	if !ok {
		return false
	}
	switch v.(type) {
	case string, bool, int64, float64, *big.Int:
		return c.re.MatchString(value.String(v))
	}
	return false
}

func (c compare) test(root, item value.Value) bool {
	a, okA := c.left.get(root, item)
	b, okB := c.right.get(root, item)
	switch c.op {
	case "==":
		return okA == okB && Equal(a, b)
	case "!=":
		return okA != okB || !Equal(a, b)
	}
	if !okA || !okB {
		return false
	}
	switch c.op {
	case "in":
		return contains(b, a)
	case "nin":
		return !contains(b, a)
	case "contains":
		return contains(a, b)
	case "anyof":
		return overlap(a, b) > 0
	case "noneof":
		return overlap(a, b) == 0
	case "subsetof":
		l, ok := a.(*value.List)
		return ok && overlap(a, b) == l.Len()
	case "size":
		n, ok := sizeOf(a)
		return ok && Equal(n, b)
	case "empty":
		n, ok := sizeOf(a)
		return ok && b == (n == 0)
	}
	order, ok := order(a, b)
	if !ok {
		return false
	}
	switch c.op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// Equal compares two values as JSON: numbers by size, a number and a string
// by the number that the string spells. Values too large to compare in
// reasonable time are not equal.
func Equal(a, b value.Value) bool {
	budget := maxVisits
	return equal(a, b, 0, &budget)
}

func equal(a, b value.Value, depth int, budget *int) bool {
	if *budget--; depth > scanDepth || *budget < 0 {
		return false
	}
	switch x := a.(type) {
	case *value.List:
		y, ok := b.(*value.List)
		if x == y && ok {
			return true
		}
		if !ok || x.Len() != y.Len() {
			return false
		}
		for i := range x.Items() {
			if !equal(x.Items()[i], y.Items()[i], depth+1, budget) {
				return false
			}
		}
		return true
	case *value.Map:
		y, ok := b.(*value.Map)
		if x == y && ok {
			return true
		}
		if !ok || x.Len() != y.Len() {
			return false
		}
		for i := range x.Len() {
			e := x.At(i)
			v, ok := y.Get(e.Key)
			if !ok || !equal(e.Value, v, depth+1, budget) {
				return false
			}
		}
		return true
	case string, int64, float64, *big.Int:
		n, ok := order(a, b)
		return ok && n == 0
	}
	switch b.(type) {
	case *value.List, *value.Map, *big.Int:
		return false
	}
	return a == b // nil and bool
}

// order compares two strings, or two values that are or spell numbers.
func order(a, b value.Value) (int, bool) {
	s, okS := a.(string)
	t, okT := b.(string)
	if okS && okT {
		return strings.Compare(s, t), true
	}
	x, okX := spellsNumber(a)
	y, okY := spellsNumber(b)
	if !okX || !okY {
		return 0, false
	}
	if i, ok := x.(int64); ok {
		if j, ok := y.(int64); ok {
			return cmp.Compare(i, j), true
		}
	}
	f, _ := toFloat(x)
	g, _ := toFloat(y)
	return cmp.Compare(f, g), true
}

func spellsNumber(v value.Value) (value.Value, bool) {
	if s, ok := v.(string); ok {
		return value.ParseNumber(s)
	}
	return v, value.IsNumber(v)
}

func contains(set, v value.Value) bool {
	switch set := set.(type) {
	case *value.List:
		for _, item := range set.Items() {
			if Equal(item, v) {
				return true
			}
		}
	case string:
		s, ok := v.(string)
		return ok && strings.Contains(set, s)
	}
	return false
}

// overlap counts the items of list a that list b has too.
func overlap(a, b value.Value) int {
	l, ok := a.(*value.List)
	if !ok {
		return 0
	}
	n := 0
	for _, item := range l.Items() {
		if contains(b, item) {
			n++
		}
	}
	return n
}

func sizeOf(v value.Value) (int64, bool) {
	switch v := v.(type) {
	case string:
		return int64(len([]rune(v))), true
	case *value.List:
		return int64(v.Len()), true
	}
	return 0, false
}

// operand is a path from the item (@) or the document ($), or a constant.
type operand struct {
	path     *Path
	fromRoot bool
	constant value.Value
}

func (o operand) get(root, item value.Value) (value.Value, bool) {
	switch {
	case o.path == nil:
		return o.constant, true
	case o.fromRoot:
		return o.path.Eval(root)
	}
	return o.path.Eval(item)
}

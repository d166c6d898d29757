package jsonpath

import (
	"math"
	"math/big"

	"github.com/butai-dev/butai/internal/gateway/value"
)

// function is a call at the end of a path, such as .length(). Applied to an
// indefinite path it works on the list of results.
type function struct {
	of   []step // the path before the call
	call func(value.Value) (value.Value, bool)
}

// lookupFunction returns the function of that name (those of Jayway's README
// that take no argument), or nil.
func lookupFunction(name string) func(value.Value) (value.Value, bool) {
	switch name {
	case "length", "size":
		return length
	case "keys":
		return keys
	case "sum":
		return reduce(func(sum, x float64) float64 { return sum + x }, false)
	case "avg":
		return reduce(func(sum, x float64) float64 { return sum + x }, true)
	case "min":
		return reduce(math.Min, false)
	case "max":
		return reduce(math.Max, false)
	}
	return nil
}

func (f function) one(v value.Value) (value.Value, bool) {
	inner := Path{steps: f.of, definite: isDefinite(f.of)}
	got, ok := inner.Eval(v)
	if !ok {
		return nil, false
	}
	return f.call(got)
}

func (f function) each(_ *run, v value.Value, yield func(value.Value) bool) bool {
	if got, ok := f.one(v); ok {
		return yield(got)
	}
	return true
}

func (function) definite(bool) bool { return true }

func length(v value.Value) (value.Value, bool) {
	switch v := v.(type) {
	case *value.List:
		return int64(v.Len()), true
	case *value.Map:
		return int64(v.Len()), true
	}
	return nil, false
}

func keys(v value.Value) (value.Value, bool) {
	m, ok := v.(*value.Map)
	if !ok {
		return nil, false
	}
	var names []value.Value
	for _, k := range m.Keys() {
		names = append(names, k)
	}
	return value.NewJSONList(names...), true
}

// reduce folds the numbers of a list; what is not a number is skipped.
func reduce(fold func(a, b float64) float64, mean bool) func(value.Value) (value.Value, bool) {
	return func(v value.Value) (value.Value, bool) {
		l, ok := v.(*value.List)
		if !ok {
			return nil, false
		}
		var acc float64
		n := 0
		for _, item := range l.Items() {
			x, ok := toFloat(item)
			if !ok {
				continue
			}
			if n++; n == 1 {
				acc = x
			} else {
				acc = fold(acc, x)
			}
		}
		switch {
		case n == 0:
			return nil, false
		case mean:
			return acc / float64(n), true
		}
		return acc, true
	}
}

func toFloat(v value.Value) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f, true
	}
	return 0, false
}

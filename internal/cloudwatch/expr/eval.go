package expr

import (
	"fmt"
	"math"
)

// Env is what an expression sees.
type Env struct {
	// Query returns the value of another query by its id, or an error.
	Query func(id string) (Value, error)
	// Metrics are the series of all metric queries, for METRICS().
	Metrics func() (List, error)
	// Period is the one that the expression's results have, in seconds.
	Period int64
	// From and To bound the times of series made of nothing, such as
	// TIME_SERIES(1); seconds since 1970.
	From, To int64
}

// Eval computes the expression.
func (x *Expr) Eval(env *Env) (Value, error) {
	return x.root.eval(&evaluation{env})
}

type evaluation struct{ *Env }

func (n number) eval(*evaluation) (Value, error)  { return Number(n), nil }
func (l literal) eval(*evaluation) (Value, error) { return text(l), nil }
func (n name) eval(e *evaluation) (Value, error) {
	switch n {
	case "REPEAT", "LINEAR", "ASC", "DESC", "AVG", "MIN", "MAX", "SUM": // arguments of FILL and SORT
		return text(n), nil
	}
	return e.Query(string(n))
}

func (u unary) eval(e *evaluation) (Value, error) {
	v, err := u.arg.eval(e)
	if err != nil {
		return nil, err
	}
	return each(v, func(f float64) (float64, bool) { return -f, true })
}

func (a array) eval(e *evaluation) (Value, error) {
	var out List
	for _, n := range a {
		v, err := n.eval(e)
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case *Series:
			out = append(out, v)
		case List:
			out = append(out, v...)
		default:
			return nil, fmt.Errorf("an array holds time series only")
		}
	}
	return out, nil
}

func (b binary) eval(e *evaluation) (Value, error) {
	left, err := b.left.eval(e)
	if err != nil {
		return nil, err
	}
	right, err := b.right.eval(e)
	if err != nil {
		return nil, err
	}
	return combine(left, right, operators[b.op])
}

// operators compute a value of two; false where there is none.
var operators = map[string]func(a, b float64) (float64, bool){
	"+":   func(a, b float64) (float64, bool) { return a + b, true },
	"-":   func(a, b float64) (float64, bool) { return a - b, true },
	"*":   func(a, b float64) (float64, bool) { return a * b, true },
	"/":   func(a, b float64) (float64, bool) { return a / b, b != 0 }, // a division by zero has no data point
	"^":   func(a, b float64) (float64, bool) { v := math.Pow(a, b); return v, !math.IsNaN(v) },
	"==":  func(a, b float64) (float64, bool) { return truth(a == b), true },
	"!=":  func(a, b float64) (float64, bool) { return truth(a != b), true },
	"<":   func(a, b float64) (float64, bool) { return truth(a < b), true },
	">":   func(a, b float64) (float64, bool) { return truth(a > b), true },
	"<=":  func(a, b float64) (float64, bool) { return truth(a <= b), true },
	">=":  func(a, b float64) (float64, bool) { return truth(a >= b), true },
	"OR":  func(a, b float64) (float64, bool) { return truth(a != 0 || b != 0), true },
	"||":  func(a, b float64) (float64, bool) { return truth(a != 0 || b != 0), true },
	"AND": func(a, b float64) (float64, bool) { return truth(a != 0 && b != 0), true },
	"&&":  func(a, b float64) (float64, bool) { return truth(a != 0 && b != 0), true },
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// each maps every number of v.
func each(v Value, f func(float64) (float64, bool)) (Value, error) {
	switch v := v.(type) {
	case Number:
		r, ok := f(float64(v))
		if !ok {
			return nil, fmt.Errorf("a number has no result")
		}
		return Number(r), nil
	case *Series:
		return v.apply(f), nil
	case List:
		out := make(List, len(v))
		for i, s := range v {
			out[i] = s.apply(f)
		}
		return out, nil
	}
	return nil, fmt.Errorf("a string stands where a number or time series belongs")
}

// combine applies op to two values: of series, where both have a data point;
// to each series of an array.
func combine(left, right Value, op func(a, b float64) (float64, bool)) (Value, error) {
	switch l := left.(type) {
	case Number:
		return each(right, func(f float64) (float64, bool) { return op(float64(l), f) })
	case List:
		return pairwise(l, right, op)
	case *Series:
		switch r := right.(type) {
		case Number:
			return each(l, func(f float64) (float64, bool) { return op(f, float64(r)) })
		case *Series:
			return join(l, r, op), nil
		case List:
			out := make(List, len(r))
			for i := range r {
				out[i] = join(l, r[i], op)
				out[i].Label = r[i].Label
			}
			return out, nil
		}
	}
	return nil, fmt.Errorf("a string stands where a number or time series belongs")
}

func pairwise(l List, right Value, op func(a, b float64) (float64, bool)) (Value, error) {
	other, both := right.(List)
	if both && len(other) != len(l) {
		return nil, fmt.Errorf("two arrays must have the same number of time series")
	}
	out := make(List, 0, len(l))
	for i, s := range l {
		r := right
		if both {
			r = other[i]
		}
		v, err := combine(s, r, op)
		if err != nil {
			return nil, err
		}
		out = append(out, v.(*Series))
	}
	return out, nil
}

func join(l, r *Series, op func(a, b float64) (float64, bool)) *Series {
	out := l.like()
	for i, t := range l.Times {
		if other, ok := r.at(t); ok {
			if v, ok := op(l.Values[i], other); ok {
				out.add(t, v)
			}
		}
	}
	return out
}

package expr

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// metrics returns the series of all metric queries, or of those whose label or
// id holds a text.
func (e *evaluation) metrics(args []Value) (Value, error) {
	all, err := e.Metrics()
	if err != nil || len(args) == 0 {
		return all, err
	}
	part, ok := args[0].(text)
	if !ok {
		return nil, fmt.Errorf("takes a string")
	}
	var out List
	for _, s := range all {
		if strings.Contains(s.Label, string(part)) {
			out = append(out, s)
		}
	}
	return out, nil
}

// choose is IF(condition, then, else): by each data point of a condition that
// is a series. Without else there is no data point where it is false.
func choose(args []Value) (Value, error) {
	if len(args) < 2 || len(args) > 3 {
		return nil, fmt.Errorf("takes two or three arguments, not %d", len(args))
	}
	switch cond := args[0].(type) {
	case Number:
		switch {
		case cond != 0:
			return args[1], nil
		case len(args) == 3:
			return args[2], nil
		}
		return nil, fmt.Errorf("a number as condition needs a third argument")
	case *Series:
		out := cond.like()
		for i, t := range cond.Times {
			pick := 1
			if cond.Values[i] == 0 {
				pick = 2
			}
			if pick == len(args) {
				continue
			}
			if v, ok := pointOf(args[pick], t); ok {
				out.add(t, v)
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("the condition is a number or a time series")
}

// pointOf is a value's number at a time.
func pointOf(v Value, t int64) (float64, bool) {
	switch v := v.(type) {
	case Number:
		return float64(v), true
	case *Series:
		return v.at(t)
	}
	return 0, false
}

// order is SORT(array, AVG | MIN | MAX | SUM, ASC | DESC, [limit]).
func order(args []Value) (Value, error) {
	if len(args) < 3 || len(args) > 4 {
		return nil, fmt.Errorf("takes three or four arguments, not %d", len(args))
	}
	l, ok1 := args[0].(List)
	by, ok2 := args[1].(text)
	direction, ok3 := args[2].(text)
	f, known := aggregates[string(by)]
	if !ok1 || !ok2 || !ok3 || !known {
		return nil, fmt.Errorf("takes an array, AVG, MIN, MAX or SUM, and ASC or DESC")
	}
	rank := func(s *Series) float64 {
		if len(s.Values) == 0 {
			return math.Inf(-1)
		}
		return f(s.Values)
	}
	out := slices.Clone(l)
	slices.SortStableFunc(out, func(a, b *Series) int {
		d := 0
		if x, y := rank(a), rank(b); x < y {
			d = -1
		} else if x > y {
			d = 1
		}
		if direction == "DESC" {
			d = -d
		}
		return d
	})
	if len(args) == 4 {
		if n, ok := args[3].(Number); ok && n >= 0 && int(n) < len(out) {
			out = out[:int(n)]
		}
	}
	return out, nil
}

// slice is SLICE(array, start, [end]).
func slice(args []Value) (Value, error) {
	if len(args) < 2 || len(args) > 3 {
		return nil, fmt.Errorf("takes two or three arguments, not %d", len(args))
	}
	l, ok := args[0].(List)
	from, isNumber := args[1].(Number)
	if !ok || !isNumber || from < 0 || int(from) >= len(l) {
		return nil, fmt.Errorf("takes an array and a position in it")
	}
	if len(args) == 2 {
		return l[int(from)], nil
	}
	to, isNumber := args[2].(Number)
	if !isNumber || to < from {
		return nil, fmt.Errorf("the end is a position behind the start")
	}
	return l[int(from):min(int(to), len(l))], nil
}

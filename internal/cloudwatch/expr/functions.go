package expr

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// NotBuilt is the error of a function that butai doesn't have.
type NotBuilt struct{ Function string }

func (e *NotBuilt) Error() string { return "butai doesn't have the function " + e.Function }

func (c call) eval(e *evaluation) (Value, error) {
	args := make([]Value, len(c.args))
	for i, n := range c.args {
		v, err := n.eval(e)
		if err != nil {
			return nil, err
		}
		args[i] = v
	}
	v, err := e.call(c.function, args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.function, err)
	}
	return v, nil
}

func (e *evaluation) call(function string, args []Value) (Value, error) {
	switch function {
	case "METRICS":
		return e.metrics(args)
	case "IF":
		return choose(args)
	case "FILL":
		return fill(e, args)
	case "SORT":
		return order(args)
	case "SLICE":
		return slice(args)
	case "SEARCH", "ANOMALY_DETECTION_BAND", "INSIGHT_RULE_METRIC", "SERVICE_QUOTA", "LAMBDA", "DB_PERF_INSIGHTS":
		return nil, &NotBuilt{function}
	}
	if len(args) != 1 {
		return nil, fmt.Errorf("takes one argument, not %d", len(args))
	}
	if f, ok := perValue[function]; ok {
		return each(args[0], f)
	}
	if f, ok := perTime[function]; ok {
		return timed(args[0], f)
	}
	if f, ok := perSeries[function]; ok {
		return overSeries(args[0], f)
	}
	if f, ok := aggregates[function]; ok {
		return aggregate(args[0], f)
	}
	return e.rest(function, args[0])
}

// rest are functions of one argument that fit no family.
func (e *evaluation) rest(function string, arg Value) (Value, error) {
	switch function {
	case "FIRST", "LAST":
		l, ok := arg.(List)
		if !ok || len(l) == 0 {
			return nil, fmt.Errorf("takes an array of time series")
		}
		if function == "FIRST" {
			return l[0], nil
		}
		return l[len(l)-1], nil
	case "METRIC_COUNT":
		l, ok := arg.(List)
		if !ok {
			return nil, fmt.Errorf("takes an array of time series")
		}
		return Number(len(l)), nil
	case "PERIOD":
		if s, ok := arg.(*Series); ok {
			return Number(s.Period), nil
		}
		return nil, fmt.Errorf("takes a time series")
	case "REMOVE_EMPTY":
		l, ok := arg.(List)
		if !ok {
			return nil, fmt.Errorf("takes an array of time series")
		}
		return slices.DeleteFunc(slices.Clone(l), func(s *Series) bool { return len(s.Times) == 0 }), nil
	case "TIME_SERIES":
		n, ok := arg.(Number)
		if !ok {
			return nil, fmt.Errorf("takes a number")
		}
		out := &Series{Period: e.Period}
		for t := e.From; t < e.To; t += max(e.Period, 1) {
			out.add(t, float64(n))
		}
		return out, nil
	}
	return nil, fmt.Errorf("is no function")
}

// perValue are functions of each single value.
var perValue = map[string]func(float64) (float64, bool){
	"ABS":   func(v float64) (float64, bool) { return math.Abs(v), true },
	"CEIL":  func(v float64) (float64, bool) { return math.Ceil(v), true },
	"FLOOR": func(v float64) (float64, bool) { return math.Floor(v), true },
	"LOG":   func(v float64) (float64, bool) { return math.Log(v), v > 0 },
	"LOG10": func(v float64) (float64, bool) { return math.Log10(v), v > 0 },
}

// perTime are functions of the time of a data point.
var perTime = map[string]func(time.Time) float64{
	"MINUTE": func(t time.Time) float64 { return float64(t.Minute()) },
	"HOUR":   func(t time.Time) float64 { return float64(t.Hour()) },
	"DAY":    func(t time.Time) float64 { return float64((int(t.Weekday())+6)%7 + 1) }, // Monday is 1
	"DATE":   func(t time.Time) float64 { return float64(t.Day()) },
	"MONTH":  func(t time.Time) float64 { return float64(t.Month()) },
	"YEAR":   func(t time.Time) float64 { return float64(t.Year()) },
	"EPOCH":  func(t time.Time) float64 { return float64(t.Unix()) },
}

func timed(arg Value, f func(time.Time) float64) (Value, error) {
	s, ok := arg.(*Series)
	if !ok {
		return nil, fmt.Errorf("takes a time series")
	}
	out := s.like()
	for _, t := range s.Times {
		out.add(t, f(time.Unix(t, 0).UTC()))
	}
	return out, nil
}

// perSeries are functions of a series as a whole that give another one.
var perSeries = map[string]func(*Series) *Series{
	"DIFF": func(s *Series) *Series {
		return steps(s, func(dv float64, _ int64) float64 { return dv })
	},
	"DIFF_TIME": func(s *Series) *Series {
		return steps(s, func(_ float64, dt int64) float64 { return float64(dt) })
	},
	"RATE": func(s *Series) *Series {
		return steps(s, func(dv float64, dt int64) float64 { return dv / float64(dt) })
	},
	"RUNNING_SUM": func(s *Series) *Series {
		sum := 0.0
		return s.apply(func(v float64) (float64, bool) { sum += v; return sum, true })
	},
}

// steps computes from a data point and the one before; the first has none.
func steps(s *Series, f func(dv float64, dt int64) float64) *Series {
	out := s.like()
	for i := 1; i < len(s.Times); i++ {
		out.add(s.Times[i], f(s.Values[i]-s.Values[i-1], s.Times[i]-s.Times[i-1]))
	}
	return out
}

func overSeries(arg Value, f func(*Series) *Series) (Value, error) {
	switch v := arg.(type) {
	case *Series:
		return f(v), nil
	case List:
		out := make(List, len(v))
		for i, s := range v {
			out[i] = f(s)
		}
		return out, nil
	}
	return nil, fmt.Errorf("takes time series")
}

// aggregates make one number of several.
var aggregates = map[string]func([]float64) float64{
	"AVG":             func(v []float64) float64 { return sum(v) / float64(len(v)) },
	"SUM":             sum,
	"MAX":             slices.Max[[]float64],
	"MIN":             slices.Min[[]float64],
	"STDDEV":          stddev,
	"DATAPOINT_COUNT": func(v []float64) float64 { return float64(len(v)) },
}

func sum(v []float64) float64 {
	total := 0.0
	for _, f := range v {
		total += f
	}
	return total
}

func stddev(v []float64) float64 {
	mean, squares := sum(v)/float64(len(v)), 0.0
	for _, f := range v {
		squares += (f - mean) * (f - mean)
	}
	return math.Sqrt(squares / float64(len(v)))
}

// aggregate makes a number of a series, and a series of an array: at each time
// of those that have a data point there.
func aggregate(arg Value, f func([]float64) float64) (Value, error) {
	switch v := arg.(type) {
	case *Series:
		if len(v.Values) == 0 {
			return Number(0), nil
		}
		return Number(f(v.Values)), nil
	case List:
		out := &Series{}
		if len(v) > 0 {
			out.Period = v[0].Period
		}
		for _, t := range v.times() {
			var values []float64
			for _, s := range v {
				if f, ok := s.at(t); ok {
					values = append(values, f)
				}
			}
			out.add(t, f(values))
		}
		return out, nil
	}
	return nil, fmt.Errorf("takes time series")
}

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

// fill is FILL(series, number | series | REPEAT | LINEAR).
func fill(e *evaluation, args []Value) (Value, error) {
	if len(args) != 2 {
		return nil, fmt.Errorf("takes two arguments, not %d", len(args))
	}
	return overSeries(args[0], func(s *Series) *Series {
		out := s.like()
		step := max(s.Period, 1)
		for t := e.From; t < e.To; t += step {
			if v, ok := s.at(t); ok {
				out.add(t, v)
			} else if v, ok := s.missing(t, args[1]); ok {
				out.add(t, v)
			}
		}
		return out
	})
}

// missing is what fills a time without a data point.
func (s *Series) missing(t int64, with Value) (float64, bool) {
	how, isText := with.(text)
	if !isText {
		return pointOf(with, t)
	}
	next, _ := slices.BinarySearch(s.Times, t)
	if next == 0 {
		return 0, false
	}
	before := s.Values[next-1]
	if how == "REPEAT" {
		return before, true
	}
	if how != "LINEAR" || next == len(s.Times) {
		return 0, false
	}
	share := float64(t-s.Times[next-1]) / float64(s.Times[next]-s.Times[next-1])
	return before + (s.Values[next]-before)*share, true
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

package expr

import (
	"fmt"
	"math"
	"slices"
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

package expr

import (
	"fmt"
	"slices"
	"time"
)

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

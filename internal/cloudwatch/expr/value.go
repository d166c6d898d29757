// Package expr is CloudWatch's metric math: expressions over time series
// (CloudWatch User Guide, "Using math expressions with CloudWatch metrics").
// It is pure.
package expr

import "slices"

// Value is what an expression evaluates to: a Number, a *Series or a List.
type Value interface{ value() }

// Number is a scalar.
type Number float64

// Series has one value at each of its times, which are in ascending order.
type Series struct {
	Label  string
	Period int64   // seconds
	Times  []int64 // seconds since 1970
	Values []float64
}

// List is an array of time series.
type List []*Series

// text is a string argument.
type text string

func (Number) value()  {}
func (*Series) value() {}
func (List) value()    {}
func (text) value()    {}

// at returns the value at a time.
func (s *Series) at(t int64) (float64, bool) {
	i, found := slices.BinarySearch(s.Times, t)
	if !found {
		return 0, false
	}
	return s.Values[i], true
}

func (s *Series) add(t int64, v float64) {
	s.Times, s.Values = append(s.Times, t), append(s.Values, v)
}

// like returns an empty series of s's label and period.
func (s *Series) like() *Series { return &Series{Label: s.Label, Period: s.Period} }

// apply maps each value; f reports false to leave a time out.
func (s *Series) apply(f func(float64) (float64, bool)) *Series {
	out := s.like()
	for i, v := range s.Values {
		if r, ok := f(v); ok {
			out.add(s.Times[i], r)
		}
	}
	return out
}

// times is the union of the series' times.
func (l List) times() []int64 {
	var out []int64
	for _, s := range l {
		out = append(out, s.Times...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

package metric

import (
	"math"
	"slices"
	"sort"
)

// maxValues is how many different values a Set tells apart; AWS takes as many
// in one datum (API Reference, PutMetricData, Values). Beyond them the closest
// ones are joined, so that percentiles stay within about a percent.
const maxValues = 150

// Set is what is known about the values of one metric in one period. The zero
// Set has no values.
type Set struct {
	Count float64 `json:"c"`
	Sum   float64 `json:"s"`
	Min   float64 `json:"l"`
	Max   float64 `json:"h"`
	// Values are the different values in ascending order, and Counts how often
	// each came. They are short of Count if statistics were reported instead
	// of values: percentiles aren't known then.
	Values []float64 `json:"v,omitempty"`
	Counts []float64 `json:"n,omitempty"`
}

// Add takes one value.
func (s *Set) Add(v float64) { s.AddTimes(v, 1) }

// AddTimes takes a value that came n times.
func (s *Set) AddTimes(v, n float64) {
	s.summary(n, v*n, v, v)
	s.insert(v, n)
}

// AddStatistics takes a summary of values that aren't known themselves. If
// all of them were the same, they are.
func (s *Set) AddStatistics(count, sum, low, high float64) {
	s.summary(count, sum, low, high)
	if low == high || count == 1 {
		s.insert(low, count)
	}
}

// Merge takes everything that o knows.
func (s *Set) Merge(o *Set) {
	if o.Count == 0 {
		return
	}
	s.summary(o.Count, o.Sum, o.Min, o.Max)
	for i, v := range o.Values {
		s.insert(v, o.Counts[i])
	}
}

func (s *Set) summary(count, sum, low, high float64) {
	if s.Count == 0 {
		s.Min, s.Max = low, high
	}
	s.Count += count
	s.Sum += sum
	s.Min, s.Max = min(s.Min, low), max(s.Max, high)
}

func (s *Set) insert(v, n float64) {
	i := sort.SearchFloat64s(s.Values, v)
	if i < len(s.Values) && s.Values[i] == v {
		s.Counts[i] += n
		return
	}
	s.Values = slices.Insert(s.Values, i, v)
	s.Counts = slices.Insert(s.Counts, i, n)
	if len(s.Values) > maxValues {
		s.join()
	}
}

// join halves the number of values: neighbours that are closest, by the
// distance relative to their size, become one at their mean.
func (s *Set) join() {
	gaps := make([]float64, 0, len(s.Values)-1)
	for i := 1; i < len(s.Values); i++ {
		gaps = append(gaps, s.gap(i))
	}
	limit := slices.Clone(gaps)
	slices.Sort(limit)
	threshold := limit[len(limit)/2]
	values, counts := s.Values[:1], s.Counts[:1]
	joined := false
	for i := 1; i < len(gaps)+1; i++ {
		last := len(values) - 1
		if !joined && gaps[i-1] <= threshold {
			n := counts[last] + s.Counts[i]
			values[last] = (values[last]*counts[last] + s.Values[i]*s.Counts[i]) / n
			counts[last] = n
			joined = true // in pairs only: a chain would swallow a whole range
			continue
		}
		values, counts = append(values, s.Values[i]), append(counts, s.Counts[i])
		joined = false
	}
	s.Values, s.Counts = values, counts
}

func (s *Set) gap(i int) float64 {
	low, high := s.Values[i-1], s.Values[i]
	return (high - low) / max(math.Abs(low), math.Abs(high), math.SmallestNonzeroFloat64)
}

// Average is the mean of the values.
func (s *Set) Average() float64 { return s.Sum / s.Count }

// known reports whether the values themselves are.
func (s *Set) known() bool {
	n := 0.0
	for _, c := range s.Counts {
		n += c
	}
	return n >= s.Count
}

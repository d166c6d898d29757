package metric

import (
	"fmt"
	"strconv"
	"strings"
)

// Stat is a statistic over a Set, such as Average, p99.9 or TM(10%:90%).
type Stat struct {
	kind string // lower case
	low  bound
	high bound
	text string
}

// bound is one end of a range of values; an open one takes all.
type bound struct {
	set     bool
	percent bool
	value   float64
}

// plain are the statistics without a range.
var plain = map[string]bool{"samplecount": true, "average": true, "sum": true, "minimum": true, "maximum": true, "iqm": true}

// ParseStat reads a statistic as GetMetricData takes it (CloudWatch User
// Guide, "Statistics definitions"): the five simple ones, IQM, pNN, and tmNN,
// wmNN, tcNN, tsNN, prNN with their long forms TM(10%:90%).
func ParseStat(text string) (Stat, error) {
	lower := strings.ToLower(text)
	if plain[lower] {
		return Stat{kind: lower, text: text}, nil
	}
	s := Stat{text: text}
	var ok bool
	if s.kind, ok = prefixOf(lower); ok {
		rest := lower[len(s.kind):]
		if inner, long := strings.CutPrefix(rest, "("); long && strings.HasSuffix(inner, ")") && s.kind != "p" {
			s.low, s.high, ok = parseRange(strings.TrimSuffix(inner, ")"))
		} else {
			s.high, ok = parsePercent(rest)
			ok = ok && s.kind != "pr"
		}
	}
	if !ok {
		return Stat{}, fmt.Errorf("%q is no statistic", text)
	}
	return s, nil
}

func prefixOf(text string) (string, bool) {
	for _, kind := range []string{"tm", "wm", "tc", "ts", "pr", "p"} {
		if strings.HasPrefix(text, kind) {
			return kind, true
		}
	}
	return "", false
}

func parsePercent(text string) (bound, bool) {
	v, err := strconv.ParseFloat(text, 64)
	return bound{true, true, v}, err == nil && v >= 0 && v <= 100
}

func parseRange(text string) (low, high bound, ok bool) {
	a, b, found := strings.Cut(text, ":")
	low, ok1 := parseBound(a)
	high, ok2 := parseBound(b)
	return low, high, found && ok1 && ok2 && (low.set || high.set) &&
		(!low.set || !high.set || low.percent == high.percent && low.value <= high.value)
}

func parseBound(text string) (bound, bool) {
	if text == "" {
		return bound{}, true
	}
	if number, percent := strings.CutSuffix(text, "%"); percent {
		return parsePercent(number)
	}
	v, err := strconv.ParseFloat(text, 64)
	return bound{true, false, v}, err == nil
}

// Percentile reports whether s needs the values themselves.
func (s *Stat) Percentile() bool { return !plain[s.kind] || s.kind == "iqm" }

// String is the statistic as it was given.
func (s *Stat) String() string { return s.text }

// Of computes the statistic. ok is false where it has no value: of an empty
// set, or a percentile of values that aren't known.
func (s *Stat) Of(set *Set) (v float64, ok bool) {
	if set.Count == 0 {
		return 0, false
	}
	switch s.kind {
	case "samplecount":
		return set.Count, true
	case "average":
		return set.Average(), true
	case "sum":
		return set.Sum, true
	case "minimum":
		return set.Min, true
	case "maximum":
		return set.Max, true
	}
	if !set.known() {
		return 0, false
	}
	switch s.kind {
	case "p":
		return set.percentile(s.high.value), true
	case "iqm":
		return set.trimmedMean(bound{true, true, 25}, bound{true, true, 75})
	case "tm":
		return set.trimmedMean(s.low, s.high)
	case "wm":
		return set.winsorizedMean(s.low, s.high), true
	}
	count, sum := set.within(s.low, s.high)
	switch s.kind {
	case "tc":
		return count, true
	case "ts":
		return sum, true
	}
	return count / set.Count * 100, true // pr
}

// percentile is the smallest value that p percent of the values don't exceed.
// How AWS interpolates isn't documented.
func (s *Set) percentile(p float64) float64 {
	want, seen := p/100*s.Count, 0.0
	for i, v := range s.Values {
		if seen += s.Counts[i]; seen >= want {
			return v
		}
	}
	return s.Max
}

// limits turns bounds into values.
func (s *Set) limits(low, high bound) (from, to float64) {
	at := func(b bound, open float64) float64 {
		switch {
		case !b.set:
			return open
		case b.percent:
			return s.percentile(b.value)
		}
		return b.value
	}
	return at(low, s.Min), at(high, s.Max)
}

// within counts and sums the values between the bounds. A lower bound excludes
// its own value, an upper one doesn't (User Guide: "TM(p10:p90)" covers values
// greater than the tenth percentile).
func (s *Set) within(low, high bound) (count, sum float64) {
	from, to := s.limits(low, high)
	for i, v := range s.Values {
		if (v > from || !low.set || low.percent && low.value == 0) && v <= to {
			count += s.Counts[i]
			sum += v * s.Counts[i]
		}
	}
	return count, sum
}

func (s *Set) trimmedMean(low, high bound) (float64, bool) {
	count, sum := s.within(low, high)
	return sum / count, count > 0
}

// winsorizedMean counts values beyond the bounds as the bounds.
func (s *Set) winsorizedMean(low, high bound) float64 {
	from, to := s.limits(low, high)
	sum := 0.0
	for i, v := range s.Values {
		sum += min(max(v, from), to) * s.Counts[i]
	}
	return sum / s.Count
}

package metric

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func values(n int) *Set {
	s := &Set{}
	for i := n; i >= 1; i-- {
		s.Add(float64(i))
	}
	return s
}

func TestStatistics(t *testing.T) {
	t.Parallel()
	set := values(100)
	for text, want := range map[string]float64{
		"SampleCount": 100, "Sum": 5050, "Average": 50.5, "Minimum": 1, "Maximum": 100,
		"p50": 50, "p99": 99, "p99.9": 100, "p0": 1, "p100": 100,
		"tm90": 45.5, "TM(10%:90%)": 50.5, "TM(:95%)": 48, "TM(2:5)": 4, "tc90": 90, "TC(:10)": 10, "ts10": 55, "PR(:25)": 25, "PR(10:)": 90,
		"IQM": 50.5, "wm90": 49.95,
	} {
		s, err := ParseStat(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, ok := s.Of(set); !ok || math.Abs(got-want) > 1e-9 {
			t.Errorf("%s = %v, %v, want %v", text, got, ok, want)
		}
		if _, ok := s.Of(&Set{}); ok {
			t.Errorf("%s of nothing has a value", text)
		}
	}
	for _, text := range []string{"", "p", "p101", "p-1", "median", "TM()", "TM(5)", "TM(9:1)", "TM(1:9%)", "PR90", "P(1:2)", "sum1"} {
		if s, err := ParseStat(text); err == nil {
			t.Errorf("%q is read as %+v", text, s)
		}
	}
}

// TestStatisticSets: percentiles of values that aren't known have none, unless
// they are all the same (CloudWatch User Guide, "Percentiles").
func TestStatisticSets(t *testing.T) {
	t.Parallel()
	p, _ := ParseStat("p50")
	unknown := &Set{}
	unknown.AddStatistics(10, 100, 1, 20)
	if _, ok := p.Of(unknown); ok {
		t.Error("a percentile of unknown values")
	}
	same := &Set{}
	same.AddStatistics(10, 70, 7, 7)
	if v, ok := p.Of(same); !ok || v != 7 {
		t.Errorf("p50 of ten sevens = %v, %v", v, ok)
	}
	same.Merge(unknown)
	want := &Set{Count: 20, Sum: 170, Min: 1, Max: 20, Values: []float64{7}, Counts: []float64{10}}
	if diff := cmp.Diff(want, same); diff != "" {
		t.Errorf("merged: -want +got\n%s", diff)
	}
}

// TestManyValues: percentiles of more values than a set tells apart stay
// close, and its size bounded.
func TestManyValues(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	all := make([]float64, 50_000)
	set := &Set{}
	for i := range all {
		all[i] = math.Exp(rng.NormFloat64()*1.5) * 10 // latencies
		set.Add(all[i])
	}
	slices.Sort(all)
	if len(set.Values) > maxValues || !set.known() {
		t.Errorf("%d values are kept, known %v", len(set.Values), set.known())
	}
	for _, p := range []float64{10, 50, 90, 99} {
		want, got := all[int(p/100*float64(len(all)))], set.percentile(p)
		if math.Abs(got-want)/want > 0.05 {
			t.Errorf("p%v = %v, want about %v", p, got, want)
		}
	}
}

type samples []Sample

func (s *samples) Put(_, _ string, more []Sample) { *s = append(*s, more...) }

func TestMeter(t *testing.T) {
	t.Parallel()
	a, b := []Dimension{{"A", "1"}}, []Dimension{{"A", "1"}, {"B", "2"}}
	var meters Meters[string]
	make := func() *Meter {
		return &Meter{Namespace: "N", Columns: []Column{{"X", Count}, {"Y", Milliseconds}}, Dimensions: [][]Dimension{a, b}}
	}
	m := meters.Get("k", make)
	if meters.Get("k", make) != m {
		t.Error("a second meter of one key")
	}
	minute := time.Unix(1_700_000_040, 0).UTC()
	m.Take(minute.Add(time.Second), 1, 5)
	m.Take(minute.Add(59*time.Second), 1, Unmeasured)
	m.Take(minute.Add(time.Minute), 0, Unmeasured)
	var got samples
	meters.Drain(&got)
	x := Set{Count: 2, Sum: 2, Min: 1, Max: 1, Values: []float64{1}, Counts: []float64{2}}
	y := Set{Count: 1, Sum: 5, Min: 5, Max: 5, Values: []float64{5}, Counts: []float64{1}}
	zero := Set{Count: 1, Values: []float64{0}, Counts: []float64{1}}
	want := samples{
		{ID: ID{"N", "X", a}, Unit: Count, Time: minute, Set: x}, {ID: ID{"N", "X", b}, Unit: Count, Time: minute, Set: x},
		{ID: ID{"N", "Y", a}, Unit: Milliseconds, Time: minute, Set: y}, {ID: ID{"N", "Y", b}, Unit: Milliseconds, Time: minute, Set: y},
		{ID: ID{"N", "X", a}, Unit: Count, Time: minute.Add(time.Minute), Set: zero},
		{ID: ID{"N", "X", b}, Unit: Count, Time: minute.Add(time.Minute), Set: zero},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	got = nil
	if meters.Drain(&got); len(got) != 0 {
		t.Errorf("drained twice: %v", got)
	}
}

func BenchmarkMeter(b *testing.B) {
	m := &Meter{Columns: make([]Column, 5)}
	now := time.Unix(1_700_000_040, 0)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.Take(now, 1, 0, 0, float64(i%40), float64(i%30))
	}
}

package expr

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func series(values ...float64) *Series {
	s := &Series{Period: 60}
	for i, v := range values {
		if v >= 0 {
			s.add(int64(i*60), v)
		}
	}
	return s
}

func show(v Value) string {
	switch v := v.(type) {
	case Number:
		return fmt.Sprint(float64(v))
	case *Series:
		var b strings.Builder
		for i, t := range v.Times {
			fmt.Fprintf(&b, "%d:%v ", t/60, v.Values[i])
		}
		return strings.TrimSpace(b.String())
	case List:
		var parts []string
		for _, s := range v {
			parts = append(parts, show(s))
		}
		return strings.Join(parts, " | ")
	}
	return fmt.Sprint(v)
}

func TestEval(t *testing.T) {
	t.Parallel()
	// A negative value stands for a missing data point.
	values := map[string]*Series{"a": series(1, 2, 3, 4), "b": series(10, -1, 0, 20), "gap": series(5, -1, -1, 8)}
	for id, s := range values {
		s.Label = id
	}
	env := &Env{
		Query: func(id string) (Value, error) {
			if s := values[id]; s != nil {
				return s, nil
			}
			return nil, errors.New("no " + id)
		},
		Metrics: func() (List, error) { return List{values["a"], values["b"]}, nil },
		Period:  60, From: 0, To: 240,
	}
	for source, want := range map[string]string{
		"1 + 2 * 3": "7", "(1 + 2) * 3": "9", "2 ^ 3 ^ 1": "8", "-2 + 5": "3", "1e3": "1000",
		"a + b": "0:11 2:3 3:24", "a / b": "0:0.1 3:0.2", "100 * a / SUM(a)": "0:10 1:20 2:30 3:40",
		"a > 2": "0:0 1:0 2:1 3:1", "a >= 2 AND b < 5": "0:0 2:1 3:0", "a == 1 || a == 4": "0:1 1:0 2:0 3:1",
		"AVG(a)": "2.5", "MAX([a, b])": "0:10 1:2 2:3 3:20", "SUM(METRICS())": "0:11 1:2 2:3 3:24", "METRIC_COUNT(METRICS('a'))": "1",
		"FILL(gap, 0)": "0:5 1:0 2:0 3:8", "FILL(gap, REPEAT)": "0:5 1:5 2:5 3:8", "FILL(gap, LINEAR)": "0:5 1:6 2:7 3:8",
		"IF(a > 2, a, 0)": "0:0 1:0 2:3 3:4", "IF(a > 2, a)": "2:3 3:4", "IF(1, a, b)": "0:1 1:2 2:3 3:4",
		"DIFF(a)": "1:1 2:1 3:1", "RATE(gap) * 60": "3:1", "RUNNING_SUM(a)": "0:1 1:3 2:6 3:10", "PERIOD(a)": "60",
		"DATAPOINT_COUNT(b)": "3", "FIRST([a, b])": "0:1 1:2 2:3 3:4", "SORT([a, b], SUM, DESC, 1)": "0:10 2:0 3:20", "SLICE([a, b], 1)": "0:10 2:0 3:20",
		"[a, b] * 2": "0:2 1:4 2:6 3:8 | 0:20 2:0 3:40", "TIME_SERIES(7)": "0:7 1:7 2:7 3:7", "ABS(-3)": "3", "STDDEV(a) > 1.1": "1", "MINUTE(a)": "0:0 1:1 2:2 3:3",
	} {
		x, err := Parse(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		v, err := x.Eval(env)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got := show(v); got != want {
			t.Errorf("%s = %s, want %s", source, got, want)
		}
	}
	for _, source := range []string{"unknown + 1", "IF(a)", "AVG(1)", "[1, 2]", "NOSUCH(a)", "FILL(a)", "SLICE([a], 5)", "'text' + 1"} {
		x, err := Parse(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if v, err := x.Eval(env); err == nil {
			t.Errorf("%s = %s", source, show(v))
		}
	}
	x, _ := Parse("SEARCH('{AWS/Lambda} Errors', 'Sum')")
	var missing *NotBuilt
	if _, err := x.Eval(env); !errors.As(err, &missing) {
		t.Errorf("SEARCH: %v", err)
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"", "1 +", "(1", "a b", "f(1", "[a", "'open", "a $ b", "1..2", ")", strings.Repeat("(", 1000) + "1"} {
		if _, err := Parse(source); err == nil {
			t.Errorf("%q is read", source)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("IF(a > 2 AND b, FILL([a, -b], LINEAR), 'x')")
	f.Fuzz(func(t *testing.T, source string) {
		if x, err := Parse(source); err == nil {
			x.Names()
		}
	})
}

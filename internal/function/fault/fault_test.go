package fault

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/butai-dev/butai/internal/function"
)

type healthy struct{}

func (healthy) Invoke(context.Context, *function.Spec, *function.Request) (*function.Result, error) {
	return &function.Result{Payload: []byte(`"fine"`), Duration: time.Millisecond}, nil
}

func TestInjector(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := New(healthy{})
		if err := i.Set(Fault{FunctionARN: "f", Version: "2", ErrorRate: 0.25, Latency: time.Second}); err != nil {
			t.Fatal(err)
		}
		const n = 2000
		failed := 0
		for range n {
			began := time.Now()
			r, err := i.Invoke(t.Context(), &function.Spec{ARN: "f", Version: "2"}, &function.Request{})
			if err != nil || r.Duration < time.Second || time.Since(began) != time.Second {
				t.Fatalf("%+v, %v after %s", r, err, time.Since(began))
			}
			if r.FunctionError != "" {
				failed++
			}
		}
		if math.Abs(float64(failed)-n/4) > 5*math.Sqrt(n*0.25*0.75) {
			t.Errorf("%d of %d calls failed, want a quarter", failed, n)
		}
		for _, other := range []function.Spec{{ARN: "f", Version: "1"}, {ARN: "g", Version: "2"}} {
			if r, _ := i.Invoke(t.Context(), &other, &function.Request{}); r.FunctionError != "" || r.Duration != time.Millisecond {
				t.Errorf("%s:%s has the fault too: %+v", other.ARN, other.Version, r)
			}
		}
		if len(i.List("f")) != 1 || len(i.List("g")) != 0 {
			t.Errorf("faults of f: %v", i.List("f"))
		}
		if err := i.Set(Fault{FunctionARN: "f", Version: "2"}); err != nil || len(i.List("")) != 0 {
			t.Errorf("not healed: %v, %v", err, i.List(""))
		}
		if i.Set(Fault{ErrorRate: 1.5}) == nil || i.Set(Fault{ErrorRate: math.NaN()}) == nil {
			t.Error("an error rate that is none was taken")
		}
	})
}

// Package fault lets chosen versions of functions fail or answer late, so that
// a team can rehearse a rollback. It stands before an Invoker.
package fault

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/ident"
)

// Fault is what is wrong with a version.
type Fault struct {
	FunctionARN string        `json:"function"`  // unqualified
	Version     string        `json:"version"`   // "$LATEST" or a number
	ErrorRate   float64       `json:"errorRate"` // share of the calls that fail, from 0 to 1
	Latency     time.Duration `json:"latency"`   // added to each call; nanoseconds
}

type key struct{ arn, version string }

// Injector passes calls on, apart from those that its faults catch.
type Injector struct {
	next  function.Invoker
	edits sync.Mutex
	// faults is replaced whole, so that calls take no lock; nil if there are
	// none.
	faults atomic.Pointer[map[key]Fault]
}

var _ function.Invoker = (*Injector)(nil)

// New returns an injector without faults.
func New(next function.Invoker) *Injector { return &Injector{next: next} }

// Set injects a fault in place of what its version had before; one without
// errors and latency heals the version.
func (i *Injector) Set(f Fault) error {
	if !(f.ErrorRate >= 0 && f.ErrorRate <= 1) || f.Latency < 0 {
		return fmt.Errorf("want an error rate between 0 and 1 and a latency that isn't negative, not %g and %s", f.ErrorRate, f.Latency)
	}
	i.edits.Lock()
	defer i.edits.Unlock()
	all := map[key]Fault{}
	if old := i.faults.Load(); old != nil {
		all = maps.Clone(*old)
	}
	k := key{f.FunctionARN, f.Version}
	delete(all, k)
	if f.ErrorRate > 0 || f.Latency > 0 {
		all[k] = f
	}
	if len(all) == 0 {
		i.faults.Store(nil)
		return nil
	}
	i.faults.Store(&all)
	return nil
}

// List returns the faults of functions whose ARN begins with a prefix.
func (i *Injector) List(prefix string) []Fault {
	out := []Fault{}
	if all := i.faults.Load(); all != nil {
		for _, f := range *all {
			if strings.HasPrefix(f.FunctionARN, prefix) {
				out = append(out, f)
			}
		}
	}
	slices.SortFunc(out, func(a, b Fault) int { return strings.Compare(a.FunctionARN+a.Version, b.FunctionARN+b.Version) })
	return out
}

// failure is what a call that is made to fail answers. The number at its
// beginning is for selection patterns.
const failure = `{"errorMessage": "500: simulated by butai release simulate", "errorType": "SimulatedFault"}`

// Invoke implements function.Invoker.
func (i *Injector) Invoke(ctx context.Context, spec *function.Spec, req *function.Request) (*function.Result, error) {
	all := i.faults.Load()
	if all == nil {
		return i.next.Invoke(ctx, spec, req)
	}
	f, ok := (*all)[key{spec.ARN, spec.Version}]
	if !ok {
		return i.next.Invoke(ctx, spec, req)
	}
	if f.Latency > 0 {
		timer := time.NewTimer(f.Latency)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if ident.Float64() < f.ErrorRate {
		return &function.Result{Payload: []byte(failure), FunctionError: "Unhandled", Duration: f.Latency}, nil
	}
	result, err := i.next.Invoke(ctx, spec, req)
	if result != nil {
		result.Duration += f.Latency
	}
	return result, err
}

package catalog

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/metric"
)

// metricNamespace is the namespace of Lambda's metrics (Lambda Developer
// Guide, "Types of metrics for Lambda functions").
const metricNamespace = "AWS/Lambda"

var (
	callColumns = []metric.Column{
		{Name: "Invocations", Unit: metric.Count}, {Name: "Errors", Unit: metric.Count}, {Name: "Throttles", Unit: metric.Count},
		{Name: "Duration", Unit: metric.Milliseconds},
	}
	runningColumns = []metric.Column{{Name: "ConcurrentExecutions", Unit: metric.Count}}
)

// Metered is an Invoker that measures what it passes on for CloudWatch.
type Metered struct {
	next  function.Invoker
	clock clock.Clock
	calls metric.Meters[callKey]

	mu      sync.RWMutex
	running map[runningKey]*running
}

var _ function.Invoker = (*Metered)(nil)

// Meter returns an Invoker that measures calls of next.
func Meter(next function.Invoker, c clock.Clock) *Metered { return &Metered{next: next, clock: c} }

// callKey says what calls are measured together.
type callKey struct{ account, region, name, qualifier, version string }

// runningKey is a function, or with an empty name a region of an account.
type runningKey struct{ account, region, name string }

// running counts the calls under way of a function, or of a region.
type running struct {
	count  atomic.Int64
	meter  metric.Meter
	region *running // of a function: its region's
}

// begin counts a call that begins at a time.
func (r *running) begin(at time.Time) {
	for ; r != nil; r = r.region {
		r.meter.Take(at, float64(r.count.Add(1)))
	}
}

func (r *running) end() {
	for ; r != nil; r = r.region {
		r.count.Add(-1)
	}
}

// Invoke implements function.Invoker.
func (m *Metered) Invoke(ctx context.Context, spec *function.Spec, req *function.Request) (*function.Result, error) {
	at := m.clock.Now()
	running := m.runningOf(spec)
	running.begin(at)
	defer running.end()
	res, err := m.next.Invoke(ctx, spec, req)
	m.take(at, spec, req, res, err)
	return res, err
}

// take counts a call at the time it began: one that was throttled is no
// invocation, and errors and throttles are 0 or 1, so that their averages are
// rates.
func (m *Metered) take(at time.Time, spec *function.Spec, req *function.Request, res *function.Result, err error) {
	row := [4]float64{1, 0, 0, metric.Unmeasured}
	var throttled *function.ThrottledError
	switch {
	case errors.As(err, &throttled):
		row = [4]float64{metric.Unmeasured, metric.Unmeasured, 1, metric.Unmeasured}
	case err != nil:
		return // butai's own failure
	default:
		row[3] = float64(res.Duration.Microseconds()/10) / 100 // as REPORT lines print it
		if res.FunctionError != "" {
			row[1] = 1
		}
	}
	_, qualifier := Split(req.InvokedARN)
	m.meter(callKey{spec.Account, spec.Region, spec.Name, qualifier, spec.Version}).Take(at, row[:]...)
}

func (m *Metered) meter(key callKey) *metric.Meter {
	return m.calls.Get(key, func() *metric.Meter {
		name := metric.Dimension{Name: "FunctionName", Value: key.name}
		resource := metric.Dimension{Name: "Resource", Value: key.name}
		if key.qualifier != "" {
			resource.Value += ":" + key.qualifier
		}
		dimensions := [][]metric.Dimension{nil, {name}, {name, resource}}
		if key.qualifier != "" && key.qualifier != key.version { // an alias
			dimensions = append(dimensions, []metric.Dimension{{Name: "ExecutedVersion", Value: key.version}, name, resource})
		}
		return &metric.Meter{
			Account: key.account, Region: key.region, Namespace: metricNamespace, Columns: callColumns, Dimensions: dimensions,
		}
	})
}

// runningOf counts the calls of a function.
func (m *Metered) runningOf(spec *function.Spec) *running {
	key := runningKey{spec.Account, spec.Region, spec.Name}
	m.mu.RLock()
	found := m.running[key]
	m.mu.RUnlock()
	if found != nil {
		return found
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	region := m.runningFor(runningKey{spec.Account, spec.Region, ""}, nil)
	return m.runningFor(key, region, metric.Dimension{Name: "FunctionName", Value: spec.Name})
}

// runningFor makes what counts a key's calls, unless there is one; m.mu is held.
func (m *Metered) runningFor(key runningKey, region *running, dimensions ...metric.Dimension) *running {
	if m.running == nil {
		m.running = map[runningKey]*running{}
	}
	r := m.running[key]
	if r == nil {
		r = &running{region: region, meter: metric.Meter{
			Account: key.account, Region: key.region, Namespace: metricNamespace, Columns: runningColumns, Dimensions: [][]metric.Dimension{dimensions},
		}}
		m.running[key] = r
	}
	return r
}

// DrainMetrics hands sink what was measured since the last time.
func (m *Metered) DrainMetrics(sink metric.Sink) {
	m.calls.Drain(sink)
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, r := range m.running {
		r.meter.Drain(sink)
	}
}

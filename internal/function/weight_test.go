//go:build linux

package function

import (
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/function/sandbox"
)

func TestWeightFollowsMemory(t *testing.T) {
	for mb, weight := range map[int]int{128: 10, 512: 28, 1769: 100, 10240: 100} {
		want(t, "weight", (&Spec{MemoryMB: mb}).weight(), weight)
	}
}

func TestDebt(t *testing.T) {
	const share = 0.5
	start := time.Unix(1000, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	used := func(ms int) time.Duration { return time.Duration(ms) * time.Millisecond }
	var d debt
	// The init phase, and quick calls before, cost nothing.
	d.settle(used(500), at(0), at(10), share)
	want(t, "owed", d.owed, used(10))
	want(t, "gives way", d.gives(), false)
	// It ran all the time, and half of that was its own.
	d.settle(used(540), at(0), at(50), share)
	want(t, "owed", d.owed, used(40))
	want(t, "gives way", d.gives(), true)
	d.heavy = true
	d.repay(at(80), share)
	want(t, "gives way with more than half a burst of debt", d.gives(), true)
	d.repay(at(111), share)
	want(t, "gives way after a rest", d.gives(), false)
	// The debt has an end, so that whoever gets nothing has its turn in the end.
	d.settle(used(9000), at(111), at(9000), share)
	want(t, "owed", d.owed, deepest)
	d.heavy = true
	want(t, "time until its turn", d.untilTurn(share), used(60))
	d.settle(used(9000), at(111), at(9059), share)
	want(t, "gives way before its turn", d.gives(), true)
	want(t, "time until its turn, soon", d.untilTurn(share), watchPause)
	d.settle(used(9000), at(111), at(9060), share)
	want(t, "gives way in its turn", d.gives(), false)
	d.heavy, d.at, d.owed = false, at(111), used(10)
	d.settle(used(1), at(111), at(120), share)
	want(t, "gives way after it has started again", d.gives(), false)
	d.repay(at(10_000), share)
	want(t, "owed after a long rest", d.owed, 0)
}

// debtOf is that of a function's idle sandbox, and whether it gives way.
func (r rig) debtOf(t *testing.T, spec *Spec) (d *debt, heavy bool) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.pools[spec.ID]
	if p == nil || len(p.idle) != 1 {
		t.Fatal("the function has no idle sandbox")
	}
	d = &p.idle[0].debt
	d.mu.Lock()
	defer d.mu.Unlock()
	return d, d.heavy
}

// TestBusyFunctionsGiveWay has a function run for longer than its share, then
// rest, and another one crash.
func TestBusyFunctionsGiveWay(t *testing.T) {
	t.Parallel()
	r := isolated(t)
	spec := r.python(t, `
import os, time
def handler(event, context):
    if event.get('crash'):
        os._exit(1)
    end = time.process_time() + event.get('spin', 0)
    while time.process_time() < end:
        pass
`)
	for _, rung := range r.Report(t.Context()) {
		if rung.Mechanism == "processor" && !rung.Reached {
			t.Skip(rung.Detail)
		}
	}
	heavy := false
	for n := 0; n < 20 && !heavy; n++ { // a busy machine may give it less than its share
		r.call(t, spec, `{"spin": 0.1}`)
		_, heavy = r.debtOf(t, spec)
	}
	want(t, "gives way", heavy, true)
	d, _ := r.debtOf(t, spec)
	d.mu.Lock()
	d.at = d.at.Add(-time.Hour)
	d.mu.Unlock()
	r.call(t, spec, `{}`)
	_, heavy = r.debtOf(t, spec)
	want(t, "gives way after a rest", heavy, false)

	if res := r.call(t, spec, `{"crash": true}`); !strings.Contains(string(res.Payload), "ExitError") {
		t.Fatalf("%s", res.Payload)
	}
	i := &instance{pool: r.pools[spec.ID], spec: spec}
	r.inheritDebt(i)
	weight, idle := i.weightNow()
	want(t, "weight of what replaces a sandbox that crashed", weight, spec.weight())
	want(t, "it makes room", idle, true)
	r.call(t, spec, `{}`)
	i = &instance{pool: r.pools[spec.ID], spec: spec}
	r.inheritDebt(i)
	weight, idle = i.weightNow()
	want(t, "weight of a new sandbox", weight, sandbox.Ordinary)
	want(t, "it makes room", idle, false)
}

package function

import (
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/function/sandbox"
)

// On AWS a function's memory decides how much of a processor it gets, all the
// time: a whole one at 1,769 MB, a fourteenth at 128 MB. Somebody who works on
// their own machine wants answers at once, and AWS's share only where there
// isn't enough for all. So a sandbox weighs what any process does and has credit
// for a burst; what it runs beyond AWS's share is its debt. With too much of
// that it runs when nobody else wants to: neither the server, nor functions that
// are less busy. While that is less than AWS's share, the debt is paid off, and
// then it has its weight back for a turn. Kernels that know no idle groups weigh
// it as AWS would instead.
//
// Calls that take less than quickCall are in nobody's way and would take longer
// to measure, so they run up no debt. A sandbox that dies in a call leaves its
// successor with all the debt there can be, or a function that crashes over and
// over would keep the machine busy with its remains.

const (
	// burst is the debt, in processor time, at which a sandbox gives way, until
	// it has half of that.
	burst = 20 * time.Millisecond
	// deepest is the most debt that there can be, or who has run for an hour alone
	// would then have to wait for as long.
	deepest = 2 * burst
	// processorMB is the memory that comes with one processor ("Configure Lambda
	// function memory").
	processorMB = 1769
	// lightest is the least share of a processor that a sandbox has, in hundredths,
	// and the least that it weighs where it can't be idle. With what AWS gives to
	// little memory, a function that imports a library would meet its timeout on
	// a busy machine.
	lightest = sandbox.Ordinary / 10
	// slowestLook is the longest pause between looks at one call's time.
	slowestLook = 320 * time.Millisecond
)

// weight is AWS's share of a function, where one processor is what an ordinary
// process gets, but not less than lightest.
func (s *Spec) weight() int {
	return min(max(lightest, s.MemoryMB*sandbox.Ordinary/processorMB), sandbox.Ordinary)
}

// debt is a sandbox's debt of processor time.
type debt struct {
	mu    sync.Mutex
	heavy bool          // the sandbox makes room for others
	owed  time.Duration // as it was when it was last settled
	at    time.Time     // when that was, zero for never
	used  time.Duration // what the sandbox had run then

	next  time.Time // when the watch looks again
	pause time.Duration

	quick int // calls in a row that were; of the call's goroutine only
}

// settle counts what the sandbox has run since the last time, but no more than
// the call has taken that began at since: what it ran before was quick, or its
// init phase. d.mu is held.
func (d *debt) settle(used time.Duration, since, now time.Time, share float64) {
	ran := max(0, min(used-d.used, now.Sub(since))) // a sandbox that starts again counts from 0
	d.repay(now, share)
	d.owed, d.used = min(d.owed+ran, deepest), used
}

// repay takes off what AWS would have given meanwhile; d.mu is held.
func (d *debt) repay(now time.Time, share float64) {
	if !d.at.IsZero() {
		d.owed = max(0, d.owed-time.Duration(float64(now.Sub(d.at))*share))
	}
	d.at = now
}

// gives tells whether the sandbox should give way; d.mu is held.
func (d *debt) gives() bool { return d.owed >= burst || d.heavy && d.owed > burst/2 }

// beginWeighed gives a sandbox its full weight back that has rested enough.
func (i *instance) beginWeighed(now time.Time) {
	if i.proc != nil {
		i.rested(i.proc, now)
	}
}

// rested reweighs it as if it hadn't run since the debt was settled.
func (i *instance) rested(proc *sandbox.Process, now time.Time) {
	d := &i.debt
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.heavy {
		d.repay(now, i.share())
		i.reweigh(proc)
	}
}

// endWeighed counts a call that has ended.
func (i *instance) endWeighed(start time.Time) {
	d := &i.debt
	if i.took < quickCall {
		d.quick++
		return
	}
	steady := d.quick >= steadyCalls // then it was the machine that was slow
	if d.quick = 0; !steady && i.proc != nil {
		i.weigh(i.proc, start, time.Now())
	}
}

// watchWeight counts a call under way that takes long.
func (i *instance) watchWeight(since, now time.Time) {
	d := &i.debt
	d.mu.Lock()
	due := !now.Before(d.next)
	d.mu.Unlock()
	i.mu.Lock()
	proc := i.proc
	i.mu.Unlock()
	if due && proc != nil {
		i.weigh(proc, since, now)
	}
}

// weigh settles the debt and sets the weight that follows from it.
func (i *instance) weigh(proc *sandbox.Process, since, now time.Time) {
	used, err := proc.ProcessorTime()
	if err != nil {
		return // the host can't tell, or the sandbox has ended
	}
	d := &i.debt
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.next.Before(since) {
		d.pause = watchPause
	}
	d.settle(used, since, now, i.share())
	d.pause = min(2*d.pause, slowestLook) // calls that mostly wait aren't looked at all the time
	if i.reweigh(proc); d.heavy {
		d.pause = min(d.pause, d.untilTurn(i.share()))
	}
	d.next = now.Add(d.pause)
}

// untilTurn is how long the debt lasts if the sandbox doesn't get to run at all;
// d.mu is held.
func (d *debt) untilTurn(share float64) time.Duration {
	return max(watchPause, time.Duration(float64(d.owed-burst/2)/share))
}

// watchBootWeight gives one that boots with a debt its turn.
func (i *instance) watchBootWeight(now time.Time) {
	i.mu.Lock()
	proc := i.proc
	i.mu.Unlock()
	if proc != nil {
		i.rested(proc, now)
	}
}

// reweigh sets the weight if it isn't as it should be; debt.mu is held.
func (i *instance) reweigh(proc *sandbox.Process) {
	heavy := i.debt.gives()
	if heavy == i.debt.heavy {
		return
	}
	i.debt.heavy, i.debt.pause, i.debt.next = heavy, watchPause, time.Time{} // and see soon what comes of it
	if err := proc.SetWeight(i.weightNow()); err != nil {
		i.engine.cfg.Logger.Warn("a sandbox can't be weighed", "function", i.spec.ARN, "reason", err)
	}
}

// share is how much of a processor AWS gives the function, but not less than
// lightest.
func (i *instance) share() float64 {
	return max(float64(lightest)/sandbox.Ordinary, float64(i.spec.MemoryMB)/processorMB)
}

// weightNow is what the sandbox weighs, see sandbox.Spec; debt.mu is held, or
// nobody else knows the sandbox.
func (i *instance) weightNow() (weight int, idle bool) {
	if i.debt.heavy {
		return i.spec.weight(), true
	}
	return sandbox.Ordinary, false
}

// inheritDebt gives a sandbox that starts the debt of one that has crashed.
func (e *Engine) inheritDebt(i *instance) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if i.pool.crashing {
		i.debt.owed, i.debt.at, i.debt.heavy = deepest, time.Now(), true
	}
}

package function

import (
	"context"
	"slices"
	"sync"
	"time"
)

// How many sandboxes a function gets is a choice between fidelity and speed.
//
// AWS gives each concurrent call an environment of its own. With handlers that
// take a tenth of a millisecond, 16 concurrent callers would then keep 16
// interpreters busy that share the machine's few cores, each one colder than a
// single one would be; and starting one takes far longer than waiting for the
// next one to come free. So a call that finds no idle sandbox, or as many as
// there are cores busy with quick calls, gets in line and
//
//   - is in a hurry at once, while the function has fewer sandboxes than the
//     machine has cores, because those really run side by side, or if its turn
//     can't come within patience, going by how long calls take at best;
//   - otherwise is in a hurry when its patience is over, unless the line has
//     moved meanwhile: then it waits again, up to maxRounds times, because a
//     machine that is short of processor time would only get slower with more
//     processes.
//
// For each call in a hurry one more sandbox is started, as many at a time as
// there are cores; those whose init phase takes longer than startSlice don't
// count, as they may be waiting for something. The line takes whichever sandbox
// comes first, and sandboxes whose calls are quick are sent some of it ahead of
// its turn (ahead.go). Handlers that
// wait for something (a database, another function) are slower than patience,
// so they do get one sandbox per call, and functions that call themselves can't
// starve. Idle sandboxes are reused last in, first out, as AWS does, so that
// the surplus ages and is reclaimed.

// patience is the longest wait before a call is in a hurry. A cold start costs
// 15 ms and more of processor time.
const (
	patience  = 10 * time.Millisecond
	maxRounds = 10

	startSlice = 100 * time.Millisecond
)

// pool holds the sandboxes of one Spec. Engine.mu guards it.
type pool struct {
	spec    *Spec
	idle    []*instance // used as a stack
	busy    []*instance // each with a call under way
	waiting []*waiter   // first in, first out
	live    int         // sandboxes, starting ones included
	// starting counts sandboxes on their way, which the first waiters will get.
	starting int
	typical  time.Duration // what calls take at best, of late
	served   int           // calls that have ended
	crashing bool          // the last sandbox that had a call died in it
	retired  bool
	debugger *debugger // that of a person, who waits at a pool of one sandbox; else nil

	provisioned   int  // sandboxes to keep ready
	inProvisioned int  // calls under way that count as theirs
	topping       int  // on their way to become one of them
	initFails     bool // they can't be had, because the function doesn't initialize
	carved        int  // what the account's limit is lower for them

	frozen frozen // with SnapStart
	kept   keptTmp
}

// waiter is a call in line for a sandbox.
type waiter struct {
	ctx     context.Context // its caller's
	req     *Request
	granted chan grant // buffered, so that giving never blocks
	since   time.Time  // when it got in line or its patience was last renewed
	rounds  int        // how often that was
	served  int        // pool.served then
	hurry   bool       // a sandbox should be started for it
	ahead   bool       // its sandbox has been sent the call already
}

type grant struct {
	instance *instance
	err      error
}

// acquire takes a sandbox for one call; sent tells that it has been sent the
// call already. The caller must give it back with release, along with the count
// of executions that the call is in.
func (e *Engine) acquire(ctx context.Context, spec *Spec, req *Request) (i *instance, sent bool, counted *int, err error) {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil, false, nil, errClosed
	}
	counted, err = e.enter(spec)
	if err != nil {
		e.mu.Unlock()
		return nil, false, nil, err
	}
	p := e.poolOf(spec)
	e.watch()
	now := time.Now()
	if !p.crowded(e.cores, now) {
		if i := e.takeIdle(p); i != nil {
			p.engage(i, req, now)
			e.mu.Unlock()
			return i, false, counted, nil
		}
	}
	w := &waiter{ctx: ctx, req: req, granted: make(chan grant, 1), since: now, served: p.served}
	p.waiting = append(p.waiting, w)
	if p.live < e.cores || p.expectedWait() > patience {
		w.hurry = true
		e.serveHurried(p)
	}
	if i := p.roomy(now); i != nil {
		e.sendAhead(p, i, now, maxAhead)
	}
	e.mu.Unlock()
	g := <-w.granted // the watch puts it in a hurry, or out of line
	if g.err != nil {
		e.mu.Lock()
		*counted--
		e.mu.Unlock()
		return nil, false, nil, g.err
	}
	return g.instance, w.ahead, counted, nil
}

// engage puts a sandbox among those with a call under way; e.mu is held.
func (p *pool) engage(i *instance, req *Request, now time.Time) {
	i.since, i.current, i.place = now, req.RequestID, len(p.busy)
	p.busy = append(p.busy, i)
	i.sent.Store(false)
	i.parked, i.inIce = false, false
}

// disengage takes it out again; e.mu is held.
func (p *pool) disengage(i *instance) {
	last := len(p.busy) - 1
	p.busy[i.place] = p.busy[last]
	p.busy[i.place].place = i.place
	p.busy[last] = nil
	p.busy = p.busy[:last]
	i.place = -1
}

// takeIdle takes the sandbox that was used last and can still serve, nil if
// there is none; e.mu is held.
func (e *Engine) takeIdle(p *pool) *instance {
	for n := len(p.idle); n > 0; n-- {
		i := p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		if !i.worn() {
			return i
		}
		e.forget(p, 1)
		e.endLater(i)
	}
	return nil
}

// expectedWait estimates when the last in line gets its turn.
func (p *pool) expectedWait() time.Duration {
	busy := max(1, p.live-p.starting)
	return p.typical * time.Duration(len(p.waiting)) / time.Duration(busy)
}

// lookAtLine puts those in line in a hurry whose patience is over, unless the
// line moves; e.mu is held.
func (e *Engine) lookAtLine(p *pool, now time.Time) {
	late := false
	p.dismiss(now)
	for _, w := range p.waiting {
		if w.hurry || now.Sub(w.since) < patience {
			continue
		}
		w.rounds++
		if moving := p.served != w.served && p.expectedWait() <= patience; moving && w.rounds < maxRounds {
			w.served, w.since = p.served, now
		} else {
			w.hurry, late = true, true
		}
	}
	if late {
		e.serveHurried(p)
	}
}

// dismiss takes those out of line whose callers don't wait any longer; e.mu is
// held.
func (p *pool) dismiss(now time.Time) {
	p.waiting = slices.DeleteFunc(p.waiting, func(w *waiter) bool {
		err := w.ctx.Err()
		if err == nil && !w.req.Deadline.IsZero() && now.After(w.req.Deadline) {
			err = context.DeadlineExceeded
		}
		if err != nil {
			w.granted <- grant{err: err}
		}
		return err != nil
	})
}

// serveHurried gives idle sandboxes to those in line that are in a hurry, and
// starts more for the rest; e.mu is held.
func (e *Engine) serveHurried(p *pool) {
	for n := 0; n < len(p.waiting) && len(p.idle) > 0; {
		w := p.waiting[n]
		if !w.hurry {
			n++
			continue
		}
		i := e.takeIdle(p)
		if i == nil {
			break
		}
		p.waiting = append(p.waiting[:n], p.waiting[n+1:]...)
		p.engage(i, w.req, time.Now())
		w.granted <- grant{instance: i}
	}
	e.startFor(p)
}

// hurried counts the calls in line that are in a hurry.
func (p *pool) hurried() (n int) {
	for _, w := range p.waiting {
		if w.hurry {
			n++
		}
	}
	return n
}

// startFor starts the sandboxes that p's line is in a hurry for, as far as
// there is room; startAll makes up for the rest later. e.mu is held.
func (e *Engine) startFor(p *pool) {
	for e.starting < e.cores && p.starting < p.hurried() {
		if e.closed || e.live >= e.cfg.MaxSandboxes && len(p.frozen.ready) == 0 && !e.dropSpare() && !e.dropFrozen(p) && !e.evictOldest() {
			return
		}
		p.starting++
		e.starting++
		p.live++
		e.live++
		e.work.Add(1)
		go e.startOne(p)
	}
}

// startAll starts what lines have been waiting for; e.mu is held. It is called
// whenever there may be room again.
func (e *Engine) startAll() {
	for _, p := range e.pools {
		if len(p.waiting) > 0 {
			e.startFor(p)
		}
	}
}

func (e *Engine) startOne(p *pool) {
	defer e.work.Done()
	done := sync.OnceFunc(func() {
		e.mu.Lock()
		e.starting--
		e.startAll()
		e.mu.Unlock()
	})
	slice := time.AfterFunc(startSlice, done)
	i, err := e.obtain(p)
	e.mu.Lock()
	p.starting--
	e.mu.Unlock()
	slice.Stop()
	defer done()
	if err != nil {
		e.launchFailed(p, err)
		return
	}
	e.release(i, nil)
}

// evictOldest makes room by ending the sandbox of any function that has been
// idle for longest; e.mu is held.
func (e *Engine) evictOldest() bool {
	var from *pool
	for _, p := range e.pools {
		if len(p.idle) > 0 && p.live > p.provisioned && (from == nil || p.idle[0].idleSince.Before(from.idle[0].idleSince)) {
			from = p
		}
	}
	if from == nil {
		return false
	}
	old := from.idle[0]
	from.idle = append([]*instance(nil), from.idle[1:]...)
	e.forget(from, 1)
	e.endLater(old)
	return true
}

// launchFailed tells the first in line that there will be no sandbox for it.
func (e *Engine) launchFailed(p *pool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.forget(p, 1)
	if w := p.next(); w != nil {
		w.granted <- grant{err: err}
	}
}

// next takes the first waiter out of line, nil if there is none.
func (p *pool) next() *waiter {
	if len(p.waiting) == 0 {
		return nil
	}
	w := p.waiting[0]
	p.waiting[0] = nil
	p.waiting = p.waiting[1:]
	return w
}

func (p *pool) failWaiters(err error) {
	for w := p.next(); w != nil; w = p.next() {
		w.granted <- grant{err: err}
	}
}

// release gives a sandbox to the next in line or puts it aside, and ends it if
// it can't serve again. The call is taken off the count that enter returned, nil if
// there was none.
func (e *Engine) release(i *instance, counted *int) {
	e.mu.Lock()
	if counted != nil {
		*counted--
	}
	p := i.pool
	p.learn(i.took)
	i.learn()
	if i.calls > 0 {
		p.crashing = i.dead
	}
	if i.place >= 0 {
		p.disengage(i)
	}
	// A sandbox that has never run a call goes to the call it was started for,
	// whatever its state: starting yet another one would change nothing.
	worn := i.calls > 0 && i.worn()
	i.spent = worn
	now := time.Now()
	switch {
	case i.dead: // with this call, so the process has begun none of the others
		p.putBack(i.ahead)
		i.ahead = nil
		if e.closed {
			p.failWaiters(errClosed)
		}
	case len(i.ahead) > 0: // and may have begun the first
		worn = false
	}
	if !worn && len(i.ahead) == 0 && i.quick >= steadyCalls {
		i.since = now
		i.sent.Store(true) // nothing is under way
		e.sendAhead(p, i, now, 1)
	}
	if w := i.nextCall(worn); w != nil {
		p.engage(i, w.req, now)
		i.sent.Store(w.ahead)
		w.granted <- grant{instance: i}
		e.sendAhead(p, i, now, maxAhead)
		e.mu.Unlock()
		return
	}
	i.parked = true
	if ending := worn || p.retired || e.closed; ending {
		// The line must not be left without anybody working for it.
		if len(p.waiting) > 0 && p.live == 1 {
			p.waiting[0].hurry = true
		}
		e.forget(p, 1)
		e.startAll()
		e.mu.Unlock()
		e.end([]*instance{i})
		return
	}
	i.idleSince = now
	i.mayRest()
	p.idle = append(p.idle, i)
	if e.live >= e.cfg.MaxSandboxes {
		e.startAll() // others may take its place
	}
	e.mu.Unlock()
}

// nextCall takes the call that the sandbox serves next: the first of those
// that it was sent, or of the line; a worn one serves none. e.mu is held.
func (i *instance) nextCall(worn bool) *waiter {
	switch {
	case worn:
		return nil
	case len(i.ahead) == 0:
		return i.pool.next()
	}
	w := i.ahead[0]
	i.ahead = append(i.ahead[:0], i.ahead[1:]...)
	return w
}

// learn takes note of how long a call took. The estimate follows faster calls
// at once and slower ones slowly, because calls look slow when the machine is
// busy, and starting more processes then is the wrong answer.
func (p *pool) learn(took time.Duration) {
	switch {
	case took <= 0: // the sandbox was only just started
		return
	case p.typical == 0 || took < p.typical:
		p.typical = took
	default:
		p.typical += (took - p.typical) / 64
	}
	p.served++
}

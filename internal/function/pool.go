package function

import (
	"context"
	"sync"
	"time"
)

// How many sandboxes a function gets is a choice between fidelity and speed.
//
// AWS gives each concurrent call an environment of its own. With handlers that
// take a tenth of a millisecond, 16 concurrent callers would then keep 16
// interpreters busy that share the machine's few cores, each one colder than a
// single one would be; and starting one takes far longer than waiting for the
// next one to come free. So a call that finds no idle sandbox gets in line and
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
// count, as they may be waiting for something. The line takes whichever sandbox comes first. Handlers that
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
	waiting []*waiter   // first in, first out
	live    int         // sandboxes, starting ones included
	// starting counts sandboxes on their way, which the first waiters will get.
	starting int
	typical  time.Duration // what calls take at best, of late
	served   int           // calls that have ended
	retired  bool
}

// waiter is a call in line for a sandbox.
type waiter struct {
	granted chan grant // buffered, so that giving never blocks
	served  int        // pool.served when it got in line or last looked
	hurry   bool       // a sandbox should be started for it
}

type grant struct {
	instance *instance
	err      error
}

// acquire takes a sandbox for one call. The caller must give it back with
// release, along with leave.
func (e *Engine) acquire(ctx context.Context, spec *Spec) (*instance, func(), error) {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil, nil, errClosed
	}
	leave, err := e.enter(spec)
	if err != nil {
		e.mu.Unlock()
		return nil, nil, err
	}
	p := e.pools[spec.ID]
	if p == nil {
		p = &pool{spec: spec}
		e.pools[spec.ID] = p
	}
	if i := e.takeIdle(p); i != nil {
		e.mu.Unlock()
		return i, leave, nil
	}
	w := &waiter{granted: make(chan grant, 1), served: p.served}
	p.waiting = append(p.waiting, w)
	hurry := p.live < e.cores || p.expectedWait() > patience
	if hurry {
		e.hasten(p, w)
	}
	e.mu.Unlock()
	i, err := e.await(ctx, p, w, hurry)
	if err != nil {
		e.mu.Lock()
		leave()
		e.mu.Unlock()
		return nil, nil, err
	}
	return i, leave, nil
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

// await blocks until w is granted a sandbox, and puts it in a hurry when its
// patience is over, unless it is already.
func (e *Engine) await(ctx context.Context, p *pool, w *waiter, hurry bool) (*instance, error) {
	var timeout <-chan time.Time
	var timer *time.Timer
	if !hurry {
		timer = time.NewTimer(patience)
		defer timer.Stop()
		timeout = timer.C
	}
	for round := 1; ; round++ {
		select {
		case g := <-w.granted:
			return g.instance, g.err
		case <-timeout:
			e.mu.Lock()
			if moving := p.served != w.served && p.expectedWait() <= patience; moving && round < maxRounds {
				w.served = p.served
				timer.Reset(patience)
			} else {
				e.hasten(p, w)
				timeout = nil
			}
			e.mu.Unlock()
		case <-ctx.Done():
			return e.giveUp(ctx, p, w)
		}
	}
}

// giveUp leaves the line, unless a sandbox was granted just now.
func (e *Engine) giveUp(ctx context.Context, p *pool, w *waiter) (*instance, error) {
	e.mu.Lock()
	for n, other := range p.waiting {
		if other == w {
			p.waiting = append(p.waiting[:n], p.waiting[n+1:]...)
			e.mu.Unlock()
			return nil, ctx.Err()
		}
	}
	e.mu.Unlock()
	g := <-w.granted
	return g.instance, g.err
}

// hasten puts a waiter in a hurry; e.mu is held.
func (e *Engine) hasten(p *pool, w *waiter) {
	w.hurry = true
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
		if e.closed || e.live >= e.cfg.MaxSandboxes && !e.evictOldest() {
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
	i, err := e.launch(p)
	e.mu.Lock()
	p.starting--
	e.mu.Unlock()
	slice.Stop()
	defer done()
	if err != nil {
		e.launchFailed(p, err)
		return
	}
	e.release(i, func() {})
}

// evictOldest makes room by ending the sandbox of any function that has been
// idle for longest; e.mu is held.
func (e *Engine) evictOldest() bool {
	var from *pool
	for _, p := range e.pools {
		if len(p.idle) > 0 && (from == nil || p.idle[0].idleSince.Before(from.idle[0].idleSince)) {
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
// it can't serve again. It calls leave while it holds e.mu.
func (e *Engine) release(i *instance, leave func()) {
	e.mu.Lock()
	p := i.pool
	p.learn(i.took)
	// A sandbox that has never run a call goes to the call it was started for,
	// whatever its state: starting yet another one would change nothing.
	worn := i.calls > 0 && i.worn()
	if !worn {
		if w := p.next(); w != nil {
			leave()
			e.mu.Unlock()
			w.granted <- grant{instance: i}
			return
		}
	}
	if ending := worn || p.retired || e.closed; ending {
		// The line must not be left without anybody working for it.
		if len(p.waiting) > 0 && p.live == 1 {
			p.waiting[0].hurry = true
		}
		e.forget(p, 1)
		e.startAll()
		leave()
		e.mu.Unlock()
		e.end([]*instance{i})
		return
	}
	i.idleSince = time.Now()
	p.idle = append(p.idle, i)
	if e.live >= e.cfg.MaxSandboxes {
		e.startAll() // others may take its place
	}
	leave()
	e.mu.Unlock()
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

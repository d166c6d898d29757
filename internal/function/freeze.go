package function

import (
	"sync"
	"sync/atomic"
	"time"
)

// Freezing (Config.Freeze): AWS stops an environment's processes between calls,
// so that threads in the background, timers and open connections stand still
// until the next call. Here sandboxes are frozen once they have been idle for
// freezeAfter: calls that come in a row then cost nothing more than a look, and
// one that comes later thaws its sandbox first, which takes some microseconds.
// Sandboxes that wait for their first call are frozen as well: spares, and
// those of SnapStart and provisioned concurrency.

// freezeAfter is how long a sandbox is idle before it is frozen.
const freezeAfter = patience

// rest is what there is to know of a sandbox's sleep.
type rest struct {
	idle   atomic.Bool // it may be frozen
	mu     sync.Mutex  // held while it is being frozen or thawed
	frozen bool        // guarded by mu
}

// mayRest tells that the sandbox has no more to do for now.
func (i *instance) mayRest() {
	if i.engine.cfg.Freeze {
		i.rest.idle.Store(true)
	}
}

// freeze freezes the sandbox, unless it has got something to do meanwhile.
func (i *instance) freeze() {
	i.rest.mu.Lock()
	defer i.rest.mu.Unlock()
	if !i.rest.idle.Load() || i.rest.frozen {
		return
	}
	i.hub.Hold()
	if err := i.proc.Freeze(); err != nil {
		i.hub.Resume()
		i.rest.idle.Store(false) // not again
		i.engine.cfg.Logger.Warn("an idle sandbox could not be frozen", "function", i.spec.ARN, "reason", err)
		return
	}
	i.rest.frozen = true
}

// wake makes sure that the sandbox isn't frozen, and stays so until mayRest.
func (i *instance) wake() {
	if !i.engine.cfg.Freeze || !i.rest.idle.Swap(false) {
		return
	}
	i.rest.mu.Lock()
	defer i.rest.mu.Unlock()
	if !i.rest.frozen {
		return
	}
	i.rest.frozen = false
	if err := i.proc.Thaw(); err != nil {
		i.engine.cfg.Logger.Warn("a sandbox could not be thawed", "function", i.spec.ARN, "reason", err)
	}
	i.hub.Resume()
}

// tired lists the sandboxes that are to be frozen now, and tells whether any
// will be later; e.mu is held.
func (e *Engine) tired(p *pool, now time.Time) (list []*instance, more bool) {
	if !e.cfg.Freeze || p.debugger != nil {
		return nil, false
	}
	for n := len(p.idle) - 1; n >= 0; n-- {
		i := p.idle[n]
		switch {
		case i.inIce:
			continue
		case now.Sub(i.idleSince) < freezeAfter:
			more = true
		default:
			i.inIce = true
			list = append(list, i)
		}
	}
	return list, more
}

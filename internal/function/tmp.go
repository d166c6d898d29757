package function

import (
	"time"

	"github.com/butai-dev/butai/internal/function/sandbox"
)

// After a timeout, or an exit, AWS starts the runtime anew in the same
// environment: what has been written to /tmp is there for the next call
// (recorded). So a version's last such /tmp is kept, for the sandbox that it
// starts next. It takes root; without, sandboxes begin with an empty one.

// keptTmp is what a sandbox that had to end has left. Engine.mu guards it.
type keptTmp struct {
	tmp *sandbox.Tmp
	at  time.Time
}

// leave hands on what a sandbox has left that has ended.
func (e *Engine) leave(i *instance) {
	if i.tmp == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	p := i.pool
	if p == nil || !i.dead || p.retired || e.closed || e.pools[p.spec.ID] != p {
		i.tmp.Close()
		return
	}
	p.kept.tmp.Close()
	p.kept = keptTmp{i.tmp, time.Now()}
}

// inherit gives a sandbox that starts what another one of its version has left.
func (e *Engine) inherit(i *instance) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i.tmp, i.pool.kept = i.pool.kept.tmp, keptTmp{}
}

// dropTmp lets go of what has been kept for longer than age; Engine.mu is held.
func (p *pool) dropTmp(age time.Duration) {
	if p.kept.tmp != nil && time.Since(p.kept.at) >= age {
		p.kept.tmp.Close()
		p.kept = keptTmp{}
	}
}

package txn

import (
	"sync"

	"github.com/butai-dev/butai/internal/store"
)

// Gate lets calls into a store until it closes. The zero Gate is open.
type Gate struct {
	mu     sync.RWMutex
	closed bool
	inside sync.WaitGroup
}

// Enter admits a call, which must end with Leave, or returns store.ErrClosed.
func (g *Gate) Enter() error {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.closed {
		return store.ErrClosed
	}
	g.inside.Add(1)
	return nil
}

// Leave ends a call that Enter admitted.
func (g *Gate) Leave() {
	g.inside.Done()
}

// Close admits no more calls and waits for those inside. It reports whether
// this call closed the gate.
func (g *Gate) Close() bool {
	g.mu.Lock()
	first := !g.closed
	g.closed = true
	g.mu.Unlock()
	g.inside.Wait()
	return first
}

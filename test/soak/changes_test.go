package soak

import (
	"sync"
	"time"
)

// history is what one thing has been, change by change. A change takes effect
// somewhere between being asked for and being acknowledged.
type history struct {
	mu      sync.Mutex
	changes []change
}

type change struct {
	value        string
	asked, acked time.Time // acked is zero until the answer is there
}

// ask records that a change is about to be asked for; call the function it
// returns when it is acknowledged.
func (h *history) ask(value string) (acknowledged func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := len(h.changes)
	h.changes = append(h.changes, change{value: value, asked: time.Now()})
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.changes[i].acked = time.Now()
	}
}

// was reports whether the thing may have been value at some moment between
// from and to: asked for before to, and not yet surely replaced at from.
func (h *history) was(value string, from, to time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := len(h.changes) - 1; i >= 0; i-- {
		c := &h.changes[i]
		if c.value == value && !c.asked.After(to) {
			return true
		}
		if !c.acked.IsZero() && c.acked.Before(from) {
			return false // what came before was replaced by then
		}
	}
	return false
}

// count is the number of changes so far.
func (h *history) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.changes)
}

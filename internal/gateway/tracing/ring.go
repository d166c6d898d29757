package tracing

import "sync"

// Ring keeps the newest entries within a number and a budget of bytes. All
// methods are safe for concurrent use.
type Ring[T any] struct {
	mu      sync.Mutex
	entries []entry[T] // a circle: the oldest is at first
	first   int
	count   int
	bytes   int
	budget  int
}

type entry[T any] struct {
	seq  uint64
	size int
	item T
}

// NewRing returns a ring of at most n entries, n > 0, and budget bytes.
func NewRing[T any](n, budget int) *Ring[T] {
	return &Ring[T]{entries: make([]entry[T], n), budget: budget}
}

// Add keeps item, which is size bytes large, and drops as many old ones as
// that takes.
func (r *Ring[T]) Add(seq uint64, size int, item T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.count > 0 && (r.count == len(r.entries) || r.bytes+size > r.budget) {
		r.drop()
	}
	r.entries[(r.first+r.count)%len(r.entries)] = entry[T]{seq, size, item}
	r.count++
	r.bytes += size
}

func (r *Ring[T]) drop() {
	oldest := &r.entries[r.first]
	r.bytes -= oldest.size
	*oldest = entry[T]{}
	r.first = (r.first + 1) % len(r.entries)
	r.count--
}

// Each calls f with what is kept, newest first, until f returns false. f must
// not use the ring.
func (r *Ring[T]) Each(f func(seq uint64, item T) bool) {
	r.mu.Lock()
	entries := make([]entry[T], 0, r.count)
	for i := r.count - 1; i >= 0; i-- {
		entries = append(entries, r.entries[(r.first+i)%len(r.entries)])
	}
	r.mu.Unlock()
	for _, e := range entries {
		if !f(e.seq, e.item) {
			return
		}
	}
}

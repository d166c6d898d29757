// Package due calls back for durable work when it is due: events of functions,
// deliveries of topics. What is due, it keeps in memory; its user keeps the work
// itself in the store and adds it again at every start.
package due

import (
	"container/heap"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/clock"
)

// laneWidth is how many pieces of work of one lane are under way at a time. AWS
// goes up to a function's concurrency; one machine is better served by a
// queue than by hundreds of sandboxes.
const laneWidth = 16

// Ticket is the place of a piece of work in the queue.
type Ticket struct {
	ID   string
	Lane string // whom it is for: one who is slow holds up only their own work
	Due  time.Time
}

// Queue calls deliver for every ticket when it is due. Close ends it.
type Queue struct {
	deliver func(ctx context.Context, id string) (again time.Time)
	clock   clock.Clock
	ctx     context.Context // ends with the queue; handed to deliver
	cancel  context.CancelFunc
	wake    chan struct{} // holds one signal that due has a new first
	running sync.WaitGroup

	mu    sync.Mutex
	due   ticketHeap
	lanes map[string]*lane
}

// lane holds the work for one receiver that is due.
type lane struct {
	running int
	waiting []Ticket
}

// New returns a running queue. deliver is given a ticket's id and returns when
// to call again with it, or the zero time; it is called for several tickets at
// a time.
func New(deliver func(ctx context.Context, id string) (again time.Time), c clock.Clock) *Queue {
	q := Held(deliver, c)
	q.Start()
	return q
}

// Held is New for a queue that calls nobody before its Start.
func Held(deliver func(ctx context.Context, id string) (again time.Time), c clock.Clock) *Queue {
	q := &Queue{deliver: deliver, clock: c, wake: make(chan struct{}, 1), lanes: map[string]*lane{}}
	q.ctx, q.cancel = context.WithCancel(context.Background())
	return q
}

// Start lets the queue run. It is called once, and not after Close.
func (q *Queue) Start() { q.running.Go(q.run) }

// stall is the wait before an attempt is repeated that failed for no fault of
// what it was for.
const stall = time.Minute

// Attempts makes of attempts, which may fail in the store, what a queue calls.
// Failures are logged and repeated later; those of a queue that is closing are
// left for the next start.
func Attempts(attempt func(ctx context.Context, id string) (again time.Time, err error), c clock.Clock, log *slog.Logger) func(context.Context, string) time.Time {
	return func(ctx context.Context, id string) time.Time {
		again, err := attempt(ctx, id)
		switch {
		case ctx.Err() != nil:
			return time.Time{}
		case err != nil:
			log.Error("durable work", "id", id, "error", err)
			return c.Now().Add(stall)
		}
		return again
	}
}

// Close stops the queue and waits for deliveries until ctx ends. One that is
// still under way then leaves its work for the next start.
func (q *Queue) Close(ctx context.Context) {
	q.cancel()
	done := make(chan struct{})
	go func() {
		q.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Add puts a ticket into the queue.
func (q *Queue) Add(t Ticket) {
	q.mu.Lock()
	heap.Push(&q.due, t)
	first := q.due[0] == t
	q.mu.Unlock()
	if first {
		select {
		case q.wake <- struct{}{}:
		default: // a signal is waiting already
		}
	}
}

// run hands out Tickets as they fall due.
func (q *Queue) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-q.ctx.Done():
			return
		case <-q.wake:
		case <-timer.C:
		}
		timer.Reset(q.dispatch())
	}
}

// idle is how long the queue sleeps when it is empty; add wakes it.
const idle = time.Hour

// dispatch starts what is due and returns the wait for the next.
func (q *Queue) dispatch() time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	for len(q.due) > 0 {
		if wait := q.due[0].Due.Sub(now); wait > 0 {
			return wait
		}
		q.start(heap.Pop(&q.due).(Ticket))
	}
	return idle
}

// start delivers a ticket, or lines it up; q.mu is held.
func (q *Queue) start(t Ticket) {
	l := q.lanes[t.Lane]
	if l == nil {
		l = &lane{}
		q.lanes[t.Lane] = l
	}
	if l.running == laneWidth {
		l.waiting = append(l.waiting, t)
		return
	}
	l.running++
	q.running.Go(func() { q.work(l, t) })
}

// work delivers t and then whatever waits in its lane.
func (q *Queue) work(l *lane, t Ticket) {
	for {
		again := q.deliver(q.ctx, t.ID)
		if !again.IsZero() {
			t.Due = again
			q.Add(t)
		}
		q.mu.Lock()
		if len(l.waiting) == 0 || q.ctx.Err() != nil {
			if l.running--; l.running == 0 && len(l.waiting) == 0 {
				delete(q.lanes, t.Lane)
			}
			q.mu.Unlock()
			return
		}
		t, l.waiting = l.waiting[0], l.waiting[1:]
		q.mu.Unlock()
	}
}

// ticketHeap orders tickets by when they are due.
type ticketHeap []Ticket

func (h ticketHeap) Len() int           { return len(h) }
func (h ticketHeap) Less(i, j int) bool { return h[i].Due.Before(h[j].Due) }
func (h ticketHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *ticketHeap) Push(t any) { *h = append(*h, t.(Ticket)) }

// Pop implements heap.Interface.
func (h *ticketHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	*h = (*h)[:last]
	return t
}

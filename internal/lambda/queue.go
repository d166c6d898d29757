package lambda

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/clock"
)

// laneWidth is how many events of one function are under way at a time. AWS
// goes up to the function's concurrency; one machine is better served by a
// queue than by hundreds of sandboxes.
const laneWidth = 16

// ticket is an event's place in the queue.
type ticket struct {
	requestID string
	lane      string // the function: a slow one holds up only its own events
	due       time.Time
}

// queue calls deliver for every ticket when it is due. Close ends it.
type queue struct {
	deliver func(ctx context.Context, requestID string) (again time.Time)
	clock   clock.Clock
	ctx     context.Context // ends with the queue; handed to deliver
	cancel  context.CancelFunc
	wake    chan struct{} // holds one signal that due has a new first
	running sync.WaitGroup

	mu    sync.Mutex
	due   ticketHeap
	lanes map[string]*lane
}

// lane holds the events of one function that are due.
type lane struct {
	running int
	waiting []ticket
}

func newQueue(deliver func(context.Context, string) time.Time, c clock.Clock) *queue {
	q := &queue{deliver: deliver, clock: c, wake: make(chan struct{}, 1), lanes: map[string]*lane{}}
	q.ctx, q.cancel = context.WithCancel(context.Background())
	q.running.Go(q.run)
	return q
}

// close stops the queue and waits for deliveries until ctx ends. One that is
// still under way then leaves its event for the next start.
func (q *queue) close(ctx context.Context) {
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

func (q *queue) add(t ticket) {
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

// run hands out tickets as they fall due.
func (q *queue) run() {
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
func (q *queue) dispatch() time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	for len(q.due) > 0 {
		if wait := q.due[0].due.Sub(now); wait > 0 {
			return wait
		}
		q.start(heap.Pop(&q.due).(ticket))
	}
	return idle
}

// start delivers a ticket, or lines it up; q.mu is held.
func (q *queue) start(t ticket) {
	l := q.lanes[t.lane]
	if l == nil {
		l = &lane{}
		q.lanes[t.lane] = l
	}
	if l.running == laneWidth {
		l.waiting = append(l.waiting, t)
		return
	}
	l.running++
	q.running.Go(func() { q.work(l, t) })
}

// work delivers t and then whatever waits in its lane.
func (q *queue) work(l *lane, t ticket) {
	for {
		again := q.deliver(q.ctx, t.requestID)
		if !again.IsZero() {
			t.due = again
			q.add(t)
		}
		q.mu.Lock()
		if len(l.waiting) == 0 || q.ctx.Err() != nil {
			if l.running--; l.running == 0 && len(l.waiting) == 0 {
				delete(q.lanes, t.lane)
			}
			q.mu.Unlock()
			return
		}
		t, l.waiting = l.waiting[0], l.waiting[1:]
		q.mu.Unlock()
	}
}

// ticketHeap orders tickets by when they are due.
type ticketHeap []ticket

func (h ticketHeap) Len() int           { return len(h) }
func (h ticketHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h ticketHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *ticketHeap) Push(t any) { *h = append(*h, t.(ticket)) }

// Pop implements heap.Interface.
func (h *ticketHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	*h = (*h)[:last]
	return t
}

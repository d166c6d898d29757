package logs

import (
	"context"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/store"
)

const (
	// linger is how long the writer gathers events before it stores them.
	linger = 250 * time.Millisecond
	// urgentBytes ends the gathering early.
	urgentBytes = 2 << 20
	// maxPending bounds the events that wait for the writer; more are dropped.
	maxPending = 16 << 20
	// eventMemory is about what a waiting event takes beside its message.
	eventMemory = 80
)

// address names a stream; it and its group need not exist yet.
type address struct {
	place
	group, stream string
}

// sink holds the events that wait for the writer.
type sink struct {
	wake   chan struct{} // there is something to do
	urgent chan struct{} // and it can't linger

	mu      sync.Mutex
	pending map[address][]event
	bytes   int
	dropped int
	writing bool
	closed  bool
	waiting []chan error // answered after the writer's next round

	sequence uint64 // of the last batch; the writer's own
}

func newSink() sink {
	return sink{wake: make(chan struct{}, 1), urgent: make(chan struct{}, 1), pending: map[address][]event{}}
}

// Put stores log events a moment later, in the order of the calls for each
// stream; it makes the group and the stream if they are missing. It never
// waits: when the store can't keep up it drops events, and the log says how
// many. It implements function.LogSink.
func (s *Service) Put(account, region, group, stream string, events []function.LogEvent) {
	list := make([]event, 0, 4) // a call's own lines and one more: no allocation
	for _, e := range events {
		if e.Message != "" { // CloudWatch Logs has no empty events
			list = append(list, event{position: position{ts: e.Time.UnixMilli()}, message: e.Message})
		}
	}
	s.sink.add(address{place{account, region}, group, stream}, list)
}

// add queues events for the writer. It reports false if there was no room.
func (k *sink) add(to address, events []event) bool {
	size := 0
	for i := range events {
		size += len(events[i].message) + eventMemory
	}
	if size == 0 {
		return true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed || k.bytes+size > maxPending {
		k.dropped += len(events)
		return false
	}
	k.pending[to] = append(k.pending[to], events...)
	k.bytes += size
	nudge(k.wake)
	if k.bytes > urgentBytes {
		nudge(k.urgent)
	}
	return true
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Flush returns once everything that was put before is stored, with the
// writer's error if that failed. Reads call it, so that a reader sees what
// was written before.
func (s *Service) Flush(ctx context.Context) error {
	k := &s.sink
	k.mu.Lock()
	if k.closed || !k.writing && len(k.pending) == 0 {
		k.mu.Unlock()
		return nil
	}
	done := make(chan error, 1)
	k.waiting = append(k.waiting, done)
	nudge(k.wake)
	nudge(k.urgent)
	k.mu.Unlock()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// write is the writer: it stores what is pending, round by round.
func (s *Service) write(ctx context.Context) {
	for {
		select {
		case <-s.sink.wake:
		case <-s.stop:
			s.round(ctx, true)
			return
		}
		timer := time.NewTimer(linger)
		select {
		case <-timer.C:
		case <-s.sink.urgent:
		case <-s.stop:
		}
		timer.Stop()
		s.round(ctx, false)
	}
}

// round stores what is pending now and answers those who wait for it.
func (s *Service) round(ctx context.Context, last bool) {
	k := &s.sink
	k.mu.Lock()
	pending, waiting, dropped := k.pending, k.waiting, k.dropped
	k.pending, k.waiting, k.bytes, k.dropped = map[address][]event{}, nil, 0, 0
	k.writing, k.closed = true, last
	k.mu.Unlock()

	if dropped > 0 {
		s.Log.Warn("dropped log events: the store can't keep up with them", "events", dropped)
	}
	full, err := s.save(ctx, pending)
	if err != nil {
		lost := 0
		for _, events := range pending {
			lost += len(events)
		}
		s.Log.Error("lost log events: they couldn't be stored", "events", lost, "error", err)
	} else {
		s.extract(ctx, pending)
	}
	k.mu.Lock()
	k.writing = false
	k.mu.Unlock()
	for _, done := range waiting {
		done <- err
	}
	for _, g := range full {
		s.shrink(ctx, g)
	}
}

// run is the batches of one stream on their way to the store.
type run struct {
	address
	batches []batch
	group   *group  // to make if it is missing
	stream  *stream // the same
}

// save stores one round in one transaction. It returns the groups that have
// grown over the cap.
func (s *Service) save(ctx context.Context, pending map[address][]event) (full []address, err error) {
	if len(pending) == 0 {
		return nil, nil
	}
	now := s.Clock.Now()
	runs := make([]run, 0, len(pending))
	for to, events := range pending {
		sortEvents(events)
		r := run{address: to, batches: pack(events), group: s.newGroup(to.group), stream: s.newStream(to.stream)}
		for i := range r.batches {
			// Clock time keeps the numbers growing over restarts.
			s.sink.sequence = max(s.sink.sequence+1, uint64(max(now.UnixNano(), 0)))
			r.batches[i].sequence, r.batches[i].ingested = s.sink.sequence, now.UnixMilli()
		}
		runs = append(runs, r)
	}
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		full = nil
		for i := range runs {
			size, err := runs[i].save(tx)
			if err != nil {
				return err
			}
			if size > s.GroupBytes {
				full = append(full, runs[i].address)
			}
		}
		return nil
	})
	return full, err
}

// save stores the run and returns the size of its group.
func (r *run) save(tx store.Tx) (size int64, err error) {
	g, err := groups.Get(tx, r.account, r.region, r.address.group)
	if err != nil {
		return 0, err
	}
	if g == nil {
		fresh := *r.group
		g = &fresh
	}
	st, err := streams.Get(tx, r.account, r.region, g.ID, r.address.stream)
	if err != nil {
		return 0, err
	}
	if st == nil {
		fresh := *r.stream
		st = &fresh
	}
	for _, b := range r.batches {
		b.stream, b.key = st.ID, g.Key
		if err := b.put(tx, r.place, g.ID); err != nil {
			return 0, err
		}
		st.took(b.first, b.last, b.ingested)
		g.Bytes += b.bytes
	}
	if err := streams.Put(tx, st, r.account, r.region, g.ID, st.Name); err != nil {
		return 0, err
	}
	return g.Bytes, groups.Put(tx, g, r.account, r.region, g.Name)
}

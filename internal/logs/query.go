package logs

import (
	"iter"
	"slices"

	"github.com/butai-dev/butai/internal/store"
)

// query reads the events of a group in order.
type query struct {
	place
	group    string            // id
	streams  map[string]string // names by the ids of those wanted
	from, to int64             // ms, both inclusive
	past     *position         // if not nil: only events behind it, or before it when backward
	backward bool
	examined int             // events looked at so far
	used     map[string]bool // ARNs of the keys that these are encrypted with
}

// walk yields the events of the query in order of their position. Batches
// come in the order of their first event and may overlap, so an event waits
// until no batch to come can hold an earlier one (a later one if backward).
func (q *query) walk(r store.ReadTx) iter.Seq2[event, error] {
	return func(yield func(event, error) bool) {
		var waiting []event
		for kv, err := range r.Scan(q.scan()) {
			if err != nil {
				yield(event{}, err)
				return
			}
			b, err := readBatch(kv)
			if err != nil {
				yield(event{}, err)
				return
			}
			var ready []event
			ready, waiting = q.split(waiting, b.first)
			for _, e := range ready {
				if !yield(e, nil) {
					return
				}
			}
			if waiting, err = q.gather(waiting, &b); err != nil {
				yield(event{}, err)
				return
			}
		}
		for _, e := range waiting {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// scan is the range of the batches that may hold wanted events.
func (q *query) scan() store.Range {
	from, to := q.from, q.to
	if q.past != nil && q.backward {
		to = min(to, q.past.ts)
	} else if q.past != nil {
		from = max(from, q.past.ts)
	}
	return store.Range{
		Lo: batchKey(q.place, q.group, from-batchSpan, 0), Hi: batchKey(q.place, q.group, max(to, -1)+1, 0), Reverse: q.backward,
	}
}

// split parts the sorted waiting events where a batch that begins at first,
// and those after it, can put no event before them any more.
func (q *query) split(waiting []event, first int64) (ready, rest []event) {
	i, _ := slices.BinarySearchFunc(waiting, first, func(e event, first int64) int {
		if q.backward && e.ts > first+batchSpan || !q.backward && e.ts < first {
			return -1
		}
		return 1
	})
	return waiting[:i], waiting[i:]
}

// gather adds the wanted events of a batch to the waiting ones.
func (q *query) gather(waiting []event, b *batch) ([]event, error) {
	if _, ok := q.streams[b.stream]; !ok || b.last < q.from {
		return waiting, nil
	}
	events, err := b.events()
	if err != nil {
		return nil, err
	}
	q.examined += len(events)
	if b.key != "" {
		if q.used == nil {
			q.used = map[string]bool{}
		}
		q.used[b.key] = true
	}
	waiting = slices.Clip(waiting)
	for _, e := range events {
		if e.ts >= q.from && e.ts <= q.to && q.isPast(e.position) {
			waiting = append(waiting, e)
		}
	}
	slices.SortFunc(waiting, func(a, b event) int {
		if q.backward {
			a, b = b, a
		}
		return a.compare(b.position)
	})
	return waiting, nil
}

func (q *query) isPast(at position) bool {
	switch {
	case q.past == nil:
		return true
	case q.backward:
		return at.compare(*q.past) < 0
	}
	return at.compare(*q.past) > 0
}

// collect takes a page of events: up to limit and AWS's megabyte, but one.
func collect(events iter.Seq2[event, error], limit int) (page []event, err error) {
	size := 0
	for e, err := range events {
		if err != nil {
			return nil, err
		}
		size += len(e.message) + eventOverhead
		if len(page) > 0 && size > maxPageBytes {
			break
		}
		page = append(page, e)
		if len(page) == limit {
			break
		}
	}
	return page, nil
}

package logs

import (
	"bytes"
	"context"
	"time"

	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/keys"
)

const (
	// sweepEvery is how often expired events are deleted. Reads leave them
	// out at once.
	sweepEvery = 5 * time.Minute
	// trimStep is how many batches one transaction looks at.
	trimStep = 256
)

// expiry is the time before which a group's events have expired, in ms.
func (s *Service) expiry(g *group) int64 {
	if g.Retention == 0 {
		return 0
	}
	return s.Clock.Now().AddDate(0, 0, -int(g.Retention)).UnixMilli()
}

// sweep deletes expired events from time to time.
func (s *Service) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if err := s.expire(ctx); err != nil {
			s.Log.Error("expired log events couldn't be deleted", "error", err)
		}
		select {
		case <-ticker.C:
		case <-s.stop:
			return
		}
	}
}

// expire deletes the expired events of all groups.
func (s *Service) expire(ctx context.Context) error {
	var due []address
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		due = nil
		lo, hi := keys.PrefixOf(groups.Key())
		for kv, err := range r.Scan(store.Range{Lo: lo, Hi: hi}) {
			if err != nil {
				return err
			}
			id, err := keys.Parse(kv.Key)
			if err != nil {
				return err
			}
			id = id[len(id)-3:]
			g, err := groups.Get(r, id...)
			if err != nil {
				return err
			}
			if g.Retention > 0 {
				due = append(due, address{place: place{id[0], id[1]}, group: id[2]})
			}
		}
		return nil
	})
	for _, a := range due {
		if err != nil {
			return err
		}
		err = s.trim(ctx, a.place, a.group, 0, func(g *group, b batch) verdict {
			if b.last < s.expiry(g) {
				return drop
			}
			return enough
		})
	}
	return err
}

// shrink drops a group's oldest events until it is well below the cap, so
// that it isn't at the cap again after the next batch.
func (s *Service) shrink(ctx context.Context, a address) {
	err := s.trim(ctx, a.place, a.group, 0, func(g *group, b batch) verdict {
		if g.Bytes > s.GroupBytes/10*9 {
			return drop
		}
		return enough
	})
	if err != nil {
		s.Log.Error("the oldest log events couldn't be deleted", "group", a.group, "error", err)
		return
	}
	s.Log.Info("deleted the oldest events of a full log group; a retention policy would keep it smaller", "group", a.group, "cap", s.GroupBytes)
}

// dropStream deletes the batches of a deleted stream.
func (s *Service) dropStream(ctx context.Context, p place, name string, st *stream) error {
	return s.trim(ctx, p, name, st.First-batchSpan, func(_ *group, b batch) verdict {
		switch {
		case b.stream == st.ID:
			return drop
		case b.first > st.Last:
			return enough
		}
		return keep
	})
}

// verdict says what becomes of a batch.
type verdict int

const (
	keep   verdict = iota
	drop           // delete it
	enough         // keep it and all that follow
)

// trim deletes batches of a group from time from on, oldest first, a few in
// each transaction. A group that is gone needs no trimming.
func (s *Service) trim(ctx context.Context, p place, name string, from int64, judge func(*group, batch) verdict) error {
	var next []byte
	for more := true; more; {
		start := next
		err := s.Store.Update(ctx, func(tx store.Tx) (err error) {
			next, err = trimSome(tx, p, name, from, start, judge)
			return err
		})
		if err != nil {
			return err
		}
		more = next != nil
	}
	return nil
}

// trimSome is one step of trim. It begins at start, if that isn't nil, and
// returns where the next step begins, or nil at the end.
func trimSome(tx store.Tx, p place, name string, from int64, start []byte, judge func(*group, batch) verdict) (next []byte, err error) {
	g, err := groups.Get(tx, p.account, p.region, name)
	if err != nil || g == nil {
		return nil, err
	}
	if start == nil {
		start = batchKey(p, g.ID, from, 0)
	}
	all, hi := batchRange(p, g.ID)
	if bytes.Compare(start, all) < 0 || bytes.Compare(start, hi) >= 0 {
		return nil, nil // the group was made anew since the last step
	}
	seen := 0
	next = nil
scan:
	for kv, err := range tx.Scan(store.Range{Lo: start, Hi: hi, Limit: trimStep}) {
		if err != nil {
			return nil, err
		}
		b, err := readBatch(kv)
		if err != nil {
			return nil, err
		}
		seen++
		next = append(kv.Key, 0)
		switch judge(g, b) {
		case enough:
			next = nil
			break scan
		case drop:
			g.Bytes -= b.bytes
			if err := tx.Delete(kv.Key); err != nil {
				return nil, err
			}
		}
	}
	if seen < trimStep {
		next = nil
	}
	return next, groups.Put(tx, g, p.account, p.region, name)
}

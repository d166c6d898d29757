package dynamodb

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
)

// A table with point-in-time recovery remembers what each change replaced. The
// table as it was at a moment is the table as it is, with the first change of
// each item since then taken back. The same makes a backup: its items are
// copied while the table is written to, and what changed meanwhile is taken
// back in the copy (copy.go).

// historyRecord says that a table's changes are remembered.
type historyRecord struct {
	Feed  string    // of the store, where they are
	Since time.Time // when point-in-time recovery was turned on
	// Days is how long changes are remembered; 0 if only a copy that is being
	// made needs them.
	Days    int64
	Trimmed uint64 `json:",omitzero"` // position up to which they are forgotten
}

// past is what a feed remembers of one change, or the mark of a copy that
// began there. Items are in their stored form.
type past struct {
	At   time.Time
	Keys []byte `json:",omitempty"`
	Old  []byte `json:",omitempty"` // nothing if there was no item
	Mark string `json:",omitempty"` // data id of the copy
}

// oldFeeds are feeds that nobody needs any more, by name. They are emptied in
// the background.
var oldFeeds = record.New[oldFeed]("dynamodb", "old-feed")

type oldFeed struct{ Feed string }

// remember has the table's changes remembered from now on.
func (r *tableRecord) remember(now time.Time) {
	if r.History == nil {
		r.History = &historyRecord{Feed: "dynamodb-history/" + ident.Lower(idLength), Since: now}
	}
}

// forget ends that.
func (r *tableRecord) forget(tx store.Tx) error {
	if r.History == nil {
		return nil
	}
	feed := r.History.Feed
	r.History = nil
	return oldFeeds.Put(tx, &oldFeed{feed}, feed)
}

// window is between which moments the table can be restored. AWS's latest one
// lags behind by some five minutes; ours doesn't.
func (h *historyRecord) window(now time.Time) (earliest, latest time.Time) {
	earliest = h.Since
	if kept := h.horizon(now); kept.After(earliest) {
		earliest = kept
	}
	return earliest.Truncate(time.Second), now.Truncate(time.Second)
}

// horizon is the moment before which changes needn't be remembered.
func (h *historyRecord) horizon(now time.Time) time.Time { return now.AddDate(0, 0, -int(h.Days)) }

// remember notes what a change replaces; before is nil if there was no item.
func (t *table) remember(tx store.Tx, key attr.Item, before []byte) error {
	return appendPast(tx, t.history, &past{At: t.clock.Now(), Keys: attr.AppendItem(nil, t.schema.of(key)), Old: before})
}

func appendPast(tx store.Tx, feed string, p *past) error {
	payload, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return tx.Append(feed, payload)
}

// readHistory yields what a feed remembers behind a position, until yield
// returns false.
func (s *Service) readHistory(ctx context.Context, feed string, after uint64, yield func(position uint64, p *past) (bool, error)) error {
	for {
		page, err := s.store.Feed(ctx, feed, after, chunk)
		if err != nil {
			return err
		}
		for _, rec := range page {
			var p past
			if err := json.Unmarshal(rec.Payload, &p); err != nil {
				return err
			}
			if more, err := yield(rec.Position, &p); err != nil || !more {
				return err
			}
			after = rec.Position
		}
		if len(page) < chunk {
			return nil
		}
	}
}

// trimHistory forgets the changes of a table that are older than its recovery
// goes back, or all if that is off and no copy needs them.
func (s *Service) trimHistory(ctx context.Context, r *tableRecord) error {
	switch {
	case r.History == nil:
		return nil
	case !r.recoverable():
		return s.changeRecord(ctx, r, func(tx store.Tx, now *tableRecord) error {
			if needed, err := s.source(tx, now.ID); err != nil || needed {
				return err
			}
			return now.forget(tx)
		})
	}
	horizon, through := r.History.horizon(s.clock.Now()), r.History.Trimmed
	err := s.readHistory(ctx, r.History.Feed, through, func(position uint64, p *past) (bool, error) {
		old := p.At.Before(horizon)
		if old {
			through = position
		}
		return old, nil
	})
	if err != nil || through == r.History.Trimmed {
		return err
	}
	err = s.changeRecord(ctx, r, func(_ store.Tx, now *tableRecord) error {
		if now.History != nil && now.History.Feed == r.History.Feed {
			now.History.Trimmed = through
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.store.Trim(ctx, r.History.Feed, through)
}

// changeRecord applies fn to a table's record, unless that has changed since it
// was read or is gone.
func (s *Service) changeRecord(ctx context.Context, read *tableRecord, fn func(tx store.Tx, r *tableRecord) error) error {
	key := read.key()
	err := s.store.Update(ctx, func(tx store.Tx) error {
		r, err := s.load(tx, key)
		if err != nil || r == nil || r.ID != read.ID || r.Generation != read.Generation {
			return err
		}
		if err := fn(tx, r); err != nil {
			return err
		}
		return s.save(tx, r)
	})
	s.tables.Delete(key)
	return err
}

// emptyOldFeeds gives back the space of feeds that nobody needs.
func (s *Service) emptyOldFeeds(ctx context.Context) error {
	var feeds []*oldFeed
	err := s.store.View(ctx, func(tx store.ReadTx) (err error) {
		feeds, err = oldFeeds.List(tx)
		return err
	})
	if err != nil {
		return err
	}
	for _, f := range feeds {
		if err := s.store.Trim(ctx, f.Feed, math.MaxInt64); err != nil {
			return err
		}
		if err := s.store.Update(ctx, func(tx store.Tx) error { return oldFeeds.Delete(tx, f.Feed) }); err != nil {
			return err
		}
	}
	return nil
}

package dynamodb

import (
	"context"
	"errors"
	"time"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/store"
)

// copyRecord is a copy that is being made of a table or a backup. To make it
// twice comes to the same, so after a crash it starts over.
type copyRecord struct {
	From string // data id
	// Feed remembers the changes of the source; "" if it has none.
	Feed string `json:",omitempty"`
	// Changes behind the mark of the copy's own data id are taken back, or, if
	// At is given, those after it.
	At time.Time `json:",omitzero"`
}

// fill makes a copy.
func (s *Service) fill(ctx context.Context, to *table, c *copyRecord) error {
	from := &table{id: c.From}
	root := from.root(nil)
	rng := store.Range{Lo: root, Hi: above(root), Limit: chunk}
	for rng.Lo != nil {
		var next []byte
		err := s.store.Update(ctx, func(tx store.Tx) (err error) {
			next, err = to.copyChunk(tx, rng)
			return err
		})
		if err != nil {
			return err
		}
		rng.Lo = next
	}
	if c.Feed == "" {
		return nil
	}
	return s.takeBack(ctx, to, c)
}

// copyChunk copies one range of another table's items and returns where the
// next begins; nil at the end.
func (t *table) copyChunk(tx store.Tx, rng store.Range) (next []byte, err error) {
	return eachItem(tx, rng, func(_ []byte, it attr.Item) error { return t.put(tx, it, it) })
}

// put makes now the item of a key; nil removes it.
func (t *table) put(tx store.Tx, key, now attr.Item) error {
	at := t.itemKey(key)
	old, err := read(tx, at)
	if err != nil || old == nil && now == nil {
		return err
	}
	_, err = t.store(tx, at, old, now, false)
	return err
}

// takeBack undoes in a copy what changed in its source after the copy's moment:
// the first change of each item says what it was.
func (s *Service) takeBack(ctx context.Context, to *table, c *copyRecord) error {
	marked := false
	seen := map[string]struct{}{}
	var undo []past
	flush := func() error {
		err := s.store.Update(ctx, func(tx store.Tx) error {
			for _, p := range undo {
				if err := to.undo(tx, &p); err != nil {
					return err
				}
			}
			return nil
		})
		undo = undo[:0]
		return err
	}
	err := s.readHistory(ctx, c.Feed, 0, func(_ uint64, p *past) (bool, error) {
		switch _, known := seen[string(p.Keys)]; {
		case p.Mark != "":
			marked = marked || p.Mark == to.id
			return true, nil
		case c.At.IsZero() && !marked, !c.At.IsZero() && !p.At.After(c.At), known:
			return true, nil
		}
		seen[string(p.Keys)] = struct{}{}
		undo = append(undo, *p)
		if len(undo) < chunk {
			return true, nil
		}
		return true, flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

func (t *table) undo(tx store.Tx, p *past) error {
	key, err := attr.DecodeItem(p.Keys)
	if err != nil {
		return err
	}
	var old attr.Item
	if p.Old != nil {
		if old, err = attr.DecodeItem(p.Old); err != nil {
			return err
		}
	}
	return t.put(tx, key, old)
}

// copies makes the copies that are to be made.
func (s *Service) copies(ctx context.Context) error {
	var tables []*tableRecord
	var kept []*backupRecord
	err := s.store.View(ctx, func(tx store.ReadTx) (err error) {
		if tables, err = s.records.List(tx); err != nil {
			return err
		}
		kept, err = backups.List(tx)
		return err
	})
	for _, b := range kept {
		if b.Copy != nil {
			err = errors.Join(err, s.fillBackup(ctx, b))
		}
	}
	for _, r := range tables {
		if r.Copy != nil {
			err = errors.Join(err, s.fillTable(ctx, r))
		}
	}
	return err
}

// keepBackups makes backups and restored tables whole, and gives up what they
// don't need.
func (s *Service) keepBackups(ctx context.Context) error {
	err := s.copies(ctx)
	var tables []*tableRecord
	err = errors.Join(err, s.store.View(ctx, func(tx store.ReadTx) (err error) {
		tables, err = s.records.List(tx)
		return err
	}))
	for _, r := range tables {
		err = errors.Join(err, s.trimHistory(ctx, r))
	}
	return errors.Join(err, s.expireBackups(ctx), s.emptyOldFeeds(ctx))
}

// fillTable brings a restored table to its items, and makes it ready.
func (s *Service) fillTable(ctx context.Context, r *tableRecord) error {
	t := compile(r)
	t.clock = s.clock
	if err := s.fill(ctx, t, r.Copy); err != nil {
		return err
	}
	return s.changeRecord(ctx, r, func(_ store.Tx, r *tableRecord) error {
		r.Copy = nil
		status, going := dynamodbapi.TableStatusACTIVE, false
		r.Description.TableStatus, r.Description.RestoreSummary.RestoreInProgress = &status, &going
		return nil
	})
}

// source finds who needs a table's or a backup's data for a copy.
func (s *Service) source(tx store.ReadTx, id string) (needed bool, err error) {
	for r, err := range s.records.All(tx) {
		if err != nil {
			return false, err
		}
		if r.Copy != nil && r.Copy.From == id {
			return true, nil
		}
	}
	for b, err := range backups.All(tx) {
		if err != nil {
			return false, err
		}
		if b.Copy != nil && b.Copy.From == id {
			return true, nil
		}
	}
	return false, nil
}

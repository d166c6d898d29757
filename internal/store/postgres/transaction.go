package postgres

import (
	"context"
	"hash/fnv"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/txn"
)

// largestPause is the longest wait before an update is tried again.
const largestPause = 64 * time.Millisecond

// Update implements store.Store. An update that met a conflict is tried again
// until it passes or ctx is done. From the second try on it runs alone among
// those that conflicted, so that they do not disturb each other for ever.
func (s *Store) Update(ctx context.Context, fn func(store.Tx) error) error {
	begin := []string{"BEGIN ISOLATION LEVEL SERIALIZABLE"}
	for pause := time.Millisecond; ; pause = min(2*pause, largestPause) {
		conflict := false
		err := s.lend(ctx, func(c *pgx.Conn) (err error) {
			conflict, err = s.try(newSession(ctx, c, begin...), fn)
			return err
		})
		if !conflict {
			return err
		}
		if len(begin) == 1 {
			// LOCK takes no snapshot: the one of the first read comes after
			// whatever this waits for.
			begin = append(begin, "LOCK TABLE retry_lane IN EXCLUSIVE MODE")
			continue
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// try runs fn once. With conflict the error means nothing but to try again.
func (s *Store) try(session *session, fn func(store.Tx) error) (conflict bool, err error) {
	committed := false
	defer func() {
		if !committed {
			session.rollback()
		}
	}()
	tx := txn.New(session.ctx, session)
	if err := tx.Run(fn); err != nil {
		return session.conflict, err
	}
	b := &pgx.Batch{}
	session.flush(b)
	s.appendFeeds(b, tx)
	if b.Len() == 0 && session.begin != nil {
		return false, nil // it did nothing at all
	}
	b.Queue("COMMIT")
	err = session.send(b)
	committed = err == nil
	return session.conflict, err
}

// appendFeeds gives the records of tx their positions. The lock on a feed is
// held from there until the commit is visible, so positions become visible in
// their order. It is the last thing before the commit, and so held shortly.
func (s *Store) appendFeeds(b *pgx.Batch, tx *txn.Tx) {
	for feed := range tx.Appended() {
		b.Queue("SELECT pg_advisory_xact_lock($1)", s.lockID("feed", feed))
	}
	for feed, payloads := range tx.Appended() {
		for _, p := range payloads {
			b.Queue("INSERT INTO feed (name, position, payload) VALUES ($1, nextval('feed_position'), $2)",
				[]byte(feed), append([]byte{}, p...))
		}
	}
}

// lockID names an advisory lock, which all schemas of a database share. Two
// names with the same number only wait for each other.
func (s *Store) lockID(kind, name string) int64 {
	h := fnv.New64a()
	for _, part := range []string{s.schema, kind, name} {
		_, _ = h.Write([]byte(part + "\x00")) // never fails
	}
	return int64(h.Sum64())
}

// View implements store.Store.
func (s *Store) View(ctx context.Context, fn func(store.ReadTx) error) error {
	return s.lend(ctx, func(c *pgx.Conn) error {
		session := newSession(ctx, c, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
		defer session.rollback()
		return txn.View(ctx, session, fn)
	})
}

// Feed implements store.Store.
func (s *Store) Feed(ctx context.Context, feed string, after uint64, limit int) (records []store.Record, err error) {
	err = s.lend(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, "SELECT position, payload FROM feed WHERE name = $1 AND position > $2 ORDER BY position LIMIT $3",
			[]byte(feed), position(after), limit)
		if err != nil {
			return err
		}
		records, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r store.Record, err error) {
			return r, row.Scan(&r.Position, &r.Payload)
		})
		return err
	})
	return records, err
}

// Trim implements store.Store.
func (s *Store) Trim(ctx context.Context, feed string, through uint64) error {
	return s.lend(ctx, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, "DELETE FROM feed WHERE name = $1 AND position <= $2", []byte(feed), position(through))
		return err
	})
}

// position fits a position into a bigint, which is signed. No feed gets near
// the difference.
func position(p uint64) int64 {
	return int64(min(p, math.MaxInt64))
}

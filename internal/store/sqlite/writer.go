package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/txn"
)

// maxBatch bounds the updates that share one commit, and so how long the
// first of them waits for the others.
const maxBatch = 256

// durability says what a commit waits for.
type durability string

const (
	durable  durability = "FULL" // the WAL is synced
	volatile durability = "OFF"
)

var errGoexit = errors.New("store: the transaction's goroutine ended inside it")

// update is one call waiting for its turn in a batch. The function runs in the
// caller's goroutine, which holds the writing connection meanwhile, so that a
// panic or a runtime.Goexit hits its caller and not the writer.
type update struct {
	turn    chan *session // the writer hands over the connection
	gone    chan struct{} // closed by a caller that gave up before its turn
	ran     chan error    // the caller hands it back, with its own outcome
	outcome error         // what ran brought; the writer's
	done    chan error    // the writer answers after the commit
}

// Update implements store.Store.
func (s *Store) Update(ctx context.Context, fn func(store.Tx) error) error {
	return s.update(ctx, func(w *session) error {
		tx := txn.New(ctx, w)
		if err := tx.Run(fn); err != nil {
			return err
		}
		for feed, payloads := range tx.Appended() {
			if err := w.append(feed, payloads); err != nil {
				return err
			}
		}
		return nil
	})
}

// Trim implements store.Store.
func (s *Store) Trim(ctx context.Context, feed string, through uint64) error {
	return s.update(ctx, func(w *session) error {
		return w.write("DELETE FROM feed WHERE name = ? AND position <= ?", []byte(feed), position(through))
	})
}

// update runs fn in the next batch and waits for its commit.
func (s *Store) update(ctx context.Context, fn func(*session) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	u := &update{
		turn: make(chan *session),
		gone: make(chan struct{}),
		ran:  make(chan error, 1),
		done: make(chan error, 1),
	}
	select {
	case s.updates <- u:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case w := <-u.turn:
		u.run(w, fn)
		return <-u.done
	case err := <-u.done:
		return err
	case <-ctx.Done():
		close(u.gone)
		return ctx.Err()
	}
}

// run calls fn and hands the connection back, come what may.
func (u *update) run(w *session, fn func(*session) error) {
	err := errGoexit
	defer func() { u.ran <- err }()
	err = fn(w)
}

// writer is the goroutine that commits, and its connection.
type writer struct {
	conn    *conn
	stopped chan struct{}
}

func openWriter(ctx context.Context, path string, opts Options, level durability) (*writer, error) {
	c, err := source{path: path, mode: "rwc", pragmas: []string{
		"journal_mode(WAL)",
		"synchronous(" + string(level) + ")",
		"busy_timeout(5000)",
		fmt.Sprintf("cache_size(-%d)", opts.CacheKiB),
		"wal_autocheckpoint(2000)",     // pages: a checkpoint syncs twice, so not too often
		"journal_size_limit(67108864)", // bytes the WAL keeps after a burst
	}}.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, c); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return &writer{conn: c, stopped: make(chan struct{})}, nil
}

// run commits batches until updates is closed.
func (w *writer) run(updates <-chan *update) {
	defer close(w.stopped)
	for first := range updates {
		w.batch(first, updates)
	}
}

// batch runs first and every update that comes in meanwhile in one SQL
// transaction. Nobody is answered before the commit, not even an update that
// failed: it may have seen what the others wrote. If the commit or any
// statement fails, the whole batch fails.
func (w *writer) batch(first *update, updates <-chan *update) {
	if err := w.conn.exec("BEGIN IMMEDIATE"); err != nil {
		first.done <- fmt.Errorf("begin: %w", err)
		return
	}
	session := &session{conn: w.conn}
	ran := make([]*update, 0, maxBatch)
	for u := first; u != nil; {
		if session.serve(u) {
			ran = append(ran, u)
		}
		u = nil
		if session.broken == nil && len(ran) < maxBatch {
			u = next(updates)
		}
	}
	err := session.commit()
	for _, u := range ran {
		u.done <- firstError(err, u.outcome)
	}
}

// next returns an update that waits already, or nil if there is none.
func next(updates <-chan *update) *update {
	select {
	case u := <-updates: // nil once closed
		return u
	default:
		return nil
	}
}

// session is the writing connection during a batch.
type session struct {
	*conn
	dirty  bool  // the update running has a savepoint
	broken error // the batch cannot commit any more
}

var _ txn.Writer = (*session)(nil)

// serve gives u its turn. It returns false if the caller has gone.
func (w *session) serve(u *update) bool {
	w.dirty = false
	select {
	case u.turn <- w:
	case <-u.gone:
		return false
	}
	u.outcome = <-u.ran
	if w.dirty && w.broken == nil {
		if u.outcome != nil {
			w.note(w.exec("ROLLBACK TO u"))
		}
		w.note(w.exec("RELEASE u"))
	}
	return true
}

// commit ends the batch. A failed commit is rolled back, so that the next
// batch starts clean; SQLite may have rolled back by itself already.
func (w *session) commit() error {
	if w.broken == nil {
		w.note(w.exec("COMMIT"))
	}
	if w.broken == nil {
		return nil
	}
	_ = w.exec("ROLLBACK") // fails if there is no transaction left, which is the aim
	return fmt.Errorf("commit: %w", w.broken)
}

// note remembers the first failed statement. SQLite may answer one by rolling
// back everything, so the batch cannot go on.
func (w *session) note(err error) error {
	if w.broken == nil {
		w.broken = err
	}
	return err
}

// write runs a statement that changes data, behind the savepoint of the
// update running. Updates that only read, such as failed conditions, make none.
func (w *session) write(query string, args ...any) error {
	if !w.dirty {
		if err := w.note(w.exec("SAVEPOINT u")); err != nil {
			return err
		}
		w.dirty = true
	}
	return w.note(w.exec(query, args...))
}

// Get implements txn.Reader.
func (w *session) Get(key []byte) ([]byte, error) {
	value, err := w.conn.Get(key)
	return value, w.note(err)
}

// Page implements txn.Reader.
func (w *session) Page(r store.Range) ([]store.KV, bool, error) {
	pairs, more, err := w.conn.Page(r)
	return pairs, more, w.note(err)
}

// maxInline is the size of key and value up to which a row of kv stays within
// its page: about a quarter of SQLite's page of 4096 bytes.
const maxInline = 900

// Put implements txn.Writer.
func (w *session) Put(key, value []byte) error {
	if len(key)+len(value) <= maxInline {
		return w.write(`INSERT INTO kv (k, v) VALUES (?, ?)
			ON CONFLICT (k) DO UPDATE SET v = excluded.v, large_id = NULL`, blob(key), blob(value))
	}
	if err := w.write("INSERT INTO large (v) VALUES (?)", blob(value)); err != nil {
		return err
	}
	return w.write(`INSERT INTO kv (k, large_id) VALUES (?, last_insert_rowid())
		ON CONFLICT (k) DO UPDATE SET v = NULL, large_id = excluded.large_id`, blob(key))
}

// Delete implements txn.Writer.
func (w *session) Delete(key []byte) error {
	return w.write("DELETE FROM kv WHERE k = ?", blob(key))
}

// DeleteRange implements txn.Writer.
func (w *session) DeleteRange(lo, hi []byte) error {
	if hi == nil {
		return w.write("DELETE FROM kv WHERE k >= ?", blob(lo))
	}
	return w.write("DELETE FROM kv WHERE k >= ? AND k < ?", blob(lo), hi)
}

// append gives payloads the next positions of feed.
func (w *session) append(feed string, payloads [][]byte) error {
	name := []byte(feed)
	if err := w.write(`INSERT INTO feed_head (name, position) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET position = position + excluded.position`, name, int64(len(payloads))); err != nil {
		return err
	}
	var head int64
	err := w.query("SELECT position FROM feed_head WHERE name = ?", []any{name}, func(row []driver.Value) bool {
		head = row[0].(int64)
		return false
	})
	if err != nil {
		return w.note(err)
	}
	first := head - int64(len(payloads)) + 1
	for i, p := range payloads {
		if err := w.write("INSERT INTO feed (name, position, payload) VALUES (?, ?, ?)", name, first+int64(i), blob(p)); err != nil {
			return err
		}
	}
	return nil
}

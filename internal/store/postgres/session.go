package postgres

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/txn"
)

const (
	// maxHead is how much of a key the index holds.
	maxHead = 2000
	// maxHeldKeys and maxHeldBytes bound the writes held back.
	maxHeldKeys  = 4096
	maxHeldBytes = 4 << 20
)

// session is one running transaction on a connection. It begins with the first
// statement sent.
type session struct {
	ctx   context.Context
	conn  *pgx.Conn
	begin []string // statements that open the transaction; nil once sent
	held  map[string][]byte
	bytes int // size of held
	// conflict says that PostgreSQL refused a statement for the sake of
	// another transaction, whatever the function made of that error.
	conflict bool
}

var _ txn.Writer = (*session)(nil)

func newSession(ctx context.Context, conn *pgx.Conn, begin ...string) *session {
	return &session{ctx: ctx, conn: conn, begin: begin, held: make(map[string][]byte)}
}

// send runs a batch, with the begin of the transaction before it if that is
// still due, in one round trip.
func (s *session) send(b *pgx.Batch) error {
	if s.begin != nil {
		first := &pgx.Batch{}
		for _, statement := range s.begin {
			first.Queue(statement)
		}
		first.QueuedQueries = append(first.QueuedQueries, b.QueuedQueries...)
		b, s.begin = first, nil
	}
	err := s.conn.SendBatch(s.ctx, b).Close()
	s.conflict = s.conflict || isConflict(err)
	return err
}

// rollback gives the transaction up, if it began. When it fails the connection
// is closed on release.
func (s *session) rollback() {
	if s.begin == nil && !s.conn.IsClosed() {
		_, _ = s.conn.Exec(context.WithoutCancel(s.ctx), "ROLLBACK")
	}
}

// Get implements txn.Reader.
func (s *session) Get(key []byte) (value []byte, err error) {
	if value, ok := s.held[string(key)]; ok {
		return slices.Clone(value), nil
	}
	head, tail := split(key)
	b := &pgx.Batch{}
	b.Queue("SELECT v FROM kv WHERE head = $1 AND tail = $2", head, tail).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			if err := rows.Scan(&value); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	return value, s.send(b)
}

// Page implements txn.Reader.
func (s *session) Page(r store.Range) (pairs []store.KV, more bool, err error) {
	b := &pgx.Batch{}
	s.flush(b)
	size := 0
	query, args := pageQuery(r)
	b.Queue(query, args...).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var head, tail, value []byte
			if err := rows.Scan(&head, &tail, &value); err != nil {
				return err
			}
			pairs = append(pairs, store.KV{Key: append(head, tail...), Value: value})
			size += len(value)
		}
		return rows.Err()
	})
	err = s.send(b)
	return pairs, len(pairs) == r.Limit || size >= pageBytes, err
}

// Put implements txn.Writer.
func (s *session) Put(key, value []byte) error {
	return s.hold(key, append([]byte{}, value...))
}

// Delete implements txn.Writer.
func (s *session) Delete(key []byte) error {
	return s.hold(key, nil)
}

// hold keeps a write for later; a nil value is a deletion.
func (s *session) hold(key, value []byte) error {
	s.held[string(key)] = value
	s.bytes += len(key) + len(value)
	if len(s.held) < maxHeldKeys && s.bytes < maxHeldBytes {
		return nil
	}
	b := &pgx.Batch{}
	s.flush(b)
	return s.send(b)
}

// flush adds the writes held back to b, in key order.
func (s *session) flush(b *pgx.Batch) {
	for _, key := range slices.Sorted(maps.Keys(s.held)) {
		head, tail := split([]byte(key))
		if value := s.held[key]; value != nil {
			b.Queue(`INSERT INTO kv (head, tail, v) VALUES ($1, $2, $3)
				ON CONFLICT (head, sha256(tail)) DO UPDATE SET v = excluded.v`, head, tail, value)
		} else {
			b.Queue("DELETE FROM kv WHERE head = $1 AND tail = $2", head, tail)
		}
	}
	clear(s.held)
	s.bytes = 0
}

// DeleteRange implements txn.Writer.
func (s *session) DeleteRange(lo, hi []byte) error {
	b := &pgx.Batch{}
	s.flush(b)
	loHead, loTail := split(lo)
	if hi == nil {
		b.Queue("DELETE FROM kv WHERE (head, tail) >= ($1, $2)", loHead, loTail)
	} else {
		hiHead, hiTail := split(hi)
		b.Queue("DELETE FROM kv WHERE (head, tail) >= ($1, $2) AND (head, tail) < ($3, $4)", loHead, loTail, hiHead, hiTail)
	}
	return s.send(b)
}

// split cuts a key for the index. The pairs order as the keys do. Neither half
// is nil, which would be NULL.
func split(key []byte) (head, tail []byte) {
	n := min(len(key), maxHead)
	return append([]byte{}, key[:n]...), append([]byte{}, key[n:]...)
}

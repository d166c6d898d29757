package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/txn"
)

// maxIdleReaders bounds the reading connections kept for later. There is no
// bound on those in use: a View inside a View must not wait for the outer one.
const maxIdleReaders = 8

// View implements store.Store.
func (s *Store) View(ctx context.Context, fn func(store.ReadTx) error) error {
	return s.read(ctx, func(c *conn) (err error) {
		if err := c.exec("BEGIN"); err != nil {
			return err
		}
		defer func() { err = firstError(err, c.exec("COMMIT")) }()
		return txn.View(ctx, c, fn)
	})
}

// Feed implements store.Store.
func (s *Store) Feed(ctx context.Context, feed string, after uint64, limit int) ([]store.Record, error) {
	var records []store.Record
	err := s.read(ctx, func(c *conn) error {
		query := "SELECT position, payload FROM feed WHERE name = ? AND position > ? ORDER BY position LIMIT ?"
		args := []any{[]byte(feed), position(after), int64(limit)}
		return c.query(query, args, func(row []driver.Value) bool {
			records = append(records, store.Record{Position: uint64(row[0].(int64)), Payload: blob(row[1].([]byte))})
			return true
		})
	})
	return records, err
}

// position fits a position into SQLite's integers, which are signed. No feed
// gets near the difference.
func position(p uint64) int64 {
	return int64(min(p, math.MaxInt64))
}

// read lends fn a reading connection.
func (s *Store) read(ctx context.Context, fn func(*conn) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := s.readers.get(ctx)
	if err != nil {
		return fmt.Errorf("open %s for reading: %w", s.dir, err)
	}
	defer s.readers.put(c)
	return fn(c)
}

func readerSource(path string, opts Options) source {
	return source{path: path, mode: "ro", pragmas: []string{
		"busy_timeout(5000)",
		fmt.Sprintf("cache_size(-%d)", opts.CacheKiB),
	}}
}

// pool keeps reading connections, the last used first.
type pool struct {
	source source
	mu     sync.Mutex
	idle   []*conn
}

func (p *pool) get(ctx context.Context) (*conn, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	p.mu.Unlock()
	return p.source.connect(ctx)
}

func (p *pool) put(c *conn) {
	p.mu.Lock()
	keep := len(p.idle) < maxIdleReaders
	if keep {
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	if !keep {
		_ = c.close() // a connection that only read has nothing to lose
	}
}

func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, c := range p.idle {
		errs = append(errs, c.close())
	}
	p.idle = nil
	return errors.Join(errs...)
}

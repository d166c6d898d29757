// Package postgres is the store engine for more than one node: a schema in a
// PostgreSQL database (12 or later). Only package server opens it.
//
// Updates are SERIALIZABLE transactions, tried again when PostgreSQL says that
// they conflict; Views are REPEATABLE READ. Writes are held back until the
// function reads a range or ends, then sent in key order in one go: that saves
// round trips and keeps two updates from waiting for each other in a circle.
package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/txn"
)

const (
	defaultSchema   = "butai"
	defaultMaxConns = 16
)

var _ store.Store = (*Store)(nil)

// Options are the knobs of Open. The zero value is good.
type Options struct {
	// Schema holds the tables and is made if missing; "" means butai. Stores
	// in different schemas are independent.
	Schema string
	// MaxConns bounds the connections of this store, and so the transactions
	// that run at a time; 0 means 16.
	MaxConns int32
}

// Store is a schema in a PostgreSQL database. It implements store.Store. Any
// number of processes may have the same one open.
type Store struct {
	gate   txn.Gate
	pool   *pgxpool.Pool
	schema string
}

// Open connects to the database at dsn, a URL or a list of key=value, and
// brings its schema up to date.
func Open(ctx context.Context, dsn string, opts Options) (*Store, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("open PostgreSQL store: %w", err)
	}
	if opts.Schema == "" {
		opts.Schema = defaultSchema
	}
	if opts.MaxConns == 0 {
		opts.MaxConns = defaultMaxConns
	}
	config.MaxConns = opts.MaxConns
	for name, value := range map[string]string{
		"application_name":              "butai",
		"search_path":                   pgx.Identifier{opts.Schema}.Sanitize(),
		"default_transaction_isolation": "read committed",
		"synchronous_commit":            "on",
		// A sequential scan or a sort of a small table would be cheaper, but
		// reading it all conflicts with every write.
		"enable_seqscan":    "off",
		"enable_bitmapscan": "off",
		"enable_sort":       "off",
		"jit":               "off",
	} {
		config.ConnConfig.RuntimeParams[name] = value
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open PostgreSQL store: %w", err)
	}
	s := &Store{pool: pool, schema: opts.Schema}
	if err := s.migrate(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open PostgreSQL store: %w", err)
	}
	return s, nil
}

// Close implements store.Store. Closing again does nothing.
func (s *Store) Close() error {
	if s.gate.Close() {
		s.pool.Close()
	}
	return nil
}

// lend gives fn a connection.
func (s *Store) lend(ctx context.Context, fn func(*pgx.Conn) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	c, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release() // closes it if a transaction is still open
	return fn(c.Conn())
}

// isConflict reports whether PostgreSQL asks to try the transaction again:
// serialization failure, or deadlock.
func isConflict(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}

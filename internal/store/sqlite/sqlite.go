// Package sqlite is the embedded store engine: one SQLite file in WAL mode, in
// pure Go. Only package server opens it.
//
// One goroutine owns the only writing connection and commits in groups: all
// updates waiting are run one after another, each in a savepoint, and made
// durable by one fsync. Readers have connections of their own and never wait
// for the writer.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/txn"
)

const (
	databaseName = "butai.db"
	lockName     = "butai.lock"
	scratchGlob  = "scratch-*" // what Backup and Restore leave behind if killed

	defaultCacheKiB = 2048
)

var _ store.Store = (*Store)(nil)

// Options are the knobs of Open. The zero value is good.
type Options struct {
	// CacheKiB bounds the page cache of each connection; 0 means 2048. There
	// is one connection that writes and one per View running at a time.
	CacheKiB int
}

// Store is an open SQLite file. It implements store.Store.
type Store struct {
	gate    txn.Gate
	dir     string
	lock    *dirLock
	updates chan *update
	writer  *writer
	readers *pool
	// cleanup removes the directory of a store that OpenMemory made.
	cleanup func() error
}

// Open opens the store in dir, which it creates with mode 0700 if missing.
// A directory belongs to one open Store at a time, in all processes.
func Open(ctx context.Context, dir string, opts Options) (*Store, error) {
	return open(ctx, dir, opts, durable)
}

// OpenMemory opens an empty store that is gone after Close. It is a file in
// the temporary directory that nobody waits for to reach the disk: an SQLite
// database in memory has no readers beside a writer. A killed process leaves
// the file behind.
func OpenMemory(ctx context.Context, opts Options) (*Store, error) {
	dir, err := os.MkdirTemp("", "butai-ephemeral-")
	if err != nil {
		return nil, fmt.Errorf("make ephemeral store: %w", err)
	}
	s, err := open(ctx, dir, opts, volatile)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.cleanup = func() error { return os.RemoveAll(dir) }
	return s, nil
}

func open(ctx context.Context, dir string, opts Options, level durability) (_ *Store, err error) {
	if opts.CacheKiB == 0 {
		opts.CacheKiB = defaultCacheKiB
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, lock.Close())
		}
	}()
	if err := removeScratch(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, databaseName)
	w, err := openWriter(ctx, path, opts, level)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := syncDir(dir); err != nil {
		return nil, errors.Join(err, w.conn.close())
	}
	s := &Store{
		dir:     dir,
		lock:    lock,
		updates: make(chan *update, maxBatch),
		writer:  w,
		readers: &pool{source: readerSource(path, opts)},
		cleanup: func() error { return nil },
	}
	go w.run(s.updates)
	return s, nil
}

// Close implements store.Store. Closing again does nothing.
func (s *Store) Close() error {
	if !s.gate.Close() {
		return nil
	}
	close(s.updates)
	<-s.writer.stopped
	return errors.Join(s.readers.close(), s.writer.conn.close(), s.lock.Close(), s.cleanup())
}

func removeScratch(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, scratchGlob))
	if err != nil {
		return err
	}
	for _, path := range left {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("remove scratch files: %w", err)
		}
	}
	return nil
}

// syncDir makes the names of newly made files in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

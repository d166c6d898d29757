// Package dynamodb is the DynamoDB service: tables with their secondary
// indexes, and the items in them. It implements the operations of
// dynamodbapi; package server builds it.
//
// A table's items live in the store's ordered key space (layout.go). Secondary
// indexes are written in the transaction that writes the item, so they are
// never behind; like AWS, consistent reads of a global index are refused all
// the same. Table definitions are compiled once and cached; a generation
// number in the store, read in every transaction, tells a stale one.
package dynamodb

import (
	"errors"
	"log/slog"
	"sync"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
)

// Config is what New needs; every field but Keys is required.
type Config struct {
	Store store.Store
	Clock clock.Clock
	Log   *slog.Logger
	Keys  Keys // nil refuses tables with keys of their own
}

// Service implements the DynamoDB operations. Its methods are safe for
// concurrent use. Run does its background work.
type Service struct {
	store store.Store
	clock clock.Clock
	log   *slog.Logger
	keys  Keys

	records record.Collection[tableRecord]
	tokens  record.Collection[tokenRecord]

	tables sync.Map // tableKey to *table
	stats  sync.Map // table id to *tableStats
	feeds  feeds
	tails  sync.Map // feed to the position of its last known change
	work   chan struct{}
}

// New returns the service over cfg.Store. It starts nothing.
func New(cfg Config) *Service {
	return &Service{
		store: cfg.Store, clock: cfg.Clock, log: cfg.Log, keys: cfg.Keys,
		records: record.New[tableRecord]("dynamodb", "table"),
		tokens:  record.New[tokenRecord]("dynamodb", "token"),
		work:    make(chan struct{}, 1),
	}
}

// errStale says that a cached table definition is not the stored one.
type errStale struct{ key tableKey }

func (errStale) Error() string { return "dynamodb: table definition changed" }

// fresh runs fn, and again with the table definition reloaded whenever fn
// finds that it worked with a stale one.
func fresh[T any](s *Service, fn func() (T, error)) (T, error) {
	for {
		out, err := fn()
		var stale errStale
		if !errors.As(err, &stale) {
			return out, err
		}
		s.tables.Delete(stale.key)
	}
}

// Package store is butai's contract with a durable, ordered key space. Every
// service keeps its records behind it; engines live in sub-packages and only
// package server knows which one is open. Nothing above this package knows SQL.
//
// Contract, checked for every engine by package storetest:
//
//   - Keys are byte strings ordered bytewise, at most MaxKey long. Values are
//     opaque, at most MaxValue long.
//   - Update is serializable. Its closure may run more than once, so it must
//     have no effect outside its Tx. When the closure returns an error nothing
//     is written and Update returns that error unwrapped. When Update returns
//     nil the writes are durable: they survive kill -9 and power loss.
//   - View reads one snapshot, never blocks writers, never sees half an Update,
//     and sees every Update that returned before it began.
//   - Append adds a record to a named change log inside the transaction.
//     Positions are strictly increasing within a feed in commit order, without
//     a reader ever seeing a later record before an earlier one.
//   - A call on a transaction that fails dooms it: nothing is written, even if
//     the closure overlooks the error. A panic in an Update's closure is
//     returned as an error.
//   - A transaction belongs to its closure: it answers with an error after the
//     end, and is not for concurrent use. The closure should not call the Store
//     again: an Update inside an Update waits for itself, and an engine may
//     have no further connection to give.
//   - Transactions are bounded (MaxTxBytes, MaxTxKeys), which keeps engines
//     such as FoundationDB possible.
package store

import (
	"context"
	"errors"
	"io"
	"iter"
)

// Limits of one transaction; an engine returns ErrTooLarge beyond them.
const (
	MaxKey     = 4 << 10
	MaxValue   = 16 << 20
	MaxTxBytes = 64 << 20
	MaxTxKeys  = 100_000
)

var (
	// ErrTooLarge says that a key, value or transaction is over the limits.
	ErrTooLarge = errors.New("store: transaction too large")
	// ErrClosed says that the store was closed.
	ErrClosed = errors.New("store: closed")
)

// Store is an open key space. All methods are safe for concurrent use.
type Store interface {
	// Update runs fn in a serializable read-write transaction and returns
	// once its writes are durable.
	Update(ctx context.Context, fn func(Tx) error) error
	// View runs fn over one snapshot.
	View(ctx context.Context, fn func(ReadTx) error) error
	// Feed returns up to limit records of feed behind position after, in
	// order. An unknown feed is empty.
	Feed(ctx context.Context, feed string, after uint64, limit int) ([]Record, error)
	// Trim deletes the records of feed up to and including position through.
	Trim(ctx context.Context, feed string, through uint64) error
	// Backup writes a consistent copy that the engine can open again.
	Backup(ctx context.Context, w io.Writer) error
	// Close waits for running transactions and releases the engine. Closing
	// again does nothing.
	Close() error
}

// KV is one pair of a scan. The slices belong to the caller.
type KV struct {
	Key, Value []byte
}

// Range bounds a scan: Lo <= key < Hi, in key order, or in reverse order if
// Reverse is set. A nil Hi means no upper bound; Limit 0 means no limit.
type Range struct {
	Lo, Hi  []byte
	Reverse bool
	Limit   int
}

// ReadTx reads one snapshot.
type ReadTx interface {
	// Get returns the value of key, or nil if there is none. A stored empty
	// value is returned as a non-nil empty slice.
	Get(key []byte) ([]byte, error)
	// Scan yields the pairs of r. It stops at the first error, which it
	// yields with a zero KV. In a Tx, the closure may write while it scans:
	// the scan shows what is written ahead of it.
	Scan(r Range) iter.Seq2[KV, error]
}

// Tx reads its own writes.
type Tx interface {
	ReadTx
	Put(key, value []byte) error
	// Delete removes key; a missing key is no error.
	Delete(key []byte) error
	// DeleteRange removes every key with lo <= key < hi; a nil hi means no
	// upper bound.
	DeleteRange(lo, hi []byte) error
	// Append adds payload to feed; its position is assigned at commit.
	Append(feed string, payload []byte) error
}

// Record is one entry of a feed.
type Record struct {
	Position uint64
	Payload  []byte
}

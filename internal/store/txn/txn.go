// Package txn holds the half of a transaction that is the same in every store
// engine: limits, scans in pages, buffered feed records, and what happens
// after an error or after the end. An engine brings the five primitives of
// Writer; only engines import this package.
package txn

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"runtime/debug"
	"slices"

	"github.com/butai-dev/butai/internal/store"
)

// errEnded is what a transaction answers after its function returned.
var errEnded = errors.New("store: transaction used after its end")

// Reader is the read half of an engine's running transaction.
type Reader interface {
	// Get is store.ReadTx.Get.
	Get(key []byte) ([]byte, error)
	// Page returns the first pairs of r. Limit is always set. With more, r
	// may hold further pairs behind the last one returned; an engine may
	// stop short of the limit to bound memory, but not before one pair.
	Page(r store.Range) (pairs []store.KV, more bool, err error)
}

// Writer is an engine's running read-write transaction. Its methods get
// arguments within the limits. A nil hi of DeleteRange means no upper bound.
type Writer interface {
	Reader
	Put(key, value []byte) error
	Delete(key []byte) error
	DeleteRange(lo, hi []byte) error
}

var (
	_ store.ReadTx = (*ReadTx)(nil)
	_ store.Tx     = (*Tx)(nil)
)

// ReadTx is a store.ReadTx over a Reader. The first error dooms it: every
// later call returns that error again.
type ReadTx struct {
	ctx    context.Context
	reader Reader
	doomed error
	scans  []*scan
}

// View runs fn over r. A panic of fn passes through.
func View(ctx context.Context, r Reader, fn func(store.ReadTx) error) error {
	t := &ReadTx{ctx: ctx, reader: r}
	defer t.end()
	if err := fn(t); err != nil {
		return err
	}
	return t.doomed
}

// ready says whether the transaction may go on.
func (t *ReadTx) ready() error {
	if t.doomed != nil {
		return t.doomed
	}
	return t.note(t.ctx.Err())
}

// note remembers the first error.
func (t *ReadTx) note(err error) error {
	if t.doomed == nil {
		t.doomed = err
	}
	return err
}

func (t *ReadTx) end() {
	t.doomed = errEnded
}

// Get implements store.ReadTx.
func (t *ReadTx) Get(key []byte) ([]byte, error) {
	if err := t.ready(); err != nil {
		return nil, err
	}
	value, err := t.reader.Get(key)
	return value, t.note(err)
}

// Scan implements store.ReadTx.
func (t *ReadTx) Scan(r store.Range) iter.Seq2[store.KV, error] {
	return func(yield func(store.KV, error) bool) {
		s := &scan{tx: t, rest: r, more: true}
		t.scans = append(t.scans, s)
		defer func() {
			t.scans = slices.DeleteFunc(t.scans, func(o *scan) bool { return o == s })
		}()
		s.run(yield)
	}
}

// Tx is a store.Tx over a Writer.
type Tx struct {
	ReadTx
	writer      Writer
	bytes, keys int
	appended    map[string][][]byte
}

// New returns a transaction over w that gives up when ctx is done.
func New(ctx context.Context, w Writer) *Tx {
	return &Tx{ReadTx: ReadTx{ctx: ctx, reader: w}, writer: w}
}

// Run calls fn and ends the transaction. It returns fn's error unwrapped, or
// the error of a call that fn failed to pass on, or a panic of fn as an error.
func (t *Tx) Run(fn func(store.Tx) error) (err error) {
	defer t.end()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("store: panic in transaction: %v\n%s", p, debug.Stack())
		}
	}()
	if err := fn(t); err != nil {
		return err
	}
	return t.doomed
}

// Put implements store.Tx.
func (t *Tx) Put(key, value []byte) error {
	if err := t.admit(key, value); err != nil {
		return err
	}
	t.wrote(key)
	return t.note(t.writer.Put(key, value))
}

// Delete implements store.Tx.
func (t *Tx) Delete(key []byte) error {
	if err := t.admit(key, nil); err != nil {
		return err
	}
	t.wrote(key)
	return t.note(t.writer.Delete(key))
}

// DeleteRange implements store.Tx. It counts as one key.
func (t *Tx) DeleteRange(lo, hi []byte) error {
	if err := t.admit(lo, hi); err != nil {
		return err
	}
	for _, s := range t.scans {
		s.wroteRange(lo, hi)
	}
	return t.note(t.writer.DeleteRange(lo, hi))
}

// Append implements store.Tx. It counts as one key.
func (t *Tx) Append(feed string, payload []byte) error {
	if err := t.admit([]byte(feed), payload); err != nil {
		return err
	}
	if t.appended == nil {
		t.appended = make(map[string][][]byte)
	}
	t.appended[feed] = append(t.appended[feed], slices.Clone(payload))
	return nil
}

// Appended yields the feeds appended to and their payloads in order. Feeds
// come in a fixed order, so that engines that lock them cannot deadlock.
func (t *Tx) Appended() iter.Seq2[string, [][]byte] {
	return func(yield func(string, [][]byte) bool) {
		for _, feed := range slices.Sorted(maps.Keys(t.appended)) {
			if !yield(feed, t.appended[feed]) {
				return
			}
		}
	}
}

// admit checks one more write against the limits.
func (t *Tx) admit(key, value []byte) error {
	if err := t.ready(); err != nil {
		return err
	}
	t.keys++
	t.bytes += len(key) + len(value)
	if len(key) > store.MaxKey || len(value) > store.MaxValue ||
		t.keys > store.MaxTxKeys || t.bytes > store.MaxTxBytes {
		return t.note(store.ErrTooLarge)
	}
	return nil
}

func (t *Tx) wrote(key []byte) {
	for _, s := range t.scans {
		s.wrote(key)
	}
}

// Package storetest checks the contract of package store on an engine. Every
// engine's tests run it; a test here belongs to a sentence of the contract.
package storetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/store"
)

// Engine is how the suite gets stores.
type Engine struct {
	// Open returns an empty store, and a function that opens it again after
	// Close. The function is nil for a store that is gone after Close.
	Open func(t *testing.T) (s store.Store, reopen func(t *testing.T) store.Store)
	// Restore opens a new store from what Backup wrote.
	Restore func(t *testing.T, backup io.Reader) store.Store
}

// Run runs the suite.
func Run(t *testing.T, e Engine) {
	for _, c := range []struct {
		name string
		test func(*testing.T, store.Store)
	}{
		{"GetPutDelete", testGetPutDelete},
		{"EmptyIsNotMissing", testEmptyIsNotMissing},
		{"SlicesAreCopied", testSlicesAreCopied},
		{"Limits", testLimits},
		{"ScanOrder", testScanOrder},
		{"ScanRanges", testScanRanges},
		{"ScanPages", testScanPages},
		{"ScanModel", testScanModel},
		{"ScanSeesOwnWrites", testScanSeesOwnWrites},
		{"NestedScan", testNestedScan},
		{"DeleteRange", testDeleteRange},
		{"ReadYourWrites", testReadYourWrites},
		{"ErrorWritesNothing", testErrorWritesNothing},
		{"SwallowedErrorWritesNothing", testSwallowedErrorWritesNothing},
		{"PanicIsAnError", testPanicIsAnError},
		{"GoexitWritesNothing", testGoexitWritesNothing},
		{"ContextEnds", testContextEnds},
		{"UseAfterEnd", testUseAfterEnd},
		{"ViewErrorAndPanic", testViewErrorAndPanic},
		{"Counters", testCounters},
		{"WriteSkew", testWriteSkew},
		{"PhantomSkew", testPhantomSkew},
		{"Transfers", testTransfers},
		{"ViewIsASnapshot", testViewIsASnapshot},
		{"ViewNeverBlocksWriters", testViewNeverBlocksWriters},
		{"ViewSeesWhatReturned", testViewSeesWhatReturned},
		{"Feed", testFeed},
		{"FeedOfFailedUpdate", testFeedOfFailedUpdate},
		{"FeedTrim", testFeedTrim},
		{"FeedUnderConcurrency", testFeedUnderConcurrency},
		{"FeedFollowsItsKey", testFeedFollowsItsKey},
		{"Close", testClose},
		{"CloseWaits", testCloseWaits},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, _ := e.Open(t)
			closeAtEnd(t, s)
			c.test(t, s)
		})
	}
	t.Run("Reopen", func(t *testing.T) { t.Parallel(); testReopen(t, e) })
	t.Run("Backup", func(t *testing.T) { t.Parallel(); testBackup(t, e) })
}

func closeAtEnd(t *testing.T, s store.Store) {
	t.Helper()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// update and view fail the test on an error.
func update(t *testing.T, s store.Store, fn func(store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

func view(t *testing.T, s store.Store, fn func(store.ReadTx) error) {
	t.Helper()
	if err := s.View(t.Context(), fn); err != nil {
		t.Fatalf("View: %v", err)
	}
}

func put(t *testing.T, s store.Store, keys ...string) {
	t.Helper()
	update(t, s, func(tx store.Tx) error { return putAll(tx, keys...) })
}

// putAll stores each key with the value "=key".
func putAll(tx store.Tx, keys ...string) error {
	for _, k := range keys {
		if err := tx.Put([]byte(k), []byte("="+k)); err != nil {
			return err
		}
	}
	return nil
}

func get(t *testing.T, s store.Store, key string) []byte {
	t.Helper()
	var value []byte
	view(t, s, func(r store.ReadTx) (err error) {
		value, err = r.Get([]byte(key))
		return err
	})
	return value
}

// keysOf renders the keys of a range, after checking the values of putAll.
func keysOf(r store.ReadTx, rng store.Range) (string, error) {
	var keys []string
	for kv, err := range r.Scan(rng) {
		if err != nil {
			return "", err
		}
		if !bytes.Equal(kv.Value, append([]byte("="), kv.Key...)) {
			return "", fmt.Errorf("key %q has value %q", kv.Key, kv.Value)
		}
		keys = append(keys, string(kv.Key))
	}
	return strings.Join(keys, " "), nil
}

func wantKeys(t *testing.T, s store.Store, rng store.Range, want string) {
	t.Helper()
	view(t, s, func(r store.ReadTx) error {
		got, err := keysOf(r, rng)
		if err == nil && got != want {
			t.Errorf("range %v: keys %q, want %q", rng, got, want)
		}
		return err
	})
}

// readInt and writeInt keep a number in a key; a missing key is 0.
func readInt(r store.ReadTx, key string) (n int, err error) {
	value, err := r.Get([]byte(key))
	if err != nil || value == nil {
		return 0, err
	}
	_, err = fmt.Sscan(string(value), &n)
	return n, err
}

func writeInt(tx store.Tx, key string, n int) error {
	return tx.Put([]byte(key), fmt.Append(nil, n))
}

// feed reads a whole feed.
func feed(ctx context.Context, t *testing.T, s store.Store, name string) []store.Record {
	t.Helper()
	records, err := s.Feed(ctx, name, 0, 1_000_000)
	if err != nil {
		t.Fatalf("Feed: %v", err)
	}
	return records
}

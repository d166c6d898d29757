package storetest

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/store"
)

func testReadYourWrites(t *testing.T, s store.Store) {
	put(t, s, "a", "b", "c")
	update(t, s, func(tx store.Tx) error {
		if err := errors.Join(putAll(tx, "bb"), tx.Delete([]byte("b")), tx.Put([]byte("a"), []byte("x"))); err != nil {
			return err
		}
		if v, err := tx.Get([]byte("a")); err != nil || string(v) != "x" {
			t.Errorf("own overwrite: %q, %v", v, err)
		}
		if v, err := tx.Get([]byte("b")); err != nil || v != nil {
			t.Errorf("own delete: %q, %v", v, err)
		}
		got, err := keysOf(tx, store.Range{Lo: []byte("aa")})
		if err == nil && got != "bb c" {
			t.Errorf("own scan: %q", got)
		}
		return err
	})
}

func testErrorWritesNothing(t *testing.T, s store.Store) {
	put(t, s, "a", "b")
	refused := errors.New("refused")
	err := s.Update(t.Context(), func(tx store.Tx) error {
		err := errors.Join(putAll(tx, "c"), tx.Put([]byte("a"), nil), tx.Delete([]byte("b")), tx.Append("f", []byte("x")))
		if err != nil {
			return err
		}
		return refused
	})
	if err != refused {
		t.Errorf("Update returned %v, want the function's own error value", err)
	}
	wantKeys(t, s, store.Range{}, "a b")
	if f := feed(t.Context(), t, s, "f"); len(f) != 0 {
		t.Errorf("feed has %d records of a failed update", len(f))
	}
}

// testSwallowedErrorWritesNothing: a function that overlooks an error must not
// get half of its writes stored.
func testSwallowedErrorWritesNothing(t *testing.T, s store.Store) {
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if err := putAll(tx, "a"); err != nil {
			return err
		}
		_ = tx.Put(make([]byte, store.MaxKey+1), nil)
		_ = putAll(tx, "b")
		return nil
	})
	if !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("Update returned %v, want the overlooked ErrTooLarge", err)
	}
	wantKeys(t, s, store.Range{}, "")
}

func testPanicIsAnError(t *testing.T, s store.Store) {
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if err := putAll(tx, "a"); err != nil {
			return err
		}
		panic("oh dear")
	})
	if err == nil || !strings.Contains(err.Error(), "oh dear") || !strings.Contains(err.Error(), "testPanicIsAnError") {
		t.Errorf("Update returned %v, want the panic and its stack", err)
	}
	put(t, s, "b")
	wantKeys(t, s, store.Range{}, "b")
}

func testGoexitWritesNothing(t *testing.T, s store.Store) {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = s.Update(t.Context(), func(tx store.Tx) error {
			if err := putAll(tx, "a"); err != nil {
				return err
			}
			runtime.Goexit() // what t.Fatal does
			return nil
		})
	}()
	<-gone
	put(t, s, "b")
	wantKeys(t, s, store.Range{}, "b")
}

func testContextEnds(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Update(ctx, func(tx store.Tx) error {
		if err := putAll(tx, "a"); err != nil {
			return err
		}
		cancel()
		return putAll(tx, "b")
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled in the middle: %v", err)
	}
	_, feedErr := s.Feed(ctx, "f", 0, 1)
	for name, err := range map[string]error{
		"Update": s.Update(ctx, func(store.Tx) error { t.Error("ran although cancelled"); return nil }),
		"View":   s.View(ctx, func(store.ReadTx) error { t.Error("ran although cancelled"); return nil }),
		"Feed":   feedErr,
		"Trim":   s.Trim(ctx, "f", 1),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", name, err)
		}
	}
	wantKeys(t, s, store.Range{}, "")
}

func testUseAfterEnd(t *testing.T, s store.Store) {
	put(t, s, "a")
	var tx store.Tx
	var r store.ReadTx
	update(t, s, func(x store.Tx) error { tx = x; return nil })
	view(t, s, func(x store.ReadTx) error { r = x; return nil })
	_, txErr := tx.Get([]byte("a"))
	_, readErr := r.Get([]byte("a"))
	var scanErr error
	for kv, err := range r.Scan(store.Range{}) {
		if scanErr = err; kv.Key != nil {
			t.Errorf("scan after the end yielded %q", kv.Key)
		}
	}
	for name, err := range map[string]error{
		"Tx.Get": txErr, "Tx.Put": tx.Put([]byte("z"), nil), "Tx.Delete": tx.Delete([]byte("a")),
		"Tx.DeleteRange": tx.DeleteRange(nil, nil), "Tx.Append": tx.Append("f", nil),
		"ReadTx.Get": readErr, "ReadTx.Scan": scanErr,
	} {
		if err == nil {
			t.Errorf("%s after the end: no error", name)
		}
	}
	wantKeys(t, s, store.Range{}, "a")
}

func testViewErrorAndPanic(t *testing.T, s store.Store) {
	put(t, s, "a")
	refused := errors.New("refused")
	if err := s.View(t.Context(), func(r store.ReadTx) error { return refused }); err != refused {
		t.Errorf("View returned %v, want the function's own error value", err)
	}
	func() {
		defer func() {
			if p := recover(); p != "oh dear" {
				t.Errorf("recovered %v from View", p)
			}
		}()
		_ = s.View(t.Context(), func(r store.ReadTx) error {
			if _, err := keysOf(r, store.Range{}); err != nil {
				return err
			}
			panic("oh dear")
		})
	}()
	put(t, s, "b")
	wantKeys(t, s, store.Range{}, "a b")
}

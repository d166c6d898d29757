package storetest

import (
	"bytes"
	"errors"
	"testing"

	"github.com/butai-dev/butai/internal/store"
)

func testGetPutDelete(t *testing.T, s store.Store) {
	// Bytes that engines made of text or C strings would trip over.
	keys := []string{"", "\x00", "\x00\x00", "a", "a\x00", "a\x00b", "a'b\"c", "\xff", "\xff\xff", "\xc3\x28", "%_"}
	for _, k := range keys {
		if v := get(t, s, k); v != nil {
			t.Errorf("key %q has value %q before Put", k, v)
		}
	}
	put(t, s, keys...)
	for _, k := range keys {
		if v := get(t, s, k); string(v) != "="+k {
			t.Errorf("key %q has value %q", k, v)
		}
	}
	update(t, s, func(tx store.Tx) error {
		if err := tx.Put([]byte("a"), []byte("again")); err != nil {
			return err
		}
		if err := tx.Delete([]byte("a\x00")); err != nil {
			return err
		}
		return tx.Delete([]byte("never there"))
	})
	if v := get(t, s, "a"); string(v) != "again" {
		t.Errorf("overwritten key has value %q", v)
	}
	if v := get(t, s, "a\x00"); v != nil {
		t.Errorf("deleted key has value %q", v)
	}
	if v := get(t, s, "a\x00b"); string(v) != "=a\x00b" {
		t.Errorf("neighbour of a deleted key has value %q", v)
	}
}

func testEmptyIsNotMissing(t *testing.T, s store.Store) {
	update(t, s, func(tx store.Tx) error {
		return errors.Join(tx.Put([]byte("nil"), nil), tx.Put([]byte("empty"), []byte{}))
	})
	for _, k := range []string{"nil", "empty"} {
		if v := get(t, s, k); v == nil || len(v) != 0 {
			t.Errorf("key %q: %#v, want an empty slice that is not nil", k, v)
		}
	}
	view(t, s, func(r store.ReadTx) error {
		n := 0
		for kv, err := range r.Scan(store.Range{}) {
			if err != nil {
				return err
			}
			if n++; kv.Value == nil || len(kv.Value) != 0 {
				t.Errorf("scan: key %q has value %#v", kv.Key, kv.Value)
			}
		}
		if n != 2 {
			t.Errorf("scan found %d keys, want 2", n)
		}
		return nil
	})
}

func testSlicesAreCopied(t *testing.T, s store.Store) {
	update(t, s, func(tx store.Tx) error {
		k, v := []byte("key"), []byte("value")
		if err := tx.Put(k, v); err != nil {
			return err
		}
		p := []byte("payload")
		if err := tx.Append("feed", p); err != nil {
			return err
		}
		copy(k, "xxx")
		copy(v, "xxxxx")
		copy(p, "xxxxxxx")
		got, err := tx.Get([]byte("key"))
		if err == nil && string(got) != "value" {
			t.Errorf("Put kept the caller's slice: %q", got)
		}
		copy(got, "yyyyy")
		for kv, err := range tx.Scan(store.Range{}) {
			if err != nil {
				return err
			}
			copy(kv.Key, "zzz")
			copy(kv.Value, "zzzzz")
		}
		return err
	})
	if v := get(t, s, "key"); string(v) != "value" {
		t.Errorf("value is %q, want %q", v, "value")
	}
	if f := feed(t.Context(), t, s, "feed"); len(f) != 1 || string(f[0].Payload) != "payload" {
		t.Errorf("feed is %v", f)
	}
}

func testLimits(t *testing.T, s store.Store) {
	longest := bytes.Repeat([]byte{0xff}, store.MaxKey)
	largest := bytes.Repeat([]byte{1, 0, 0xff, 'x'}, store.MaxValue/4)
	update(t, s, func(tx store.Tx) error { return tx.Put(longest, largest) })
	if v := get(t, s, string(longest)); !bytes.Equal(v, largest) {
		t.Errorf("the largest value came back with %d bytes", len(v))
	}
	view(t, s, func(r store.ReadTx) error {
		for kv, err := range r.Scan(store.Range{Lo: longest}) {
			if err != nil {
				return err
			}
			if !bytes.Equal(kv.Key, longest) || !bytes.Equal(kv.Value, largest) {
				t.Errorf("scan: largest pair came back with %d+%d bytes", len(kv.Key), len(kv.Value))
			}
		}
		return nil
	})
	key := []byte("k")
	for name, fn := range map[string]func(store.Tx) error{
		"key":     func(tx store.Tx) error { return tx.Put(append(longest[:len(longest):len(longest)], 1), nil) },
		"value":   func(tx store.Tx) error { return tx.Put(key, append(largest[:len(largest):len(largest)], 1)) },
		"payload": func(tx store.Tx) error { return tx.Append("f", append(largest[:len(largest):len(largest)], 1)) },
		"bytes": func(tx store.Tx) error {
			return times(store.MaxTxBytes/store.MaxValue, func() error { return tx.Put(key, largest) })
		},
		"feed bytes": func(tx store.Tx) error {
			return times(store.MaxTxBytes/store.MaxValue, func() error { return tx.Append("f", largest) })
		},
		"keys": func(tx store.Tx) error { return times(store.MaxTxKeys+1, func() error { return tx.Delete(key) }) },
	} {
		err := s.Update(t.Context(), func(tx store.Tx) error {
			if err := tx.Put([]byte("early"), nil); err != nil {
				return err
			}
			return fn(tx)
		})
		if !errors.Is(err, store.ErrTooLarge) {
			t.Errorf("%s over the limit: error %v, want ErrTooLarge", name, err)
		}
	}
	if v := get(t, s, "early"); v != nil {
		t.Error("a transaction over the limit wrote something")
	}
}

func times(n int, fn func() error) error {
	for range n {
		if err := fn(); err != nil {
			return err
		}
	}
	return nil
}

func testClose(t *testing.T, s store.Store) {
	put(t, s, "a")
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	ctx := t.Context()
	_, feedErr := s.Feed(ctx, "f", 0, 1)
	for name, err := range map[string]error{
		"Update": s.Update(ctx, func(store.Tx) error { t.Error("ran after Close"); return nil }),
		"View":   s.View(ctx, func(store.ReadTx) error { t.Error("ran after Close"); return nil }),
		"Feed":   feedErr,
		"Trim":   s.Trim(ctx, "f", 1),
		"Backup": s.Backup(ctx, &bytes.Buffer{}),
	} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrClosed", name, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func testCloseWaits(t *testing.T, s store.Store) {
	put(t, s, "a")
	reading, finish, read := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		read <- s.View(t.Context(), func(r store.ReadTx) error {
			close(reading)
			<-finish
			_, err := keysOf(r, store.Range{})
			return err
		})
	}()
	<-reading
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	// Close has begun once the store refuses calls.
	for s.View(t.Context(), func(store.ReadTx) error { return nil }) == nil {
	}
	select {
	case err := <-closed:
		t.Errorf("Close returned (%v) while a View was running", err)
	default:
	}
	close(finish)
	if err := <-read; err != nil {
		t.Errorf("View during Close: %v", err)
	}
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
}

package sqlite

import (
	"bytes"
	"database/sql/driver"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/store"
)

// TestLargeValuesLeaveNothing: a large value lives beside its key, and must go
// with it.
func TestLargeValuesLeaveNothing(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	large := func(c string) []byte { return bytes.Repeat([]byte(c), 3*maxInline) }
	longKey := []byte(strings.Repeat("k", store.MaxKey))
	for _, step := range []struct {
		name string
		do   func(store.Tx) error
		key  []byte
		want []byte
		rows int64 // in the table of large values
	}{
		{"insert", func(tx store.Tx) error { return tx.Put([]byte("a"), large("1")) }, []byte("a"), large("1"), 1},
		{"replace by large", func(tx store.Tx) error { return tx.Put([]byte("a"), large("2")) }, []byte("a"), large("2"), 1},
		{"replace by small", func(tx store.Tx) error { return tx.Put([]byte("a"), []byte("3")) }, []byte("a"), []byte("3"), 0},
		{"replace small", func(tx store.Tx) error { return tx.Put([]byte("a"), large("4")) }, []byte("a"), large("4"), 1},
		{"long key", func(tx store.Tx) error { return tx.Put(longKey, nil) }, longKey, []byte{}, 2},
		{"delete", func(tx store.Tx) error { return tx.Delete([]byte("a")) }, []byte("a"), nil, 1},
		{"delete range", func(tx store.Tx) error { return tx.DeleteRange(nil, nil) }, longKey, nil, 0},
	} {
		if err := s.Update(t.Context(), step.do); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		err := s.read(t.Context(), func(c *conn) error {
			got, err := c.Get(step.key)
			if err != nil {
				return err
			}
			if !bytes.Equal(got, step.want) || (got == nil) != (step.want == nil) {
				t.Errorf("%s: value of %d bytes, want %d", step.name, len(got), len(step.want))
			}
			return c.query("SELECT count(*) FROM large", nil, func(row []driver.Value) bool {
				if row[0] != step.rows {
					t.Errorf("%s: %d large values stored, want %d", step.name, row[0], step.rows)
				}
				return true
			})
		})
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
	}
}

// TestNewerSchemaIsRefused: an older program must not touch newer data.
func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.writer.conn.script(t.Context(), "PRAGMA user_version = 1000"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, Options{}); err == nil || !strings.Contains(err.Error(), "newer release") {
		t.Errorf("Open: %v, want a refusal", err)
	}
}

// TestFailedStatementFailsTheBatch: when SQLite itself fails, nobody in the
// batch is told of success, and the writer goes on.
func TestFailedStatementFailsTheBatch(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.writer.conn.script(t.Context(), "PRAGMA max_page_count = 200"); err != nil {
		t.Fatal(err)
	}
	put := func(key string, n int) error {
		return s.Update(t.Context(), func(tx store.Tx) error { return tx.Put([]byte(key), make([]byte, n)) })
	}
	if err := put("fits", 10); err != nil {
		t.Fatal(err)
	}
	if err := put("full", 200*4096); err == nil || !strings.Contains(err.Error(), "full") {
		t.Fatalf("a full disk: %v", err)
	}
	if err := put("after", 10); err != nil {
		t.Errorf("after a full disk: %v", err)
	}
	err = s.View(t.Context(), func(r store.ReadTx) error {
		v, err := r.Get([]byte("full"))
		if v != nil {
			t.Error("the failed update is visible")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/sqlite"
	"github.com/butai-dev/butai/internal/store/storetest"
)

func open(t *testing.T, dir string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func restore(t *testing.T, backup io.Reader) store.Store {
	dir := t.TempDir()
	if err := sqlite.Restore(t.Context(), dir, backup); err != nil {
		t.Fatal(err)
	}
	return open(t, dir)
}

func TestContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Engine{
		Open: func(t *testing.T) (store.Store, func(*testing.T) store.Store) {
			dir := t.TempDir()
			return open(t, dir), func(t *testing.T) store.Store { return open(t, dir) }
		},
		Restore: restore,
	})
}

func TestContractInMemory(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Engine{
		Open: func(t *testing.T) (store.Store, func(*testing.T) store.Store) {
			s, err := sqlite.OpenMemory(t.Context(), sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return s, nil
		},
		Restore: restore,
	})
}

func TestOneOwnerPerDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "odd name?#%")
	first := open(t, dir)
	_, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
	if err == nil || !strings.Contains(err.Error(), "in use by process") {
		t.Errorf("second Open: %v, want a refusal that names the process", err)
	}
	if err := sqlite.Restore(t.Context(), dir, strings.NewReader("")); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("Restore beside an open store: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("data directory: %v, %v, want mode 0700", info.Mode(), err)
	}
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	var good bytes.Buffer
	if err := s.Backup(t.Context(), &good); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := sqlite.Restore(t.Context(), dir, bytes.NewReader(good.Bytes())); err == nil || !strings.Contains(err.Error(), "holds a store") {
		t.Errorf("over a store: %v", err)
	}
	damaged := bytes.Clone(good.Bytes())
	copy(damaged[4096:], strings.Repeat("x", 4096))
	for name, data := range map[string]string{
		"nothing":   "",
		"text":      "this is not a backup at all, and it is long enough to have a header, were it a database file",
		"truncated": good.String()[:good.Len()-5000],
		"damaged":   string(damaged),
	} {
		target := t.TempDir()
		if err := sqlite.Restore(t.Context(), target, strings.NewReader(data)); err == nil {
			t.Errorf("%s: restored", name)
		}
		// What was refused leaves nothing: the directory is good for another try.
		if err := sqlite.Restore(t.Context(), target, bytes.NewReader(good.Bytes())); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	dir, tmp := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", tmp)
	if err := os.MkdirAll(filepath.Join(dir, "scratch-123", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	if err := s.Backup(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("data directory holds %v (%v), want database and lock file", entries, err)
	}
	m, err := sqlite.OpenMemory(t.Context(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(tmp); err != nil || len(entries) != 0 {
		t.Errorf("temporary directory holds %v (%v)", entries, err)
	}
}

// TestWaitingUpdateCanLeave cancels an update whose turn has not come because
// another one holds the writer.
func TestWaitingUpdateCanLeave(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	holding, release, first := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		first <- s.Update(t.Context(), func(tx store.Tx) error {
			close(holding)
			<-release
			return tx.Put([]byte("first"), nil)
		})
	}()
	<-holding
	ctx, cancel := context.WithCancel(t.Context())
	second := make(chan error, 1)
	go func() {
		second <- s.Update(ctx, func(tx store.Tx) error { return tx.Put([]byte("second"), nil) })
	}()
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("waiting update: %v, want context.Canceled", err)
	}
	close(release)
	if err := <-first; err != nil {
		t.Errorf("update that held the writer: %v", err)
	}
	err := s.View(t.Context(), func(r store.ReadTx) error {
		v, err := r.Get([]byte("second"))
		if v != nil {
			t.Error("the cancelled update was written")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestViewInsideView needs a connection per level, which must not run out.
func TestViewInsideView(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	var nest func(depth int) error
	nest = func(depth int) error {
		return s.View(t.Context(), func(r store.ReadTx) error {
			if _, err := r.Get([]byte("a")); err != nil || depth == 0 {
				return err
			}
			return nest(depth - 1)
		})
	}
	if err := nest(20); err != nil {
		t.Error(err)
	}
}

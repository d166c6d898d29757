package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/postgres"
	"github.com/butai-dev/butai/internal/store/postgres/pgtest"
	"github.com/butai-dev/butai/internal/store/storetest"
)

// TestPostgres shares one server: each store has a schema of its own.
func TestPostgres(t *testing.T) {
	t.Parallel()
	server := &server{dsn: pgtest.Start(t, "fsync=off", "max_connections=500")}
	t.Run("Contract", server.contract)
	t.Run("RestoreRefuses", server.restoreRefuses)
	t.Run("TwoNodes", server.twoNodes)
	t.Run("NewerSchemaIsRefused", server.newerSchemaIsRefused)
	t.Run("OpenedAtOnce", server.openedAtOnce)
	t.Run("OverlookedConflict", server.overlookedConflict)
	t.Run("LongKeys", server.longKeys)
}

type server struct {
	dsn     string
	schemas atomic.Int32
}

func (s *server) options() postgres.Options {
	return postgres.Options{Schema: fmt.Sprintf(`Test "%d`, s.schemas.Add(1))}
}

func (s *server) open(t *testing.T, opts postgres.Options) *postgres.Store {
	t.Helper()
	opened, err := postgres.Open(t.Context(), s.dsn, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	return opened
}

func (s *server) contract(t *testing.T) {
	storetest.Run(t, storetest.Engine{
		Open: func(t *testing.T) (store.Store, func(*testing.T) store.Store) {
			opts := s.options()
			return s.open(t, opts), func(t *testing.T) store.Store { return s.open(t, opts) }
		},
		Restore: func(t *testing.T, backup io.Reader) store.Store {
			opts := s.options()
			if err := postgres.Restore(t.Context(), s.dsn, opts, backup); err != nil {
				t.Fatal(err)
			}
			return s.open(t, opts)
		},
	})
}

func (s *server) restoreRefuses(t *testing.T) {
	opts := s.options()
	from := s.open(t, opts)
	err := from.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.Put([]byte("key"), bytes.Repeat([]byte("value"), 100)), tx.Append("feed", []byte("payload")))
	})
	if err != nil {
		t.Fatal(err)
	}
	var good bytes.Buffer
	if err := from.Backup(t.Context(), &good); err != nil {
		t.Fatal(err)
	}
	if err := postgres.Restore(t.Context(), s.dsn, opts, bytes.NewReader(good.Bytes())); err == nil || !strings.Contains(err.Error(), "holds a store") {
		t.Errorf("over a store: %v", err)
	}
	target := s.options()
	for n := range good.Len() {
		if n%37 != 0 && n < good.Len()-10 {
			continue
		}
		if err := postgres.Restore(t.Context(), s.dsn, target, bytes.NewReader(good.Bytes()[:n])); err == nil {
			t.Fatalf("restored the first %d bytes", n)
		}
		damaged := bytes.Clone(good.Bytes())
		damaged[n] ^= 0x40
		if err := postgres.Restore(t.Context(), s.dsn, target, bytes.NewReader(damaged)); err == nil {
			t.Fatalf("restored with byte %d changed", n)
		}
	}
	// What was refused leaves nothing: the schema is good for another try.
	if err := postgres.Restore(t.Context(), s.dsn, target, &good); err != nil {
		t.Error(err)
	}
}

// twoNodes runs the same store in two processes, as far as PostgreSQL can see.
func (s *server) twoNodes(t *testing.T) {
	opts := s.options()
	nodes := []*postgres.Store{s.open(t, opts), s.open(t, opts)}
	const rounds = 30
	g, ctx := errgroup.WithContext(t.Context())
	for _, node := range nodes {
		g.Go(func() error { return countUp(ctx, node, rounds) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for i, node := range nodes {
		records, err := node.Feed(t.Context(), "feed", 0, 1000)
		if err != nil || len(records) != 2*rounds {
			t.Fatalf("node %d: %d records, %v", i, len(records), err)
		}
		for n, r := range records {
			if len(r.Payload) != n+1 {
				t.Fatalf("node %d: record %d counts %d", i, n, len(r.Payload))
			}
		}
	}
}

// countUp makes the value of a key longer by one byte and logs it.
func countUp(ctx context.Context, s store.Store, rounds int) error {
	for range rounds {
		err := s.Update(ctx, func(tx store.Tx) error {
			v, err := tx.Get([]byte("counter"))
			if err != nil {
				return err
			}
			v = append(v, '.')
			return errors.Join(tx.Put([]byte("counter"), v), tx.Append("feed", v))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *server) newerSchemaIsRefused(t *testing.T) {
	opts := s.options()
	s.open(t, opts)
	s.exec(t, "INSERT INTO "+pgx.Identifier{opts.Schema, "version"}.Sanitize()+" VALUES (1000)")
	if _, err := postgres.Open(t.Context(), s.dsn, opts); err == nil || !strings.Contains(err.Error(), "newer release") {
		t.Errorf("Open: %v, want a refusal", err)
	}
}

func (s *server) exec(t *testing.T, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.dsn)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(t.Context(), statement)
	if err := errors.Join(err, conn.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// openedAtOnce: nodes that start together make the schema together.
func (s *server) openedAtOnce(t *testing.T) {
	opts := s.options()
	g, ctx := errgroup.WithContext(t.Context())
	for range 6 {
		g.Go(func() error {
			opened, err := postgres.Open(ctx, s.dsn, opts)
			if err != nil {
				return err
			}
			return opened.Close()
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

// overlookedConflict: a function that makes its own error of a conflict is
// tried again all the same.
func (s *server) overlookedConflict(t *testing.T) {
	st := s.open(t, s.options())
	if err := st.Update(t.Context(), func(tx store.Tx) error { return tx.Put([]byte("k"), []byte("0")) }); err != nil {
		t.Fatal(err)
	}
	tries := 0
	err := st.Update(t.Context(), func(tx store.Tx) error {
		if _, err := tx.Get([]byte("k")); err != nil {
			return err
		}
		if tries++; tries == 1 {
			other := st.Update(t.Context(), func(tx store.Tx) error { return tx.Put([]byte("k"), []byte("1")) })
			if other != nil {
				return other
			}
		}
		if err := tx.Put([]byte("k"), []byte("2")); err != nil {
			return err
		}
		for _, err := range tx.Scan(store.Range{}) { // sends the write
			if err != nil {
				return errors.New("something else")
			}
		}
		return nil
	})
	if err != nil || tries != 2 {
		t.Errorf("Update: %v after %d tries, want success at the second", err, tries)
	}
}

package storetest

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/butai-dev/butai/internal/store"
)

func testReopen(t *testing.T, e Engine) {
	s, reopen := e.Open(t)
	closeAtEnd(t, s)
	if reopen == nil {
		t.Skip("this store is gone after Close")
	}
	put(t, s, "a", "b")
	appendAll(t, s, "f", "old", "older")
	before := feed(t.Context(), t, s, "f")
	if err := s.Trim(t.Context(), "f", math.MaxUint64); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = reopen(t)
	closeAtEnd(t, s)
	wantKeys(t, s, store.Range{}, "a b")
	appendAll(t, s, "f", "new")
	got, err := s.Feed(t.Context(), "f", before[1].Position, 10)
	if err != nil || payloads(got) != "new" {
		t.Errorf("behind the records of before: %v, %v", got, err)
	}
}

// testBackup takes a backup while transfers go on: the copy must be one moment.
func testBackup(t *testing.T, e Engine) {
	s, _ := e.Open(t)
	closeAtEnd(t, s)
	openAccounts(t, s)
	put(t, s, "", "z\x00\xff")
	appendAll(t, s, "f\x00", "gone", "a", "\x00\xff", "")
	all := feed(t.Context(), t, s, "f\x00")
	if err := s.Trim(t.Context(), "f\x00", all[0].Position); err != nil {
		t.Fatal(err)
	}
	appendAll(t, s, "empty", "gone")
	emptied := feed(t.Context(), t, s, "empty")
	if err := s.Trim(t.Context(), "empty", math.MaxUint64); err != nil {
		t.Fatal(err)
	}

	var copied bytes.Buffer
	together(t, 3, func(ctx context.Context, i int) error {
		if i == 0 {
			return s.Backup(ctx, &copied)
		}
		rnd := rand.New(rand.NewPCG(1, uint64(i)))
		for range 30 {
			if err := transfer(ctx, s, rnd); err != nil {
				return err
			}
		}
		return nil
	})
	put(t, s, "later")

	restored := e.Restore(t, &copied)
	closeAtEnd(t, restored)
	if err := wantDeposits(t.Context(), restored); err != nil {
		t.Error(err)
	}
	wantKeys(t, restored, store.Range{Hi: []byte("a")}, "")
	wantKeys(t, restored, store.Range{Lo: []byte("b")}, "z\x00\xff")
	if v := get(t, restored, ""); string(v) != "=" {
		t.Errorf("the empty key has value %q", v)
	}
	got := feed(t.Context(), t, restored, "f\x00")
	if payloads(got) != payloads(all[1:]) || got[0].Position != all[1].Position {
		t.Errorf("restored feed is %v, want %v", got, all[1:])
	}
	appendAll(t, restored, "empty", "new")
	if got, err := restored.Feed(t.Context(), "empty", emptied[0].Position, 10); err != nil || payloads(got) != "new" {
		t.Errorf("restored feed goes on with %v, %v", got, err)
	}
	if err := s.Backup(t.Context(), brokenPipe{}); !errors.Is(err, errBroken) {
		t.Errorf("backup to a broken pipe: %v, want its error", err)
	}
}

var errBroken = errors.New("broken pipe")

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errBroken }

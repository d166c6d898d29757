package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/butai-dev/butai/internal/store"
)

// appendAll appends each payload to a feed in one update.
func appendAll(t *testing.T, s store.Store, feed string, payloads ...string) {
	t.Helper()
	update(t, s, func(tx store.Tx) error {
		for _, p := range payloads {
			if err := tx.Append(feed, []byte(p)); err != nil {
				return err
			}
		}
		return nil
	})
}

func payloads(records []store.Record) string {
	var out []string
	for _, r := range records {
		out = append(out, string(r.Payload))
	}
	return strings.Join(out, " ")
}

// increasing checks the positions of records read behind after.
func increasing(after uint64, records []store.Record) error {
	for _, r := range records {
		if r.Position <= after {
			return fmt.Errorf("position %d follows %d", r.Position, after)
		}
		after = r.Position
	}
	return nil
}

func testFeed(t *testing.T, s store.Store) {
	name := "names are bytes: \x00\xff'"
	if f := feed(t.Context(), t, s, name); len(f) != 0 {
		t.Errorf("unknown feed: %v", f)
	}
	appendAll(t, s, name, "a", "b", "c")
	appendAll(t, s, "other", "x")
	appendAll(t, s, name, "\x00\xff", "")
	all := feed(t.Context(), t, s, name)
	if got, want := payloads(all), "a b c \x00\xff "; got != want {
		t.Fatalf("feed is %q, want %q", got, want)
	}
	if err := increasing(0, all); err != nil {
		t.Error(err)
	}
	if last := all[4]; last.Payload == nil {
		t.Error("an empty payload came back nil")
	}
	for i := range all {
		rest, err := s.Feed(t.Context(), name, all[i].Position, 2)
		if err != nil {
			t.Fatal(err)
		}
		if want := all[i+1 : min(i+3, len(all))]; payloads(rest) != payloads(want) {
			t.Errorf("2 behind the record %d: %v, want %v", i, rest, want)
		}
	}
	if rest, err := s.Feed(t.Context(), name, math.MaxUint64, 1); err != nil || len(rest) != 0 {
		t.Errorf("behind the largest position: %v, %v", rest, err)
	}
	if got := payloads(feed(t.Context(), t, s, "other")); got != "x" {
		t.Errorf("other feed is %q", got)
	}
}

func testFeedOfFailedUpdate(t *testing.T, s store.Store) {
	appendAll(t, s, "f", "a")
	refused := errors.New("refused")
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if err := tx.Append("f", []byte("lost")); err != nil {
			return err
		}
		return refused
	})
	if err != refused {
		t.Fatal(err)
	}
	appendAll(t, s, "f", "b")
	all := feed(t.Context(), t, s, "f")
	if got := payloads(all); got != "a b" {
		t.Errorf("feed is %q, want %q", got, "a b")
	}
	if err := increasing(0, all); err != nil {
		t.Error(err)
	}
}

func testFeedTrim(t *testing.T, s store.Store) {
	appendAll(t, s, "f", "a", "b", "c", "d")
	appendAll(t, s, "g", "x")
	all := feed(t.Context(), t, s, "f")
	trim := func(through uint64) {
		t.Helper()
		if err := s.Trim(t.Context(), "f", through); err != nil {
			t.Fatalf("Trim: %v", err)
		}
	}
	trim(all[1].Position)
	trim(0)
	if got := feed(t.Context(), t, s, "f"); payloads(got) != "c d" || got[0].Position != all[2].Position {
		t.Errorf("after Trim: %v", got)
	}
	// Positions go on behind records that are gone.
	trim(math.MaxUint64)
	if got := feed(t.Context(), t, s, "f"); len(got) != 0 {
		t.Errorf("after Trim of everything: %v", got)
	}
	appendAll(t, s, "f", "e")
	got, err := s.Feed(t.Context(), "f", all[3].Position, 10)
	if err != nil || payloads(got) != "e" {
		t.Errorf("behind the trimmed records: %v, %v", got, err)
	}
	if got := payloads(feed(t.Context(), t, s, "g")); got != "x" {
		t.Errorf("Trim reached another feed: %q", got)
	}
}

// testFeedUnderConcurrency follows a feed while others append. A follower that
// asks only behind the last record it saw must meet every record.
func testFeedUnderConcurrency(t *testing.T, s store.Store) {
	const writers, rounds = 6, 20
	var followed []store.Record
	var running atomic.Int32
	running.Store(writers)
	together(t, writers+1, func(ctx context.Context, i int) (err error) {
		if i < writers {
			defer running.Add(-1)
			return appendRounds(ctx, s, i, rounds)
		}
		followed, err = follow(ctx, s, "f", func() bool { return running.Load() == 0 })
		return err
	})
	all := feed(t.Context(), t, s, "f")
	if !slices.EqualFunc(followed, all, func(a, b store.Record) bool { return a.Position == b.Position }) {
		t.Errorf("followed %d records, the feed has %d", len(followed), len(all))
	}
	seen := make([]int, writers)
	for _, r := range all {
		var writer, n int
		if _, err := fmt.Sscan(string(r.Payload), &writer, &n); err != nil {
			t.Fatal(err)
		}
		if n != seen[writer] {
			t.Errorf("writer %d: record %d where %d was due", writer, n, seen[writer])
		}
		seen[writer] = n + 1
	}
}

// follow reads a feed a few records at a time, until it is empty after done
// said so.
func follow(ctx context.Context, s store.Store, feed string, done func() bool) (all []store.Record, err error) {
	var after uint64
	for {
		last := done()
		next, err := s.Feed(ctx, feed, after, 7)
		if err != nil {
			return nil, err
		}
		if err := increasing(after, next); err != nil {
			return nil, err
		}
		if len(next) > 0 {
			after = next[len(next)-1].Position
		} else if last {
			return all, nil
		}
		all = append(all, next...)
	}
}

// appendRounds also appends to a feed of the writer's own, in both orders, so
// that writers meet on several feeds.
func appendRounds(ctx context.Context, s store.Store, writer, rounds int) error {
	feeds := []string{"f", "e", "g"}
	if writer%2 == 0 {
		slices.Reverse(feeds)
	}
	for n := range rounds {
		err := s.Update(ctx, func(tx store.Tx) error {
			for _, f := range feeds {
				if err := tx.Append(f, fmt.Append(nil, writer, " ", n)); err != nil {
					return err
				}
			}
			return writeInt(tx, fmt.Sprint("writer", writer), n)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// testFeedFollowsItsKey: the records of a key come in the order of its values.
func testFeedFollowsItsKey(t *testing.T, s store.Store) {
	const workers, rounds = 4, 15
	together(t, workers, func(ctx context.Context, _ int) error {
		for range rounds {
			err := s.Update(ctx, func(tx store.Tx) error {
				n, err := increment(tx, "counter")
				if err != nil {
					return err
				}
				return tx.Append("f", fmt.Append(nil, n))
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	all := feed(t.Context(), t, s, "f")
	if len(all) != workers*rounds {
		t.Errorf("%d records, want %d", len(all), workers*rounds)
	}
	for i, r := range all {
		if want := fmt.Sprint(i + 1); string(r.Payload) != want {
			t.Fatalf("record %d says %q, want %q", i, r.Payload, want)
		}
	}
}

package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/butai-dev/butai/internal/store"
)

// together runs fn(0) to fn(n-1) at the same time and fails on an error.
func together(t *testing.T, n int, fn func(ctx context.Context, i int) error) {
	t.Helper()
	g, ctx := errgroup.WithContext(t.Context())
	for i := range n {
		g.Go(func() error { return fn(ctx, i) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

// increment adds one to key with a chance for others to come between.
func increment(tx store.Tx, key string) (int, error) {
	n, err := readInt(tx, key)
	if err != nil {
		return 0, err
	}
	runtime.Gosched()
	return n + 1, writeInt(tx, key, n+1)
}

func testCounters(t *testing.T, s store.Store) {
	const workers, rounds = 8, 20
	together(t, workers, func(ctx context.Context, i int) error {
		for range rounds {
			err := s.Update(ctx, func(tx store.Tx) error {
				_, err := increment(tx, "shared")
				if err == nil {
					_, err = increment(tx, fmt.Sprint("own", i))
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	view(t, s, func(r store.ReadTx) error {
		if n, err := readInt(r, "shared"); err != nil || n != workers*rounds {
			t.Errorf("shared counter is %d (%v), want %d", n, err, workers*rounds)
		}
		for i := range workers {
			if n, err := readInt(r, fmt.Sprint("own", i)); err != nil || n != rounds {
				t.Errorf("own counter %d is %d (%v), want %d", i, n, err, rounds)
			}
		}
		return nil
	})
}

// testWriteSkew: each of two transactions reads both keys and changes one. In
// any serial order one of them sees the other's change.
func testWriteSkew(t *testing.T, s store.Store) {
	for round := range 20 {
		keys := []string{fmt.Sprint("alice", round), fmt.Sprint("bob", round)}
		update(t, s, func(tx store.Tx) error {
			return errors.Join(writeInt(tx, keys[0], 1), writeInt(tx, keys[1], 1))
		})
		together(t, 2, func(ctx context.Context, i int) error {
			return s.Update(ctx, func(tx store.Tx) error {
				sum, err := sumOf(tx, keys)
				if err != nil || sum < 2 {
					return err
				}
				runtime.Gosched()
				return writeInt(tx, keys[i], 0)
			})
		})
		view(t, s, func(r store.ReadTx) error {
			sum, err := sumOf(r, keys)
			if err == nil && sum != 1 {
				t.Errorf("round %d: %d of two on call, want 1", round, sum)
			}
			return err
		})
	}
}

// testPhantomSkew is write skew over keys that do not exist yet, found missing
// by a scan or by a Get.
func testPhantomSkew(t *testing.T, s store.Store) {
	for round := range 20 {
		prefix := fmt.Sprintf("room/%02d/", round)
		rng := store.Range{Lo: []byte(prefix), Hi: []byte(prefix + "\xff")}
		together(t, 2, func(ctx context.Context, i int) error {
			return s.Update(ctx, func(tx store.Tx) error {
				taken, err := keysOf(tx, rng)
				if round%2 == 1 && err == nil {
					var v []byte
					v, err = tx.Get([]byte(prefix + fmt.Sprint(1-i)))
					taken = string(v)
				}
				if err != nil || taken != "" {
					return err
				}
				runtime.Gosched()
				return putAll(tx, prefix+fmt.Sprint(i))
			})
		})
		view(t, s, func(r store.ReadTx) error {
			got, err := keysOf(r, rng)
			if err == nil && got != prefix+"0" && got != prefix+"1" {
				t.Errorf("round %d: booked by %q, want one", round, got)
			}
			return err
		})
	}
}

const (
	accounts = 10
	deposit  = 100
)

func accountKeys() []string {
	keys := make([]string, accounts)
	for i := range keys {
		keys[i] = fmt.Sprint("account", i)
	}
	return keys
}

func sumOf(r store.ReadTx, keys []string) (sum int, err error) {
	for _, k := range keys {
		n, err := readInt(r, k)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

func openAccounts(t *testing.T, s store.Store) {
	t.Helper()
	update(t, s, func(tx store.Tx) error {
		for _, k := range accountKeys() {
			if err := writeInt(tx, k, deposit); err != nil {
				return err
			}
		}
		return nil
	})
}

// transfer moves a random amount between two accounts, or fails half way.
func transfer(ctx context.Context, s store.Store, rnd *rand.Rand) error {
	keys := accountKeys()
	from, to := rnd.IntN(accounts), rnd.IntN(accounts)
	amount, fail := rnd.IntN(deposit), rnd.IntN(5) == 0
	half := errors.New("half way")
	err := s.Update(ctx, func(tx store.Tx) error {
		a, err := readInt(tx, keys[from])
		if err != nil || a < amount {
			return err
		}
		if err := writeInt(tx, keys[from], a-amount); err != nil {
			return err
		}
		if fail {
			return half
		}
		b, err := readInt(tx, keys[to])
		if err != nil {
			return err
		}
		return writeInt(tx, keys[to], b+amount)
	})
	if err == half {
		return nil
	}
	return err
}

func wantDeposits(ctx context.Context, s store.Store) error {
	return s.View(ctx, func(r store.ReadTx) error {
		sum, err := sumOf(r, accountKeys())
		if err == nil && sum != accounts*deposit {
			return fmt.Errorf("a snapshot holds %d, want %d", sum, accounts*deposit)
		}
		return err
	})
}

func testTransfers(t *testing.T, s store.Store) {
	openAccounts(t, s)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	together(t, 8, func(ctx context.Context, i int) error {
		rnd := rand.New(rand.NewPCG(seed, uint64(i)))
		for range 25 {
			if err := transfer(ctx, s, rnd); err != nil {
				return err
			}
			if err := wantDeposits(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
}

func testViewIsASnapshot(t *testing.T, s store.Store) {
	put(t, s, "a", "b", "c")
	view(t, s, func(r store.ReadTx) error {
		if got, err := keysOf(r, store.Range{Limit: 1}); err != nil || got != "a" {
			t.Errorf("first read: %q, %v", got, err)
		}
		for kv, err := range r.Scan(store.Range{}) {
			if err != nil {
				return err
			}
			if string(kv.Key) != "a" {
				continue
			}
			update(t, s, func(tx store.Tx) error {
				return errors.Join(tx.DeleteRange(nil, []byte("c")), putAll(tx, "d"))
			})
		}
		got, err := keysOf(r, store.Range{})
		if err == nil && got != "a b c" {
			t.Errorf("after a commit beside it: %q, want the snapshot", got)
		}
		if v, err := r.Get([]byte("d")); err != nil || v != nil {
			t.Errorf("key of a later commit: %q, %v", v, err)
		}
		return err
	})
	wantKeys(t, s, store.Range{}, "c d")
}

// testViewNeverBlocksWriters hangs, and so fails, if a View holds up updates.
func testViewNeverBlocksWriters(t *testing.T, s store.Store) {
	put(t, s, "a")
	view(t, s, func(r store.ReadTx) error {
		if _, err := r.Get([]byte("a")); err != nil {
			return err
		}
		for i := range 200 {
			update(t, s, func(tx store.Tx) error { return writeInt(tx, "a", i) })
		}
		v, err := r.Get([]byte("a"))
		if err == nil && string(v) != "=a" {
			t.Errorf("snapshot shows %q", v)
		}
		return err
	})
}

func testViewSeesWhatReturned(t *testing.T, s store.Store) {
	together(t, 4, func(ctx context.Context, i int) error {
		key := fmt.Sprint("k", i)
		for n := range 25 {
			if err := s.Update(ctx, func(tx store.Tx) error { return writeInt(tx, key, n) }); err != nil {
				return err
			}
			err := s.View(ctx, func(r store.ReadTx) error {
				got, err := readInt(r, key)
				if err == nil && got != n {
					return fmt.Errorf("a View after the Update of %s to %d shows %d", key, n, got)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

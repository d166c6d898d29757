package sqlite_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/sqlite"
)

const (
	benchRows  = 20_000
	benchValue = 500
)

// freshValue differs from every value before: SQLite does not write a page
// whose bytes stay the same, and a put without a write has nothing to sync.
func freshValue() []byte {
	value := make([]byte, benchValue)
	for i := 0; i+8 <= len(value); i += 8 {
		binary.NativeEndian.PutUint64(value[i:], rand.Uint64())
	}
	return value
}

func benchKey(i int) []byte { return fmt.Appendf(nil, "bench/%08d", i) }

func openLoaded(b *testing.B) *sqlite.Store {
	b.Helper()
	s, err := sqlite.Open(b.Context(), b.TempDir(), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	for first := 0; first < benchRows; first += 5000 {
		err := s.Update(b.Context(), func(tx store.Tx) error {
			for i := first; i < first+5000; i++ {
				if err := tx.Put(benchKey(i), freshValue()); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return s
}

// clients runs op from c goroutines.
func clients(b *testing.B, c int, op func(ctx context.Context) error) {
	b.Helper()
	b.ReportAllocs()
	b.SetParallelism(max(1, c/runtime.GOMAXPROCS(0)))
	if c == 1 {
		for b.Loop() {
			if err := op(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	} else {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := op(b.Context()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
}

func BenchmarkDurablePut(b *testing.B) {
	s := openLoaded(b)
	for _, c := range []int{1, 16, 64} {
		b.Run(fmt.Sprint("c=", c), func(b *testing.B) {
			clients(b, c, func(ctx context.Context) error {
				return s.Update(ctx, func(tx store.Tx) error { return tx.Put(benchKey(rand.IntN(benchRows)), freshValue()) })
			})
		})
	}
}

// BenchmarkDurableChange is what a table with a stream does: read, write, log.
func BenchmarkDurableChange(b *testing.B) {
	s := openLoaded(b)
	for _, c := range []int{1, 16, 64} {
		b.Run(fmt.Sprint("c=", c), func(b *testing.B) {
			clients(b, c, func(ctx context.Context) error {
				return s.Update(ctx, func(tx store.Tx) error {
					key, value := benchKey(rand.IntN(benchRows)), freshValue()
					if _, err := tx.Get(key); err != nil {
						return err
					}
					if err := tx.Put(key, value); err != nil {
						return err
					}
					return tx.Append("changes", value)
				})
			})
		})
	}
}

func BenchmarkGet(b *testing.B) {
	s := openLoaded(b)
	for _, c := range []int{1, 16} {
		b.Run(fmt.Sprint("c=", c), func(b *testing.B) {
			clients(b, c, func(ctx context.Context) error {
				return s.View(ctx, func(r store.ReadTx) error {
					_, err := r.Get(benchKey(rand.IntN(benchRows)))
					return err
				})
			})
		})
	}
}

func BenchmarkScan50(b *testing.B) {
	s := openLoaded(b)
	var pairs atomic.Int64
	for _, c := range []int{1, 16} {
		b.Run(fmt.Sprint("c=", c), func(b *testing.B) {
			clients(b, c, func(ctx context.Context) error {
				return s.View(ctx, func(r store.ReadTx) error {
					for _, err := range r.Scan(store.Range{Lo: benchKey(rand.IntN(benchRows - 50)), Limit: 50}) {
						if err != nil {
							return err
						}
						pairs.Add(1)
					}
					return nil
				})
			})
		})
	}
}

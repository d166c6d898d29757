package postgres_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/butai-dev/butai/internal/store"
)

// longKeys checks keys longer than an index row, random so that the server
// cannot compress them, in order among short ones.
func (s *server) longKeys(t *testing.T) {
	st := s.open(t, s.options())
	stem := make([]byte, 3000)
	if _, err := rand.Read(stem); err != nil {
		t.Fatal(err)
	}
	var want [][]byte
	for _, suffix := range []string{"", "\x00", "a", "b", "b\xff"} {
		want = append(want, append(bytes.Clone(stem), suffix...))
	}
	want = append([][]byte{stem[:1999], stem[:2000], stem[:2001]}, want...)
	err := st.Update(t.Context(), func(tx store.Tx) error {
		var errs []error
		for i := len(want) - 1; i >= 0; i-- {
			errs = append(errs, tx.Put(want[i], []byte("old")), tx.Put(want[i], want[i]))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		t.Fatal(err)
	}
	err = st.View(t.Context(), func(r store.ReadTx) error {
		for lo := range want {
			for hi := lo; hi < len(want); hi++ {
				for _, reverse := range []bool{false, true} {
					got, i, step := want[lo:hi], 0, 1
					if reverse {
						i, step = len(got)-1, -1
					}
					for kv, err := range r.Scan(store.Range{Lo: want[lo], Hi: want[hi], Reverse: reverse}) {
						if err != nil {
							return err
						}
						if i < 0 || i >= len(got) || !bytes.Equal(kv.Key, got[i]) || !bytes.Equal(kv.Value, got[i]) {
							t.Fatalf("range %d to %d, reverse=%v: wrong pair at %d", lo, hi, reverse, i)
						}
						i += step
					}
					if i != len(got) && i != -1 {
						t.Errorf("range %d to %d, reverse=%v: ended at %d", lo, hi, reverse, i)
					}
				}
			}
			if v, err := r.Get(want[lo]); err != nil || !bytes.Equal(v, want[lo]) {
				t.Errorf("Get of long key %d: %d bytes, %v", lo, len(v), err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

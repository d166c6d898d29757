package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/butai-dev/butai/internal/store"
)

func testScanOrder(t *testing.T, s store.Store) {
	// Signed bytes, collations and C strings would order these differently.
	want := []string{"", "\x00", "\x00\xff", "\x01", "A", "B", "a", "a\x00", "a\x00\x00", "a\x01", "aa", "b", "\x7f", "\x80", "é", "\xff", "\xff\x00", "\xff\xff"}
	shuffled := slices.Clone(want)
	slices.Reverse(shuffled)
	put(t, s, shuffled[:7]...)
	put(t, s, shuffled[7:]...)
	view(t, s, func(r store.ReadTx) error {
		for _, reverse := range []bool{false, true} {
			var got []string
			for kv, err := range r.Scan(store.Range{Reverse: reverse}) {
				if err != nil {
					return err
				}
				got = append(got, string(kv.Key))
			}
			if reverse {
				slices.Reverse(got)
			}
			if !slices.Equal(got, want) {
				t.Errorf("reverse=%v: %q, want %q", reverse, got, want)
			}
		}
		return nil
	})
}

func testScanRanges(t *testing.T, s store.Store) {
	put(t, s, "a", "b", "c", "d", "e")
	b := func(s string) []byte { return []byte(s) }
	for _, c := range []struct {
		r    store.Range
		want string
	}{
		{store.Range{}, "a b c d e"},
		{store.Range{Lo: b("b")}, "b c d e"},
		{store.Range{Lo: b("bb")}, "c d e"},
		{store.Range{Hi: b("d")}, "a b c"},
		{store.Range{Lo: b("b"), Hi: b("d")}, "b c"},
		{store.Range{Lo: b("b"), Hi: b("d"), Reverse: true}, "c b"},
		{store.Range{Lo: b("b"), Reverse: true}, "e d c b"},
		{store.Range{Reverse: true, Limit: 2}, "e d"},
		{store.Range{Lo: b("b"), Limit: 2}, "b c"},
		{store.Range{Lo: b("d"), Limit: 9}, "d e"},
		{store.Range{Lo: b("c"), Hi: b("c")}, ""},
		{store.Range{Lo: b("d"), Hi: b("b")}, ""},
		{store.Range{Lo: b("d"), Hi: b("b"), Reverse: true}, ""},
		{store.Range{Hi: []byte{}}, ""},
		{store.Range{Lo: b("f")}, ""},
	} {
		wantKeys(t, s, c.r, c.want)
	}
}

// testScanPages covers scans longer than any engine fetches at once, by count
// and by bytes, and scans that stop early.
func testScanPages(t *testing.T, s store.Store) {
	const n, size = 3000, 3000
	update(t, s, func(tx store.Tx) error {
		for i := range n {
			if err := tx.Put(fmt.Appendf(nil, "k%05d", i), bytes.Repeat([]byte{byte(i)}, size)); err != nil {
				return err
			}
		}
		return nil
	})
	view(t, s, func(r store.ReadTx) error {
		for _, c := range []struct {
			rng                store.Range
			stop, first, count int
		}{
			{store.Range{}, n, 0, n},
			{store.Range{Reverse: true}, n, n - 1, n},
			{store.Range{Limit: 1500}, n, 0, 1500},
			{store.Range{Reverse: true, Limit: 64}, n, n - 1, 64},
			{store.Range{Lo: []byte("k00100"), Hi: []byte("k02900")}, n, 100, 2800},
			{store.Range{}, 700, 0, 700},
		} {
			at, step, count := c.first, 1, 0
			if c.rng.Reverse {
				step = -1
			}
			for kv, err := range r.Scan(c.rng) {
				if err != nil {
					return err
				}
				if want := fmt.Sprintf("k%05d", at); string(kv.Key) != want || len(kv.Value) != size || kv.Value[size-1] != byte(at) {
					t.Fatalf("range %v: got key %q, want %q", c.rng, kv.Key, want)
				}
				at, count = at+step, count+1
				if count == c.stop {
					break
				}
			}
			if count != c.count {
				t.Errorf("range %v: %d pairs, want %d", c.rng, count, c.count)
			}
		}
		return nil
	})
}

// testScanModel compares random transactions with a sorted map.
func testScanModel(t *testing.T, s store.Store) {
	key := rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a', 'b', 0xff}), 0, 3),
		func(b []byte) string { return string(b) })
	model := map[string]string{}
	rapid.Check(t, func(rt *rapid.T) {
		err := s.Update(t.Context(), func(tx store.Tx) error {
			for range rapid.IntRange(1, 6).Draw(rt, "writes") {
				k, hi := key.Draw(rt, "key"), key.Draw(rt, "hi")
				var err error
				switch rapid.IntRange(0, 3).Draw(rt, "op") {
				case 0:
					delete(model, k)
					err = tx.Delete([]byte(k))
				case 1:
					for m := range model {
						if k <= m && m < hi {
							delete(model, m)
						}
					}
					err = tx.DeleteRange([]byte(k), []byte(hi))
				default:
					model[k] = hi
					err = tx.Put([]byte(k), []byte(hi))
				}
				if err != nil {
					return err
				}
			}
			return compareWithModel(rt, tx, key, model)
		})
		if err == nil {
			err = s.View(t.Context(), func(r store.ReadTx) error { return compareWithModel(rt, r, key, model) })
		}
		if err != nil {
			rt.Fatal(err)
		}
	})
}

func compareWithModel(rt *rapid.T, r store.ReadTx, key *rapid.Generator[string], model map[string]string) error {
	lo, hi := key.Draw(rt, "lo"), key.Draw(rt, "hi")
	rng := store.Range{Lo: []byte(lo), Hi: []byte(hi), Reverse: rapid.Bool().Draw(rt, "reverse"), Limit: rapid.IntRange(0, 4).Draw(rt, "limit")}
	var want []string
	for k := range model {
		if lo <= k && k < hi {
			want = append(want, k)
		}
	}
	slices.Sort(want)
	if rng.Reverse {
		slices.Reverse(want)
	}
	if rng.Limit > 0 && len(want) > rng.Limit {
		want = want[:rng.Limit]
	}
	var got []string
	for kv, err := range r.Scan(rng) {
		if err != nil {
			return err
		}
		if model[string(kv.Key)] != string(kv.Value) {
			return fmt.Errorf("key %q has value %q, want %q", kv.Key, kv.Value, model[string(kv.Key)])
		}
		got = append(got, string(kv.Key))
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("range %v: %q, want %q", rng, got, want)
	}
	return nil
}

// testScanSeesOwnWrites writes into the part of a scan still to come.
func testScanSeesOwnWrites(t *testing.T, s store.Store) {
	put(t, s, "b", "d", "f", "h")
	for _, c := range []struct {
		reverse bool
		at      string
		write   func(store.Tx) error
		want    string
	}{
		{false, "b", func(tx store.Tx) error { return putAll(tx, "a", "c", "e") }, "b c d e f h"},
		{true, "f", func(tx store.Tx) error { return putAll(tx, "g", "e", "a") }, "h f e d b a"},
		{false, "d", func(tx store.Tx) error { return tx.Delete([]byte("f")) }, "b d h"},
		{false, "d", func(tx store.Tx) error { return tx.Delete([]byte("d")) }, "b d f h"},
		{true, "h", func(tx store.Tx) error { return tx.DeleteRange([]byte("c"), []byte("g")) }, "h b"},
		{false, "b", func(tx store.Tx) error { return tx.DeleteRange([]byte("e"), nil) }, "b d"},
	} {
		undo := fmt.Errorf("undo")
		err := s.Update(t.Context(), func(tx store.Tx) error {
			var got []byte
			for kv, err := range tx.Scan(store.Range{Reverse: c.reverse}) {
				if err != nil {
					return err
				}
				if got = append(append(got, kv.Key...), ' '); string(kv.Key) == c.at {
					if err := c.write(tx); err != nil {
						return err
					}
				}
			}
			if string(bytes.TrimSpace(got)) != c.want {
				t.Errorf("reverse=%v, written at %q: %q, want %q", c.reverse, c.at, got, c.want)
			}
			return undo
		})
		if err != undo {
			t.Fatal(err)
		}
	}
}

func testNestedScan(t *testing.T, s store.Store) {
	const n = 100
	update(t, s, func(tx store.Tx) error {
		for i := range n {
			if err := putAll(tx, fmt.Sprintf("in/%03d", i)); err != nil {
				return err
			}
		}
		for kv, err := range tx.Scan(store.Range{Lo: []byte("in/"), Hi: []byte("in0")}) {
			if err != nil {
				return err
			}
			inner := 0
			for _, err := range tx.Scan(store.Range{Lo: kv.Key, Hi: []byte("in0"), Limit: 70}) {
				if err != nil {
					return err
				}
				inner++
			}
			if err := tx.Put(bytes.Replace(kv.Key, []byte("in"), []byte("out"), 1), fmt.Append(nil, inner)); err != nil {
				return err
			}
		}
		return nil
	})
	view(t, s, func(r store.ReadTx) error {
		for i := range n {
			got, err := readInt(r, fmt.Sprintf("out/%03d", i))
			if want := min(70, n-i); err != nil || got != want {
				t.Errorf("inner scan at %d: %d pairs (%v), want %d", i, got, err, want)
			}
		}
		return nil
	})
}

func testDeleteRange(t *testing.T, s store.Store) {
	all := []string{"a", "b", "b\x00", "c", "d", "\xff"}
	for _, c := range []struct {
		lo, hi []byte
		want   string
	}{
		{[]byte("b"), []byte("c"), "a c d \xff"},
		{nil, []byte("b"), "b b\x00 c d \xff"},
		{[]byte("b\x00"), nil, "a b"},
		{nil, nil, ""},
		{[]byte("c"), []byte("b"), "a b b\x00 c d \xff"},
		{[]byte("a"), []byte{}, "a b b\x00 c d \xff"},
	} {
		put(t, s, all...)
		update(t, s, func(tx store.Tx) error {
			if err := tx.DeleteRange(c.lo, c.hi); err != nil {
				return err
			}
			got, err := keysOf(tx, store.Range{})
			if err == nil && got != c.want {
				t.Errorf("DeleteRange(%q, %q) inside: left %q, want %q", c.lo, c.hi, got, c.want)
			}
			return err
		})
		wantKeys(t, s, store.Range{}, c.want)
	}
}

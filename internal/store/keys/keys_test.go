package keys_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/butai-dev/butai/internal/store/keys"
)

// tuples draws from few bytes, the ones with a meaning in the encoding among
// them, so that common prefixes and near misses are frequent.
func tuples() *rapid.Generator[[]string] {
	b := rapid.SampledFrom([]byte{0x00, 0x01, 0x02, 'a', 0xFE, 0xFF})
	part := rapid.Map(rapid.SliceOfN(b, 0, 4), func(b []byte) string { return string(b) })
	return rapid.SliceOfN(part, 0, 4)
}

func TestOrderIsTheOrderOfTheTuples(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := tuples().Draw(t, "a"), tuples().Draw(t, "b")
		got := bytes.Compare(keys.Make(a...), keys.Make(b...))
		if want := slices.Compare(a, b); got != want {
			t.Fatalf("compare(%q, %q) = %d, want %d", a, b, got, want)
		}
	})
}

func TestParseGivesThePartsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := tuples().Draw(t, "parts")
		got, err := keys.Parse(keys.Make(want...))
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("Parse(Make(%q)) = %q, %v", want, got, err)
		}
	})
}

func TestPrefixHoldsExactlyTheTuplesThatStartWithIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		prefix, tuple := tuples().Draw(t, "prefix"), tuples().Draw(t, "tuple")
		if rapid.Bool().Draw(t, "extend") {
			tuple = slices.Concat(prefix, tuple)
		}
		lo, hi := keys.Prefix(prefix...)
		key := keys.Make(tuple...)
		got := bytes.Compare(lo, key) <= 0 && (hi == nil || bytes.Compare(key, hi) < 0)
		want := len(tuple) >= len(prefix) && slices.Equal(tuple[:len(prefix)], prefix)
		if got != want {
			t.Fatalf("%q in prefix %q = %v, want %v", tuple, prefix, got, want)
		}
	})
}

func TestAppendContinuesAKey(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := tuples().Draw(t, "a"), tuples().Draw(t, "b")
		want := keys.Make(slices.Concat(a, b)...)
		if got := keys.Append(keys.Make(a...), b...); !bytes.Equal(got, want) {
			t.Fatalf("Append = %x, want %x", got, want)
		}
	})
}

// TestEncoding pins the bytes: they are on disk.
func TestEncoding(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		parts []string
		want  string
	}{
		{nil, ""},
		{[]string{""}, "\x00\x01"},
		{[]string{"ab", "c"}, "ab\x00\x01c\x00\x01"},
		{[]string{"a\x00b"}, "a\x00\xffb\x00\x01"},
	} {
		if got := string(keys.Make(c.parts...)); got != c.want {
			t.Errorf("Make(%q) = %q, want %q", c.parts, got, c.want)
		}
	}
}

func TestParseRefusesOtherBytes(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"a", "\x00", "a\x00\xff", "a\x00\x02", "a\x00\x01b", "\x00\x01\x00"} {
		if parts, err := keys.Parse([]byte(key)); !errors.Is(err, keys.ErrMalformed) {
			t.Errorf("Parse(%q) = %q, %v, want ErrMalformed", key, parts, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("ab\x00\x01c\x00\x01"))
	f.Add([]byte("a\x00\xff\x00\x01"))
	f.Fuzz(func(t *testing.T, key []byte) {
		parts, err := keys.Parse(key)
		if err != nil {
			return
		}
		if again := keys.Make(parts...); !bytes.Equal(again, key) {
			t.Fatalf("%x parses to %q, which encodes to %x", key, strings.Join(parts, "|"), again)
		}
	})
}

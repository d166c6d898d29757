package attr_test

import (
	"bytes"
	"errors"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/butai-dev/butai/internal/dynamodb/attr"
)

func TestParseNumber(t *testing.T) {
	t.Parallel()
	const (
		overflow   = "Number overflow. Attempting to store a number with magnitude larger than supported range"
		underflow  = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
		notNumeric = "The parameter cannot be converted to a numeric value: "
		tooPrecise = "Attempting to store more than 38 significant digits in a Number"
	)
	for _, tc := range []struct{ in, want, err string }{
		{in: "0", want: "0"},
		{in: "-0", want: "0"},
		{in: "0042.1200", want: "42.12"},
		{in: "+7", want: "7"},
		{in: ".5", want: "0.5"},
		{in: "5.", want: "5"},
		{in: "1.e5", want: "100000"},
		{in: "-1.50E-3", want: "-0.0015"},
		{in: "1E125", want: "1" + strings.Repeat("0", 125)},
		{in: "1e-130", want: "0." + strings.Repeat("0", 129) + "1"},
		{in: "0e125", want: "0"},
		{in: "100", want: "100"},
		{in: strings.Repeat("9", 38) + "000", want: strings.Repeat("9", 38) + "000"},
		{in: "0e126", err: overflow},
		{in: "0e-131", err: underflow},
		{in: "1e126", err: overflow},
		{in: "-1e99999999999", err: overflow},
		{in: "1e2147483648", err: overflow},
		{in: "1e-99999999999", err: underflow},
		{in: "1e-131", err: underflow},
		{in: "1e9223372036854775808", err: notNumeric + "1e9223372036854775808"},
		{in: strings.Repeat("1", 39), err: tooPrecise},
		{in: "", err: notNumeric},
		{in: " 1", err: notNumeric + " 1"},
		{in: "1 ", err: notNumeric + "1 "},
		{in: "1+2", err: notNumeric + "1+2"},
		{in: "1e", err: notNumeric + "1e"},
		{in: "e1", err: notNumeric + "e1"},
		{in: ".", err: notNumeric + "."},
		{in: "-", err: notNumeric + "-"},
		{in: "--1", err: notNumeric + "--1"},
		{in: "1.2.3", err: notNumeric + "1.2.3"},
		{in: "NaN", err: notNumeric + "NaN"},
		{in: "Infinity", err: notNumeric + "Infinity"},
		{in: "0x10", err: notNumeric + "0x10"},
		{in: "1_0", err: notNumeric + "1_0"},
	} {
		got, err := attr.ParseNumber(tc.in)
		if tc.err != "" {
			var bad *attr.ValidationError
			if !errors.As(err, &bad) || bad.Message != tc.err {
				t.Errorf("ParseNumber(%q): error %v, want %q", tc.in, err, tc.err)
			}
			continue
		}
		if err != nil || got != tc.want {
			t.Errorf("ParseNumber(%q) = %q, %v; want %q", tc.in, got, err, tc.want)
		}
	}
}

func TestArithmetic(t *testing.T) {
	t.Parallel()
	nines := strings.Repeat("9", 38)
	for _, tc := range []struct {
		a, op, b, want string
	}{
		{"1", "+", "2", "3"},
		{"0.1", "+", "0.2", "0.3"},
		{"1", "-", "1", "0"},
		{"5", "-", "7.5", "-2.5"},
		{nines, "+", "1", "1" + strings.Repeat("0", 38)},
		{nines, "+", "0.1", "overflow"},
		{"1" + strings.Repeat("0", 125), "+", "1", "overflow"},
		{"9" + strings.Repeat("0", 125), "+", "9" + strings.Repeat("0", 125), "overflow"},
	} {
		op := attr.AddNumbers
		if tc.op == "-" {
			op = attr.SubtractNumbers
		}
		got, err := op(tc.a, tc.b)
		if err != nil {
			got = "overflow"
			if !strings.HasPrefix(err.Error(), "Number overflow.") {
				t.Errorf("%s %s %s: %v", tc.a, tc.op, tc.b, err)
			}
		}
		if got != tc.want {
			t.Errorf("%s %s %s = %s, want %s", tc.a, tc.op, tc.b, got, tc.want)
		}
	}
}

// drawNumber makes numbers over the whole range, biased to few digits so that
// equal values in different spellings occur.
func drawNumber(t *rapid.T, label string) string {
	sign := rapid.SampledFrom([]string{"", "-", "+"}).Draw(t, label+" sign")
	digits := rapid.StringMatching(`[0-9]{1,3}|[1-9][0-9]{0,36}|0{0,3}[1-9]0{0,3}`).Draw(t, label+" digits")
	exp := rapid.IntRange(-130, 80).Draw(t, label+" exponent")
	return sign + digits + "e" + big.NewInt(int64(exp)).String()
}

func TestNumberOrderAgreesWithRationals(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		texts := [2]string{drawNumber(t, "a"), drawNumber(t, "b")}
		var values [2]attr.Value
		var exact [2]*big.Rat
		var keys [2][]byte
		for i, text := range texts {
			v, err := attr.Number(text)
			if err != nil {
				t.Skip("out of range")
			}
			values[i] = v
			exact[i], _ = new(big.Rat).SetString(text)
			keys[i] = attr.AppendKey(nil, v)
			back, rest, err := attr.DecodeKey(append(bytes.Clone(keys[i]), "tail"...), attr.N)
			if err != nil || !attr.Equal(back, v) || string(rest) != "tail" {
				t.Fatalf("DecodeKey(%x) = %q, %q, %v; want %q", keys[i], back.Text(), rest, err, v.Text())
			}
			if got, _ := new(big.Rat).SetString(v.Text()); got.Cmp(exact[i]) != 0 {
				t.Fatalf("%q became %q", text, v.Text())
			}
			if again, err := attr.ParseNumber(v.Text()); err != nil || again != v.Text() {
				t.Fatalf("canonical %q is not a fixed point: %q, %v", v.Text(), again, err)
			}
		}
		want := exact[0].Cmp(exact[1])
		if got, ok := attr.Compare(values[0], values[1]); !ok || sign(got) != want {
			t.Fatalf("Compare(%s, %s) = %d, want %d", texts[0], texts[1], got, want)
		}
		if got := bytes.Compare(keys[0], keys[1]); got != want {
			t.Fatalf("keys of %s, %s compare %d, want %d", texts[0], texts[1], got, want)
		}
		if got := attr.Equal(values[0], values[1]); got != (want == 0) {
			t.Fatalf("Equal(%s, %s) = %v", texts[0], texts[1], got)
		}
	})
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func TestTextKeysKeepOrder(t *testing.T) {
	t.Parallel()
	text := rapid.StringOfN(rapid.SampledFrom([]rune{0, 1, 'a', 'b', 0x7f, 0xff, '€'}), 0, 6, -1)
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		ka, kb := attr.AppendKey(nil, attr.String(a)), attr.AppendKey(nil, attr.String(b))
		if got, want := bytes.Compare(ka, kb), strings.Compare(a, b); got != want {
			t.Fatalf("keys of %q and %q compare %d, want %d", a, b, got, want)
		}
		back, rest, err := attr.DecodeKey(append(bytes.Clone(ka), kb...), attr.S)
		if err != nil || back.Text() != a || !bytes.Equal(rest, kb) {
			t.Fatalf("DecodeKey(%x): %q, %x, %v", ka, back.Text(), rest, err)
		}
		prefixed := bytes.HasPrefix(ka, attr.AppendKeyPrefix(nil, b))
		if prefixed != strings.HasPrefix(a, b) {
			t.Fatalf("prefix %q of %q: %v", b, a, prefixed)
		}
	})
}

func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"0", "-1.5e10", "1e-130", ".5", "5.", "+00.100E+3", "1e9223372036854775807"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := attr.ParseNumber(s)
		if err != nil {
			return
		}
		again, err := attr.ParseNumber(n)
		if err != nil || again != n {
			t.Fatalf("%q -> %q -> %q, %v", s, n, again, err)
		}
	})
}

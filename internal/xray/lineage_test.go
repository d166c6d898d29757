package xray_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/xray"
)

func TestJoin(t *testing.T) {
	t.Parallel()
	now := time.Unix(0x5f000001, 0)
	for header, want := range map[string]string{
		"":           `^Root=1-5f000001-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=1:[0-9a-f]{8}:0$`,
		"nonsense":   `^Root=1-5f000001-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=1:[0-9a-f]{8}:0$`,
		"Root=1-2-3": `^Root=1-2-3;Parent=[0-9a-f]{16};Sampled=0;Lineage=1:[0-9a-f]{8}:0$`,
		"Root=1-2-3;Parent=00000000000000aa;Sampled=1":                       `^Root=1-2-3;Parent=00000000000000aa;Sampled=1;Lineage=1:[0-9a-f]{8}:0$`,
		"Root=1-2-3;Parent=00000000000000aa;Sampled=1;Lineage=bfe7b654:0":    `^Root=1-2-3;Parent=00000000000000aa;Sampled=1;Lineage=1:[0-9a-f]{8}:0$`,
		"Root=1-2-3;Parent=00000000000000aa;Sampled=1;Lineage=4:bfe7b654:0":  `^Root=1-2-3;Parent=00000000000000aa;Sampled=1;Lineage=5:bfe7b654:0$`,
		"Root=1-2-3;Parent=00000000000000aa;Sampled=1;Lineage=4:bfe7b654:-1": `;Lineage=1:[0-9a-f]{8}:0$`,
	} {
		if got := xray.Join(header, now, "arn"); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%q leads to %q, want %s", header, got, want)
		}
	}
}

// TestLoops goes around in circles of several lengths, some of which don't
// begin at the first call.
func TestLoops(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		before, circle []string
	}{
		{nil, []string{"a"}},
		{[]string{"x"}, []string{"a"}},
		{[]string{"x", "y", "z"}, []string{"a", "b"}},
		{nil, []string{"a", "b", "c", "d", "e"}},
	} {
		header, calls := "", map[string]int{}
		call := func(function string) (loops int) {
			header = xray.Join(header, time.Unix(0, 0), function)
			calls[function]++
			return xray.Loops(header, function)
		}
		for _, f := range c.before {
			call(f)
		}
		for loops := 0; loops < 16; {
			for _, f := range c.circle {
				if loops = call(f); loops == 16 {
					break
				}
			}
			if calls[c.circle[0]] > 30 {
				t.Fatalf("%v then %v: no circle was found: %s", c.before, c.circle, header)
			}
		}
		if len(c.circle) == 1 && calls["a"] != 17 {
			t.Errorf("%v then %v: found at call %d, want 17", c.before, c.circle, calls["a"])
		}
	}

	header, functions := "", []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}
	for _, f := range functions {
		header = xray.Join(header, time.Unix(0, 0), f)
		if xray.Loops(header, f) != 0 {
			t.Errorf("a chain without a circle has one at %s: %s", f, header)
		}
	}
}

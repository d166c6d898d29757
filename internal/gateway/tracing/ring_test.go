package tracing

import (
	"slices"
	"testing"
)

func TestRing(t *testing.T) {
	t.Parallel()
	r := NewRing[int](3, 100)
	kept := func() []int {
		var out []int
		r.Each(func(_ uint64, item int) bool {
			out = append(out, item)
			return true
		})
		return out
	}
	for i, tt := range []struct {
		size int
		want []int
	}{
		{10, []int{0}}, {10, []int{1, 0}}, {10, []int{2, 1, 0}}, {10, []int{3, 2, 1}}, // number
		{85, []int{4, 3}}, {90, []int{5}}, {5, []int{6, 5}}, {1000, []int{7}}, {1, []int{8}}, // bytes
	} {
		r.Add(uint64(i), tt.size, i)
		if got := kept(); !slices.Equal(got, tt.want) {
			t.Errorf("after %d: %v, want %v", i, got, tt.want)
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text    string
		in, out int
	}{{"5xx", 503, 499}, {"4XX", 404, 500}, {"200", 200, 201}, {"", 100, 0}} {
		s, err := ParseStatus(tt.text)
		if err != nil || !s.Has(tt.in) || tt.out != 0 && s.Has(tt.out) {
			t.Errorf("%q: %v, %v", tt.text, s, err)
		}
	}
	for _, bad := range []string{"xx", "9xx", "ok", "99", "600"} {
		if _, err := ParseStatus(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

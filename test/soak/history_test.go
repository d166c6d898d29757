package soak

import (
	"testing"
	"time"
)

func TestHistory(t *testing.T) {
	t.Parallel()
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	h := &history{changes: []change{{"a", at(0), at(1)}, {"b", at(10), at(12)}, {"c", at(20), time.Time{}}}}
	for _, tt := range []struct {
		value    string
		from, to int
		want     bool
	}{
		{"a", 2, 3, true}, {"a", 11, 11, true}, {"a", 13, 14, false}, {"b", 5, 9, false}, {"b", 9, 10, true},
		{"b", 30, 31, true}, {"c", 30, 31, true}, {"c", 18, 19, false}, {"d", 0, 99, false},
	} {
		if got := h.was(tt.value, at(tt.from), at(tt.to)); got != tt.want {
			t.Errorf("was %s from %d to %d: %v", tt.value, tt.from, tt.to, got)
		}
	}
}

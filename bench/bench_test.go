package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

func TestSeries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s    series
		want float64
	}{{nil, 0}, {series{3}, 3}, {series{9, 1, 2}, 2}, {series{4, 1, 2, 9}, 3}} {
		if got := c.s.median(); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.s, got, c.want)
		}
	}
	// The ratio is of rounds: a slow round slows both and leaves it as it is.
	if got := (series{10, 1, 20}).per(series{20, 2, 40}).median(); got != 0.5 {
		t.Errorf("ratio is %v, want 0.5", got)
	}
	if got := (series{1, 2}).per(series{0, 4}); len(got) != 1 || got[0] != 0.5 {
		t.Errorf("a round without a baseline counts: %v", got)
	}
}

func TestBars(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ask         bar
		value, base float64
		held        bool
	}{
		{bar{atMost: 5}, 5, 0, true},
		{bar{atMost: 5}, 5.1, 0, false},
		{bar{zero: true}, 0, 0, true},
		{bar{zero: true}, 1, 0, false},
		{bar{ratioAtLeast: 0.5}, 6, 12, true},
		{bar{ratioAtLeast: 0.5}, 5, 12, false},
		{bar{ratioAtLeast: 0.5}, 5, 0, false}, // nothing to compare with
		{bar{ratioAtMost: 1.1}, 12, 10, false},
	} {
		var r report
		var base series
		if c.base != 0 {
			base = series{c.base}
		}
		r.add("x", "u", series{c.value}, "base", base, c.ask)
		if row := r.Rows[0]; row.Held == nil || *row.Held != c.held {
			t.Errorf("%+v with %v of %v: %s", c.ask, c.value, c.base, row.verdict())
		}
	}
}

func TestShares(t *testing.T) {
	t.Parallel()
	sum := 0
	for i := range 64 {
		sum += effort{calls: 50_010}.share(i, 64).calls
	}
	if sum != 50_010 {
		t.Errorf("the shares of 50010 calls come to %d", sum)
	}
}

// TestLostCallsAreSeen has a server that breaks off and answers wrongly.
func TestLostCallsAreSeen(t *testing.T) {
	t.Parallel()
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		switch {
		case calls%10 == 3:
			panic(http.ErrAbortHandler)
		case calls%10 == 7:
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = w.Write([]byte("right"))
	}))
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	e := &endpoint{address: address, roots: []int{os.Getpid()}, request: always(get(address, "/")), check: expect("right")}
	o, err := load(t.Context(), e, 1, effort{calls: 100})
	if err != nil {
		t.Fatal(err)
	}
	if o.calls != 100 || o.lost != 20 || o.firstError == nil {
		t.Errorf("%d calls, %d lost (%v); want 100, 20 lost", o.calls, o.lost, o.firstError)
	}
}

func TestProcessorTimeOfATree(t *testing.T) {
	t.Parallel()
	before, err := cpuOf([]int{os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); time.Since(begin) < 100*time.Millisecond; {
	}
	after, err := cpuOf([]int{os.Getpid()})
	if err != nil || after <= before {
		t.Errorf("processor time went from %v to %v (%v) while it was used", before, after, err)
	}
}

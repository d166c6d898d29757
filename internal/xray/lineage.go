package xray

import (
	"strconv"
	"strings"
	"time"
)

// Join is the header of a call to a function by somebody whose own header is
// given, or "": the trace goes on, and the lineage tells how the call came
// about.
func Join(header string, now time.Time, function string) string {
	if header == "" {
		return New(now, function)
	}
	h := Parse(header)
	if !strings.HasPrefix(h.Root, "1-") {
		return New(now, function)
	}
	if h.Parent == "" {
		h.Parent = NewParent()
	}
	if h.Sampled == "" {
		h.Sampled = "0"
	}
	return "Root=" + h.Root + ";Parent=" + h.Parent + ";Sampled=" + h.Sampled + ";Lineage=" + descend(h.Lineage, function)
}

// descend is the lineage of a call to a function from within one with the
// given lineage: how many calls led here, a function among them, and how often
// that came back. AWS doesn't publish how it chooses the function to look for;
// here it is the one met when the calls reach a power of two, which finds
// circles of any length that begin anywhere (Brent's algorithm).
func descend(lineage, function string) string {
	fresh := Lineage(function)
	calls, mark, loops, ok := splitLineage(lineage)
	if !ok {
		return fresh
	}
	_, own, _, _ := splitLineage(fresh)
	calls++
	switch {
	case mark == own:
		loops++
	case loops == 0 && calls&(calls-1) == 0:
		mark = own
	}
	return strconv.Itoa(calls) + ":" + mark + ":" + strconv.Itoa(loops)
}

// Loops is how often a function has been called before in what led to a call
// with this header, as far as its lineage tells.
func Loops(header, function string) int {
	if strings.HasSuffix(header, ":0") { // nearly always
		return 0
	}
	_, mark, loops, ok := splitLineage(Parse(header).Lineage)
	if _, own, _, _ := splitLineage(Lineage(function)); !ok || mark != own {
		return 0
	}
	return loops
}

// The largest numbers of a lineage (OpenTelemetry's propagator for X-Ray).
const (
	maxCalls = 32767
	maxLoops = 255
)

func splitLineage(lineage string) (calls int, mark string, loops int, ok bool) {
	first, rest, _ := strings.Cut(lineage, ":")
	mark, last, _ := strings.Cut(rest, ":")
	calls, err := strconv.Atoi(first)
	loops, err2 := strconv.Atoi(last)
	ok = err == nil && err2 == nil && 0 < calls && calls < maxCalls && 0 <= loops && loops < maxLoops && len(mark) == 8
	return calls, mark, loops, ok
}

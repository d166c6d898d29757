package gateway

import (
	"hash/crc32"
	"strconv"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/ident"
)

// trace is a request's X-Amzn-Trace-Id. A client's own one is kept, with what
// is missing invented (recorded).
type trace struct {
	root, parent, sampled string
	given                 bool   // the client sent one
	function              string // see forFunction
}

// newTrace reads the client's header; an unusable root is replaced.
func newTrace(header string, now time.Time) trace {
	var t trace
	for part := range strings.SplitSeq(header, ";") {
		switch key, v, _ := strings.Cut(strings.TrimSpace(part), "="); key {
		case "Root":
			t.root, t.given = v, strings.HasPrefix(v, "1-")
		case "Parent":
			t.parent = v
		case "Sampled":
			t.sampled = v
		}
	}
	if !t.given {
		t = trace{root: "1-" + strconv.FormatUint(uint64(uint32(now.Unix()))|1<<32, 16)[1:] + "-" + ident.Hex(12)}
	}
	if t.sampled == "" {
		t.sampled = "0"
		if t.parent != "" {
			t.sampled = "1"
		}
	}
	return t
}

// forRequest is the header that the integration's request carries.
func (t *trace) forRequest() string {
	if !t.given {
		return "Root=" + t.root
	}
	return t.full()
}

// forFunction is the trace id that a function is invoked with, and what the
// client sees of a call that succeeded.
func (t *trace) forFunction(lineage string) string {
	if t.function == "" {
		t.function = t.full() + ";Lineage=" + lineage
	}
	return t.function
}

// forError is what the client sees of a call that failed.
func (t *trace) forError() string { return "Root=" + t.root }

func (t *trace) full() string {
	if t.parent == "" {
		t.parent = ident.Hex(8)
	}
	return "Root=" + t.root + ";Parent=" + t.parent + ";Sampled=" + t.sampled
}

// lineageOf is the mark that loop detection puts on calls of one function:
// a version, a hash, a counter.
func lineageOf(function string) string {
	return "1:" + strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(function)))|1<<32, 16)[1:] + ":0"
}

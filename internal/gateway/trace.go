package gateway

import (
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/xray"
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
	h := xray.Parse(header)
	t := trace{root: h.Root, parent: h.Parent, sampled: h.Sampled, given: strings.HasPrefix(h.Root, "1-")}
	if !t.given {
		t = trace{root: xray.NewRoot(now)}
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
		t.parent = xray.NewParent()
	}
	return "Root=" + t.root + ";Parent=" + t.parent + ";Sampled=" + t.sampled
}

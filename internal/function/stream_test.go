package function

import (
	"strings"
	"testing"
	"time"
)

// heard is a caller's stream that notes what comes.
type heard struct {
	mediaTypes []string
	text       strings.Builder
}

func (h *heard) Begin(mediaType string)      { h.mediaTypes = append(h.mediaTypes, mediaType) }
func (h *heard) Write(p []byte) (int, error) { return h.text.Write(p) }

func (r rig) stream(t *testing.T, spec *Spec, event string) (*heard, *Result) {
	t.Helper()
	h := &heard{}
	res, err := r.Invoke(t.Context(), spec, &Request{RequestID: "11111111-2222-3333-4444-555555555555", Payload: []byte(event), Stream: h})
	if err != nil {
		t.Fatal(err)
	}
	return h, res
}

func TestOwnRuntimesStream(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.provided(t)
	spec.Timeout = 5 * time.Second
	h, res := r.stream(t, spec, `"stream"`)
	if h.text.String() != "piece by piece" || len(h.mediaTypes) != 1 || len(res.Payload) != 0 || res.FunctionError != "" {
		t.Errorf("heard %q, %q; the result is %+v", h.mediaTypes, h.text.String(), res)
	}
	want(t, "collected", string(r.call(t, spec, `"stream"`).Payload), "piece by piece")
	h, res = r.stream(t, spec, `"error"`)
	if h.text.Len() != 0 || len(h.mediaTypes) != 0 || res.FunctionError == "" {
		t.Errorf("of an answer that isn't streamed: %q; the result is %+v", h.text.String(), res)
	}
}

// TestStreamsAreGuarded: a runtime may begin twice, or not at all, or go on
// when its call has ended.
func TestStreamsAreGuarded(t *testing.T) {
	t.Parallel()
	h := &heard{}
	g := &guarded{to: h}
	_, _ = g.Write([]byte("a"))
	g.Begin("text/plain")
	_, _ = g.Write([]byte("b"))
	g.end()
	if _, err := g.Write([]byte("c")); err == nil {
		t.Error("a piece was taken after the end")
	}
	if h.text.String() != "ab" || len(h.mediaTypes) != 1 || h.mediaTypes[0] != plainBytes {
		t.Errorf("heard %q, %q", h.mediaTypes, h.text.String())
	}
}

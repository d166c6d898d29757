package edge

import (
	"bytes"
	"net/http"
	"net/textproto"
	"sync"
)

// net/http hands out header names in canonical form only, but a function
// behind API Gateway finds a client's x-tenant under "x-tenant", and template
// look-ups are case-sensitive. So this file keeps a copy of each request's
// head as it came and restores the client's spelling from it. When the copy
// is not there (TLS, pipelined requests) names stay canonical.

// maxHead is how much of a head is kept; API Gateway takes 10,240 bytes
// (developer guide, "Quotas for configuring and running a REST API").
const maxHead = 16 << 10

// head is the head of the request under way, as far as it has been read.
type head struct {
	mu   sync.Mutex
	text []byte
	done bool // the head is complete, or too long to keep
}

// record takes what has been read, up to the head's end.
func (h *head) record(b []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.done {
		return
	}
	from := max(0, len(h.text)-3) // the end may be split over two reads
	h.text = append(h.text, b[:min(len(b), maxHead-len(h.text))]...)
	if i := bytes.Index(h.text[from:], []byte("\r\n\r\n")); i >= 0 {
		h.text, h.done = h.text[:from+i+2], true
	} else if len(h.text) == maxHead {
		h.text, h.done = h.text[:0], true
	}
}

// next begins another request. The server calls it before it reads on; at
// most the first byte of the request line came earlier, which nobody needs.
func (h *head) next() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text, h.done = h.text[:0], false
}

// spellings returns the client's spelling of each name that is not in
// canonical form, by the canonical one; nil if there are none.
func (h *head) spellings() map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found map[string]string
	_, rest, _ := bytes.Cut(h.text, []byte("\r\n"))
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, _, ok := bytes.Cut(line, []byte(":"))
		if !ok || isCanonical(name) {
			continue
		}
		if found == nil {
			found = map[string]string{}
		}
		spelled := string(name)
		if canonical := textproto.CanonicalMIMEHeaderKey(spelled); found[canonical] == "" {
			found[canonical] = spelled
		}
	}
	return found
}

// isCanonical tells without allocating whether net/http keeps name as it is.
func isCanonical(name []byte) bool {
	upper := true
	for _, c := range name {
		if upper && 'a' <= c && c <= 'z' || !upper && 'A' <= c && c <= 'Z' {
			return false
		}
		upper = c == '-'
	}
	return true
}

// withClientSpelling returns r, or a copy whose Header has the client's
// spelling for keys.
func withClientSpelling(r *http.Request) *http.Request {
	h, ok := r.Context().Value(connKey{}).(*head)
	if !ok || r.ProtoMajor != 1 {
		return r
	}
	spelled := h.spellings()
	if spelled == nil {
		return r
	}
	header := make(http.Header, len(r.Header))
	for name, values := range r.Header {
		if s, ok := spelled[name]; ok {
			name = s
		}
		header[name] = values
	}
	out := *r
	out.Header = header
	return &out
}

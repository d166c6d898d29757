package gateway

import (
	"net/http"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/gateway/route"
)

// record is what a request leaves behind for `butai trace`. It is made while
// the request is served and turned into a tracing.Trace only when somebody
// asks, so it refers to what the exchange has made anyway. A nil record takes
// nothing and costs nothing.
type record struct {
	stops []stopRecord
	notes []noteRecord
	sent  excerpt // the integration's request, if it isn't x.outbound.body

	// What follows is filled in when the answer is complete.
	requestRecord
	st      *stage
	m       *method
	account string // "" if the request is for no API that exists
	took    time.Duration
	call    callRecord
	answer  answer
	body    excerpt // of the answer, before compression
	failed  *failure

	// The arrays that stops and notes begin in, to save their allocation.
	firstStops [12]stopRecord
	firstNotes [10]noteRecord
}

// stopRecord is a stop of the road and when the request came to it.
type stopRecord struct {
	name string
	at   time.Duration // since the request's beginning
}

// noteRecord is a fact that a stop found or decided.
type noteRecord struct {
	stop       int
	key, value string
}

// requestRecord is the request as it came.
type requestRecord struct {
	started                time.Time
	id, extendedID, root   string
	target                 Target
	verb, protocol, client string
	host, query            string
	header                 http.Header
	params                 []route.Param
	payload                excerpt
}

// callRecord is the integration's request and answer.
type callRecord struct {
	inbound
	sent     excerpt
	header   fields      // mapped ones
	http     http.Header // all, of a call over HTTP
	received excerpt
}

// excerpt is the beginning of a body.
type excerpt struct {
	data []byte
	size int // of the whole body
}

// Bounds in bytes on what a trace keeps of each body, and of other texts.
const (
	maxExcerpt = 8 << 10
	maxHeader  = 8 << 10
	maxText    = 2 << 10
)

// excerptOf keeps a small body as it is and copies the beginning of a large
// one, so that no trace holds a large body in memory. Bodies are not changed
// once they are made.
func excerptOf(body []byte) excerpt {
	if cap(body) <= maxExcerpt {
		return excerpt{body, len(body)}
	}
	head := body[:min(len(body), maxExcerpt)]
	return excerpt{append(make([]byte, 0, len(head)), head...), len(body)}
}

// clip copies the beginning of a text that is too long to be kept.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.Clone(s[:maxText]) + "…"
}

// clipHeader returns h, or nil if it is too large to be kept.
func clipHeader(h http.Header) (http.Header, int) {
	size := 0
	for name, values := range h {
		size += len(name)
		for _, v := range values {
			size += len(v)
		}
	}
	if size > maxHeader {
		return nil, 0
	}
	return h, size
}

// at says that the request has come to a stop of its road: "authorize",
// "throttle", "cache". Each stop calls it first. The name is what people see
// in `butai trace`.
func (x *exchange) at(stop string) {
	if r := x.record; r != nil {
		r.stops = append(r.stops, stopRecord{stop, time.Since(x.begun)})
	}
}

// note adds a fact to the stop that the request is at: what was found, what
// was decided and why, such as note("policy", "allow by statement 2"). Secrets
// have no place in it: name a key by its id. Where making the value costs
// something, ask traced first.
func (x *exchange) note(key, value string) {
	if r := x.record; r != nil {
		r.notes = append(r.notes, noteRecord{len(r.stops) - 1, key, value})
	}
}

// traced tells whether notes go anywhere.
func (x *exchange) traced() bool { return x.record != nil }

// noteSent keeps what the integration is called with where that is not
// x.outbound.body.
func (x *exchange) noteSent(payload []byte) {
	if r := x.record; r != nil {
		r.sent = excerptOf(payload)
	}
}

// newRecord returns an empty record.
func newRecord() *record {
	r := &record{}
	r.stops, r.notes = r.firstStops[:0], r.firstNotes[:0]
	return r
}

// leaveRecord completes the request's record and hands it over. The answer is
// made, but neither compressed nor sent: who has the answer finds the trace.
func (x *exchange) leaveRecord() {
	r := x.record
	if r == nil {
		return
	}
	r.took = time.Since(x.begun)
	r.st, r.m, r.failed = x.st, x.m, x.failed
	r.account = x.gw.ownerOf(x)
	size := 0
	r.requestRecord = requestRecord{
		started: x.started, id: x.requestID, extendedID: x.extendedID, root: x.trace.root,
		target: x.target, verb: x.verb, protocol: x.r.Proto, client: x.r.RemoteAddr, host: clip(x.r.Host),
	}
	r.target.Path, r.target.RequestPath = clip(r.target.Path), clip(r.target.RequestPath)
	if r.account != "" { // strangers' requests leave a line, and no more
		r.query, r.params, r.payload = clip(x.r.URL.RawQuery), x.params, excerptOf(x.body)
		r.header, size = clipHeader(x.r.Header)
	}
	if r.sent.data == nil {
		r.sent = excerptOf(x.outbound.body)
	}
	r.call = callRecord{inbound: x.inbound, sent: r.sent, header: x.outbound.header, received: excerptOf(x.inbound.body)}
	r.call.body = nil
	r.call.http, _ = clipHeader(x.outbound.sent)
	r.answer, r.body = x.answer, excerptOf(x.answer.body)
	r.answer.body = nil
	more := 0
	r.answer.header, more = clipHeader(x.answer.header)
	x.gw.traces.add(r, size+more)
}

package gateway

import "time"

// record is what a request leaves behind for `butai trace`. It is made while
// the request is served and turned into a tracing.Trace only when somebody
// asks, so it refers to what the exchange has made anyway. A nil record takes
// nothing and costs nothing.
type record struct {
	stops []stopRecord
	notes []noteRecord

	firstStops [16]stopRecord
	firstNotes [12]noteRecord
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
// something, ask x.traced first.
func (x *exchange) note(key, value string) {
	if r := x.record; r != nil {
		r.notes = append(r.notes, noteRecord{len(r.stops) - 1, key, value})
	}
}

// traced tells whether notes go anywhere.
func (x *exchange) traced() bool { return x.record != nil }

// newRecord returns an empty record.
func newRecord() *record {
	r := &record{}
	r.stops, r.notes = r.firstStops[:0], r.firstNotes[:0]
	return r
}

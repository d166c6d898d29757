package gateway

import (
	"cmp"
	"encoding/base64"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"unicode/utf8"

	"github.com/butai-dev/butai/internal/gateway/tracing"
)

// Tracing says what is kept of requests for `butai trace`.
type Tracing struct {
	// Keep is the number of requests remembered; 0 turns tracing off. Answers
	// of 400 and above are remembered apart, as many again, so that a flood
	// of successes doesn't wash them away.
	Keep int
	// Every records one request in so many; 0 and 1 record all.
	Every int
}

const (
	// traceMemory bounds in bytes what each of the two rings holds.
	traceMemory = 8 << 20
	// recordSize is about the size of a record without what differs.
	recordSize = 2 << 10
)

// traces are the records of the newest requests.
type traces struct {
	every    uint64
	arrived  atomic.Uint64
	seq      atomic.Uint64
	answered *tracing.Ring[*record] // statuses below 400
	failed   *tracing.Ring[*record]
}

// newTraces returns nil if nothing is to be kept.
func newTraces(t Tracing) *traces {
	if t.Keep <= 0 {
		return nil
	}
	return &traces{
		every:    uint64(max(t.Every, 1)),
		answered: tracing.NewRing[*record](t.Keep, traceMemory), failed: tracing.NewRing[*record](t.Keep, traceMemory),
	}
}

// begin returns a record for a request that leaves one, and nil for others.
func (t *traces) begin() *record {
	if t == nil || t.every > 1 && t.arrived.Add(1)%t.every != 0 {
		return nil
	}
	return newRecord()
}

func (t *traces) add(r *record, headers int) {
	size := recordSize + headers + len(r.payload.data) + len(r.call.sent.data) + len(r.call.received.data) + len(r.body.data)
	for i := range r.notes {
		size += len(r.notes[i].value)
	}
	ring := t.answered
	if r.answer.status >= http.StatusBadRequest {
		ring = t.failed
	}
	ring.Add(t.seq.Add(1), size, r)
}

// ownerOf returns the account of the API that x was for, also where its stage
// doesn't exist; "" if there is no such API.
func (g *Gateway) ownerOf(x *exchange) string {
	if x.st != nil {
		return x.st.account
	}
	for key, st := range g.tables.Load().stages {
		if key.apiID == x.target.APIID {
			return st.account
		}
	}
	return ""
}

// Traces returns the traces of an account's requests that f picks, newest
// first. Requests for APIs that don't exist belong to every account, and
// their headers and bodies to none.
func (g *Gateway) Traces(account string, f tracing.Filter) []tracing.Trace {
	out := []tracing.Trace{}
	if g.traces == nil {
		return out
	}
	for _, ring := range []*tracing.Ring[*record]{g.traces.answered, g.traces.failed} {
		n := 0
		ring.Each(func(seq uint64, r *record) bool {
			if seq <= f.After || f.Last > 0 && n == f.Last {
				return false
			}
			if (r.account == "" || r.account == account) && r.matches(&f) {
				out = append(out, r.trace(seq))
				n++
			}
			return true
		})
	}
	slices.SortFunc(out, func(a, b tracing.Trace) int { return int(int64(b.Seq) - int64(a.Seq)) })
	if f.Last > 0 && len(out) > f.Last {
		out = out[:f.Last]
	}
	return out
}

func (r *record) matches(f *tracing.Filter) bool {
	return (f.RequestID == "" || f.RequestID == r.id) && (f.API == "" || f.API == r.target.APIID) &&
		(f.Stage == "" || f.Stage == r.target.Stage) && f.Status.Has(r.answer.status)
}

// trace makes of a record what people see: texts, with secrets masked.
func (r *record) trace(seq uint64) tracing.Trace {
	mask := tracing.NewMask(r.header, r.answer.header, r.call.http)
	t := tracing.Trace{
		Seq: seq, RequestID: r.id, ExtendedRequestID: r.extendedID, TraceID: r.root, Time: r.started, DurationUS: r.took.Microseconds(),
		Account: r.account, APIID: r.target.APIID, Stage: r.target.Stage,
		Request: tracing.Request{
			Method: r.verb, Path: mask.Text(r.target.RequestPath), Query: mask.Text(r.query), Protocol: r.protocol, Host: r.host,
			SourceIP: hostOf(r.client), Header: mask.Header(r.header), Body: bodyText(r.payload, mask),
		},
		Stops:    r.stopTexts(mask),
		Response: tracing.Response{Status: r.answer.status, Header: mask.Header(r.answer.header), Body: bodyText(r.body, mask)},
	}
	if r.st != nil {
		t.Region, t.DeploymentID = r.st.region, r.st.deploymentID
	}
	if r.m != nil {
		t.Resource = &tracing.Resource{ID: r.m.resourceID, Path: r.m.resourcePath, Method: r.m.verb, Params: r.pathParams(mask)}
		t.Integration = r.integration(mask)
	}
	if f := r.failed; f != nil {
		t.Failure = &tracing.Failure{Type: f.errorType, ResponseType: f.kind, Message: f.message, Fix: r.fix()}
		for _, line := range f.cause {
			t.Failure.Cause = append(t.Failure.Cause, mask.Text(line))
		}
	}
	return t
}

func (r *record) pathParams(mask *tracing.Mask) map[string]string {
	if len(r.params) == 0 {
		return nil
	}
	out := make(map[string]string, len(r.params))
	for _, p := range r.params {
		out[p.Name] = mask.Text(p.Value)
	}
	return out
}

func (r *record) stopTexts(mask *tracing.Mask) []tracing.Stop {
	out := make([]tracing.Stop, len(r.stops))
	for i, s := range r.stops {
		end := r.took
		if i+1 < len(r.stops) {
			end = r.stops[i+1].at
		}
		out[i] = tracing.Stop{Name: s.name, AtUS: s.at.Microseconds(), TookUS: (end - s.at).Microseconds()}
	}
	for _, n := range r.notes {
		if n.stop >= 0 {
			out[n.stop].Notes = append(out[n.stop].Notes, tracing.Note{Key: n.key, Value: mask.Text(clip(n.value))})
		}
	}
	return out
}

// integration tells of the call, or returns nil if the road ended before it.
func (r *record) integration(mask *tracing.Mask) *tracing.Integration {
	c := &r.call
	if !c.called {
		return nil
	}
	in := &tracing.Integration{
		Type: string(r.m.kind), Target: mask.Text(cmp.Or(c.url, r.m.function.arn)), Request: bodyText(c.sent, mask),
		Status: c.status, LatencyUS: c.latency.Microseconds(), RequestID: c.requestID, ExecutedVersion: c.version,
		FunctionError: c.isError, Answer: bodyText(c.received, mask), Selector: mask.Text(clip(c.selector)),
	}
	header := maps.Clone(map[string][]string(c.http))
	if header == nil {
		header = map[string][]string{}
	}
	for _, f := range c.header {
		header[f.name] = f.values
	}
	in.RequestHeader = mask.Header(header)
	return in
}

// bodyText returns nil for an empty body. What is no UTF-8 is shown in
// base64.
func bodyText(e excerpt, mask *tracing.Mask) *tracing.Body {
	if e.size == 0 {
		return nil
	}
	b := &tracing.Body{Size: e.size, Truncated: e.size > len(e.data)}
	text := string(e.data)
	if b.Truncated {
		for cut := 0; cut < utf8.UTFMax && !utf8.ValidString(text); cut++ {
			text = text[:len(text)-1] // a character that the cut went through
		}
	}
	if b.Binary = !utf8.ValidString(text); b.Binary {
		b.Text = base64.StdEncoding.EncodeToString(e.data)
	} else {
		b.Text = mask.Text(text)
	}
	return b
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}

package gateway

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Integrations whose responseTransferMode is STREAM send their answers on as
// they come (developer guide, "Stream the integration response for your proxy
// integrations in API Gateway"). Nothing that needs the whole answer applies
// to them: no cache, no compression, no templates.

const streaming = "STREAM"

// How long a stream may say nothing, by the kind of endpoint.
const (
	idleTimeout     = 5 * time.Minute
	idleTimeoutEdge = 30 * time.Second
)

// What is sent of an answer at full speed, and bytes a second beyond it.
const (
	fastBytes = 10 << 20
	slowBytes = 2 << 20
)

// stream is an answer on its way to the client. It belongs to whoever has the
// answer, one goroutine at a time.
type stream struct {
	x       *exchange
	control *http.ResponseController
	begun   bool // status and headers are sent
	mute    bool // the answer has no body, whatever the integration sends
	sent    int
	seen    []byte // the beginning, for traces
	// ctx ends when the stream has been silent for too long, or the client is
	// gone; cancel and idle end it.
	ctx    context.Context
	cancel context.CancelFunc
	idle   *time.Timer
	silent atomic.Bool // idle has gone off
}

// openStream begins to wait for the integration's answer. The caller closes it.
func (x *exchange) openStream() *stream {
	s := &stream{x: x}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(x.r.Context()))
	if x.w != nil {
		s.control = http.NewResponseController(x.w)
	}
	s.idle = time.AfterFunc(s.patience(), func() {
		s.silent.Store(true)
		s.cancel()
	})
	return s
}

func (s *stream) close() {
	s.idle.Stop()
	s.cancel()
}

// patience is how long the stream may be silent.
func (s *stream) patience() time.Duration {
	if s.x.st.endpointType == "EDGE" {
		return idleTimeoutEdge
	}
	return idleTimeout
}

// begin sends status and headers, whose Content-Length is the integration's
// own if it has given one.
func (s *stream) begin(status int, length string) {
	s.begun = true
	x := s.x
	x.answer.status = status
	s.mute = status == http.StatusNoContent || status == http.StatusNotModified || x.r.Method == http.MethodHead
	if x.w == nil { // a test of a method, which shows the answer when it is whole
		return
	}
	x.writeOwnHeaders(x.w.Header())
	if length != "" {
		x.w.Header()["Content-Length"] = []string{length}
	}
	x.w.WriteHeader(x.answer.status)
	_ = s.control.Flush() // what can't be flushed is sent at the end
}

// Write sends a piece on at once.
func (s *stream) Write(p []byte) (int, error) {
	s.idle.Reset(s.patience())
	if keep := min(len(p), maxExcerpt-len(s.seen)); keep > 0 {
		s.seen = append(s.seen, p[:keep]...)
	}
	s.sent += len(p)
	if s.x.w == nil {
		s.x.answer.body = append(s.x.answer.body, p...)
		return len(p), nil
	}
	if s.mute {
		return len(p), nil
	}
	if _, err := s.x.w.Write(p); err != nil {
		s.cancel() // the client is gone
		return 0, err
	}
	if s.sent > fastBytes {
		s.pace(min(len(p), s.sent-fastBytes))
	}
	return len(p), s.control.Flush()
}

// pace waits as long as so many bytes take.
func (s *stream) pace(n int) {
	wait := time.NewTimer(time.Duration(n) * time.Second / slowBytes)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-s.ctx.Done():
	}
}

// end completes what logs and traces tell of the answer. A failure that comes
// when the answer has begun can't be told to the client any more: the
// connection breaks off, so that nobody takes the answer for a whole one.
func (s *stream) end(fail *failure) *failure {
	x := s.x
	if s.silent.Load() && fail != nil {
		fail = integrationTimeout()
	}
	if !s.begun {
		return fail
	}
	x.streamed, x.cutOff = x.w != nil, fail != nil
	x.answer.size = s.sent
	if x.streamed {
		x.answer.body = s.seen
	}
	if fail != nil {
		x.note("cut off", strings.Join(fail.cause, "; "))
	}
	return nil
}

// setStreamHeader sets a header of a streamed answer. Its length is the
// stream's business.
func (x *exchange) setStreamHeader(name string, values []string, length *string) {
	switch strings.ToLower(name) {
	case "transfer-encoding":
	case "content-length":
		if n, err := strconv.ParseInt(values[len(values)-1], 10, 64); err == nil && n >= 0 {
			*length = strconv.FormatInt(n, 10)
		}
	case "content-encoding": // nobody but the integration compresses the answer
		x.answer.header["Content-Encoding"] = values
	default:
		x.setHeader(name, values)
	}
}

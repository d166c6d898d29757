package gateway

import (
	"context"
	"io"
	"net/http"
	"time"
)

// streamBackend is callHTTP of a backend whose answer is sent on as it comes:
// the limit of the integration's time is that of the whole answer.
func (x *exchange) streamBackend(req *http.Request) *failure {
	s := x.openStream()
	defer s.close()
	ctx, cancel := context.WithTimeout(s.ctx, x.m.timeout)
	defer cancel()
	begun := time.Now()
	fail := s.relay(x.m.http.transport, req.WithContext(ctx))
	x.inbound.called, x.inbound.latency = true, time.Since(begun)
	return s.end(fail)
}

// relay sends a backend's answer on.
func (s *stream) relay(t http.RoundTripper, req *http.Request) *failure {
	x := s.x
	res, err := t.RoundTrip(req)
	if err != nil {
		return backendFailure(req.URL, err)
	}
	defer func() { _ = res.Body.Close() }() // what matters of it has been read
	if res.StatusCode < http.StatusOK {     // a change of protocols
		return networkError()
	}
	x.inbound.status, x.inbound.header = res.StatusCode, res.Header
	x.answer.header = make(http.Header, len(res.Header)+4)
	length := ""
	for name, values := range res.Header {
		x.setStreamHeader(name, values, &length)
	}
	x.log.endpointResponse(x)
	s.begin(res.StatusCode, length)
	buffer := make([]byte, 32<<10)
	for {
		n, err := res.Body.Read(buffer)
		if n > 0 {
			if _, err := s.Write(buffer[:n]); err != nil {
				return nil // the client is gone
			}
		}
		switch err {
		case nil:
		case io.EOF:
			return nil
		default:
			return backendFailure(req.URL, err)
		}
	}
}

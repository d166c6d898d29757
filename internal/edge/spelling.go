package edge

import (
	"bytes"
	"context"
	"net"
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

type connKey struct{}

// KeepSpelling prepares srv, and returns the listener to give to srv.Serve
// instead of l, so that the front door knows how HTTP/1.1 clients spelled
// their header names. srv's ConnContext and ConnState must be free.
func KeepSpelling(srv *http.Server, l net.Listener) net.Listener {
	srv.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if s, ok := c.(*spellingConn); ok {
			return context.WithValue(ctx, connKey{}, s)
		}
		return ctx
	}
	srv.ConnState = func(c net.Conn, state http.ConnState) {
		if s, ok := c.(*spellingConn); ok && state == http.StateIdle {
			s.next()
		}
	}
	return spellingListener{l}
}

type spellingListener struct{ net.Listener }

func (l spellingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &spellingConn{Conn: c}, nil
}

// spellingConn copies what is read up to the end of a request's head.
type spellingConn struct {
	net.Conn
	mu   sync.Mutex
	head []byte
	done bool // the head is complete, or too long to keep
}

func (c *spellingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.record(b[:n])
	}
	return n, err
}

func (c *spellingConn) record(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done {
		return
	}
	from := max(0, len(c.head)-3) // the end may be split over two reads
	c.head = append(c.head, b[:min(len(b), maxHead-len(c.head))]...)
	if i := bytes.Index(c.head[from:], []byte("\r\n\r\n")); i >= 0 {
		c.head, c.done = c.head[:from+i+2], true
	} else if len(c.head) == maxHead {
		c.head, c.done = c.head[:0], true
	}
}

// next begins another request. The server calls it before it reads on; at
// most the first byte of the request line came earlier, which nobody needs.
func (c *spellingConn) next() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.head, c.done = c.head[:0], false
}

// spellings returns the client's spelling of each name that is not in
// canonical form, by the canonical one; nil if there are none.
func (c *spellingConn) spellings() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found map[string]string
	_, rest, _ := bytes.Cut(c.head, []byte("\r\n"))
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
	c, ok := r.Context().Value(connKey{}).(*spellingConn)
	if !ok || r.ProtoMajor != 1 {
		return r
	}
	spelled := c.spellings()
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

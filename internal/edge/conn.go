package edge

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/butai-dev/butai/internal/rawio"
)

type connKey struct{}

// Listener prepares srv, and returns the listener to give to srv.Serve
// instead of l, so that the front door knows how HTTP/1.1 clients spelled
// their header names, and requests cost less. srv's ConnContext and ConnState
// must be free.
func Listener(srv *http.Server, l net.Listener) net.Listener {
	srv.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if s, ok := c.(*conn); ok {
			ctx, s.leaving = context.WithCancel(context.WithValue(ctx, connKey{}, &s.head))
		}
		return ctx
	}
	srv.ConnState = func(c net.Conn, state http.ConnState) {
		s, ok := c.(*conn)
		switch {
		case !ok:
		case state == http.StateActive:
			s.enter()
		case state == http.StateIdle:
			s.leave()
			s.looks.Store(unwatched)
			s.head.next()
			s.takeTurns()
		default:
			s.leave()
		}
	}
	return &listener{Listener: l, conns: map[*conn]struct{}{}}
}

type listener struct {
	net.Listener
	active   atomic.Int32 // requests under way
	watching atomic.Bool  // watch is at work

	mu    sync.Mutex
	conns map[*conn]struct{} // open ones
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.remember(newConn(c, l)), nil
}

// deadlineSlack is how much earlier than asked a read may time out.
const deadlineSlack = 2 * time.Second

// conn is a client's connection as net/http uses it, without what that costs a
// request that is answered at once. net/http sets seven read deadlines a
// request and, while a handler runs, has a goroutine read one byte, which
// tells that the client has gone. Here a deadline is handed on when a read
// needs it, that goroutine's read ends at once, and the listener looks after
// clients whose requests take longer (watch.go).
//
// It also keeps a copy of each request's head (spelling.go).
type conn struct {
	net.Conn
	socket   io.ReadWriter // Conn's
	listener *listener
	head     head
	leaving  context.CancelFunc // ends the context of the connection's requests

	fresh atomic.Bool  // something was read since the last request ended
	busy  atomic.Bool  // a request is under way
	looks atomic.Int32 // see watch.go

	limited atomic.Bool // Conn has a write deadline

	mu      sync.Mutex
	want    time.Time // the read deadline that was asked for
	has     time.Time // the one that Conn has
	reading bool      // Conn.Read is under way
}

func newConn(c net.Conn, l *listener) *conn {
	s := &conn{Conn: c, socket: c, listener: l}
	if tcp, ok := c.(*net.TCPConn); ok {
		if raw, err := rawio.New(tcp); err == nil {
			s.socket = raw
		}
	}
	return s
}

func (c *conn) Read(b []byte) (int, error) {
	if len(b) == 1 { // as only that goroutine does
		c.await()
		return 0, nil
	}
	if err := c.begin(); err != nil {
		return 0, err
	}
	n, err := c.socket.Read(b[:min(len(b), bulk)])
	c.mu.Lock()
	c.reading = false
	c.mu.Unlock()
	if n == bulk {
		c.giveWay()
	}
	if n > 0 {
		c.head.record(b[:n])
		c.fresh.Store(true)
	}
	return n, err
}

func (c *conn) Write(b []byte) (int, error) { return c.socket.Write(b) }

func (c *conn) Close() error {
	c.listener.forget(c)
	if c.leaving != nil {
		c.leaving()
	}
	return c.Conn.Close()
}

// begin hands the deadline on, if Conn's own won't do.
func (c *conn) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if passed(c.want) {
		return os.ErrDeadlineExceeded
	}
	c.reading = true
	if near(c.has, c.want) {
		return nil
	}
	return c.apply()
}

// near tells whether one deadline does for the other.
func near(has, want time.Time) bool {
	if has.IsZero() || want.IsZero() {
		return has.IsZero() && want.IsZero()
	}
	early := want.Sub(has)
	return 0 <= early && early < deadlineSlack && !passed(has)
}

// passed tells whether a deadline is over. net/http ends reads with one that
// has been over for long, which needs no look at the clock.
func passed(deadline time.Time) bool {
	return !deadline.IsZero() && (deadline.Unix() < 2 || time.Until(deadline) <= 0)
}

func (c *conn) apply() error {
	c.has = c.want
	return c.Conn.SetReadDeadline(c.want)
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.want = t
	if c.reading {
		return c.apply()
	}
	return nil
}

// SetWriteDeadline leaves Conn alone if it has none and needs none, as net/http
// wants after each request.
func (c *conn) SetWriteDeadline(t time.Time) error {
	if limited := !t.IsZero(); c.limited.Swap(limited) || limited {
		return c.Conn.SetWriteDeadline(t)
	}
	return nil
}

func (c *conn) SetDeadline(t time.Time) error {
	if err := c.SetWriteDeadline(t); err != nil {
		return err
	}
	return c.SetReadDeadline(t)
}

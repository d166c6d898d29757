package edge

import (
	"context"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

type connKey struct{}

// Listener prepares srv, and returns the listener to give to srv.Serve
// instead of l, so that the front door knows how HTTP/1.1 clients spelled
// their header names, and requests cost less. srv's ConnContext and ConnState
// must be free.
func Listener(srv *http.Server, l net.Listener) net.Listener {
	srv.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if s, ok := c.(*conn); ok {
			return context.WithValue(ctx, connKey{}, &s.head)
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
			s.head.next()
			s.takeTurns()
		default:
			s.leave()
		}
	}
	return &listener{Listener: l}
}

type listener struct {
	net.Listener
	active atomic.Int32 // requests under way
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newConn(c, &l.active), nil
}

const (
	// watchDelay is how long a request is under way before anybody looks
	// whether its client has gone.
	watchDelay = 20 * time.Millisecond
	// deadlineSlack is how much earlier than asked a read may time out.
	deadlineSlack = 2 * time.Second
)

// conn is a client's connection as net/http uses it, without what that costs a
// request that is answered at once. net/http sets seven read deadlines a
// request and, while a handler runs, has a goroutine read one byte, which
// tells that the client has gone. Here a deadline is handed on when a read
// needs it, and that goroutine's read begins after watchDelay.
//
// It also keeps a copy of each request's head (spelling.go).
type conn struct {
	net.Conn
	head head

	fresh  atomic.Bool   // something was read since the last request ended
	busy   atomic.Bool   // a request is under way
	active *atomic.Int32 // of all connections

	mu      sync.Mutex
	want    time.Time // the read deadline that was asked for
	has     time.Time // the one that Conn has
	reading bool      // Conn.Read is under way
	holding bool      // a read waits for watchDelay
	wake    chan struct{}
	timer   *time.Timer
}

func newConn(c net.Conn, active *atomic.Int32) *conn {
	return &conn{Conn: c, active: active, wake: make(chan struct{}, 1)}
}

func (c *conn) Read(b []byte) (int, error) {
	if len(b) == 1 { // as only that goroutine does
		c.hold()
	}
	if err := c.begin(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(b[:min(len(b), bulk)])
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

// hold waits for watchDelay, or until the read's deadline passes.
func (c *conn) hold() {
	c.mu.Lock()
	if passed(c.want) {
		c.mu.Unlock()
		return
	}
	c.holding = true
	if c.timer == nil {
		c.timer = time.AfterFunc(watchDelay, c.endHold)
	} else {
		c.timer.Reset(watchDelay)
	}
	c.mu.Unlock()
	<-c.wake
}

func (c *conn) endHold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.release()
}

// release lets a held read go on; c.mu is held.
func (c *conn) release() {
	if c.holding {
		c.holding = false
		c.wake <- struct{}{} // there is room: one read holds, and is released once
	}
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
	switch {
	case c.reading:
		return c.apply()
	case c.holding && passed(t):
		c.timer.Stop()
		c.release()
	}
	return nil
}

func (c *conn) SetDeadline(t time.Time) error {
	if err := c.Conn.SetWriteDeadline(t); err != nil {
		return err
	}
	return c.SetReadDeadline(t)
}

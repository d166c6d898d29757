package edge

import (
	"syscall"
	"time"
)

// net/http finds out that a client has gone with a read of one byte, in a
// goroutine for each request. To start that one, to end it and to wake up a
// processor for it costs as much as the rest of a short request's reading. So
// its read ends at once, without a byte, and one goroutine looks at the
// connections whose requests have been under way for a while. It peeks, which
// takes nothing from the requests that a client sends ahead.

// watchPeriod is how often connections are looked at. A request is left alone
// for one to two of them.
const watchPeriod = 20 * time.Millisecond

// idleLooks is how many looks in a row that find no request end the watch.
const idleLooks = 5

// What conn.looks says; higher values count.
const (
	unwatched = iota // no request is under way, or its body is still being read
	waiting          // nobody has looked yet
	watched          // one look was taken
)

// await has the connection watched until its request ends.
func (c *conn) await() {
	c.looks.Store(waiting)
	if l := c.listener; !l.watching.Load() && l.watching.CompareAndSwap(false, true) {
		go l.watch()
	}
}

func (l *listener) watch() {
	tick := time.NewTicker(watchPeriod)
	defer tick.Stop()
	for idle := 0; ; {
		<-tick.C
		if l.active.Load() > 0 {
			idle = 0
			l.look()
			continue
		}
		if idle++; idle < idleLooks {
			continue
		}
		l.watching.Store(false)
		// A request that came in between may have found the watch at work.
		if l.active.Load() == 0 || !l.watching.CompareAndSwap(false, true) {
			return
		}
	}
}

// look ends the requests whose clients have gone.
func (l *listener) look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		if c.looks.CompareAndSwap(waiting, watched) || c.looks.Load() != watched {
			continue
		}
		if c.gone() {
			c.leaving()
		}
	}
}

// gone tells whether the client has closed its end, and sent nothing before
// that is yet to be read.
func (c *conn) gone() (gone bool) {
	s, ok := c.Conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return true
	}
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		gone = n == 0 && err == nil || err != nil && err != syscall.EAGAIN && err != syscall.EINTR
	})
	return gone || err != nil
}

func (l *listener) remember(c *conn) *conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[c] = struct{}{}
	return c
}

func (l *listener) forget(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}

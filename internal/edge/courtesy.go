package edge

import (
	"runtime"
	"time"
)

// A client that sends many requests at once, or megabytes, would have a core
// to itself for milliseconds while others wait for microseconds of it. So it
// gives way after each piece, if there is anybody else.

const (
	// bulk is how much of a body is read in one go.
	bulk = 128 << 10
	// courtesy is how long somebody gives way: the time of a few requests.
	courtesy = 100 * time.Microsecond
)

func (c *conn) enter() {
	if !c.busy.Swap(true) {
		c.listener.active.Add(1)
	}
}

func (c *conn) leave() {
	if c.busy.Swap(false) {
		c.listener.active.Add(-1)
	}
}

// takeTurns gives way if the next request of this connection is here already.
func (c *conn) takeTurns() {
	if !c.fresh.Swap(false) {
		c.giveWay()
	}
}

// giveWay lets other requests go first.
func (c *conn) giveWay() {
	others := c.listener.active.Load()
	if c.busy.Load() {
		others--
	}
	if others > 0 {
		time.Sleep(courtesy)
		return
	}
	runtime.Gosched()
}

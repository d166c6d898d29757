package function

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/butai-dev/butai/internal/function/bootstrap"
	"github.com/butai-dev/butai/internal/function/sandbox"
	"github.com/butai-dev/butai/internal/rawio"
)

// A sandbox whose calls take microseconds falls asleep and wakes up once per
// call, which costs more than the call. So those in line for a sandbox that is
// quick of late are sent to it ahead of their turn. It still works off one call
// after the other, and each call has its own time, log and end: what the
// sandbox has not begun when a call turns out to be slow is taken back and
// goes to others, and if its process ends, those behind are none the wiser.

const (
	// maxAhead is how many calls a sandbox is sent ahead at most. With fewer it
	// runs out of them in a crowd, before whoever has the answers gets to run and
	// sends more; with more of the longest its socket might have no room.
	maxAhead = 8
	// steadyCalls is how many calls in a row must have been quick, taking less
	// than quickCall, before any are sent ahead.
	steadyCalls = 16
	quickCall   = time.Millisecond
	// aheadLimit is the largest frame that is sent ahead; it is one packet.
	aheadLimit = 8 << 10
)

// pipeline is a session whose runtime works off several calls in order.
type pipeline interface {
	session
	Serial() bool
	Send(inv *bootstrap.Invocation, deadline time.Time) error
	Receive(deadline time.Time) (bootstrap.Frame, error)
	// takeBack takes back the calls that the runtime hasn't begun, and returns
	// their request ids. If it hasn't begun even the given one, whose turn it
	// is, it leaves all as it is.
	takeBack(current string) []string
}

// framed is a session over the socket that a bootstrap speaks frames on.
type framed struct {
	*bootstrap.Channel
	conn *os.File

	mu   sync.Mutex
	peer *os.File // the process's end, nil once that has ended
}

// line is the engine's end of the socket.
type line struct {
	*os.File
	socket *rawio.Socket
}

func (l *line) Read(b []byte) (int, error)  { return l.socket.Read(b) }
func (l *line) Write(b []byte) (int, error) { return l.socket.Write(b) }

// newFramed returns a session over both ends of a socket, which it owns, even
// if it returns an error.
func newFramed(ours, theirs *os.File) (*framed, error) {
	socket, err := rawio.New(ours)
	if err != nil {
		return nil, errors.Join(err, ours.Close(), theirs.Close())
	}
	return &framed{Channel: bootstrap.NewChannel(&line{File: ours, socket: socket}, maxResponse), conn: ours, peer: theirs}, nil
}

func (f *framed) Close() error {
	return errors.Join(f.conn.Close(), f.closePeer())
}

// letGo closes the process's end when the process ends, so that a reader of
// ours sees it.
func (f *framed) letGo(p *sandbox.Process) {
	p.AfterDone(func() { f.closePeer() })
}

func (f *framed) closePeer() (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.peer != nil {
		err = f.peer.Close()
		f.peer = nil
	}
	return err
}

// takeBack reads at the process's end of the socket. The kernel gives each
// packet to one reader only.
func (f *framed) takeBack(current string) (ids []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.peer == nil {
		return nil
	}
	buf := make([]byte, aheadLimit)
	n, _, err := syscall.Recvfrom(int(f.peer.Fd()), buf, syscall.MSG_DONTWAIT|syscall.MSG_PEEK)
	if err != nil || bootstrap.RequestIDOf(buf[:n]) == current {
		return nil // a process that gets no processor time isn't slow
	}
	for {
		n, _, err := syscall.Recvfrom(int(f.peer.Fd()), buf, syscall.MSG_DONTWAIT)
		if err != nil || n == 0 {
			return ids
		}
		if id := bootstrap.RequestIDOf(buf[:n]); id != "" {
			ids = append(ids, id)
		}
	}
}

// learn takes note of whether the last call was quick; Engine.mu is held.
func (i *instance) learn() {
	if i.took > 0 && i.took < quickCall {
		i.quick++
	} else {
		i.quick = 0
	}
}

// takesAhead tells whether the sandbox may be sent another call ahead of its
// turn; Engine.mu is held. One that was busy when somebody began to send may be
// idle by now, or taken by a caller who has yet to send its own.
func (i *instance) takesAhead(now time.Time) bool {
	return !i.parked && i.steady(now) && i.sent.Load() && len(i.ahead) < maxAhead && !i.sending && !i.pool.retired && !i.spent
}

// crowded tells that as many sandboxes as there are cores work off calls that
// are quick of late. One more would only take turns with those, each with
// colder caches; so calls line up even if there are idle ones. Engine.mu is
// held.
func (p *pool) crowded(cores int, now time.Time) bool {
	steady := 0
	for _, i := range p.busy {
		if i.steady(now) {
			steady++
		}
	}
	return steady >= cores
}

// steady tells whether the sandbox's calls are quick, the one under way
// included so far; Engine.mu is held.
func (i *instance) steady(now time.Time) bool {
	return i.quick >= steadyCalls && now.Sub(i.since) <= patience/2 && i.serial()
}

// serial tells whether the runtime can be sent calls ahead. Extensions must
// have done with one call before they hear of the next.
func (i *instance) serial() bool {
	if i.extensions != nil {
		return false
	}
	s, ok := i.session.(pipeline)
	return ok && s.Serial()
}

// roomy is a busy sandbox that can be sent a call ahead, nil if there is none;
// Engine.mu is held.
func (p *pool) roomy(now time.Time) (best *instance) {
	for _, i := range p.busy {
		if i.takesAhead(now) && (best == nil || len(i.ahead) < len(best.ahead)) {
			best = i
		}
	}
	return best
}

// sendAhead sends a sandbox calls from the line, as many as it takes, but no
// more than limit. e.mu is held, but not while it sends.
func (e *Engine) sendAhead(p *pool, i *instance, now time.Time, limit int) {
	for ; limit > 0 && len(p.waiting) > 0 && i.takesAhead(now); limit-- {
		inv := i.invocation(p.waiting[0].req, p.spec.Timeout)
		if inv.Size() > aheadLimit {
			return
		}
		w := p.next()
		w.ahead = true
		i.ahead = append(i.ahead, w)
		i.sending = true
		if e.onAhead != nil {
			e.onAhead()
		}
		s := i.session.(pipeline)
		e.mu.Unlock()
		// An error means that the process has ended, which whoever reads its
		// answers will find out.
		_ = s.Send(inv, now.Add(p.spec.Timeout))
		e.mu.Lock()
		i.sending = false
	}
}

// takeBack puts calls back in line that a sandbox has been sent and not begun,
// because the call before them takes long; e.mu is held.
func (e *Engine) takeBack(p *pool, i *instance) {
	back := map[string]bool{}
	for _, id := range i.session.(pipeline).takeBack(i.current) {
		back[id] = true
	}
	if len(back) == 0 {
		return
	}
	i.quick = 0
	var kept, returned []*waiter
	for _, w := range i.ahead {
		if back[w.req.RequestID] {
			returned = append(returned, w)
		} else {
			kept = append(kept, w)
		}
	}
	i.ahead = kept
	p.putBack(returned)
	for range returned {
		if i := e.takeIdle(p); i != nil {
			w := p.next()
			p.engage(i, w.req, time.Now())
			w.granted <- grant{instance: i}
		}
	}
}

// putBack puts calls at the head of the line; e.mu is held.
func (p *pool) putBack(list []*waiter) {
	if len(list) == 0 {
		return
	}
	for _, w := range list {
		w.ahead, w.since, w.served = false, time.Now(), p.served
	}
	p.waiting = append(append([]*waiter(nil), list...), p.waiting...)
}

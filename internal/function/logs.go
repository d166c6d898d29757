package function

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/function/bootstrap"
	"github.com/butai-dev/butai/internal/function/telemetry"
)

const (
	tailLimit  = 4096      // X-Amz-Log-Result carries the last 4 KB
	maxEvent   = 256 << 10 // longest CloudWatch Logs event; a longer line is cut
	pipeBuffer = 32 << 10
)

// pipeBuffers are shared: only a sandbox that writes right now needs one.
var pipeBuffers = sync.Pool{New: func() any { return new([pipeBuffer]byte) }}

// logWriter turns what a sandbox prints, and what the platform says about it,
// into log events in their order.
//
// Nobody waits at the pipe: what a call has printed is read when it ends, since
// bootstraps flush before they answer, and the watch passes on what slower ones
// print meanwhile. A call that prints nothing costs a read at most and one Put.
// What is printed between calls comes with the next one, as on Lambda, which
// freezes functions then.
type logWriter struct {
	spec   *Spec
	stream string
	clock  clock.Clock
	sink   LogSink // may be nil
	// initType is that of the sandbox's init phase.
	initType string

	calls atomic.Int64 // number of the call under way

	mu      sync.Mutex
	pipe    *os.File       // read end, nil without a process
	fd      int            // of pipe
	side    sideLog        // of the process's extensions
	hub     *telemetry.Hub // of the process's telemetry, or nil
	current string         // request id of the call under way
	carry   []byte         // what has been read and not been looked at
	partial []byte         // a line whose end hasn't come yet
	pending []LogEvent
	tail    []byte
	tailing bool
	marked  bool    // the mark of the call under way has been read
	over    bool    // that call has ended, and the next hasn't begun
	opening opening // of the call under way
	unended *report // of a call that extensions have yet to be done with
}

// logExtent says how much of what is in the pipe belongs to a call that has
// ended.
type logExtent int

const (
	logAll    logExtent = iota // all there is
	logMarked                  // what comes before the call's mark
	logRead                    // nothing more than what has been read already
	logSoFar                   // what has come of a call that is under way
)

// opening is the line that opens a call, until it is written.
type opening struct {
	due     bool
	at      time.Time
	request *Request
}

// publish has events go to a new process's subscribers, too.
func (l *logWriter) publish(hub *telemetry.Hub) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hub = hub
}

// attach reads a new process's output from pipe, and its extensions' from side
// unless that is nil, until detach.
func (l *logWriter) attach(pipe, side *os.File) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pipe, l.fd = pipe, int(pipe.Fd())
	syscall.SetNonblock(l.fd, true)
	l.side.attach(side)
}

// detach takes what is left in the pipe and lets go of it.
func (l *logWriter) detach() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pipe == nil {
		return
	}
	l.take(logAll)
	l.endLine()
	l.side.detach(l)
	l.flush()
	l.pipe.Close()
	l.pipe = nil
}

// call is the number of the call under way.
func (l *logWriter) call() int { return int(l.calls.Load()) }

// passOn hands over what the given call has printed so far, if it is still
// under way: the process may be at the next one already.
func (l *logWriter) passOn(call int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.call() == call && !l.over {
		l.take(logSoFar)
		l.flush()
	}
}

// take makes events of what belongs to the call under way; l.mu is held.
func (l *logWriter) take(extent logExtent) {
	l.side.take(l)
	switch extent {
	case logAll:
		for more := true; more; {
			more = l.read()
			if before, after, found := l.cut(); found {
				l.lines(before)
				l.carry = after
			}
			if !more || len(l.carry) > maxEvent {
				l.lines(l.carry)
				l.carry = nil
			}
		}
		return
	case logSoFar:
		for !l.marked {
			if before, after, found := l.cut(); found {
				l.lines(before)
				l.carry, l.marked = bytes.Clone(after), true
			} else if !l.read() {
				break
			} else if len(l.carry) > maxEvent {
				l.lines(l.carry)
				l.carry = nil
			}
		}
		if l.marked { // what follows is the next call's
			return
		}
	case logMarked:
		for !l.marked {
			if before, after, found := l.cut(); found {
				l.lines(before)
				l.carry = append([]byte(nil), after...)
				return
			}
			if !l.read() {
				break // there is no mark after all
			}
		}
		if l.marked { // the watch has seen it, and the rest is the next call's
			return
		}
	}
	l.lines(l.carry)
	l.carry = nil
}

// cut parts what has been read at the current call's mark.
func (l *logWriter) cut() (before, after []byte, found bool) {
	if bytes.IndexByte(l.carry, 0) < 0 {
		return nil, nil, false
	}
	return bytes.Cut(l.carry, bootstrap.EndMark(l.current))
}

// read reads once what there is in the pipe, and tells whether there was
// anything; l.mu is held.
func (l *logWriter) read() bool {
	if l.pipe == nil {
		return false
	}
	buf := pipeBuffers.Get().(*[pipeBuffer]byte)
	defer pipeBuffers.Put(buf)
	for {
		n, err := syscall.Read(l.fd, buf[:])
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil || n <= 0:
			return false
		}
		l.carry = append(l.carry, buf[:n]...)
		return true
	}
}

func (l *logWriter) lines(data []byte) {
	for len(data) > 0 {
		end := bytes.IndexByte(data, '\n') + 1
		if end == 0 {
			l.partial = append(l.partial, data...)
			if len(l.partial) >= maxEvent {
				l.endLine()
			}
			return
		}
		if len(l.partial) == 0 {
			l.emit(string(data[:end]))
		} else {
			l.partial = append(l.partial, data[:end]...)
			l.endLine()
		}
		data = data[end:]
	}
}

// endLine makes an event of a line without an end.
func (l *logWriter) endLine() {
	if len(l.partial) > 0 {
		l.emit(string(l.partial))
		l.partial = l.partial[:0]
	}
}

// emit makes an event of a line that the function has printed.
func (l *logWriter) emit(message string) {
	l.open()
	now, message := l.clock.Now(), strings.ToValidUTF8(bootstrap.Message(message), "\uFFFD")
	l.hub.Line(now, telemetry.Function, message)
	l.add(now, message)
}

// add makes an event of a line.
func (l *logWriter) add(at time.Time, message string) {
	if l.sink != nil {
		l.pending = append(l.pending, LogEvent{Time: at, Message: message})
	}
	if l.tailing {
		l.tail = append(l.tail, message...)
		if len(l.tail) > 4*tailLimit {
			l.tail = append(l.tail[:0], l.tail[len(l.tail)-tailLimit:]...)
		}
	}
}

// flush hands the pending events over; l.mu is held.
func (l *logWriter) flush() {
	if len(l.pending) > 0 {
		l.sink.Put(l.spec.Account, l.spec.Region, l.spec.LogGroup, l.stream, l.pending)
		l.pending = nil
	}
}

// instanceID names the sandbox as AWS's events do.
func (l *logWriter) instanceID() string {
	day, name, _ := strings.Cut(l.stream, "[")
	return day + l.spec.Name + "[" + name
}

// settle writes out what the process has printed so far.
func (l *logWriter) settle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.take(logAll)
	l.endLine()
	l.flush()
}

// begin starts collecting the log of one call.
func (l *logWriter) begin(req *Request) {
	l.mu.Lock()
	l.calls.Add(1)
	l.current, l.marked, l.over = req.RequestID, false, false
	l.tailing, l.tail = req.Tail, l.tail[:0]
	l.mu.Unlock()
}

// platform writes a line of the platform's own: text, or type and record if
// the function logs JSON. Either may be empty to write nothing in its format.
// Subscribers of telemetry get type and record.
func (l *logWriter) platform(text, kind string, record any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.take(logAll)
	l.endLine()
	l.line(l.clock.Now(), text, kind, record)
	l.flush()
}

func (l *logWriter) line(at time.Time, text, kind string, record any) {
	if kind != "" {
		l.hub.Emit(at, kind, record)
	}
	if l.spec.LogFormat != logFormatJSON {
		if text != "" {
			l.add(at, text)
		}
		return
	}
	if kind == "" || !l.spec.logs(record) {
		return
	}
	data, err := json.Marshal(struct {
		Time   string `json:"time"`
		Type   string `json:"type"`
		Record any    `json:"record"`
	}{at.UTC().Format(logTimeFormat), kind, record})
	if err == nil {
		l.add(at, string(data)+"\n")
	}
}

const (
	statusSuccess = "success"
	logFormatJSON = "JSON"
	logTimeFormat = "2006-01-02T15:04:05.000Z"
)

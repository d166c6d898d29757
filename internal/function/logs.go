package function

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/butai-dev/butai/internal/clock"
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
// A goroutine passes on what functions print while they run. Before the lines
// that close a call, whatever is still in the pipe is read without waiting:
// bootstraps flush before they answer, so all of a call's output is there by
// then. A call that prints nothing costs one read and one Put.
type logWriter struct {
	spec   *Spec
	stream string
	clock  clock.Clock
	sink   LogSink // may be nil

	mu      sync.Mutex
	pipe    *os.File        // read end, nil without a process
	raw     syscall.RawConn // of pipe
	partial []byte          // a line whose end hasn't come yet
	pending []LogEvent
	tail    []byte
	tailing bool
}

// attach reads a new process's output from pipe, until close or its end.
func (l *logWriter) attach(pipe *os.File) error {
	raw, err := pipe.SyscallConn()
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.pipe, l.raw = pipe, raw
	l.mu.Unlock()
	go raw.Read(func(fd uintptr) (done bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.pipe != pipe {
			return true
		}
		ended, got := l.read(int(fd))
		if got {
			l.flush()
		}
		return ended
	})
	return nil
}

// detach takes what is left in the pipe and lets go of it.
func (l *logWriter) detach() {
	l.mu.Lock()
	pipe := l.pipe
	if pipe != nil {
		l.drain()
		l.endLine()
		l.flush()
		l.pipe = nil
	}
	l.mu.Unlock()
	if pipe != nil {
		pipe.Close() // waits for the reading goroutine, which takes l.mu
	}
}

// drain reads what is in the pipe now; l.mu is held.
func (l *logWriter) drain() {
	if l.pipe != nil {
		l.raw.Control(func(fd uintptr) { l.read(int(fd)) })
	}
}

// read takes lines from the pipe until it is empty or ended; l.mu is held.
func (l *logWriter) read(fd int) (ended, got bool) {
	buf := pipeBuffers.Get().(*[pipeBuffer]byte)
	defer pipeBuffers.Put(buf)
	for {
		n, err := syscall.Read(fd, buf[:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return false, got
		case err != nil || n == 0:
			return true, got
		}
		got = true
		l.lines(buf[:n])
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

func (l *logWriter) emit(message string) {
	message = strings.ToValidUTF8(message, "\uFFFD")
	if l.sink != nil {
		l.pending = append(l.pending, LogEvent{Time: l.clock.Now(), Message: message})
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

// settle writes out what the process has printed so far.
func (l *logWriter) settle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drain()
	l.endLine()
	l.flush()
}

// begin starts collecting the log of one call.
func (l *logWriter) begin(req *Request) {
	l.mu.Lock()
	l.tailing, l.tail = req.Tail, l.tail[:0]
	l.mu.Unlock()
}

// platform writes a line of the platform's own: text, or type and record if
// the function logs JSON. Either may be empty to write nothing in its format.
func (l *logWriter) platform(text, kind string, record any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drain()
	l.endLine()
	l.line(text, kind, record)
	l.flush()
}

func (l *logWriter) line(text, kind string, record any) {
	if l.spec.LogFormat != logFormatJSON {
		if text != "" {
			l.emit(text)
		}
		return
	}
	if kind == "" {
		return
	}
	data, err := json.Marshal(struct {
		Time   string `json:"time"`
		Type   string `json:"type"`
		Record any    `json:"record"`
	}{l.clock.Now().UTC().Format(logTimeFormat), kind, record})
	if err == nil {
		l.emit(string(data) + "\n")
	}
}

const (
	logFormatJSON = "JSON"
	logTimeFormat = "2006-01-02T15:04:05.000Z"
)

type startRecord struct {
	RequestID string `json:"requestId"`
	Version   string `json:"version"`
}

// start writes the line that opens a call. It is handed over with what follows.
func (l *logWriter) start(requestID, version string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.spec.LogFormat == logFormatJSON {
		l.line("", "platform.start", startRecord{requestID, version})
		return
	}
	l.emit("START RequestId: " + requestID + " Version: " + version + "\n")
}

// finish writes the lines that close a call and returns the tail of its log,
// nil if it wasn't asked for.
func (l *logWriter) finish(requestID, message string, r *report) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drain()
	l.endLine()
	if message != "" {
		for line := range strings.Lines(message) {
			l.emit(line)
		}
	}
	if l.spec.LogFormat == logFormatJSON {
		l.line("", "platform.report", r.record())
	} else {
		l.emit("END RequestId: " + requestID + "\n")
		l.emit(r.text())
	}
	l.flush()
	if !l.tailing {
		return nil
	}
	l.tailing = false
	return bytes.Clone(l.tail[max(0, len(l.tail)-tailLimit):])
}

// reportRecord is the platform.report record of JSON logs.
type reportRecord struct {
	RequestID string        `json:"requestId"`
	Metrics   reportMetrics `json:"metrics"`
	Status    string        `json:"status"`
	ErrorType string        `json:"errorType,omitempty"`
}

type reportMetrics struct {
	DurationMS       float64 `json:"durationMs"`
	BilledDurationMS int64   `json:"billedDurationMs"`
	MemorySizeMB     int     `json:"memorySizeMB"`
	MaxMemoryUsedMB  int     `json:"maxMemoryUsedMB"`
	InitDurationMS   float64 `json:"initDurationMs,omitempty"`
}

func (r *report) record() reportRecord {
	status := r.status
	if status == "" {
		status = "success"
	}
	return reportRecord{r.requestID, reportMetrics{
		millis(r.duration), billed(r.duration + r.init), r.memoryMB, r.usedMB, millis(r.init),
	}, status, r.errorType}
}

// initRecord is the platform.initReport record of JSON logs.
type initRecord struct {
	Type    string `json:"initializationType"`
	Phase   string `json:"phase"`
	Status  string `json:"status"`
	Error   string `json:"errorType,omitempty"`
	Metrics struct {
		DurationMS float64 `json:"durationMs"`
	} `json:"metrics"`
}

// initFailed writes the line about a failed init phase.
func (l *logWriter) initFailed(took time.Duration, phase, status, errorType string) {
	record := initRecord{Type: initOnDemand, Phase: phase, Status: status, Error: errorType}
	record.Metrics.DurationMS = millis(took)
	l.platform(initReport(took, phase, status, errorType), "platform.initReport", record)
}

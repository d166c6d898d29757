package function

import (
	"bytes"
	"cmp"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/function/telemetry"
)

// What the log says of a call: START, END and REPORT, and of an init phase.

// start notes that a call begins. The line that says so is written with what
// follows it, unless somebody wants it now.
func (l *logWriter) start(req *Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opening = opening{true, l.clock.Now(), req}
	if l.hub.Active() {
		l.open()
	}
}

// open writes the line that opens the call, if it is due.
func (l *logWriter) open() {
	o := &l.opening
	if !o.due {
		return
	}
	o.due = false
	l.line(o.at, "START RequestId: "+o.request.RequestID+" Version: "+l.spec.Version+"\n", "platform.start",
		startRecord{o.request.RequestID, l.spec.ARN, l.spec.Version, l.tracing()})
}

// tracing is the trace of the call under way, nil without active tracing.
func (l *logWriter) tracing() *traceContext {
	if l.spec.TracingMode != TracingActive || l.opening.request.TraceID == "" {
		return nil
	}
	return &traceContext{"X-Amzn-Trace-Id", l.opening.request.TraceID}
}

// finish writes the lines that close a call, after the given part of what is
// still in the pipe, and returns the tail of the call's log, nil if it wasn't
// asked for. If extensions have yet to be done with the call, the last lines
// are only in the tail, and conclude writes them.
func (l *logWriter) finish(message string, extent logExtent, r *report, extended bool) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.take(extent)
	l.endLine()
	if message != "" {
		l.open()
		now := l.clock.Now()
		for line := range strings.Lines(message) {
			l.add(now, line)
		}
		l.hub.Emit(now, telemetry.TypeFault, message)
	}
	l.done(r)
	if extended {
		l.postpone(r)
	} else {
		l.close(r)
	}
	l.flush()
	l.over = !extended
	if !l.tailing {
		return nil
	}
	l.tailing = false
	return bytes.Clone(l.tail[max(0, len(l.tail)-tailLimit):])
}

// postpone leaves it to conclude to close the call, but for the tail, which the
// caller gets now.
func (l *logWriter) postpone(r *report) {
	l.open()
	l.unended = r
	if l.tailing {
		sink, hub := l.sink, l.hub
		l.sink, l.hub = nil, nil
		l.close(r)
		l.sink, l.hub = sink, hub
	}
}

// conclude closes a call that extensions are done with by now, after so long
// and perhaps with an error.
func (l *logWriter) conclude(overhead time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.unended
	if r == nil {
		return
	}
	l.unended = nil
	l.take(logAll)
	r.overhead = overhead
	r.duration += overhead
	if errors.Is(err, os.ErrDeadlineExceeded) {
		r.status, r.duration = statusTimeout, l.spec.Timeout
	}
	l.close(r)
	l.flush()
}

// done tells that the runtime has done with the call.
func (l *logWriter) done(r *report) {
	if l.hub.Active() || l.spec.LogFormat == logFormatJSON && l.spec.logs(doneRecord{Status: cmp.Or(r.status, statusSuccess)}) {
		l.open()
		l.line(l.clock.Now(), "", telemetry.TypeRuntimeDone, r.doneRecord(l.tracing()))
	}
}

// close writes END and REPORT, and START before them if it is still due.
func (l *logWriter) close(r *report) {
	if l.hub.Active() {
		l.hub.Emit(l.clock.Now(), telemetry.TypeEnd, endRecord{r.requestID})
	}
	if l.spec.LogFormat == logFormatJSON {
		l.open()
		l.line(l.clock.Now(), "", "platform.report", r.record(l.tracing()))
		return
	}
	if l.hub.Active() {
		l.hub.Emit(l.clock.Now(), "platform.report", r.record(l.tracing()))
	}
	l.closeText(r)
}

// closeText makes one text of all lines, which is most of what a quiet call's
// log costs.
func (l *logWriter) closeText(r *report) {
	b := make([]byte, 0, 384)
	o := &l.opening
	if o.due {
		b = append(b, "START RequestId: "...)
		b = append(b, o.request.RequestID...)
		b = append(b, " Version: "...)
		b = append(b, l.spec.Version...)
		b = append(b, '\n')
	}
	start := len(b)
	b = append(b, "END RequestId: "...)
	b = append(b, r.requestID...)
	b = append(b, '\n')
	end := len(b)
	b = r.appendText(b)
	if t := l.tracing(); t != nil {
		b = appendTrace(b, t.Value)
	}
	text, now := string(b), l.clock.Now()
	if l.pending == nil && l.sink != nil {
		l.pending = make([]LogEvent, 0, 3)
	}
	if o.due {
		o.due = false
		l.add(o.at, text[:start])
	}
	l.add(now, text[start:end])
	l.add(now, text[end:])
}

// reportRecord is the platform.report record of JSON logs.
type reportRecord struct {
	RequestID string        `json:"requestId"`
	Metrics   reportMetrics `json:"metrics"`
	Status    string        `json:"status"`
	ErrorType string        `json:"errorType,omitempty"`
	Spans     []span        `json:"spans,omitempty"`
	Tracing   *traceContext `json:"tracing,omitempty"`
}

type reportMetrics struct {
	DurationMS       float64 `json:"durationMs"`
	BilledDurationMS int64   `json:"billedDurationMs"`
	MemorySizeMB     int     `json:"memorySizeMB"`
	MaxMemoryUsedMB  int     `json:"maxMemoryUsedMB"`
	InitDurationMS   float64 `json:"initDurationMs,omitempty"`
	RestoreMS        float64 `json:"restoreDurationMs,omitempty"`
	BilledRestoreMS  int64   `json:"billedRestoreDurationMs,omitempty"`
}

func (r *report) record(tracing *traceContext) reportRecord {
	record := reportRecord{RequestID: r.requestID, Metrics: reportMetrics{
		preciseMillis(r.duration), r.billed(), r.memoryMB, r.usedMB, preciseMillis(r.init), preciseMillis(r.restore), billed(r.restore),
	}, Status: cmp.Or(r.status, statusSuccess), ErrorType: r.errorType, Tracing: tracing}
	if r.overhead > 0 {
		record.Spans = []span{newSpan("extensionOverhead", r.started.Add(r.duration-r.overhead), r.overhead)}
	}
	return record
}

// doneRecord is what is known when the runtime has done with the call.
func (r *report) doneRecord(tracing *traceContext) doneRecord {
	record := doneRecord{
		RequestID: r.requestID, Status: cmp.Or(r.status, statusSuccess), Error: r.errorType, Tracing: tracing,
		Metrics: doneMetrics{preciseMillis(r.duration), r.produced},
	}
	if r.status == "" {
		record.Spans = []span{
			newSpan("responseLatency", r.started, r.latency),
			newSpan("responseDuration", r.started.Add(r.latency), max(0, r.duration-r.latency)),
		}
	}
	return record
}

// initSucceeded tells that an init phase went well. The text log has a line for
// one that nobody waited for only ("Lambda execution environment lifecycle").
func (l *logWriter) initSucceeded(took time.Duration, phase string) {
	text := ""
	if l.initType != initOnDemand {
		text = string(append(appendMillis([]byte("INIT_REPORT Init Duration: "), took), " ms\n"...))
	}
	l.platform(text, "platform.initReport", initRecord{
		Type: l.initType, Phase: phase, Status: statusSuccess, Metrics: durationMetrics{preciseMillis(took)},
	})
}

// initFailed writes the line about a failed init phase.
func (l *logWriter) initFailed(took time.Duration, phase, status, errorType string) {
	l.platform(initReport(took, phase, status, errorType), "platform.initReport", initRecord{
		Type: l.initType, Phase: phase, Status: status, Error: errorType, Metrics: durationMetrics{preciseMillis(took)},
	})
}

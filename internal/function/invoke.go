package function

import (
	"context"
	"time"
)

// Invoke implements Invoker. A function that has begun runs on when its caller
// goes away, as on AWS: ctx and req.Deadline bound how long the caller waits.
func (e *Engine) Invoke(ctx context.Context, spec *Spec, req *Request) (*Result, error) {
	if !mayOutlast(ctx, spec, req) {
		return e.call(ctx, spec, req)
	}
	if !req.Deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, req.Deadline)
		defer cancel()
	}
	type answer struct {
		result *Result
		err    error
	}
	answered := make(chan answer, 1)
	go func() {
		result, err := e.call(context.WithoutCancel(ctx), spec, req)
		answered <- answer{result, err}
	}()
	select {
	case a := <-answered:
		return a.result, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// mayOutlast reports whether a call may last longer than its caller waits.
// Most can't: a function's own timeout is usually far below API Gateway's 29
// seconds, and a call that needs no watching needs no goroutine either.
func mayOutlast(ctx context.Context, spec *Spec, req *Request) bool {
	deadline, ok := ctx.Deadline()
	if !req.Deadline.IsZero() && (!ok || req.Deadline.Before(deadline)) {
		deadline, ok = req.Deadline, true
	}
	return ok && time.Until(deadline) < initLimit+spec.Timeout
}

// call waits for a sandbox, until ctx ends, and runs one call in it.
func (e *Engine) call(ctx context.Context, spec *Spec, req *Request) (*Result, error) {
	i, sent, counted, err := e.acquire(ctx, spec, req)
	if err != nil {
		return nil, err
	}
	result, err := i.run(req, sent)
	if i.extensions != nil && i.extended() {
		go e.releaseExtended(i, counted)
		return result, err
	}
	e.release(i, counted)
	return result, err
}

// outcome is how one call ended.
type outcome struct {
	dead      bool // the sandbox can't serve again
	payload   []byte
	failed    bool
	status    string // of the report line: "", "error" or "timeout"
	errorType string // of the report line
	message   string // a line that the platform adds to the log, or ""
	produced  int    // bytes of the response

	took time.Duration // as the runtime has measured it, or 0
	log  logExtent
}

// run passes one call to the sandbox, unless that was sent it already, and
// writes its log lines.
func (i *instance) run(req *Request, sent bool) (*Result, error) {
	start := time.Now()
	i.wake()
	i.beginWeighed(start)
	cold := i.calls == 0
	i.calls++
	i.log.begin(req)
	out, ran, suppressed := outcome{log: logAll}, true, i.initFailure != nil
	if suppressed {
		out, ran = i.initAgain(req, start.Add(i.spec.Timeout))
	}
	i.log.start(req)
	if ran {
		out = i.exchange(req, sent, start)
	}
	end := time.Now()
	took := end.Sub(start)
	if out.took > 0 && !suppressed {
		took = out.took
	}
	if out.status == statusTimeout {
		took = i.spec.Timeout
	}
	i.took, i.dead = took, out.dead
	i.endWeighed(start)
	if i.internal != nil {
		return nil, i.internal
	}
	report := report{
		requestID: req.RequestID, duration: took, memoryMB: i.spec.MemoryMB, usedMB: i.memoryUsed(took, end),
		status: out.status, errorType: out.errorType,
		started: i.engine.cfg.Clock.Now().Add(start.Sub(end)), latency: took, produced: out.produced,
	}
	switch {
	case !cold || suppressed:
	case i.restoreTook > 0:
		report.restore = i.restoreTook
	default:
		report.init = i.initTook
	}
	tail := i.log.finish(out.message, out.log, &report, i.extensions != nil && i.extended())
	result := &Result{Payload: out.payload, LogTail: tail, ColdStart: cold, Duration: took}
	if out.failed {
		result.FunctionError = "Unhandled"
	}
	return result, nil
}

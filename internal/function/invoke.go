package function

import (
	"context"
	"time"
)

// Invoke implements Invoker. The context only bounds the wait for a sandbox: a
// function that has begun runs on when its caller goes away, as on AWS.
func (e *Engine) Invoke(ctx context.Context, spec *Spec, req *Request) (*Result, error) {
	i, leave, err := e.acquire(ctx, spec)
	if err != nil {
		return nil, err
	}
	result, err := i.run(req)
	e.release(i, leave)
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
}

// run passes one call to the sandbox and writes its log lines.
func (i *instance) run(req *Request) (*Result, error) {
	start := time.Now()
	cold := i.calls == 0
	i.calls++
	i.log.begin(req)
	out, ran, suppressed := outcome{}, true, i.initFailure != nil
	if suppressed {
		out, ran = i.initAgain(req, start.Add(i.spec.Timeout))
	}
	i.log.start(req.RequestID, i.spec.Version)
	if ran {
		out = i.exchange(req, start)
	}
	took := time.Since(start)
	if out.status == statusTimeout {
		took = i.spec.Timeout
	}
	i.took, i.dead = took, out.dead
	if i.internal != nil {
		return nil, i.internal
	}
	report := report{
		requestID: req.RequestID, duration: took, memoryMB: i.spec.MemoryMB, usedMB: i.memoryUsed(took),
		status: out.status, errorType: out.errorType,
	}
	if cold && !suppressed {
		report.init = i.initTook
	}
	tail := i.log.finish(req.RequestID, out.message, &report)
	result := &Result{Payload: out.payload, LogTail: tail, ColdStart: cold, Duration: took}
	if out.failed {
		result.FunctionError = "Unhandled"
	}
	return result, nil
}

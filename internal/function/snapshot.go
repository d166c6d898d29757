package function

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/butai-dev/butai/internal/function/bootstrap"
	"github.com/butai-dev/butai/internal/function/runtimes"
)

// SnapStart: AWS runs a published version's init phase once, keeps an image of
// its memory, and begins cold starts from that. Here, sandboxes that have their
// init phase behind them are kept instead, a few for each version in use: a
// cold start takes one, and another takes its place in the background. Each has
// run the init phase itself, so what must be unique (seeds, connections, ids)
// is, and runtime hooks are called at the same points as on AWS. Beyond the
// kept ones, a burst pays for its init phases itself.

const (
	initSnapStart = "snap-start"
	// longInit is the longest init phase of sandboxes that are started before
	// anybody calls, unless the function's timeout is longer ("Lambda execution
	// environment lifecycle").
	longInit = 130 * time.Second
	// restoreLimit is how long the hooks of a restore may take ("Lambda SnapStart
	// runtime hooks").
	restoreLimit = 10 * time.Second
)

// InitError says why a version's init phase failed.
type InitError struct {
	Type     string // as report lines show it; "" if it timed out
	Message  string
	TimedOut bool
}

func (e *InitError) Error() string { return "function: init phase: " + e.Type + ": " + e.Message }

// RestoreError says that the hooks of a restored sandbox failed or took too
// long.
type RestoreError struct{ TimedOut bool }

func (e *RestoreError) Error() string {
	if e.TimedOut {
		return "function: the hooks of a restore timed out"
	}
	return "function: the hooks of a restore failed"
}

// frozen are a version's sandboxes that wait with their init phase behind
// them. Engine.mu guards it.
type frozen struct {
	ready  []*instance
	making bool
	used   time.Time
}

// Snapshot initializes a version with SnapStart and keeps the sandbox for its
// first call. The error is an *InitError if the function is to blame.
func (e *Engine) Snapshot(ctx context.Context, spec *Spec) error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return errClosed
	}
	p := e.poolOf(spec)
	if e.live >= e.cfg.MaxSandboxes {
		_ = e.dropSpare() || e.dropFrozen(p) || e.evictOldest() // a version must not stay pending for lack of room
	}
	e.live++
	e.work.Add(1)
	e.mu.Unlock()
	made := make(chan error, 1)
	go func() {
		defer e.work.Done()
		made <- e.freeze(p)
	}()
	select {
	case err := <-made:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// freeze starts one sandbox, which e.live counts already, and puts it aside
// after its init phase.
func (e *Engine) freeze(p *pool) error {
	i, err := e.launch(p, initSnapStart)
	if err == nil && i.initFailure != nil {
		err = i.initFailure.initError()
		e.end([]*instance{i})
	}
	e.mu.Lock()
	keep := err == nil && !p.retired && !e.closed
	if keep {
		i.mayRest()
		p.frozen.ready = append(p.frozen.ready, i)
		p.frozen.used = time.Now()
	} else {
		e.live--
		e.dropIfDone(p)
	}
	e.mu.Unlock()
	switch {
	case err == nil && !keep:
		e.end([]*instance{i})
	case err == nil && e.cfg.Freeze:
		i.freeze()
	}
	return err
}

// initError is a failure as the control plane tells it.
func (f *initFailure) initError() *InitError {
	_, kind := f.status()
	switch {
	case f.timedOut:
		return &InitError{TimedOut: true, Message: "The init phase timed out."}
	case f.fault != nil:
		return &InitError{Type: kind, Message: f.fault.Message}
	case f.exit != nil:
		_, text := exitText(*f.exit)
		return &InitError{Type: kind, Message: text}
	}
	return &InitError{Type: kind, Message: string(f.payload)}
}

// obtain starts a sandbox for p's line.
func (e *Engine) obtain(p *pool) (*instance, error) {
	if !p.spec.SnapStart {
		return e.launch(p, initOnDemand)
	}
	e.mu.Lock()
	i := e.thaw(p)
	e.refreeze(p)
	e.mu.Unlock()
	if i == nil {
		var err error
		if i, err = e.launch(p, initSnapStart); err != nil || i.initFailure != nil {
			return i, err
		}
	}
	if err := i.restore(); err != nil {
		e.end([]*instance{i})
		return nil, err
	}
	return i, nil
}

// thaw takes a frozen sandbox, nil if there is none; e.mu is held.
func (e *Engine) thaw(p *pool) *instance {
	p.frozen.used = time.Now()
	for len(p.frozen.ready) > 0 {
		i := p.frozen.ready[0]
		p.frozen.ready = slices.Delete(p.frozen.ready, 0, 1)
		e.live--
		if !i.worn() {
			return i
		}
		e.endLater(i)
	}
	return nil
}

// refreeze sees to it that frozen sandboxes are there again; e.mu is held.
func (e *Engine) refreeze(p *pool) {
	if p.frozen.making || p.retired || e.closed {
		return
	}
	p.frozen.making = true
	e.work.Add(1)
	go func() {
		defer e.work.Done()
		select {
		case <-time.After(spareWait): // the call comes first
		case <-e.stop:
		}
		for e.freezeMore(p) {
		}
	}()
}

// freezeMore freezes one sandbox and tells whether there is room for more.
func (e *Engine) freezeMore(p *pool) bool {
	e.mu.Lock()
	if e.closed || p.retired || len(p.frozen.ready) >= max(1, e.cfg.Spares) || e.live >= e.cfg.MaxSandboxes {
		p.frozen.making = false
		e.mu.Unlock()
		return false
	}
	e.live++
	e.mu.Unlock()
	if err := e.freeze(p); err != nil {
		e.cfg.Logger.Warn("no snapshot could be renewed", "function", p.spec.ARN, "version", p.spec.Version, "reason", err)
		e.mu.Lock()
		p.frozen.making = false
		e.mu.Unlock()
		return false
	}
	return true
}

// takeFrozen takes all of a version's frozen sandboxes; e.mu is held.
func (e *Engine) takeFrozen(p *pool) []*instance {
	list := p.frozen.ready
	p.frozen.ready = nil
	e.live -= len(list)
	return list
}

// dropFrozen makes room by ending a frozen sandbox of another version than p's;
// e.mu is held.
func (e *Engine) dropFrozen(p *pool) bool {
	for _, other := range e.pools {
		if n := len(other.frozen.ready); n > 0 && other != p {
			e.endLater(other.frozen.ready[n-1])
			other.frozen.ready = other.frozen.ready[:n-1]
			e.live--
			return true
		}
	}
	return false
}

// restorer is a session whose runtime has hooks to run after a restore.
type restorer interface {
	Restore(deadline time.Time) (bootstrap.Frame, error)
}

type restoreStartRecord struct {
	Name       string `json:"functionName"`
	Version    string `json:"functionVersion"`
	Runtime    string `json:"runtimeVersion"`
	RuntimeARN string `json:"runtimeVersionArn"`
	Instance   string `json:"instanceId"`
	MaxMemory  int64  `json:"instanceMaxMemory"` // bytes
}

type restoreReportRecord struct {
	Error   string          `json:"errorType,omitempty"`
	Metrics durationMetrics `json:"metrics"`
	Status  string          `json:"status"`
}

// restore makes a sandbox with its init phase behind it serve calls.
func (i *instance) restore() error {
	i.wake()
	version, arn := i.interpreter.RuntimeVersion(), runtimes.VersionARN(i.spec.Region, i.spec.Runtime)
	i.log.platform(fmt.Sprintf("RESTORE_START Runtime Version: %s\tRuntime Version ARN: %s\n", version, arn),
		"platform.restoreStart", restoreStartRecord{i.spec.Name, i.spec.Version, version, arn, i.log.instanceID(), int64(i.spec.MemoryMB) << 20})
	var failed *RestoreError
	status, kind := "", ""
	start := time.Now()
	if s, ok := i.session.(restorer); ok {
		frame, err := s.Restore(start.Add(restoreLimit))
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			failed, status = &RestoreError{TimedOut: true}, statusTimeout
		case err != nil || frame.Kind != bootstrap.Ready:
			failed, status, kind = &RestoreError{}, statusError, reportedType(frame.ErrorType)
		}
	}
	i.restoreTook = max(time.Since(start), time.Microsecond)
	record := restoreReportRecord{Status: status, Error: kind}
	if failed == nil {
		record.Status = statusSuccess
	}
	record.Metrics.DurationMS = preciseMillis(i.restoreTook)
	i.log.platform("", "platform.restoreRuntimeDone", restoreDoneRecord{record.Status, record.Error})
	i.log.platform(restoreReport(i.restoreTook, status, kind), "platform.restoreReport", record)
	if failed != nil {
		return failed
	}
	return nil
}

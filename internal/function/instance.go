package function

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/butai-dev/butai/internal/function/bootstrap"
	"github.com/butai-dev/butai/internal/function/runtimeapi"
	"github.com/butai-dev/butai/internal/function/runtimes"
	"github.com/butai-dev/butai/internal/function/sandbox"
	"github.com/butai-dev/butai/internal/function/telemetry"
	"github.com/butai-dev/butai/internal/ident"
)

const (
	// initLimit is the longest init phase outside of a call ("Lambda execution
	// environment lifecycle").
	initLimit = 10 * time.Second
	// exitGrace is how long a process may take to end once it has closed its
	// socket, so that its true exit status is seen.
	exitGrace    = time.Second
	initOnDemand = "on-demand"
	// credentialMargin is how long before their end credentials are too old to
	// begin a call with.
	credentialMargin = time.Minute
	// Calls that take longer than memoryLongCall, or come memoryRefresh after
	// the last look, have the memory high-water mark read anew.
	memoryLongCall = time.Millisecond
	memoryRefresh  = 50 * time.Millisecond
)

// session is the engine's line to a runtime process, whatever it speaks.
type session interface {
	// Ready waits for the end of the init phase: a Ready or InitFailed frame.
	Ready(deadline time.Time) (bootstrap.Frame, error)
	// Invoke runs one call: a Response, Failure or Fatal frame, or
	// os.ErrDeadlineExceeded, or another error once the process is gone.
	Invoke(inv *bootstrap.Invocation, deadline time.Time) (bootstrap.Frame, error)
	Close() error
}

// instance is one sandbox of a pool. It serves one call at a time; only kill
// and close may be called by others, and only on a launched instance.
type instance struct {
	engine      *Engine
	pool        *pool
	spec        *Spec
	interpreter *runtimes.Interpreter
	credentials Credentials
	initType    string // as the function sees it in AWS_LAMBDA_INITIALIZATION_TYPE
	log         *logWriter

	// mu guards killed, and writes of proc, session, extensions, hub and ending.
	mu         sync.Mutex
	extensions *runtimeapi.Extensions // nil if it can't have any
	sealed     bool                   // it can't get any any more
	ending     string                 // why it will end, as extensions are told
	killed     bool
	hub        *telemetry.Hub // of the process's telemetry
	proc       *sandbox.Process
	session    session

	// tmp is the /tmp of a process that had to end, for the next one.
	tmp *sandbox.Tmp

	initTook    time.Duration
	restoreTook time.Duration // 0 unless it was restored
	// initFailure is set while the first init phase has failed and the second,
	// inside the first call, hasn't been tried.
	initFailure *initFailure
	internal    error // the sandbox could not be set up: nobody's function's fault

	debt debt // of processor time, see weight.go

	peak     int64     // memory high-water mark, bytes
	peakRead time.Time // when it was read

	calls int
	dead  bool
	// spareless tells that the process was started for this function.
	spareless bool
	took      time.Duration // of the last call
	sent      atomic.Bool   // the call under way has been sent: others may follow

	rest rest

	// Guarded by Engine.mu.
	idleSince time.Time
	inIce     bool      // idle, and frozen or about to be
	since     time.Time // when the call under way had its turn
	current   string    // its request id
	place     int       // in pool.busy, or -1
	ahead     []*waiter // calls that it was sent before their turn, in their order
	sending   bool      // somebody is sending it calls
	parked    bool      // idle or ended: it can't be sent calls but by who takes it
	spent     bool      // it was found worn: it gets no more calls than it has been sent
	quick     int       // calls in a row that were quick
}

// launch starts a sandbox and runs its init phase. An error means that it
// could not be set up; a function that fails to load is no error here.
func (e *Engine) launch(p *pool, initType string) (*instance, error) {
	ctx := context.Background() // what is started serves whoever comes next
	interpreter, err := e.interpreterOf(ctx, p.spec)
	if err != nil {
		return nil, err
	}
	i := &instance{engine: e, pool: p, spec: p.spec, interpreter: interpreter, initType: initType, place: -1}
	if e.cfg.Roles != nil {
		if i.credentials, err = e.cfg.Roles.AssumeForFunction(ctx, p.spec); err != nil {
			return nil, fmt.Errorf("assume the function's role: %w", err)
		}
	}
	if p.spec.Unseal != nil {
		opened := *p.spec
		if opened.Environment, err = p.spec.Unseal(ctx); err != nil {
			return nil, err
		}
		i.spec = &opened
	}
	now := e.cfg.Clock.Now().UTC()
	stream := now.Format("2006/01/02") + "/[" + p.spec.Version + "]" + ident.Hex(16)
	i.log = &logWriter{spec: p.spec, initType: initType, stream: stream, clock: e.cfg.Clock, sink: e.cfg.Logs}
	if err := e.adopt(i); err != nil {
		return nil, err
	}
	e.inherit(i)
	e.inheritDebt(i)
	defer e.watchBoot(i)()
	i.initFailure, err = i.boot(phaseInit, time.Now().Add(p.initLimit(initType)))
	if kept := i.credentials.Kept; kept != nil {
		err = errors.Join(err, kept())
	}
	if err != nil {
		e.end([]*instance{i})
		return nil, err
	}
	return i, nil
}

// adopt puts a sandbox on the list that Close works through.
func (e *Engine) adopt(i *instance) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return errClosed
	}
	e.all[i] = struct{}{}
	return nil
}

// boot starts the process and waits until it has loaded the handler. The log
// says how that went, and a process that failed is gone.
func (i *instance) boot(phase string, deadline time.Time) (*initFailure, error) {
	i.telemeter()
	i.logInitStart(phase)
	start := time.Now()
	failure, err := i.initialize(phase, deadline)
	i.initTook = time.Since(start)
	if err == nil {
		i.concludeInit(phase, i.initTook, failure)
	}
	return failure, err
}

func (i *instance) initialize(phase string, deadline time.Time) (*initFailure, error) {
	err := i.start()
	var noEntry *entrypointError
	switch {
	case errors.As(err, &noEntry):
		return &initFailure{exit: &sandbox.Exit{Setup: noEntry.message}}, nil
	case err != nil:
		return nil, err
	}
	if failure := i.startRuntime(deadline); failure != nil {
		return failure, nil
	}
	frame, err := i.session.Ready(deadline)
	if f := i.fault(); f != nil {
		return &initFailure{fault: f}, nil
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		i.proc.KeepTmp()
		return &initFailure{timedOut: true}, nil
	case err != nil:
		exit := i.awaitExit()
		if exit.Setup != "" && exit.SetupErrno == 0 {
			return nil, fmt.Errorf("set up sandbox: %s", exit.Setup)
		}
		return &initFailure{exit: &exit}, nil
	case frame.Kind == bootstrap.InitFailed:
		i.awaitExit()
		return &initFailure{payload: frame.Body, kind: frame.ErrorType}, nil
	}
	i.logRuntimeReady(phase)
	if x := i.seal(); x != nil {
		if s, ok := i.session.(attendant); ok {
			if err := s.Attend(); err != nil {
				exit := i.awaitExit()
				return &initFailure{exit: &exit}, nil
			}
		}
		if failure := extensionFailure(x.Ready(deadline)); failure != nil {
			return failure, nil
		}
	}
	i.log.settle()
	return nil, nil
}

// initAgain repeats a failed init phase inside the first call and under the
// function's own timeout, as AWS does ("suppressed init").
func (i *instance) initAgain(req *Request, deadline time.Time) (out outcome, ran bool) {
	failure, err := i.boot(phaseInvoke, deadline)
	if err != nil {
		i.internal = err
		return outcome{dead: true}, false
	}
	i.initFailure = nil
	begin := time.Now()
	booted := failure == nil
	if s, ok := i.session.(restorer); ok && failure == nil {
		frame, err := s.Restore(deadline)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			failure = &initFailure{timedOut: true}
		case err != nil:
			exit := i.awaitExit()
			failure = &initFailure{exit: &exit}
		case frame.Kind == bootstrap.InitFailed:
			failure = &initFailure{payload: frame.Body, kind: frame.ErrorType}
		}
	}
	if failure == nil {
		return outcome{}, true
	}
	if booted {
		status, kind := failure.status()
		i.log.initFailed(time.Since(begin), phaseInvoke, status, kind)
	}
	return failure.outcome(req.RequestID, i.spec.Timeout), false
}

// exchange runs one call in the ready process, or waits for the end of one
// that it was sent already.
func (i *instance) exchange(req *Request, sent bool, start time.Time) outcome {
	var frame bootstrap.Frame
	var err error
	deadline := start.Add(i.spec.Timeout)
	var sink *guarded
	if req.Stream != nil {
		sink = &guarded{to: req.Stream}
		defer sink.end()
	}
	s, ok := i.session.(pipeline)
	switch {
	case !ok:
		inv := i.invocation(req, time.Until(deadline))
		if sink != nil {
			inv.Sink = sink
		}
		i.announce(inv)
		frame, err = i.session.Invoke(inv, deadline)
	default:
		if !sent {
			inv := i.invocation(req, time.Until(deadline))
			i.announce(inv)
			err = s.Send(inv, deadline)
			i.sent.Store(true)
		}
		if err == nil {
			frame, err = receive(s, sink, deadline)
		}
	}
	out := i.judge(req, &frame, err)
	out.took, out.log, out.produced = frame.Took, logAll, len(out.payload)
	if sink != nil && out.status == "" {
		out.produced += sink.sent()
	}
	switch {
	case out.dead, frame.Took == 0:
	case frame.Marked:
		out.log = logMarked
	default:
		out.log = logRead
	}
	return out
}

// invocation is what the process is told of a call that has so long left.
func (i *instance) invocation(req *Request, left time.Duration) *bootstrap.Invocation {
	inv := &bootstrap.Invocation{
		Deadline: i.engine.cfg.Clock.Now().Add(left), RequestID: req.RequestID,
		InvokedARN: req.InvokedARN, TraceID: req.TraceID, ClientContext: req.ClientContext, Payload: req.Payload,
	}
	if len(inv.Payload) == 0 {
		inv.Payload = []byte("{}")
	}
	return inv
}

// judge turns how a call ended into what its caller gets.
func (i *instance) judge(req *Request, frame *bootstrap.Frame, err error) outcome {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		i.proc.KeepTmp()
		if i.endsBy(endTimeout); !i.extended() {
			i.kill()
		}
		return timedOut(req.RequestID, i.spec.Timeout)
	case err != nil:
		i.endsBy(endFailure)
		if f := i.fault(); f != nil {
			return crashed(req.RequestID, f)
		}
		if errors.Is(err, bootstrap.ErrProtocol) {
			i.kill()
		}
		return exited(req.RequestID, i.awaitExit())
	case frame.Oversize > 0:
		return tooLarge()
	}
	switch frame.Kind {
	case bootstrap.Response:
		return outcome{payload: frame.Body}
	case bootstrap.Fatal:
		i.endsBy(endFailure)
		i.awaitExit()
		return outcome{payload: frame.Body, failed: true, status: statusError, errorType: reportedType(frame.ErrorType), dead: true}
	case bootstrap.Failure:
		return outcome{payload: frame.Body, failed: true}
	}
	i.kill()
	return exited(req.RequestID, i.awaitExit())
}

// awaitExit waits for the end of a process that has closed its socket.
func (i *instance) awaitExit() sandbox.Exit {
	timer := time.NewTimer(exitGrace)
	defer timer.Stop()
	select {
	case <-i.proc.Done():
	case <-timer.C:
		i.proc.Kill()
	}
	return i.proc.Exit()
}

// memoryUsed is the sandbox's high-water mark in MB, at most its limit. Reading
// it takes longer than a short call may, and a short call can't use much more
// memory than the one before, so those don't read it each time.
func (i *instance) memoryUsed(took time.Duration, now time.Time) int {
	if i.proc == nil { // there was no program to start
		return 0
	}
	if took > memoryLongCall || now.Sub(i.peakRead) > memoryRefresh {
		i.peak, i.peakRead = i.proc.PeakMemory(), now
	}
	return min(i.spec.MemoryMB, int((i.peak+1<<20-1)>>20))
}

// worn tells whether the sandbox can't serve another call: its process has
// ended, or its credentials soon will.
func (i *instance) worn() bool {
	if i.dead || i.proc == nil || i.expired() {
		return true
	}
	select {
	case <-i.proc.Done():
		return true
	default:
		return false
	}
}

// expired tells whether the sandbox's credentials could end during a call.
func (i *instance) expired() bool {
	end := i.credentials.Expiration
	return !end.IsZero() && i.engine.cfg.Clock.Now().Add(i.spec.Timeout+credentialMargin).After(end)
}

// kill ends the process, now and for good; the call under way then fails.
func (i *instance) kill() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.killed = true
	if i.proc != nil {
		i.proc.Kill()
	}
}

// stop ends the process and what belongs to it, after which boot may start
// another.
func (i *instance) stop() {
	i.mu.Lock()
	proc, session, extensions, hub := i.proc, i.session, i.extensions, i.hub
	i.mu.Unlock()
	if proc == nil {
		return
	}
	if extensions != nil {
		extensions.Ending()
	}
	proc.Kill()
	if tmp := proc.TakeTmp(); tmp != nil {
		i.tmp = tmp
	}
	session.Close()
	i.log.detach()
	hub.Close()
}

// dial connects to a port that the process listens on.
func (i *instance) dial(ctx context.Context, port int) (net.Conn, error) {
	i.mu.Lock()
	proc := i.proc
	i.mu.Unlock()
	if proc == nil {
		return nil, os.ErrProcessDone
	}
	return proc.Dial(ctx, port)
}

// socketPair returns two connected sockets: the engine's end, which obeys
// deadlines, and the process's, which blocks. kind is SOCK_STREAM, or
// SOCK_SEQPACKET for a bootstrap that reads packet by packet.
func socketPair(kind int) (ours, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, kind, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, fmt.Errorf("create socket pair: %w", err)
	}
	if err := syscall.SetNonblock(fds[0], true); err != nil {
		syscall.Close(fds[0])
		syscall.Close(fds[1])
		return nil, nil, fmt.Errorf("create socket pair: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "channel"), os.NewFile(uintptr(fds[1]), "channel"), nil
}

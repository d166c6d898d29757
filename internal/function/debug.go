package function

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"time"

	"github.com/butai-dev/butai/internal/function/runtimes"
	"github.com/butai-dev/butai/internal/function/sandbox"
)

const (
	// debugLimit takes the place of a function's timeout and of its init phase's
	// limit while a person looks at it.
	debugLimit = 24 * time.Hour
	// debugMemoryMB is for the debugger itself, beside the function's memory.
	debugMemoryMB = 256
	// debugHost is where debuggers listen: whoever reaches one runs code with
	// the function's keys, so it is only for programs of this machine.
	debugHost = "127.0.0.1"
	// debugLook is how often a debugger is looked for that is to come up.
	debugLook = 20 * time.Millisecond
)

// NoDebuggerError says that functions of a runtime can't be debugged.
type NoDebuggerError struct{ Reason string }

func (e *NoDebuggerError) Error() string { return e.Reason }

// Debugger is what a person attaches to.
type Debugger struct {
	Runtime   string `json:"runtime"`
	Kind      string `json:"kind"` // "debugpy", "inspector" or "jdwp"
	Host      string `json:"host"`
	Port      int    `json:"port"`
	CodeDir   string `json:"codeDir"`   // the function's code, as the process sees it
	StopsOnce bool   `json:"stopsOnce"` // in front of the bootstrap too, before any code of the function
}

// debugger is one on its way.
type debugger struct {
	port    int
	shown   Debugger       // complete once the sandbox is planned
	planned chan *instance // gets the sandbox then
}

// Debug runs one request in a sandbox of its own, whose runtime waits for a
// debugger on port, or a free one if it is 0, before it loads the handler.
// waiting is called once it does; the function's timeout doesn't count. The
// sandbox ends with the call, and when ctx ends. The error is a
// *NoDebuggerError or *runtimes.MissingDebuggerError if the function can't be
// debugged here.
func (e *Engine) Debug(ctx context.Context, spec *Spec, req *Request, port int, waiting func(*Debugger)) (*Result, error) {
	if spec.Image != nil {
		return nil, &NoDebuggerError{"functions from container images can't be debugged: butai doesn't know what their entry point runs"}
	}
	interpreter, err := e.cfg.Runtimes.Lookup(ctx, spec.Runtime)
	if err != nil {
		return nil, err
	}
	if _, ok := debuggers[interpreter.Runtime.Family]; !ok {
		return nil, &NoDebuggerError{"functions of runtime " + spec.Runtime + " can't be debugged: butai has debuggers for Python, Node.js and Java only"}
	}
	d := &debugger{planned: make(chan *instance, 1)}
	if d.port, err = freePort(port); err != nil {
		return nil, err
	}
	patient := *spec
	patient.Timeout, patient.SnapStart = debugLimit, false
	ended := make(chan struct{})
	defer close(ended)
	go d.attend(ctx, ended, waiting)
	i, err := e.launch(&pool{spec: &patient, debugger: d}, initOnDemand)
	if err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	defer e.end([]*instance{i})
	if i.initFailure != nil { // which a second attempt would only repeat
		out := i.initFailure.outcome(req.RequestID, debugLimit)
		return &Result{Payload: out.payload, FunctionError: "Unhandled", ColdStart: true, Duration: i.initTook}, ctx.Err()
	}
	result, err := i.run(req, false)
	return result, cmp.Or(ctx.Err(), err)
}

// attend calls waiting when the debugger is there, and ends the sandbox with
// ctx, until the debugged call has ended.
func (d *debugger) attend(ctx context.Context, ended <-chan struct{}, waiting func(*Debugger)) {
	select {
	case i := <-d.planned:
		defer context.AfterFunc(ctx, i.kill)()
	case <-ended:
		return
	}
	tick := time.NewTicker(debugLook)
	defer tick.Stop()
	for !sandbox.Listening(debugHost, d.port) {
		select {
		case <-tick.C:
		case <-ended:
			return
		}
	}
	waiting(&d.shown)
	<-ended
}

// freePort returns a port that nobody listens on: the wanted one, or any.
func freePort(wanted int) (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(debugHost, strconv.Itoa(wanted)))
	if err != nil {
		return 0, fmt.Errorf("a debugger can't listen there: %w", err)
	}
	_, text, err := net.SplitHostPort(l.Addr().String())
	if err = errors.Join(err, l.Close()); err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// initLimit is how long an init phase of the pool's sandboxes may take.
func (p *pool) initLimit(initType string) time.Duration {
	switch {
	case p.debugger != nil:
		return debugLimit
	case initType != initOnDemand:
		return max(longInit, p.spec.Timeout)
	}
	return initLimit
}

// debugger is the one that the sandbox is for, or nil.
func (i *instance) debugger() *debugger {
	if i.pool == nil { // it is a spare
		return nil
	}
	return i.pool.debugger
}

// debuggers add a runtime's debugger to the plan of a sandbox.
var debuggers = map[runtimes.Family]func(i *instance, d *debugger, s *sandbox.Spec, at places) error{
	runtimes.Python: armPython, runtimes.Node: armNode, runtimes.Java: armJava,
}

// arm adds the debugger to the plan of a sandbox, if there is to be one.
func (i *instance) arm(s *sandbox.Spec, at places) error {
	d := i.debugger()
	if d == nil {
		return nil
	}
	s.MemoryMB += debugMemoryMB
	d.shown = Debugger{Runtime: i.spec.Runtime, Host: debugHost, Port: d.port, CodeDir: at.task}
	if err := debuggers[i.interpreter.Runtime.Family](i, d, s, at); err != nil {
		return err
	}
	d.planned <- i
	return nil
}

func (d *debugger) address() string { return net.JoinHostPort(debugHost, strconv.Itoa(d.port)) }

// armPython runs the bootstrap under the host's debugpy, which functions don't
// see otherwise.
func armPython(i *instance, d *debugger, s *sandbox.Spec, at places) error {
	const module = "debugpy"
	dir, err := i.engine.cfg.Runtimes.Debugpy(i.interpreter)
	if err != nil {
		return err
	}
	d.shown.Kind = module
	if at.isolated {
		s.Binds = append(s.Binds, sandbox.Bind{Source: dir, Target: path.Join(at.runtime, module)})
	} else {
		s.Binds = append(s.Binds, sandbox.Bind{Source: dir})
		if err := os.Symlink(dir, filepath.Join(at.runtime, module)); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	last := len(s.Args) - 1
	program := s.Args[last]
	// Frozen modules of the standard library can't be stepped into.
	s.Args = append(s.Args[:last:last], "-Xfrozen_modules=off", "-m", module, "--listen", d.address(), "--wait-for-client", program)
	return nil
}

// waitsForDebugger is the first version of Node.js by its major one that can
// wait for a debugger without stopping in front of the bootstrap.
var waitsForDebugger = map[int]int{20: 15, 21: 99, 22: 2}

func armNode(i *instance, d *debugger, s *sandbox.Spec, _ places) error {
	d.shown.Kind = "inspector"
	flag := "--inspect-wait="
	var major, minor int
	if _, err := fmt.Sscanf(i.interpreter.Version, "%d.%d", &major, &minor); err != nil || major < 20 || minor < waitsForDebugger[major] {
		flag, d.shown.StopsOnce = "--inspect-brk=", true
	}
	s.Args = append([]string{s.Args[0], flag + d.address()}, s.Args[1:]...)
	return nil
}

func armJava(_ *instance, d *debugger, s *sandbox.Spec, _ places) error {
	d.shown.Kind = "jdwp"
	agent := "-agentlib:jdwp=transport=dt_socket,server=y,suspend=y,quiet=y,address=" + d.address()
	s.Args = append([]string{s.Args[0], agent}, s.Args[1:]...)
	return nil
}

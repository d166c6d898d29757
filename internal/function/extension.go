package function

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/butai-dev/butai/internal/function/bootstrap"
	"github.com/butai-dev/butai/internal/function/runtimeapi"
	"github.com/butai-dev/butai/internal/function/sandbox"
)

// Extensions: programs in layers' extensions folder (or an image's
// /opt/extensions) start before the runtime and live beside it; a runtime may
// register some of its own, if it speaks the Runtime API. A sandbox is ready,
// and free for the next call, once all of them ask for their next event.

// How long a sandbox with extensions may take to end ("Lambda execution
// environment lifecycle": Shutdown phase).
const (
	shutdownInternal = 500 * time.Millisecond // with internal extensions only
	shutdownExternal = 2 * time.Second
	// runtimeShare is what the runtime gets of it; 500 ms if it has registered
	// extensions itself.
	runtimeShare = 300 * time.Millisecond
)

// Why a sandbox ends, as extensions are told.
const (
	endSpindown = "spindown"
	endTimeout  = "timeout"
	endFailure  = "failure"
)

const extensionsDir = "extensions"

// externalExtensions lists the names of extensions that are programs.
func (i *instance) externalExtensions() ([]string, error) {
	if i.spec.Image != nil {
		return i.spec.Image.extensions()
	}
	var names []string
	for _, dir := range i.spec.Layers {
		entries, err := os.ReadDir(filepath.Join(dir, extensionsDir))
		if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return nil, fmt.Errorf("look for extensions: %w", err)
		}
		for _, entry := range entries {
			if !entry.IsDir() {
				names = append(names, entry.Name())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// welcome prepares for a new process's extensions, once.
func (i *instance) welcome(external []string) *runtimeapi.Extensions {
	var x *runtimeapi.Extensions
	x = runtimeapi.NewExtensions(runtimeapi.Function{
		Name: i.spec.Name, Version: i.spec.Version, Handler: i.spec.Handler, Account: i.spec.Account,
	}, external, i.hub, func() { i.fell(x) })
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.extensions != nil { // somebody else was faster
		return i.extensions
	}
	i.extensions = x
	return x
}

// guests are the extensions, nil if there are none.
func (i *instance) guests() *runtimeapi.Extensions {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.extensions
}

// attendant is a session whose runtime may have to be told of extensions.
type attendant interface{ Attend() error }

// seal ends the time in which a runtime that speaks frames may come to have
// extensions, and returns them.
func (i *instance) seal() *runtimeapi.Extensions {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.sealed = true
	return i.extensions
}

// extensionsOf finds whose extensions ask, by a connection that they have
// opened. A runtime's first question makes it one that may have some; it is
// refused those once its init phase is over.
func (e *Engine) extensionsOf(own, peer netip.AddrPort) *runtimeapi.Extensions {
	who := sandbox.WhoOpened(own, peer)
	e.mu.Lock()
	all := slices.Collect(maps.Keys(e.all))
	e.mu.Unlock()
	for _, i := range all {
		i.mu.Lock()
		proc, x, sealed := i.proc, i.extensions, i.sealed
		i.mu.Unlock()
		switch {
		case proc == nil || !proc.Is(who):
			continue
		case x == nil && sealed:
			x = runtimeapi.NewExtensions(runtimeapi.Function{}, nil, nil, func() {})
			x.Seal()
		case x == nil:
			x = i.welcome(nil)
		}
		return x
	}
	return nil
}

// extensionsAPI is the address of the API of runtimes that speak frames.
func (e *Engine) extensionsAPI() (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return "", errClosed
	case e.shared == nil:
		var err error
		if e.shared, err = runtimeapi.ListenShared(e.extensionsOf); err != nil {
			return "", err
		}
	}
	return e.shared.Address(), nil
}

// fell ends the process whose extensions can't go on.
func (i *instance) fell(x *runtimeapi.Extensions) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.extensions == x && i.proc != nil {
		i.proc.Kill()
	}
}

// hiddenFromExtensions are variables that only the runtime gets ("Lambda
// Extensions API": environment variables).
var hiddenFromExtensions = []string{
	"AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_DAEMON_ADDRESS",
	"LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "_AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_PORT", "_HANDLER",
}

// accompany adds the extensions to the plan of a sandbox.
func accompany(plan *sandbox.Spec, external []string) {
	env := slices.DeleteFunc(slices.Clone(plan.Env), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(hiddenFromExtensions, name)
	})
	for _, name := range external {
		plan.Companions = append(plan.Companions, sandbox.Program{Args: []string{path.Join("/opt", extensionsDir, name)}, Env: env, Dir: "/"})
	}
}

// startRuntime starts the program once the extensions have registered.
func (i *instance) startRuntime(deadline time.Time) *initFailure {
	x := i.guests()
	if x == nil || len(i.proc.Companions()) == 0 {
		return nil
	}
	for n, c := range i.proc.Companions() {
		go func() {
			<-c.Done()
			switch exit := c.Exit(); {
			case exit.Setup != "":
				x.LaunchFailed(n, exit.Setup)
			case exit.Signal != 0:
				x.Ended(n, "signal: "+signalName(exit.Signal))
			case exit.Code != 0:
				x.Ended(n, fmt.Sprintf("exit status %d", exit.Code))
			default:
				x.Ended(n, "exit code 0")
			}
		}()
	}
	if len(i.proc.Companions()) > runtimeapi.MaxExtensions {
		return &initFailure{fault: &runtimeapi.Fault{Type: "Extension.TooManyExtensions", Message: fmt.Sprintf("Extension limit (%d) reached", runtimeapi.MaxExtensions)}}
	}
	if failure := extensionFailure(x.Registered(deadline)); failure != nil {
		return failure
	}
	if err := i.proc.StartProgram(); err != nil {
		exit := i.awaitExit()
		return &initFailure{exit: &exit}
	}
	return nil
}

// extensionFailure is the failure of the init phase by an error of waiting for
// extensions.
func extensionFailure(err error) *initFailure {
	fault, ok := errors.AsType[*runtimeapi.Fault](err)
	switch {
	case err == nil:
		return nil
	case ok:
		return &initFailure{fault: fault}
	}
	return &initFailure{timedOut: true}
}

// fault is what keeps an extension from going on, nil if none does.
func (i *instance) fault() *runtimeapi.Fault {
	x := i.guests()
	if x == nil {
		return nil
	}
	return x.Fault()
}

// crashed is what a call gets when an extension fails.
func crashed(requestID string, f *runtimeapi.Fault) outcome {
	message := "RequestId: " + requestID + " Error: " + f.Message
	return outcome{
		payload: platformError(f.Type, message), failed: true, status: statusError, errorType: f.Type, dead: true,
		message: message + "\n" + f.Type + "\n",
	}
}

type extensionRecord struct {
	Name   string   `json:"name"`
	State  string   `json:"state"`
	Events []string `json:"events"`
	Error  string   `json:"errorType,omitempty"`
}

// logExtensions writes how the extensions stand at the end of the init phase.
func (i *instance) logExtensions() {
	if i.extensions == nil {
		return
	}
	for _, s := range i.extensions.States() {
		text := fmt.Sprintf("EXTENSION\tName: %s\tState: %s\tEvents: [%s]", s.Name, s.State, strings.Join(s.Events, ", "))
		if s.ErrorType != "" {
			text += "\tError Type: " + s.ErrorType
		}
		events := s.Events
		if events == nil {
			events = []string{}
		}
		i.log.platform(text+"\n", "platform.extension", extensionRecord{s.Name, s.State, events, s.ErrorType})
	}
}

// announce tells extensions of a call.
func (i *instance) announce(inv *bootstrap.Invocation) {
	if i.extensions != nil {
		i.extensions.Invoke(inv)
	}
}

// extended tells whether the sandbox has any extensions.
func (i *instance) extended() bool {
	x := i.guests()
	if x == nil {
		return false
	}
	has, _ := x.Any()
	return has
}

// releaseExtended gives a sandbox back when its extensions are done with the
// call, too; its caller has the answer by then.
func (e *Engine) releaseExtended(i *instance, counted *int) {
	answered := time.Now()
	var err error
	if !i.dead {
		err = i.extensions.Ready(i.since.Add(i.spec.Timeout))
		switch i.dead = err != nil; {
		case errors.Is(err, os.ErrDeadlineExceeded):
			i.endsBy(endTimeout)
		case err != nil:
			i.endsBy(endFailure)
		}
	}
	i.log.conclude(time.Since(answered), err)
	e.release(i, counted)
}

// shutdown ends a sandbox in the order that its extensions may expect: the
// runtime first, then they; whoever takes too long is killed.
func (i *instance) shutdown() {
	i.mu.Lock()
	proc, x, reason := i.proc, i.extensions, i.ending
	i.mu.Unlock()
	defer i.kill()
	if proc == nil {
		return
	}
	x.Ending()
	_, external := x.Any()
	limit, share := shutdownInternal, shutdownInternal
	if external {
		limit, share = shutdownExternal, runtimeShare
		if x.Internal() {
			share = shutdownInternal
		}
	}
	limit, share = limit+i.engine.cfg.endingSlack, share+i.engine.cfg.endingSlack
	begin := time.Now()
	if err := proc.Signal(0, syscall.SIGTERM); err != nil {
		return // on the way out already
	}
	if !within(begin.Add(share), proc.Done()) {
		_ = proc.Signal(0, syscall.SIGKILL)
	}
	if !external {
		return
	}
	i.log.settle()
	i.hub.Flush(farewell)
	deadline := begin.Add(limit)
	for _, n := range x.Shutdown(reason, i.engine.cfg.Clock.Now().Add(time.Until(deadline))) {
		_ = proc.Signal(n+1, syscall.SIGKILL)
	}
	var all sync.WaitGroup
	for _, c := range proc.Companions() {
		all.Go(func() { within(deadline, c.Done()) })
	}
	all.Wait()
}

// endsBy notes why the sandbox will end.
func (i *instance) endsBy(reason string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ending = reason
}

// within waits for done until a deadline, and tells whether it came.
func within(deadline time.Time, done <-chan struct{}) bool {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

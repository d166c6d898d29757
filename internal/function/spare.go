package function

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/butai-dev/butai/internal/function/bootstrap"
	"github.com/butai-dev/butai/internal/function/runtimes"
	"github.com/butai-dev/butai/internal/function/sandbox"
)

// Most of a cold start has nothing to do with the function: a sandbox is built,
// an interpreter boots, the bootstrap loads. So a few spares have that behind
// them, for each runtime that has been asked for of late. They are isolated like
// any sandbox and have run nothing but the bootstrap's own rehearsal. A cold
// start takes one, shows it the function's code, tells it the environment, and
// has it import the handler. A spare belongs to one function from then on.

const (
	// DefaultSpares is how many spares each runtime in use has.
	DefaultSpares = 2
	// NoSpares as Config.Spares keeps none.
	NoSpares = -1
	// spareWait is how long after a cold start the spare that it took is
	// replaced: the function's own import comes first.
	spareWait = 20 * time.Millisecond
	// A spare that boots gets what nobody else wants, for spareQuiet, where the
	// kernel can do that, or spareWeight: others come first, but on a machine
	// that is always busy there shall be spares, too.
	spareWeight = sandbox.Ordinary / 10
	spareQuiet  = time.Second
	// spareBoot is how long a spare may take to boot.
	spareBoot = 10 * time.Second
)

// freshOnly are the variables that an interpreter, a C library or the dynamic
// linker reads when its process starts. A function that sets one needs a fresh
// process. Names that end in * are prefixes.
var freshOnly = []string{
	"AWS_LAMBDA_EXEC_WRAPPER", "LD_*", "GLIBC_TUNABLES", "MALLOC_*", "LANG", "LC_*", "TZ",
	"PYTHON*", "NODE_*", "UV_THREADPOOL_SIZE", "OPENSSL_CONF", "SSL_CERT_*", "ICU_DATA",
	"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "RUBY*", "GEM_*", "BUNDLE_*",
}

// needsFresh tells whether a function's variables demand a process of its own
// from the start.
func needsFresh(environment map[string]string) bool {
	for name := range environment {
		for _, pattern := range freshOnly {
			prefix, isPrefix := strings.CutSuffix(pattern, "*")
			if name == pattern || isPrefix && strings.HasPrefix(name, prefix) {
				return true
			}
		}
	}
	return false
}

// shelfKey says which functions a spare fits.
type shelfKey struct {
	runtime string
	heapMB  int    // 0 unless the interpreter's command line bounds its heap
	preload string // the module that it has imported already, or ""
}

// shelf holds the spares of one kind. Engine.mu guards it.
type shelf struct {
	ready   []*spare
	filling bool
	used    time.Time
}

// spare is a sandbox without a function.
type spare struct {
	proc    *sandbox.Process
	session *framed
	log     *os.File
}

func (s *spare) end() {
	s.proc.Kill()
	s.proc.TakeTmp().Close()
	s.session.Close()
	s.log.Close()
}

// shelfOf is the kind of spare that a function can start from, if any.
func (e *Engine) shelfOf(spec *Spec, interpreter *runtimes.Interpreter) (shelfKey, bool) {
	f := families[interpreter.Runtime.Family]
	if level, err := e.host.Level(); err == nil && level == sandbox.GVisor && f.dirOnce {
		return shelfKey{}, false // it takes somebody inside who enters the directory anew
	}
	if e.cfg.Spares <= 0 || !f.spares || spec.Unseal != nil || needsFresh(spec.Environment) || !e.host.CanAttach() {
		return shelfKey{}, false
	}
	key := shelfKey{runtime: spec.Runtime}
	if f.heap {
		key.heapMB = spec.MemoryMB
	}
	if f.preload != "" && len(interpreter.SDK) > 0 && imports(spec, f.preload) {
		key.preload = f.preload
	}
	return key, true
}

// Expect tells that a function will probably be invoked soon, so that spares of
// its runtime are there by then. It doesn't wait.
func (e *Engine) Expect(spec *Spec) {
	if spec.Image != nil {
		return
	}
	e.work.Add(1)
	go func() {
		defer e.work.Done()
		interpreter, err := e.cfg.Runtimes.Lookup(context.Background(), spec.Runtime)
		if err != nil {
			return // the first invocation will say so
		}
		if key, ok := e.shelfOf(spec, interpreter); ok {
			e.mu.Lock()
			e.fill(key, spec, interpreter)
			e.mu.Unlock()
		}
	}()
}

// takeSpare takes a spare for a sandbox that starts, nil if there is none, and
// sees to it that there will be.
func (i *instance) takeSpare() *spare {
	e := i.engine
	key, ok := e.shelfOf(i.spec, i.interpreter)
	if !ok || i.debugger() != nil { // which has to be there when a process starts
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	sh := e.shelf(key)
	sh.used = time.Now()
	var s *spare
	for s == nil && len(sh.ready) > 0 {
		s = sh.ready[0]
		sh.ready = slices.Delete(sh.ready, 0, 1)
		e.live--
		select {
		case <-s.proc.Done():
			s.end()
			s = nil
		default:
		}
	}
	e.fill(key, i.spec, i.interpreter)
	return s
}

// shelf is the shelf of a key; e.mu is held.
func (e *Engine) shelf(key shelfKey) *shelf {
	sh := e.shelves[key]
	if sh == nil {
		sh = &shelf{used: time.Now()}
		e.shelves[key] = sh
	}
	return sh
}

// fill starts spares until the shelf is full, one after the other; e.mu is held.
func (e *Engine) fill(key shelfKey, spec *Spec, interpreter *runtimes.Interpreter) {
	sh := e.shelf(key)
	if sh.filling || e.closed || len(sh.ready) >= e.cfg.Spares {
		return
	}
	sh.filling = true
	e.work.Add(1)
	go func() {
		defer e.work.Done()
		select {
		case <-time.After(spareWait):
		case <-e.stop:
		}
		for e.addSpare(key, sh, spec, interpreter) {
		}
	}()
}

// addSpare starts one spare and tells whether there is room for more.
func (e *Engine) addSpare(key shelfKey, sh *shelf, spec *Spec, interpreter *runtimes.Interpreter) bool {
	e.mu.Lock()
	if e.closed || len(sh.ready) >= e.cfg.Spares || e.live >= e.cfg.MaxSandboxes {
		sh.filling = false
		e.mu.Unlock()
		return false
	}
	e.live++
	e.mu.Unlock()
	s, err := e.bootSpare(key, spec, interpreter)
	e.mu.Lock()
	if err == nil && !e.closed {
		sh.ready = append(sh.ready, s)
		e.mu.Unlock()
		return true
	}
	e.live--
	sh.filling = false
	e.mu.Unlock()
	if err != nil {
		e.cfg.Logger.Warn("no spare sandbox could be started", "runtime", key.runtime, "reason", err)
	} else {
		s.end()
	}
	return false
}

// bootSpare starts a sandbox that has all but the function; of spec it uses
// what the key stands for.
func (e *Engine) bootSpare(key shelfKey, spec *Spec, interpreter *runtimes.Interpreter) (*spare, error) {
	blank := &Spec{Runtime: spec.Runtime, MemoryMB: spec.MemoryMB, Region: spec.Region, Concurrency: -1}
	i := &instance{engine: e, spec: blank, interpreter: interpreter, log: &logWriter{spec: blank}}
	level, err := e.host.Level()
	if err != nil {
		return nil, err
	}
	plan, session, theirs, err := i.prepare(level)
	if err != nil {
		return nil, err
	}
	plan.Binds = slices.DeleteFunc(plan.Binds, func(b sandbox.Bind) bool { return b.Target == lambdaPlaces.task })
	plan.MountPoints = []string{lambdaPlaces.task}
	plan.Dir, plan.MemoryMB, plan.TmpMB, plan.Weight, plan.Idle = "/", 0, 0, spareWeight, true
	if families[interpreter.Runtime.Family].dirOnce {
		plan.Dir, plan.LateDir = lambdaPlaces.task, true
	}
	plan.Env = append(plan.Env, "BUTAI_SPARE=1", "BUTAI_PRELOAD="+key.preload)
	read, write, err := logPipe()
	if err != nil {
		session.Close()
		return nil, err
	}
	defer write.Close()
	plan.Channel, plan.Log = theirs, write
	proc, err := e.host.Start(plan)
	if err != nil {
		read.Close()
		session.Close()
		return nil, err
	}
	session.letGo(proc)
	hurry := time.AfterFunc(spareQuiet, func() { _ = proc.SetWeight(sandbox.Ordinary, false) })
	defer hurry.Stop()
	s := &spare{proc: proc, session: session, log: read}
	frame, err := session.Ready(time.Now().Add(spareBoot))
	if err == nil && frame.Kind != bootstrap.Spare {
		err = fmt.Errorf("it began with a frame of kind %q", byte(frame.Kind))
	}
	if err != nil {
		said := make([]byte, 1024)
		syscall.SetNonblock(int(read.Fd()), true)
		n, _ := syscall.Read(int(read.Fd()), said)
		s.end()
		return nil, fmt.Errorf("%w; it said %q", err, said[:max(n, 0)])
	}
	if err := proc.Freeze(); err != nil {
		e.cfg.Logger.Warn("a spare sandbox could not be frozen", "runtime", key.runtime, "reason", err)
	}
	return s, nil
}

// startFromSpare makes a spare the instance's process. An error means that a
// fresh one has to be started; the spare is gone.
func (i *instance) startFromSpare(s *spare) error {
	if err := s.proc.Thaw(); err != nil {
		s.end()
		return err
	}
	binds := []sandbox.Bind{{Source: i.spec.CodeDir, Target: lambdaPlaces.task}}
	opt, err := i.engine.layersDir(i.spec.Layers)
	if err != nil {
		s.end()
		return err
	}
	if opt != "" {
		binds = append(binds, sandbox.Bind{Source: opt, Target: lambdaPlaces.opt})
	}
	vars, err := i.familyVariables(families[i.interpreter.Runtime.Family], lambdaPlaces)
	if err != nil {
		s.end()
		return err
	}
	env := map[string]string{}
	for _, entry := range i.environment(lambdaPlaces, vars) {
		name, value, _ := strings.Cut(entry, "=")
		env[name] = value
	}
	order, err := json.Marshal(env)
	if err == nil {
		err = s.proc.SetWeight(i.weightNow())
	}
	if err == nil {
		err = s.proc.Attach(binds, i.spec.MemoryMB, i.spec.EphemeralMB)
	}
	if err == nil {
		// The function may ask for its extensions' API as soon as it is loaded.
		i.mu.Lock()
		i.proc, i.session = s.proc, s.session
		i.mu.Unlock()
		err = s.session.Load(order, time.Now().Add(initLimit))
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if err != nil {
		i.proc, i.session = nil, nil
		s.end()
		return err
	}
	i.log.attach(s.log, nil)
	if i.killed {
		i.proc.Kill()
	}
	return nil
}

// takeSpares takes all spares off shelves that haven't been used for longer
// than age; e.mu is held.
func (e *Engine) takeSpares(age time.Duration) (all []*spare) {
	for key, sh := range e.shelves {
		if age > 0 && time.Since(sh.used) <= age {
			continue
		}
		all = append(all, sh.ready...)
		e.live -= len(sh.ready)
		sh.ready = nil
		if !sh.filling {
			delete(e.shelves, key)
		}
	}
	return all
}

func endSpares(list []*spare) {
	for _, s := range list {
		s.proc.Kill()
	}
	for _, s := range list {
		s.end()
	}
}

// dropSpare makes room by ending a spare; e.mu is held.
func (e *Engine) dropSpare() bool {
	for _, sh := range e.shelves {
		if n := len(sh.ready); n > 0 {
			last := sh.ready[n-1]
			sh.ready = sh.ready[:n-1]
			e.live--
			e.work.Add(1)
			go func() {
				defer e.work.Done()
				last.end()
			}()
			return true
		}
	}
	return false
}

package function

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/function/runtimeapi"
	"github.com/butai-dev/butai/internal/function/runtimes"
	"github.com/butai-dev/butai/internal/function/sandbox"
)

// Defaults of Config.
const (
	// DefaultConcurrency is an AWS account's limit of concurrent executions
	// per region ("Lambda quotas").
	DefaultConcurrency = 1000
	// DefaultIdleTimeout is how long an unused sandbox is kept. AWS doesn't
	// say; observers see five minutes and more.
	DefaultIdleTimeout = 10 * time.Minute
	// sandboxFootprint is what one idle sandbox is assumed to take when the
	// machine's memory bounds their number.
	sandboxFootprint = 32 << 20
)

// Config is what an Engine needs.
type Config struct {
	Dir      string        // scratch folder of the engine's own; need not exist, must not be shared
	Logger   *slog.Logger  // required
	Clock    clock.Clock   // required; log times, deadlines told to handlers
	Runtimes *runtimes.Set // required
	Roles    RoleAssumer   // nil: functions get no credentials
	Logs     LogSink       // nil: logs are only seen in Result.LogTail

	// Environment is added to every function's environment, below the user's
	// own variables: AWS_ENDPOINT_URL leads SDKs to this server.
	Environment map[string]string
	Isolation   sandbox.Wish
	// Concurrency is the limit per account and region; 0 means DefaultConcurrency.
	Concurrency int
	// MaxSandboxes bounds the sandboxes of all functions together; 0 derives it
	// from the machine's memory.
	MaxSandboxes int
	// Spares is how many booted sandboxes without a function are kept for each
	// runtime in use; 0 means DefaultSpares.
	Spares int
	// Freeze keeps sandboxes from running between calls (freeze.go).
	Freeze bool
	// IdleTimeout is how long an unused sandbox is kept; 0 means DefaultIdleTimeout.
	IdleTimeout time.Duration
	// endingSlack is added to what endings may take: tests run on busy machines.
	endingSlack time.Duration
}

// Engine runs functions. It is safe for concurrent use.
type Engine struct {
	cfg   Config
	host  *sandbox.Host
	cores int

	mu       sync.Mutex
	pools    map[string]*pool // by Spec.ID
	accounts map[accountKey]*account
	live     int // sandboxes of all pools, starting ones included
	starting int // those that count against the limit of starts at a time
	all      map[*instance]struct{}
	booting  map[*instance]struct{} // in their init phase
	shelves  map[shelfKey]*shelf
	retired  map[string]time.Time // by Spec.ID: when it was retired, see Retire
	watched  bool                 // keepWatch is at work
	onAhead  func()               // for tests: a call is sent ahead
	shared   *runtimeapi.Shared   // see extensionsAPI
	closed   bool

	stop chan struct{}
	work sync.WaitGroup // background goroutines
}

var _ Invoker = (*Engine)(nil)

var errClosed = errors.New("function: the engine is closed")

// New returns an Engine. It writes the bootstraps below cfg.Dir and starts
// nothing else before the first Invoke. Close ends it.
func New(cfg Config) (*Engine, error) {
	if cfg.Concurrency == 0 {
		cfg.Concurrency = DefaultConcurrency
	}
	if cfg.Spares == 0 {
		cfg.Spares = DefaultSpares
	}
	if cfg.IdleTimeout == 0 {
		cfg.IdleTimeout = DefaultIdleTimeout
	}
	if cfg.MaxSandboxes == 0 {
		cfg.MaxSandboxes = min(cfg.Concurrency, max(8, int(machineMemory()*3/4/sandboxFootprint)))
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("engine folder: %w", err)
	}
	cfg.Dir = dir
	if err := installRuntimes(dir); err != nil {
		return nil, fmt.Errorf("engine folder: %w", err)
	}
	host, err := sandbox.NewHost(filepath.Join(dir, "sandbox"), cfg.Isolation, cfg.Logger)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		cfg: cfg, host: host, cores: runtime.GOMAXPROCS(0),
		pools: map[string]*pool{}, accounts: map[accountKey]*account{}, all: map[*instance]struct{}{}, booting: map[*instance]struct{}{}, shelves: map[shelfKey]*shelf{},
		retired: map[string]time.Time{},
		stop:    make(chan struct{}),
	}
	e.work.Add(1)
	go e.reclaimIdle()
	return e, nil
}

// Report tells what isolation functions get. The first call tries it out.
func (e *Engine) Report(ctx context.Context) []sandbox.Rung { return e.host.Report(ctx) }

// Freezing says how this host freezes sandboxes (Config.Freeze).
func (e *Engine) Freezing() string { return e.host.Freezing() }

// MayHaveOpened tells whether the peer of a TCP connection on this machine may
// be a function, by the addresses that this end sees; sandbox.Host says how.
func (e *Engine) MayHaveOpened(own, peer netip.AddrPort) bool {
	return e.host.MayHaveOpened(own, peer)
}

// Retire ends the sandboxes of a function version that will not be invoked any
// more: idle ones now, busy ones after their current call. Calls that were on
// their way here when it was replaced still run, in sandboxes that end with them.
func (e *Engine) Retire(specID string) {
	e.mu.Lock()
	e.retired[specID] = time.Now()
	p := e.pools[specID]
	if p == nil {
		e.mu.Unlock()
		return
	}
	p.retired, p.provisioned = true, 0
	ending := e.takeFrozen(p)
	p.dropTmp(0)
	e.account(p.spec).provisioned -= p.carved
	p.carved = 0
	idle := p.idle
	p.idle = nil
	e.forget(p, len(idle))
	e.mu.Unlock()
	for _, i := range append(ending, idle...) {
		e.endLater(i)
	}
}

// Close ends all sandboxes, busy ones too, and waits until they are gone.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	close(e.stop)
	instances := make([]*instance, 0, len(e.all))
	for i := range e.all {
		instances = append(instances, i)
	}
	for _, p := range e.pools {
		p.failWaiters(errClosed)
		p.dropTmp(0)
	}
	spares := e.takeSpares(0)
	shared := e.shared
	e.mu.Unlock()
	endSpares(spares)
	e.end(instances)
	e.work.Wait()
	if shared != nil {
		_ = shared.Close() // everybody who asked it is gone
	}
	return errors.Join(e.host.Close(), os.RemoveAll(e.cfg.Dir))
}

// end kills sandboxes and waits for their last breath.
func (e *Engine) end(instances []*instance) {
	var farewells sync.WaitGroup
	for _, i := range instances {
		i.wake()
		if i.extended() {
			farewells.Go(i.shutdown)
		} else {
			i.kill()
		}
	}
	farewells.Wait()
	for _, i := range instances {
		i.stop()
		e.leave(i)
		e.mu.Lock()
		delete(e.all, i)
		e.mu.Unlock()
	}
}

// endLater ends a sandbox without holding anybody up.
func (e *Engine) endLater(i *instance) {
	e.work.Add(1)
	go func() {
		defer e.work.Done()
		e.end([]*instance{i})
	}()
}

// forget takes n ended sandboxes off the books; e.mu is held.
func (e *Engine) forget(p *pool, n int) {
	p.live -= n
	e.live -= n
	if n > 0 {
		e.topUp(p)
	}
	e.dropIfDone(p)
}

// dropIfDone forgets a retired pool that has no more to do; e.mu is held.
func (e *Engine) dropIfDone(p *pool) {
	if p.retired && p.unused() {
		delete(e.pools, p.spec.ID)
	}
}

// unused tells whether a pool has neither sandboxes nor anybody who waits for
// one; Engine.mu is held.
func (p *pool) unused() bool {
	return p.live == 0 && len(p.waiting) == 0 && len(p.frozen.ready) == 0 && !p.frozen.making
}

// reclaimIdle ends sandboxes that nobody has used for a while.
func (e *Engine) reclaimIdle() {
	defer e.work.Done()
	tick := time.NewTicker(max(e.cfg.IdleTimeout/10, 10*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-e.stop:
			return
		case <-tick.C:
			e.end(e.takeStale(e.cfg.IdleTimeout))
			e.mu.Lock()
			spares := e.takeSpares(e.cfg.IdleTimeout)
			e.renewProvisioned()
			e.forgetRetired()
			e.mu.Unlock()
			endSpares(spares)
		}
	}
}

// poolOf is the pool of a Spec, made if there is none yet; e.mu is held.
func (e *Engine) poolOf(spec *Spec) *pool {
	p := e.pools[spec.ID]
	if p == nil {
		_, retired := e.retired[spec.ID]
		p = &pool{spec: spec, retired: retired}
		e.pools[spec.ID] = p
	}
	return p
}

// lateCalls is how long after a version was replaced calls of it may still
// come: nobody holds on to what they have looked up in the catalog for longer.
const lateCalls = 15 * time.Minute

// forgetRetired forgets what was retired long ago; e.mu is held.
func (e *Engine) forgetRetired() {
	for id, at := range e.retired {
		if time.Since(at) > lateCalls {
			delete(e.retired, id)
		}
	}
}

// takeStale takes the sandboxes that have been idle for longer than age.
func (e *Engine) takeStale(age time.Duration) []*instance {
	e.mu.Lock()
	defer e.mu.Unlock()
	var stale []*instance
	for id, p := range e.pools {
		// The stack's bottom is the longest unused.
		n := 0
		for n < len(p.idle) && p.live-n > p.provisioned && time.Since(p.idle[n].idleSince) > age {
			n++
		}
		if n > 0 {
			stale = append(stale, p.idle[:n]...)
			p.idle = append([]*instance(nil), p.idle[n:]...)
			e.forget(p, n)
		}
		if p.live == 0 && time.Since(p.frozen.used) > age {
			stale = append(stale, e.takeFrozen(p)...)
		}
		p.dropTmp(age)
		if p.unused() && p.provisioned == 0 && p.kept.tmp == nil {
			delete(e.pools, id)
		}
	}
	return stale
}

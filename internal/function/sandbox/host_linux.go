package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
)

// Host starts sandboxes on this machine. It is safe for concurrent use.
type Host struct {
	log     *slog.Logger
	root    string // empty directory on which roots are assembled
	tmp     string // parent of the /tmp stand-ins of weaker rungs
	wish    Wish
	name    string // of the parent control groups
	asRoot  bool
	spawner spawner

	probe    sync.Once
	level    Level
	reasons  map[Level]string // why a stronger rung was not reached
	cgroups  cgroups
	freezers freezers
	gvisor   gvisor
	err      error // no acceptable rung

	serial  atomic.Int64
	awaiter awaiter
	ending  sync.WaitGroup // what is left to do after sandboxes have ended
	mu      sync.Mutex
	free    []int // user ids given back
	next    int   // how many were given that nobody had before

	firstUID int // of this Host's block
}

// NewHost returns a Host that keeps what it needs below dir, which it creates.
// Nothing is tried out before the first Start or Report.
func NewHost(dir string, wish Wish, log *slog.Logger) (*Host, error) {
	h := &Host{
		log: log, root: filepath.Join(dir, "root"), tmp: filepath.Join(dir, "tmp"), wish: wish,
		name: groupPrefix + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatInt(hostSerial.Add(1), 10), asRoot: os.Geteuid() == 0,
		reasons: map[Level]string{},
	}
	h.firstUID = firstUID + (os.Getpid()+int(hostSerial.Load()))%uidBlocks*maxUIDs
	if err := os.RemoveAll(h.tmp); err != nil { // of a server that was killed
		return nil, fmt.Errorf("clean sandbox directory: %w", err)
	}
	for _, dir := range []string{h.root, h.tmp} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("create sandbox directory: %w", err)
		}
	}
	return h, nil
}

// hostSerial tells apart the control groups of several Hosts in one process,
// as tests have them.
var hostSerial atomic.Int64

// Close removes what the Host keeps outside its directory. All its sandboxes
// must have ended.
func (h *Host) Close() error {
	h.spawner.close()
	h.ending.Wait()
	h.awaiter.close()
	h.cgroups.removeAll()
	if h.freezers.dir != "" {
		os.Remove(h.freezers.dir)
	}
	return nil
}

// Level returns the rung that sandboxes get, or an error if none that the wish
// allows can be reached. The first call tries the rungs out.
func (h *Host) Level() (Level, error) {
	h.probe.Do(h.climb)
	return h.level, h.err
}

// climb finds the strongest rung by really starting a sandbox on it.
func (h *Host) climb() {
	for level := h.wish.Max; level >= h.wish.Min; level-- {
		err := h.try(level)
		if err == nil {
			h.level = level
			h.cgroups = findCgroups("/proc/self/cgroup", "/sys/fs/cgroup", h.name, newScope)
			return
		}
		h.reasons[level] = err.Error()
		h.log.Warn("isolation rung not available", "rung", level.String(), "reason", err)
	}
	h.err = fmt.Errorf("sandbox: isolation %q or stronger is not available: %s", h.wish.Min, h.reasons[h.wish.Max])
}

func (h *Host) try(level Level) error {
	if level == None {
		return nil
	}
	if level == GVisor {
		return h.tryGVisor()
	}
	if level == Restricted {
		if landlockABI() == 0 {
			return errors.New("the kernel has no Landlock (needs Linux 5.13 with CONFIG_SECURITY_LANDLOCK and lsm=landlock)")
		}
	}
	p, err := h.start(level, &Spec{}, true)
	if err != nil {
		return err
	}
	<-p.Done()
	if exit := p.Exit(); exit.Setup != "" {
		return errors.New(exit.Setup)
	}
	return nil
}

// Start starts a sandbox. The caller keeps its own ends of spec.Channel and
// spec.Log and may close those files once Start returns. An error means that
// no process exists; a program that can't be run shows in Process.Exit.
func (h *Host) Start(spec *Spec) (*Process, error) {
	level, err := h.Level()
	if err != nil {
		return nil, err
	}
	return h.start(level, spec, false)
}

func (h *Host) start(level Level, spec *Spec, trial bool) (*Process, error) {
	if spec.Root != "" && level < Namespaces {
		return nil, errNoRoot
	}
	if len(spec.Companions) > 0 && level == GVisor {
		return nil, errNoGuests
	}
	if len(spec.Companions) > 0 && level != Namespaces {
		return nil, errNoCompanions
	}
	p := &Process{host: h, supervised: level >= Namespaces, gone: make(chan struct{})}
	p.life, p.done = context.WithCancel(context.Background())
	p.keepsTmp.Store(spec.KeepTmp)
	if spec.LateDir {
		p.lateDir = spec.Dir
	}
	if level == GVisor {
		p.below = guestRoot
	}
	if err := h.prepare(p, level, spec); err != nil {
		p.release()
		return nil, err
	}
	var err error
	if level == None {
		err = h.startPlain(p, spec)
	} else {
		err = h.startInit(p, level, spec, trial)
	}
	if err != nil {
		p.release()
		return nil, err
	}
	if level >= Namespaces && spec.MemoryMB > 0 && p.group.memory != "" && spec.TmpMB > 0 {
		p.watchFrom(spec.MemoryMB, spec.TmpMB)
	}
	p.follow()
	return p, nil
}

// prepare takes a user id, a control group and a /tmp for the sandbox.
func (h *Host) prepare(p *Process, level Level, spec *Spec) error {
	switch {
	case spec.Tmp != nil:
		spec.Tmp.takeOver(p)
	case level >= Namespaces && h.asRoot:
		p.uid = h.takeUID()
	}
	if level < Namespaces {
		tmp, err := os.MkdirTemp(h.tmp, "")
		if err != nil {
			return fmt.Errorf("create temporary directory: %w", err)
		}
		p.tmp = tmp
	}
	memory := spec.MemoryMB
	if level >= Namespaces && memory > 0 {
		memory += spec.TmpMB // see guardMemory
	}
	if level == GVisor && memory > 0 {
		memory += runscMB
	}
	serial := h.serial.Add(1)
	if level >= Namespaces {
		p.address = h.addressOf(serial)
	}
	group, err := h.cgroups.create("sandbox-"+strconv.FormatInt(serial, 10), memory, spec.MaxTasks, cmp.Or(spec.Weight, Ordinary), spec.Idle)
	if err != nil {
		return err
	}
	p.group = group
	if spec.Freezable {
		h.prepareFrost(p, "sandbox-"+strconv.FormatInt(serial, 10))
	}
	return nil
}

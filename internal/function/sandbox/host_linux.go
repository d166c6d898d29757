package sandbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Users of sandboxes. As root, each sandbox gets two user ids of its own, one for
// its program and one for its first process, out of a range that neither
// accounts nor subordinate id ranges use: the per-user limit of processes is
// then a limit per sandbox, and its connections can be told from all others. Each Host takes the ids from one block of the range, so that two
// servers on one machine rarely share any.
const (
	firstUID  = 2_000_000_000
	maxUIDs   = 1 << 16 // of a block
	uidBlocks = 1 << 10
	// initUIDs is how far beyond that of the program the user id of the first
	// process is, once that has no more to do.
	initUIDs = maxUIDs * uidBlocks
	// insideUID is Lambda's own; a user namespace maps it to the caller.
	insideUID = 993
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

func (h *Host) startPlain(p *Process, spec *Spec) error {
	cmd := exec.Command(spec.Args[0])
	cmd.Args, cmd.Env, cmd.Dir = spec.Args, withTmp(spec.Env, p.tmp), spec.Dir
	cmd.Stdout, cmd.Stderr = spec.Log, spec.Log
	if spec.Channel != nil {
		cmd.ExtraFiles = []*os.File{spec.Channel}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := h.spawner.start(cmd); err != nil {
		p.setup = err.Error()
		errors.As(err, &p.setupErrno)
		cmd = nil
	}
	p.cmd = cmd
	if cmd != nil {
		return errors.Join(p.group.add(cmd.Process.Pid), p.frost.add(cmd.Process.Pid))
	}
	return nil
}

// startInit starts this program as the sandbox's first process, limits it, and
// only then tells it what to do.
func (h *Host) startInit(p *Process, level Level, spec *Spec, trial bool) error {
	controlled := isControlled(level, spec)
	configRead, configWrite, err := os.Pipe()
	if err != nil {
		return err
	}
	defer configRead.Close()
	defer func() {
		if p.orders == nil {
			configWrite.Close()
		}
	}()
	statusRead, statusWrite, err := os.Pipe()
	if err != nil {
		return err
	}
	defer statusWrite.Close()
	p.status = statusRead

	// The link leads to the running program even if its file was replaced.
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{initName}
	cmd.Env = []string{"GOMAXPROCS=1", "GOTRACEBACK=none"}
	cmd.Stdout, cmd.Stderr = spec.Log, spec.Log
	channel := spec.Channel
	if channel == nil {
		if channel, err = os.Open(os.DevNull); err != nil {
			return err
		}
		defer channel.Close()
	}
	cmd.ExtraFiles = []*os.File{channel, configRead, statusWrite}
	if p.adopted != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, p.adopted)
	}
	companionLog := 0
	if spec.CompanionLog != nil {
		companionLog = channelFD + len(cmd.ExtraFiles)
		cmd.ExtraFiles = append(cmd.ExtraFiles, spec.CompanionLog)
	}
	cmd.SysProcAttr = h.attributes(level)
	if err := h.spawner.start(cmd); err != nil {
		statusRead.Close()
		return fmt.Errorf("start sandbox: %w", err)
	}
	cmd.ExtraFiles, cmd.Env = nil, nil // or they'd live as long as the sandbox
	p.cmd = cmd
	c := h.config(p, level, spec, trial)
	c.CompanionLog = companionLog
	config, err := json.Marshal(c)
	if err == nil {
		err = errors.Join(p.group.add(cmd.Process.Pid), p.frost.add(cmd.Process.Pid))
	}
	if err == nil {
		_, err = configWrite.Write(config)
	}
	if err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		statusRead.Close()
		return fmt.Errorf("start sandbox: %w", err)
	}
	if p.adopted != nil {
		p.adopted.Close()
		p.adopted = nil
	}
	if controlled {
		p.orders = configWrite
		for range spec.Companions {
			p.companions = append(p.companions, &Companion{done: make(chan struct{})})
		}
	}
	return nil
}

func isControlled(level Level, spec *Spec) bool {
	return level == Namespaces && (spec.Controlled || len(spec.Companions) > 0)
}

// attributes are the clone flags of a rung. Without root, a user namespace
// comes first and gives the right to the others.
func (h *Host) attributes(level Level) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if level < Namespaces {
		return attr
	}
	attr.Cloneflags = syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS
	if !h.asRoot {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: insideUID, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: insideUID, HostID: os.Getegid(), Size: 1}}
		// The first process runs as an ordinary user inside, so it needs the
		// capabilities to mount and to drop capabilities as ambient ones; it
		// clears them before it starts the program.
		attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SETPCAP}
		if level == GVisor {
			attr.AmbientCaps = append(attr.AmbientCaps, unix.CAP_SYS_CHROOT) // see findInGuest
		}
	}
	return attr
}

func (h *Host) config(p *Process, level Level, spec *Spec, trial bool) *initConfig {
	c := &initConfig{
		Level: level, Args: spec.Args, Env: spec.Env, Dir: spec.Dir, Root: h.root, Image: spec.Root,
		Binds: spec.Binds, Links: spec.Links, Layers: spec.Layers, LayersAt: spec.LayersAt, TmpMB: spec.TmpMB, HasTmp: p.adopted != nil,
		MountPoints: spec.MountPoints, LateDir: spec.LateDir,
		UID: insideUID, GID: insideUID, Trial: trial,
		Companions: spec.Companions, Controlled: isControlled(level, spec),
	}
	if level >= Namespaces {
		c.Hosts = p.hostsLine()
	}
	if level == GVisor {
		c.GVisor, c.GVisorPath = h.gvisor.platform, h.gvisor.path
	}
	if p.uid != 0 {
		c.UID, c.GID, c.InitUID, c.SetUser = p.uid, p.uid, p.uid+initUIDs, true
	}
	if level == Restricted {
		c.Env = withTmp(spec.Env, p.tmp)
		c.Read = append(append(c.Read, systemDirs...), deviceNodes...)
		for _, pattern := range etcEntries {
			names, _ := filepath.Glob(pattern)
			c.Read = append(c.Read, names...)
		}
		for _, b := range spec.Binds {
			c.Read = append(c.Read, b.Source)
		}
		c.Read = append(c.Read, spec.Layers...)
		c.Write = []string{p.tmp}
	}
	return c
}

// withTmp points programs at a private directory where /tmp is the host's.
func withTmp(env []string, dir string) []string {
	out := append([]string(nil), env...)
	for i, entry := range out {
		if strings.HasPrefix(entry, "TMPDIR=") {
			out[i] = "TMPDIR=" + dir
			return out
		}
	}
	return append(out, "TMPDIR="+dir)
}

func (h *Host) takeUID() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.free); n > 0 {
		uid := h.free[n-1]
		h.free = h.free[:n-1]
		return uid
	}
	h.next++
	return h.firstUID + (h.next-1)%maxUIDs
}

func isSandboxUser(uid int) bool { return uid >= firstUID && uid < firstUID+2*initUIDs }

func (h *Host) giveUID(uid int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.free = append(h.free, uid)
}

// Report tells, mechanism by mechanism, what sandboxes get. The first call
// tries the rungs out, which takes some milliseconds; ctx bounds nothing else.
func (h *Host) Report(ctx context.Context) []Rung {
	level, err := h.Level()
	if err != nil {
		return []Rung{{Mechanism: "isolation", Detail: err.Error()}}
	}
	user := "unprivileged user id per sandbox, no capabilities"
	if !h.asRoot {
		user = "user namespace, no capabilities"
	}
	rungs := []Rung{h.rung("file system", level >= Namespaces, "private root, read-only code and system, private /tmp", Namespaces)}
	switch level {
	case Namespaces, GVisor:
		rungs = append(rungs,
			Rung{"processes", true, "own process table and IPC; killed as a whole"},
			Rung{"user", true, user})
	case Restricted:
		rungs = append(rungs,
			Rung{"file access", true, "Landlock: code, runtime and system readable, a private temporary directory writable"},
			Rung{"processes", false, h.processGroup()},
			Rung{"user", false, "functions run as the server's own user" + cond(landlockABI() < scopeABI, ", and can signal all that runs as it (needs Linux 6.12 with Landlock)", "")})
	default:
		rungs = append(rungs,
			h.rung("file access", false, "", Restricted),
			Rung{"processes", false, h.processGroup()},
			Rung{"user", false, "functions run as the server's own user"})
	}
	filtered := level != None
	rungs = append(rungs,
		h.kernelRung(level),
		Rung{"system calls", filtered, callsDetail(level)},
		Rung{"resource limits", filtered, cond(filtered, "open files, processes, locked memory, core size, as on Lambda", "the server's own")})
	rungs = append(rungs, scopeRung(level), Rung{"network", false, "the host's own, for functions need the internet; so what listens on this machine's addresses is in their reach"})
	return append(rungs, h.groupRungs()...)
}

func callsDetail(level Level) string {
	switch level {
	case GVisor:
		return "answered by runsc, which itself has a filter that leaves it a few dozen of the host's"
	case None:
		return "all allowed"
	}
	return "no_new_privs and a deny-list"
}

// processGroup is how sandboxes without a process table of their own end.
func (h *Host) processGroup() string {
	if h.cgroups.killable {
		return "the host's process list is in sight; killed as a whole by its control group"
	}
	return "process group; a function that starts a daemon can leave it behind"
}

// scopeRung is about what restrictScope does.
func scopeRung(level Level) Rung {
	const mechanism = "abstract sockets"
	switch {
	case level == None:
		return Rung{mechanism, false, "all in reach"}
	case level == GVisor:
		return Rung{mechanism, true, "gVisor's own: those of other programs are out of reach"}
	case landlockABI() < scopeABI:
		return Rung{mechanism, false, "those of other programs are in reach (needs Linux 6.12 with Landlock)"}
	}
	return Rung{mechanism, true, "Landlock: those of other programs are out of reach"}
}

func (h *Host) groupRungs() []Rung {
	g := &h.cgroups
	how := cond(g.v2, "control groups v2", "control groups v1") + g.note
	return []Rung{
		{"memory limit", g.memory != "", cond(g.memory != "", how, g.missing["memory"])},
		{"task limit", g.pids != "", cond(g.pids != "", how, g.missing["pids"])},
		g.processor.rung(how),
	}
}

func (h *Host) rung(mechanism string, reached bool, detail string, level Level) Rung {
	if reached {
		return Rung{mechanism, true, detail}
	}
	reason := h.reasons[level]
	if reason == "" {
		reason = "not asked for"
	}
	if level == Namespaces && !h.asRoot && h.reasons[level] != "" {
		reason += " (" + namespacesAdvice("/proc/sys") + ", or run as root)"
	}
	if level == Namespaces && h.asRoot && h.reasons[level] != "" {
		reason += " (a container needs CAP_SYS_ADMIN for it)"
	}
	return Rung{mechanism, false, reason}
}

// namespacesAdvice is how to have user namespaces, by the setting below sys that
// forbids them.
func namespacesAdvice(sys string) string {
	for _, setting := range []struct{ name, forbids, allow string }{
		{"kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"},
		{"user/max_user_namespaces", "0", "user.max_user_namespaces=10000"},
		{"kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"},
	} {
		if value, err := os.ReadFile(filepath.Join(sys, setting.name)); err == nil && strings.TrimSpace(string(value)) == setting.forbids {
			return "allow unprivileged user namespaces: sysctl " + setting.allow
		}
	}
	return "allow unprivileged user namespaces"
}

func cond(ok bool, yes, no string) string {
	if ok {
		return yes
	}
	return no
}

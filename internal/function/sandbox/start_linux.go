package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// startPlain starts the program itself, on the rung None.
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

// initPipes join the server and a sandbox's first process.
type initPipes struct {
	orders, reports *os.File // the server's ends: to write and to read
	config, status  *os.File // the first process's, configFD and statusFD
}

func openInitPipes() (*initPipes, error) {
	config, orders, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	reports, status, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, config.Close(), orders.Close())
	}
	return &initPipes{orders: orders, reports: reports, config: config, status: status}, nil
}

// closeOurs closes the server's ends: there is no sandbox.
func (i *initPipes) closeOurs() { _ = errors.Join(i.orders.Close(), i.reports.Close()) }

// closeTheirs closes the first process's ends, which has them if it was started.
func (i *initPipes) closeTheirs() { _ = errors.Join(i.config.Close(), i.status.Close()) }

// startInit starts this program as the sandbox's first process, limits it, and
// only then tells it what to do.
func (h *Host) startInit(p *Process, level Level, spec *Spec, trial bool) error {
	pipes, err := openInitPipes()
	if err != nil {
		return err
	}
	defer pipes.closeTheirs()
	c := h.config(p, level, spec, trial)
	if err := h.spawnInit(p, spec, pipes, c); err != nil {
		pipes.closeOurs()
		return fmt.Errorf("start sandbox: %w", err)
	}
	if err := instruct(p, pipes.orders, c); err != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait() // killed, as it says
		pipes.closeOurs()
		return fmt.Errorf("start sandbox: %w", err)
	}
	if p.adopted != nil {
		_ = p.adopted.Close()
		p.adopted = nil
	}
	p.status = pipes.reports
	if !c.Controlled {
		_ = pipes.orders.Close()
		return nil
	}
	p.orders = pipes.orders
	for range spec.Companions {
		p.companions = append(p.companions, &Companion{done: make(chan struct{})})
	}
	return nil
}

// spawnInit starts the first process with the files it expects, and tells c
// where among them the companions' log is.
func (h *Host) spawnInit(p *Process, spec *Spec, pipes *initPipes, c *initConfig) (err error) {
	channel := spec.Channel
	if channel == nil {
		if channel, err = os.Open(os.DevNull); err != nil {
			return err
		}
		defer channel.Close()
	}
	files := []*os.File{channel, pipes.config, pipes.status}
	if p.adopted != nil {
		files = append(files, p.adopted)
	}
	if spec.CompanionLog != nil {
		c.CompanionLog = channelFD + len(files)
		files = append(files, spec.CompanionLog)
	}
	// The link leads to the running program even if its file was replaced.
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{initName}
	cmd.Env = []string{"GOMAXPROCS=1", "GOTRACEBACK=none"}
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = spec.Log, spec.Log, files
	cmd.SysProcAttr = h.attributes(c.Level)
	if err := h.spawner.start(cmd); err != nil {
		return err
	}
	cmd.ExtraFiles, cmd.Env = nil, nil // or they'd live as long as the sandbox
	p.cmd = cmd
	return nil
}

// instruct limits the first process, which waits, and tells it what to do.
func instruct(p *Process, orders *os.File, c *initConfig) error {
	config, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := errors.Join(p.group.add(p.cmd.Process.Pid), p.frost.add(p.cmd.Process.Pid)); err != nil {
		return err
	}
	_, err = orders.Write(config)
	return err
}

// isControlled tells whether orders follow the configuration.
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

// config is what a sandbox's first process is told.
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

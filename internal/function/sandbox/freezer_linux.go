package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

// A frozen sandbox gets no processor time: threads that go on in the background
// stop where they are, as on AWS between calls. The kernel does that to a
// control group as a whole; without one, every process is sent SIGSTOP, which
// one that starts others at that moment can slip through.

// freezers says how sandboxes are frozen.
type freezers struct {
	once sync.Once
	own  bool   // in the control groups that they have anyway: there is one for each process in version 2
	dir  string // else the parent of groups for that; "" for signals
	file string // of a group, that is written to
	how  string // for people
}

// What to write to freezers.file.
var (
	freezeWords = map[string]string{"cgroup.freeze": "1", "freezer.state": "FROZEN"}
	thawWords   = map[string]string{"cgroup.freeze": "0", "freezer.state": "THAWED"}
)

// find looks for a hierarchy in which groups can be made: version 2's, where a
// hybrid host keeps it, or version 1's freezer.
func (f *freezers) find(procCgroup, mountRoot, name string) {
	f.how = "SIGSTOP and SIGCONT to each process, as no control group can be made"
	data, err := os.ReadFile(procCgroup)
	if err != nil {
		return
	}
	own := parseCgroups(string(data))
	for _, c := range []struct{ base, file, how string }{
		{filepath.Join(mountRoot, own[""]), "cgroup.freeze", "control groups v2"},
		{filepath.Join(mountRoot, "unified", own[""]), "cgroup.freeze", "control groups v2 beside v1"},
		{filepath.Join(mountRoot, "freezer", own["freezer"]), "freezer.state", "control groups v1"},
	} {
		dir := filepath.Join(c.base, name+"-freezer")
		sweepGroups(c.base)
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, c.file)); err == nil {
			f.dir, f.file, f.how = dir, c.file, c.how
			return
		}
		os.Remove(dir)
	}
}

// Freezing says how sandboxes are frozen on this host.
func (h *Host) Freezing() string {
	if _, err := h.Level(); err != nil {
		return "not at all: " + err.Error()
	}
	return h.freezer().how
}

// freezer finds out how sandboxes are frozen here.
func (h *Host) freezer() *freezers {
	f := &h.freezers
	f.once.Do(func() {
		if h.cgroups.v2 {
			f.own, f.file, f.how = true, "cgroup.freeze", "control groups v2"
			return
		}
		f.find("/proc/self/cgroup", "/sys/fs/cgroup", h.name)
	})
	return f
}

// frost is what there is to freeze one sandbox with.
type frost struct {
	able bool   // Spec.Freezable
	dir  string // the group that was made for it, if any
	file string // what is written to, "" if it takes signals

	mu     sync.Mutex
	frozen bool
}

// prepareFrost makes the group of a sandbox that is to be frozen.
func (h *Host) prepareFrost(p *Process, name string) {
	f := h.freezer()
	switch p.frost.able = true; {
	case f.own:
		p.frost.file = filepath.Join(p.group.unified, f.file)
		return
	case f.dir == "":
		return
	}
	dir := filepath.Join(f.dir, name)
	if err := os.Mkdir(dir, 0o755); err == nil || errors.Is(err, os.ErrExist) {
		p.frost.dir, p.frost.file = dir, filepath.Join(dir, f.file)
	}
}

// add puts a process, and what it starts from now on, into the group.
func (f *frost) add(pid int) error {
	if f.dir == "" {
		return nil
	}
	return writeFile(filepath.Join(f.dir, "cgroup.procs"), strconv.Itoa(pid))
}

// remove deletes the group once its processes are gone.
func (f *frost) remove() {
	if f.dir != "" {
		removeGroup(f.dir)
	}
}

// Freeze takes the processor from the sandbox until Thaw. It does nothing to one
// that isn't Freezable.
func (p *Process) Freeze() error { return p.setFrozen(true) }

// Thaw undoes Freeze; it costs nothing if there is nothing to undo.
func (p *Process) Thaw() error { return p.setFrozen(false) }

func (p *Process) setFrozen(frozen bool) error {
	f := &p.frost
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.able || f.frozen == frozen {
		return nil
	}
	select {
	case <-p.gone:
		return nil
	default:
	}
	f.frozen = frozen
	words, signal := thawWords, syscall.SIGCONT
	if frozen {
		words, signal = freezeWords, syscall.SIGSTOP
	}
	if f.file != "" {
		return writeFile(f.file, words[filepath.Base(f.file)])
	}
	for _, pid := range descendants(p.Pid()) {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return nil
}

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cgroups creates one control group per sandbox below this process's own, on
// version 1, 2 and hybrid hosts. A zero memory or pids root means that the
// controller can't be had.
type cgroups struct {
	memory, pids string // directories to create groups in; equal on version 2
	v2           bool
	why          string // why a controller is missing
	processor    processor
}

// findCgroups looks for writable memory and pids controllers. Version 1
// hierarchies are taken where they are mounted, because a hybrid host's
// version 2 mount carries no controllers.
func findCgroups(procCgroup, mountRoot, name string) cgroups {
	data, err := os.ReadFile(procCgroup)
	if err != nil {
		return cgroups{why: "no control groups on this host"}
	}
	own := parseCgroups(string(data))
	for _, base := range []string{filepath.Join(mountRoot, "memory", own["memory"]), filepath.Join(mountRoot, "pids", own["pids"]), filepath.Join(mountRoot, own[""])} {
		sweepGroups(base)
	}
	g := cgroups{processor: findProcessor(mountRoot, own, name)}
	if own["memory"] == "" {
		return findUnified(mountRoot, own[""], name)
	}
	g.memory, err = makeGroup(filepath.Join(mountRoot, "memory", own["memory"], name), "memory.limit_in_bytes")
	if err != nil {
		g.why = err.Error()
	}
	g.pids, err = makeGroup(filepath.Join(mountRoot, "pids", own["pids"], name), "")
	if err != nil {
		g.why = err.Error()
	}
	return g
}

// parseCgroups maps controller names to this process's path; "" is version 2.
func parseCgroups(text string) map[string]string {
	own := map[string]string{}
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for controller := range strings.SplitSeq(parts[1], ",") {
			own[controller] = parts[2]
		}
	}
	return own
}

// groupPrefix and the server's process id begin the names of parent groups.
const groupPrefix = "butai-"

// sweepGroups removes the empty groups of servers that were killed.
func sweepGroups(base string) {
	names, err := filepath.Glob(filepath.Join(base, groupPrefix+"*"))
	if err != nil {
		return
	}
	for _, name := range names {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(name), groupPrefix), "-")
		if n, err := strconv.Atoi(pid); err != nil || syscall.Kill(n, 0) != syscall.ESRCH {
			continue
		}
		children, err := filepath.Glob(filepath.Join(name, "sandbox-*"))
		if err != nil {
			continue
		}
		for _, child := range children {
			os.Remove(child)
		}
		os.Remove(name)
	}
}

// makeGroup creates a version 1 group and checks that it has the file probe.
func makeGroup(dir, probe string) (string, error) {
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("control groups: %w", err)
	}
	if probe != "" {
		if _, err := os.Stat(filepath.Join(dir, probe)); err != nil {
			os.Remove(dir)
			return "", fmt.Errorf("control groups: %w", err)
		}
	}
	return dir, nil
}

// findUnified prepares version 2: a group that holds processes may not hand
// controllers to children, so this process first moves to a leaf of its own.
func findUnified(mountRoot, own, name string) cgroups {
	base := filepath.Join(mountRoot, own)
	if _, err := os.Stat(filepath.Join(base, "cgroup.controllers")); err != nil {
		return cgroups{why: "no control group controllers at " + base}
	}
	group := filepath.Join(base, name)
	if err := os.Mkdir(group, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return cgroups{why: "control groups: " + err.Error() + " (run as root, or in a delegated group: systemd-run --user --scope -p Delegate=yes)"}
	}
	if enableControllers(base) != nil {
		leaf := filepath.Join(base, name+"-server")
		if err := os.Mkdir(leaf, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return cgroups{why: "control groups: " + err.Error()}
		}
		if err := writeFile(filepath.Join(leaf, "cgroup.procs"), strconv.Itoa(os.Getpid())); err != nil {
			return cgroups{why: "control groups: " + err.Error()}
		}
		if err := enableControllers(base); err != nil {
			return cgroups{why: "control groups: " + err.Error()}
		}
	}
	if err := enableControllers(group); err != nil {
		return cgroups{why: "control groups: " + err.Error()}
	}
	return cgroups{memory: group, pids: group, v2: true, processor: findUnifiedProcessor(base, group)}
}

func enableControllers(dir string) error {
	return writeFile(filepath.Join(dir, "cgroup.subtree_control"), "+memory +pids")
}

// writeFile writes a control file, which must exist already.
func writeFile(path, value string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// group is one sandbox's control group.
type group struct {
	memory, pids string
	v2           bool
	peak         *os.File // memory high-water mark, kept open: it's read after each call
	share        share    // of the processor
}

// create makes the group called name with the given limits.
func (g cgroups) create(name string, memoryMB, maxTasks, weight int) (*group, error) {
	made := &group{v2: g.v2}
	if g.memory != "" {
		made.memory = filepath.Join(g.memory, name)
		if err := g.mkdir(made.memory); err != nil {
			return nil, err
		}
		made.openPeak()
		if err := made.limitMemory(memoryMB); err != nil {
			made.remove()
			return nil, err
		}
	}
	if g.pids != "" {
		made.pids = filepath.Join(g.pids, name)
		if err := g.mkdir(made.pids); err != nil {
			made.remove()
			return nil, err
		}
		if maxTasks > 0 {
			if err := writeFile(filepath.Join(made.pids, "pids.max"), strconv.Itoa(maxTasks)); err != nil {
				made.remove()
				return nil, fmt.Errorf("limit tasks: %w", err)
			}
		}
	}
	var err error
	if made.share, err = g.processor.create(made.memory, name); err == nil && weight != Ordinary {
		err = made.share.weigh(weight)
	}
	if err != nil {
		made.remove()
		return nil, err
	}
	return made, nil
}

// dirs are the group's directories, each once.
func (g *group) dirs() (list []string) {
	for _, dir := range []string{g.memory, g.pids, g.share.dir, g.share.usage} {
		if dir != "" && !slices.Contains(list, dir) {
			list = append(list, dir)
		}
	}
	return list
}

// mkdir makes a sandbox's group, and its parent anew if that has gone: a server
// in another container doesn't see this process, and sweeps its empty groups.
func (g cgroups) mkdir(dir string) error {
	err := os.Mkdir(dir, 0o755)
	if errors.Is(err, os.ErrNotExist) {
		parent := filepath.Dir(dir)
		if err = os.Mkdir(parent, 0o755); errors.Is(err, os.ErrExist) {
			err = nil
		}
		if err == nil && g.v2 {
			err = enableControllers(parent)
		}
		if err == nil {
			err = os.Mkdir(dir, 0o755)
		}
	}
	if err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("create control group: %w", err)
	}
	return nil
}

func (g *group) openPeak() {
	peak := "memory.max_usage_in_bytes"
	if g.v2 {
		peak = "memory.peak"
	}
	g.peak, _ = os.Open(filepath.Join(g.memory, peak)) // memory.peak exists since Linux 5.19
}

func (g *group) limitMemory(mb int) error {
	if mb == 0 {
		return nil
	}
	limit := "memory.limit_in_bytes"
	if g.v2 {
		limit = "memory.max"
	}
	bytes := strconv.FormatInt(int64(mb)<<20, 10)
	if err := writeFile(filepath.Join(g.memory, limit), bytes); err != nil {
		return fmt.Errorf("limit memory: %w", err)
	}
	// Swapping would let a function live beyond its limit; not every kernel
	// accounts swap, so the files may be absent.
	if g.v2 {
		writeFile(filepath.Join(g.memory, "memory.swap.max"), "0")
	} else {
		writeFile(filepath.Join(g.memory, "memory.memsw.limit_in_bytes"), bytes)
	}
	return nil
}

// add puts a process, and what it starts from now on, into the group.
func (g *group) add(pid int) error {
	for _, dir := range g.dirs() {
		if err := writeFile(filepath.Join(dir, "cgroup.procs"), strconv.Itoa(pid)); err != nil {
			return fmt.Errorf("enter control group: %w", err)
		}
	}
	return nil
}

// peakBytes returns the memory high-water mark, 0 if unknown.
func (g *group) peakBytes() int64 {
	if g.peak == nil {
		return 0
	}
	var buf [32]byte
	n, _ := g.peak.ReadAt(buf[:], 0)
	value, _ := strconv.ParseInt(strings.TrimSpace(string(buf[:n])), 10, 64)
	return value
}

// oomKilled reports whether the kernel killed a process of the group at its
// memory limit.
func (g *group) oomKilled() bool {
	if g.memory == "" {
		return false
	}
	file := "memory.oom_control"
	if g.v2 {
		file = "memory.events"
	}
	data, err := os.ReadFile(filepath.Join(g.memory, file))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, "oom_kill "); ok {
			return strings.TrimSpace(value) != "0"
		}
	}
	return false
}

// remove deletes the group once its processes are gone. The kernel may need a
// moment after the last exit, so it retries for a second.
func (g *group) remove() {
	if g.peak != nil {
		g.peak.Close()
	}
	for _, dir := range g.dirs() {
		for try := 0; try < 100; try++ {
			if err := os.Remove(dir); err == nil || !errors.Is(err, syscall.EBUSY) {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// removeAll deletes the parent groups; theirs must be gone already.
func (g cgroups) removeAll() {
	for _, dir := range []string{g.memory, g.pids} {
		if dir != "" {
			os.Remove(dir)
		}
	}
}

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
	unified      string            // version 2's directory, whatever its controllers are
	prefix       string            // of version 2's groups: they have no parent of their own
	killable     bool              // version 2's groups can be killed as a whole
	missing      map[string]string // why a controller can't be had
	note         string            // for people: where the groups are
	processor    processor
}

// without says that there are no control groups, and why.
func without(why string) cgroups {
	return cgroups{missing: map[string]string{"memory": why, "pids": why}, processor: processor{why: why}}
}

// findCgroups looks for writable memory and pids controllers. Version 1
// hierarchies are taken where they are mounted, because a hybrid host's
// version 2 mount carries no controllers. scope is newScope but in tests.
func findCgroups(procCgroup, mountRoot, name string, scope func() (string, error)) cgroups {
	data, err := os.ReadFile(procCgroup)
	if err != nil {
		return without("no control groups on this host")
	}
	own := parseCgroups(string(data))
	if own["memory"] == "" {
		if own[""] == "" {
			return without("no control groups on this host")
		}
		return unified{mountRoot: mountRoot, name: name, root: os.Geteuid() == 0, scope: scope}.find(own[""])
	}
	g := cgroups{processor: findProcessor(mountRoot, own, name), missing: map[string]string{}}
	for _, c := range []struct {
		controller, probe string
		dir               *string
	}{{"memory", "memory.limit_in_bytes", &g.memory}, {"pids", "", &g.pids}} {
		base := filepath.Join(mountRoot, c.controller, own[c.controller])
		sweepGroups(base)
		if *c.dir, err = makeGroup(filepath.Join(base, name), c.probe); err != nil {
			g.missing[c.controller] = err.Error()
		}
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

// makeGroup creates a version 1 group and checks that it has the file probe.
func makeGroup(dir, probe string) (string, error) {
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("control groups: %w%s", err, cond(errors.Is(err, syscall.EROFS), writableAdvice, ""))
	}
	if probe != "" {
		if _, err := os.Stat(filepath.Join(dir, probe)); err != nil {
			os.Remove(dir)
			return "", fmt.Errorf("control groups: %w", err)
		}
	}
	return dir, nil
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
	unified      string // version 2's, whatever its controllers are
	v2           bool
	peak         *os.File // memory high-water mark, kept open: it's read after each call
	share        share    // of the processor
}

// create makes the group called name with the given limits.
func (g cgroups) create(name string, memoryMB, maxTasks, weight int, idle bool) (*group, error) {
	made := &group{v2: g.v2}
	if g.v2 {
		name = g.prefix + name
		made.unified = filepath.Join(g.unified, name)
		if err := g.mkdir(made.unified); err != nil {
			return nil, err
		}
	}
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
	if made.share, err = g.processor.create(made.unified, name); err == nil && (idle || weight != Ordinary) {
		err = made.share.weigh(weight, idle)
	}
	if err != nil {
		made.remove()
		return nil, err
	}
	return made, nil
}

// dirs are the group's directories, each once.
func (g *group) dirs() (list []string) {
	for _, dir := range []string{g.unified, g.memory, g.pids, g.share.dir, g.share.usage} {
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

// killFile ends all processes of a version 2 group, since Linux 5.14.
const killFile = "cgroup.kill"

// kill ends all processes of the group, where the kernel can.
func (g *group) kill() {
	if g.unified != "" {
		_ = writeFile(filepath.Join(g.unified, killFile), "1")
	}
}

// remove deletes the group once its processes are gone.
func (g *group) remove() {
	if g.peak != nil {
		g.peak.Close()
	}
	for _, dir := range g.dirs() {
		removeGroup(dir)
	}
}

// removeGroup deletes a group whose processes are gone. The kernel may need a
// moment after the last exit, so it retries for a second.
func removeGroup(dir string) {
	for range 100 {
		if err := os.Remove(dir); err == nil || !errors.Is(err, syscall.EBUSY) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// removeAll deletes version 1's parent groups; theirs must be gone already.
func (g cgroups) removeAll() {
	for _, dir := range []string{g.memory, g.pids} {
		if dir != "" && !g.v2 {
			os.Remove(dir)
		}
	}
}

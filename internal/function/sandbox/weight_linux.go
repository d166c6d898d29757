package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Sandboxes want the processor most of the time that somebody calls, so what
// each gets beside others is a weight, which costs nothing while nobody else
// wants it, and not a limit. However light, one that runs goes on until the
// scheduler's next tick, up to 4 ms, while others wait. An idle one (Linux 5.15)
// makes room at once, and its core counts as free for who looks for one.
//
// Each sandbox's group stands beside the server (on version 2, beside its leaf),
// and not below one group of all sandboxes: the kernel would weigh that group as
// a whole on each core, so that one busy sandbox in it makes room for itself
// beside the server as all of them do.

// ordinaryShares are version 1's shares of an ordinary process.
const ordinaryShares = 1024

// processor makes the groups that weigh sandboxes.
type processor struct {
	dir   string // version 1's cpu hierarchy; "" if there is none, or on version 2
	usage string // version 1's cpuacct hierarchy, "" if it is the same
	name  string // begins the names of groups there
	v2    bool   // the group that limits memory weighs as well
	idle  bool   // the kernel knows idle groups
	why   string // why sandboxes can't be weighed
}

// findProcessor looks for version 1's cpu hierarchy.
func findProcessor(mountRoot string, own map[string]string, name string) processor {
	p := processor{name: name}
	if own["cpu"] == "" {
		p.why = "no cpu controller"
		return p
	}
	dir := filepath.Join(mountRoot, "cpu", own["cpu"])
	sweepGroups(dir)
	// Whether groups can be made is seen by making one.
	trial, err := makeGroup(filepath.Join(dir, name+"-trial"), "cpu.shares")
	if err != nil {
		p.why = err.Error()
		return p
	}
	defer os.Remove(trial)
	p.dir, p.idle = dir, has(trial, idleFile)
	if _, err := os.Stat(filepath.Join(trial, "cpuacct.usage")); err != nil && own["cpuacct"] != "" {
		p.usage = filepath.Join(mountRoot, "cpuacct", own["cpuacct"])
		sweepGroups(p.usage)
	}
	return p
}

// idleFile makes a group idle. An idle group can't be given a weight.
const idleFile = "cpu.idle"

// has tells whether a group has a file, so what it stands for is known to the kernel.
func has(group, file string) bool {
	_, err := os.Stat(filepath.Join(group, file))
	return err == nil
}

// rung is what is said of it; how tells the version.
func (p *processor) rung(how string) Rung {
	const mechanism = "processor"
	switch {
	case p.why != "":
		return Rung{mechanism, false, p.why}
	case !p.idle:
		return Rung{mechanism, true, how + ": calls that last weigh less (from Linux 5.15 on they make room at once)"}
	}
	return Rung{mechanism, true, how + ": calls that last make room for others"}
}

// share is what weighs one sandbox.
type share struct {
	dir   string // "" if it can't be weighed
	usage string // where its processor time is counted
	v2    bool
	idle  bool // it can be idle
}

// create makes the groups for a sandbox; unified is its group on version 2.
func (p *processor) create(unified, name string) (s share, err error) {
	switch {
	case p.v2 && p.why == "":
		return share{dir: unified, usage: unified, v2: true, idle: p.idle}, nil
	case p.dir == "":
		return share{}, nil
	}
	s.dir = filepath.Join(p.dir, p.name+"-"+name)
	s.usage, s.idle = s.dir, p.idle
	if p.usage != "" {
		s.usage = filepath.Join(p.usage, p.name+"-"+name)
	}
	for _, dir := range []string{s.dir, s.usage} {
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return s, fmt.Errorf("create control group: %w", err)
		}
	}
	return s, nil
}

// weigh sets the weight, see Spec.Weight and Spec.Idle.
func (s *share) weigh(weight int, idle bool) error {
	if s.dir == "" {
		return nil
	}
	if s.idle {
		if err := s.setIdle(idle); err != nil || idle {
			return err
		}
	}
	file, value := "cpu.shares", weight*ordinaryShares/Ordinary
	if s.v2 {
		file, value = "cpu.weight", weight
	}
	if err := writeFile(filepath.Join(s.dir, file), strconv.Itoa(value)); err != nil {
		return fmt.Errorf("weigh processor time: %w", err)
	}
	return nil
}

func (s *share) setIdle(idle bool) error {
	value := "0"
	if idle {
		value = "1"
	}
	if err := writeFile(filepath.Join(s.dir, idleFile), value); err != nil {
		return fmt.Errorf("weigh processor time: %w", err)
	}
	return nil
}

// used is the processor time of all that has run in the group.
func (s *share) used() (time.Duration, error) {
	if s.dir == "" {
		return 0, errors.ErrUnsupported
	}
	file := "cpuacct.usage"
	if s.v2 {
		file = "cpu.stat"
	}
	data, err := os.ReadFile(filepath.Join(s.usage, file))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(data), "\n")
	if !s.v2 {
		ns, err := strconv.ParseInt(first, 10, 64)
		return time.Duration(ns), err
	}
	us, err := strconv.ParseInt(strings.TrimPrefix(first, "usage_usec "), 10, 64)
	return time.Duration(us) * time.Microsecond, err
}

// SetWeight sets what the sandbox weighs from now on, see Spec.Weight and
// Spec.Idle.
func (p *Process) SetWeight(weight int, idle bool) error {
	select {
	case <-p.Done():
		return nil
	default:
	}
	p.weighing.Lock()
	defer p.weighing.Unlock()
	err := p.group.share.weigh(weight, idle)
	if errors.Is(err, os.ErrNotExist) {
		return nil // it has ended meanwhile
	}
	return err
}

// ProcessorTime is how long the sandbox has run so far, user and system time of
// all its processes. It is an error if the host can't tell.
func (p *Process) ProcessorTime() (time.Duration, error) { return p.group.share.used() }

package sandbox

import (
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Limits a function sees on Lambda (recorded from a Python function), except
// for core files, which would only fill the host's disk.
const (
	maxFiles     = 1024
	maxProcesses = 742
	maxLocked    = 64 << 10
	stackSize    = 8 << 20
)

// setLimits sets this process's limits, which the program inherits.
func setLimits(c *initConfig) error {
	processes := uint64(maxProcesses)
	if c.Level == Restricted {
		// The limit counts all of a user's processes, and that user is the
		// server's, who has a life beside this sandbox.
		processes += countTasks(os.Getuid())
	}
	limits := []struct {
		name     string
		resource int
		cur, max uint64
	}{
		{"open files", syscall.RLIMIT_NOFILE, maxFiles, maxFiles},
		{"processes", unix.RLIMIT_NPROC, processes, processes},
		{"locked memory", unix.RLIMIT_MEMLOCK, maxLocked, maxLocked},
		{"core size", syscall.RLIMIT_CORE, 0, 0},
		{"stack", syscall.RLIMIT_STACK, stackSize, unix.RLIM_INFINITY},
	}
	for _, l := range limits {
		if err := setLimit(l.name, l.resource, l.cur, l.max); err != nil {
			return err
		}
	}
	return nil
}

// setLimit sets a limit, or lowers it to what this process may have.
func setLimit(name string, resource int, cur, most uint64) error {
	var now syscall.Rlimit
	if err := syscall.Getrlimit(resource, &now); err != nil {
		return fmt.Errorf("limit %s: %w", name, err)
	}
	want := syscall.Rlimit{Cur: min(cur, now.Max), Max: min(most, now.Max)}
	if err := syscall.Setrlimit(resource, &want); err != nil {
		return fmt.Errorf("limit %s: %w", name, err)
	}
	return nil
}

// countTasks counts a user's processes and threads.
func countTasks(uid int) (n uint64) {
	for _, pid := range processes() {
		dir := "/proc/" + strconv.Itoa(pid)
		var owner syscall.Stat_t
		if syscall.Stat(dir, &owner) != nil || int(owner.Uid) != uid {
			continue
		}
		var tasks syscall.Stat_t // a directory has one link per subdirectory, and two of its own
		if syscall.Stat(dir+"/task", &tasks) == nil && tasks.Nlink > 2 {
			n += uint64(tasks.Nlink) - 2
		}
	}
	return n
}

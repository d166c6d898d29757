package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// groupPrefix and the server's process id begin the names of its groups.
const groupPrefix = "butai-"

// sweepGroups ends what servers that were killed have left below base, and
// removes their groups. The kernel ends a sandbox's first process with the
// server; where that has no process table of its own, daemons outlive it.
func sweepGroups(base string) {
	names, err := filepath.Glob(filepath.Join(base, groupPrefix+"*"))
	if err != nil {
		return
	}
	lives := map[int]bool{}
	for _, name := range names {
		text, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(name), groupPrefix), "-")
		pid, err := strconv.Atoi(text)
		if err != nil {
			continue
		}
		if _, known := lives[pid]; !known {
			lives[pid] = serverLives(pid)
		}
		if !lives[pid] {
			sweepGroup(name)
		}
	}
}

// sweepScopes is sweepGroups for what systemd has made in a slice (newScope) for
// servers that were killed. It removes such scopes once they are empty.
func sweepScopes(slice string) {
	scopes, err := filepath.Glob(filepath.Join(slice, groupPrefix+"*.scope"))
	if err != nil {
		return
	}
	for _, scope := range scopes {
		sweepGroups(scope)
	}
}

// sweepGroup removes one group of a killed server, and those of sandboxes in it.
func sweepGroup(dir string) {
	sandboxes, err := filepath.Glob(filepath.Join(dir, "sandbox-*"))
	if err != nil {
		return
	}
	if strings.Contains(filepath.Base(dir), "-sandbox-") {
		sandboxes = append(sandboxes, dir)
	}
	for _, group := range sandboxes {
		if emptyGroup(group) {
			removeGroup(group)
		}
	}
	os.Remove(dir) // but not what others have put there
}

// emptyGroup kills the processes of a sandbox's group, and tells whether all of
// them are to be seen from here: a container's may not be.
func emptyGroup(dir string) bool {
	_ = writeFile(filepath.Join(dir, "freezer.state"), "THAWED") // the dead of version 1 stay in the ice
	for range 10 {                                               // for those that it starts meanwhile
		data, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		members := strings.Fields(string(data))
		if err != nil || slices.Contains(members, "0") {
			return false
		}
		if len(members) == 0 {
			return true
		}
		for _, member := range members {
			if pid, err := strconv.Atoi(member); err == nil && pid > 1 {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
	return true
}

// serverLives tells whether there is a process of a number, as this one's or as
// a container's process table has it.
func serverLives(pid int) bool {
	if !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	number := strconv.Itoa(pid)
	for _, other := range processes() {
		data, err := os.ReadFile("/proc/" + strconv.Itoa(other) + "/status")
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(data), "\nNSpid:")
		line, _, _ := strings.Cut(rest, "\n")
		if inside := strings.Fields(line); len(inside) > 1 && inside[len(inside)-1] == number {
			return true
		}
	}
	return false
}

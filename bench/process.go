package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of /proc's processor times on every Linux.
const clockTick = 10 * time.Millisecond

// stat is what /proc says about a process.
type stat struct {
	parent int
	cpu    time.Duration // user and system, of it and of the children it has waited for
}

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	// The program's name may hold anything, so fields count from its end.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 15 {
		return stat{}, fmt.Errorf("/proc/%d/stat is short", pid)
	}
	var s stat
	if s.parent, err = strconv.Atoi(fields[1]); err != nil {
		return stat{}, err
	}
	for _, f := range fields[11:15] {
		ticks, err := strconv.Atoi(f)
		if err != nil {
			return stat{}, err
		}
		s.cpu += time.Duration(ticks) * clockTick
	}
	return s, nil
}

// tree returns the processes below the roots, with them.
func tree(roots []int) (map[int]stat, error) {
	paths, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	all := map[int]stat{}
	for _, path := range paths {
		pid, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			continue
		}
		if s, err := readStat(pid); err == nil { // else it has just ended
			all[pid] = s
		}
	}
	out := map[int]stat{}
	for pid, s := range all {
		for at := pid; at != 0; at = all[at].parent {
			for _, root := range roots {
				if at == root {
					out[pid] = s
				}
			}
		}
	}
	return out, nil
}

// cpuOf is the processor time that process trees have used. Where processes
// end meanwhile their parents count it, once they have waited for them.
func cpuOf(roots []int) (total time.Duration, err error) {
	processes, err := tree(roots)
	for _, s := range processes {
		total += s.cpu
	}
	return total, err
}

// residentMB is a process's resident memory.
func residentMB(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			return float64(kb) / 1024, err
		}
	}
	return 0, fmt.Errorf("process %d has no VmRSS", pid)
}

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// On Lambda, files in /tmp are on a disk and don't count as memory. Here they
// are in memory (a tmpfs), for lack of another file system that is there on
// every host, needs no privilege, costs microseconds and says "no space left"
// at its size; and the kernel charges them to whoever writes them. So the
// control group's limit has room for a full /tmp on top of the function's
// memory, and what the processes themselves take is watched: the kernel calls
// when all together, files included, exceed the function's memory; from then on,
// until they no longer do, somebody looks every few milliseconds. A function
// that stays below its limit costs nothing.

const (
	// memorySlack is by how much the kernel's counters may be behind.
	memorySlack = 2 << 20
	// The watch looks often while memory changes, and slower and slower while
	// it doesn't.
	fastestLook = 5 * time.Millisecond
	slowestLook = 160 * time.Millisecond
)

// alarm returns a file that can be read from when the group's memory, with all
// that is charged to it, exceeds a number of bytes.
func (g *group) alarm(bytes int64) (*os.File, error) {
	if g.v2 {
		return g.pressureAlarm(bytes)
	}
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch memory: %w", err)
	}
	alarm := os.NewFile(uintptr(event), "memory alarm")
	usage, err := os.Open(filepath.Join(g.memory, "memory.usage_in_bytes"))
	if err == nil {
		err = writeFile(filepath.Join(g.memory, "cgroup.event_control"), fmt.Sprintf("%d %d %d", event, usage.Fd(), bytes))
		usage.Close()
	}
	if err != nil {
		alarm.Close()
		return nil, fmt.Errorf("watch memory: %w", err)
	}
	return alarm, nil
}

// pressureAlarm makes version 2 of control groups count an event when the group
// exceeds memory.high; it has no other calls at a level of one's choice.
func (g *group) pressureAlarm(bytes int64) (*os.File, error) {
	notify, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch memory: %w", err)
	}
	alarm := os.NewFile(uintptr(notify), "memory alarm")
	_, err = unix.InotifyAddWatch(notify, filepath.Join(g.memory, "memory.events"), unix.IN_MODIFY)
	if err == nil {
		err = g.throttleAbove(strconv.FormatInt(bytes, 10))
	}
	if err != nil {
		alarm.Close()
		return nil, fmt.Errorf("watch memory: %w", err)
	}
	return alarm, nil
}

// throttleAbove sets memory.high, which also slows down those above it.
func (g *group) throttleAbove(bytes string) error {
	return writeFile(filepath.Join(g.memory, "memory.high"), bytes)
}

// memoryUse is what a group is charged for.
type memoryUse struct {
	total  int64 // everything
	shared int64 // files in memory: /tmp, shared memory
	cached int64 // pages of files on disk, which the kernel takes back at need
}

func (g *group) memoryUse() (memoryUse, error) {
	usage, cache := "memory.usage_in_bytes", "cache"
	if g.v2 {
		usage, cache = "memory.current", "file"
	}
	data, err := os.ReadFile(filepath.Join(g.memory, usage))
	if err != nil {
		return memoryUse{}, err
	}
	total, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	if err != nil {
		return memoryUse{}, err
	}
	stat, err := os.ReadFile(filepath.Join(g.memory, "memory.stat"))
	if err != nil {
		return memoryUse{}, err
	}
	use := memoryUse{total: total}
	var files int64 // those in memory included
	for line := range strings.Lines(string(stat)) {
		switch name, value, _ := strings.Cut(strings.TrimSpace(line), " "); name {
		case cache:
			files, err = strconv.ParseInt(value, 10, 64)
		case "shmem":
			use.shared, err = strconv.ParseInt(value, 10, 64)
		}
		if err != nil {
			return memoryUse{}, err
		}
	}
	use.cached = max(0, files-use.shared)
	return use, nil
}

// memoryGuard is what there is to know to guard a sandbox's memory, in bytes.
type memoryGuard struct {
	limit, tmpSize int64
	alarm          *os.File
	ended          chan struct{} // closed when nobody guards it any more
}

// guardMemory ends the sandbox when its processes take more memory than they
// may. The kernel takes its time to set up an alarm, up to tens of milliseconds,
// so nobody waits for that.
func (p *Process) guardMemory(g *memoryGuard) {
	var err error
	if g.alarm, err = p.group.alarm(g.limit); err != nil {
		// Then /tmp counts, too: better than no limit.
		p.host.log.Warn("the files in a function's /tmp count as its memory", "reason", err)
		if err := p.group.limitMemory(int(g.limit >> 20)); err != nil {
			p.host.log.Warn("a function's memory is limited only together with its /tmp's", "reason", err)
		}
		close(g.ended)
		return
	}
	p.guardOn(g, p.watchMemory(g.limit, g.tmpSize)) // the alarm doesn't ring for what is there already
}

// guardOn waits for the alarm, unless looking at the memory has brought an error.
func (p *Process) guardOn(g *memoryGuard, err error) {
	if err == nil {
		err = p.host.awaiter.await(p.life, g.alarm, func(rings bool) { p.alarmed(g, rings) })
	}
	if err != nil {
		g.alarm.Close()
		close(g.ended)
	}
}

// alarmed looks at the memory when the alarm rings, or ends with the sandbox.
func (p *Process) alarmed(g *memoryGuard, rings bool) {
	if !rings {
		p.guardOn(g, os.ErrProcessDone)
		return
	}
	_, err := g.alarm.Read(make([]byte, 4096))
	if err == nil {
		if p.group.v2 {
			p.group.throttleAbove("max") // writing to /tmp is no fault
		}
		if err = p.watchMemory(g.limit, g.tmpSize); err == nil && p.group.v2 {
			p.group.throttleAbove(strconv.FormatInt(g.limit, 10))
		}
	}
	p.guardOn(g, err)
}

var errOverLimit = errors.New("the processes take more than their memory")

// watchMemory looks until the group's memory is below limit again.
func (p *Process) watchMemory(limit, tmpSize int64) error {
	pause := fastestLook
	for last := int64(0); ; {
		total, taken, err := p.memoryTaken(tmpSize)
		if err != nil {
			return err // the group is gone
		}
		p.taken.Store(max(p.taken.Load(), taken))
		if taken > limit+memorySlack {
			p.overLimit.Store(true)
			p.Kill()
			return errOverLimit
		}
		if total < limit {
			return nil
		}
		pause = min(2*pause, slowestLook)
		if taken != last {
			pause = fastestLook
		}
		last = taken
		select {
		case <-p.Done():
			return errOverLimit
		case <-time.After(pause):
		}
	}
}

// memoryTaken returns what the group is charged for and what of it the processes
// take. The kernel's counters can't be read all at once, so it looks at files
// and cache before and after, and believes the larger figure: a file in /tmp
// that is removed meanwhile is not the processes' memory.
func (p *Process) memoryTaken(tmpSize int64) (total, taken int64, err error) {
	var other int64
	for range 2 {
		use, err := p.group.memoryUse()
		if err != nil {
			return 0, 0, err
		}
		// Shared memory that isn't in /tmp is the processes' own.
		inTmp := min(use.shared, p.tmpBytes(tmpSize, use.shared))
		other = max(other, use.cached+inTmp)
		if p.guest() {
			// The program's memory is a file of runsc's, and all else is runsc's own.
			other = use.total - (use.shared - inTmp)
		}
		total = use.total
	}
	return total, total - other, nil
}

// tmpBytes returns how much of the sandbox's /tmp is used, or otherwise if that
// can't be seen.
func (p *Process) tmpBytes(size, otherwise int64) int64 {
	var fs unix.Statfs_t
	if err := unix.Statfs("/proc/"+strconv.Itoa(p.Pid())+"/root"+p.below+"/tmp", &fs); err != nil {
		return otherwise
	}
	if fs.Type != unix.TMPFS_MAGIC || int64(fs.Blocks)*fs.Bsize != size {
		return 0 // not mounted yet
	}
	return int64(fs.Blocks-fs.Bfree) * fs.Bsize
}

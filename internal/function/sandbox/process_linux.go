package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// Process is a running sandbox. Its methods are safe for concurrent use.
type Process struct {
	host  *Host
	cmd   *exec.Cmd // nil if the program could not be started
	group *group
	uid   int
	tmp   string
	// lateDir is the working directory that Attach enters anew, "" for none.
	lateDir string
	status  *os.File   // where the first process reports, nil without one
	orders  *os.File   // where it is told what to do, nil unless it is controlled
	address netip.Addr // see Address
	// supervised tells that the program is a child of the sandbox's first process.
	supervised bool
	// below is where the program's root is, as the first process sees it.
	below    string
	frost    frost
	weighing sync.Mutex // held by SetWeight

	companions []*Companion

	limit     atomic.Int64 // memory of its processes, bytes; 0 unless /tmp is charged to the group
	tmpSize   atomic.Int64 // of /tmp, bytes; set with limit
	mu        sync.Mutex
	guard     chan struct{} // closed when guardMemory has ended, nil if it never began; guarded by mu
	taken     atomic.Int64  // the most memory that guardMemory saw its processes take
	overLimit atomic.Bool   // guardMemory has ended it

	setup      string
	setupErrno syscall.Errno

	keepsTmp atomic.Bool // see KeepTmp
	kept     *Tmp        // guarded by mu
	passedOn bool        // uid belongs to kept, or has; guarded by mu
	adopted  *os.File    // the /tmp of another sandbox, while this one starts

	ending sync.Once       // guards what done announces
	life   context.Context // ends when the program has ended
	done   func()          // ends it
	gone   chan struct{}   // closed when all its processes have ended
	exit   Exit            // valid once life is over
	peak   int64           // valid once life is over
}

// guest tells that the program runs under gVisor.
func (p *Process) guest() bool { return p.below != "" }

// Done is closed when the program has ended and all that it started, but for
// companions and what they started.
func (p *Process) Done() <-chan struct{} { return p.life.Done() }

// AfterDone has f called in a goroutine of its own after Done.
func (p *Process) AfterDone(f func()) { context.AfterFunc(p.life, f) }

// Exit tells how the program ended. It blocks until Done.
func (p *Process) Exit() Exit {
	<-p.Done()
	return p.exit
}

// StartProgram starts the program of a sandbox with companions.
func (p *Process) StartProgram() error { return p.order(order{Start: true}) }

// Signal sends a signal to the program if to is 0, or to the companion of that
// number, counted from 1. SIGKILL goes to what those have started, too. One that
// has ended doesn't mind.
func (p *Process) Signal(to int, s syscall.Signal) error {
	if p.orders == nil && to == 0 {
		return p.signalProgram(s)
	}
	return p.order(order{Signal: s, To: to})
}

// signalProgram signals the program of a sandbox that takes no orders.
func (p *Process) signalProgram(s syscall.Signal) error {
	pid := p.Pid()
	if p.supervised && !(p.guest() && s == syscall.SIGTERM) { // see tellGuest
		// The first process's first child: the others are orphans that it was given.
		pid = 0
		for _, child := range descendants(p.Pid())[1:] {
			if parentOf(child) == p.Pid() && (pid == 0 || child < pid) {
				pid = child
			}
		}
	}
	if pid == 0 {
		return os.ErrProcessDone
	}
	return syscall.Kill(pid, s)
}

func (p *Process) order(o order) error {
	if p.orders == nil {
		return errors.New("sandbox: its processes can't be signalled on this rung of isolation")
	}
	data, err := json.Marshal(o)
	if err == nil {
		_, err = p.orders.Write(data)
	}
	return err
}

// Pid returns the sandbox's first process on the host, 0 if it never started.
func (p *Process) Pid() int {
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// Kill ends the sandbox at once; with a process table of its own, all that it
// ever started goes down with it.
func (p *Process) Kill() {
	if p.cmd == nil {
		return
	}
	// Nobody dies in the ice of version 1; what remains frozen has been killed.
	defer func() { _ = p.Thaw() }()
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	p.cmd.Process.Kill()
	p.killStragglers()
}

// killStragglers ends daemons that have left the process group, where a control
// group knows them; a process table of their own ends with its first process.
func (p *Process) killStragglers() {
	if !p.supervised {
		p.group.kill()
	}
}

// PeakMemory returns the most memory the sandbox has used so far, in bytes; 0
// if the host can't tell.
func (p *Process) PeakMemory() int64 {
	select {
	case <-p.Done():
		return p.peak
	default:
	}
	if p.group.peak != nil {
		return p.highest()
	}
	return residentPeak(p.Pid())
}

// highest is the group's high-water mark without the files in /tmp, which only
// matter, and are only known, when all was more than the function's memory.
func (p *Process) highest() int64 {
	if p.guest() && p.limit.Load() > 0 {
		// What the group as a whole takes says little: most is runsc's own.
		if _, taken, err := p.memoryTaken(p.tmpSize.Load()); err == nil {
			p.taken.Store(max(p.taken.Load(), taken))
		}
		return min(p.taken.Load(), p.limit.Load())
	}
	peak := p.group.peakBytes()
	if limit := p.limit.Load(); limit > 0 && peak > limit {
		if taken := p.taken.Load(); taken > 0 {
			return taken
		}
		return limit // nobody has looked yet
	}
	return peak
}

// residentPeak reads a process's high-water mark of resident memory.
func residentPeak(pid int) int64 {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kb << 10
		}
	}
	return 0
}

// watchFrom has guardMemory look after the sandbox from now on.
func (p *Process) watchFrom(memoryMB, tmpMB int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.Done():
		return
	default:
	}
	p.tmpSize.Store(int64(tmpMB) << 20)
	p.limit.Store(int64(memoryMB) << 20)
	p.guard = make(chan struct{})
	go p.guardMemory(&memoryGuard{limit: int64(memoryMB) << 20, tmpSize: int64(tmpMB) << 20, ended: p.guard})
}

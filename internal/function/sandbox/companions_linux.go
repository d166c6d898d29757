package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// order is what the engine tells the first process of a controlled sandbox,
// one JSON object after the other.
type order struct {
	Start  bool           `json:",omitempty"` // the program
	Signal syscall.Signal `json:",omitempty"` // to send
	To     int            `json:",omitempty"` // 0 is the program, n the nth companion
}

// family are the processes that a controlled sandbox's first process minds. It
// starts and signals them from one thread: Landlock has a domain for each
// thread here, and signals don't leave it.
type family struct {
	pids []int // the program's, then the companions'; 0 before they start and after they end
}

// superviseFamily is superviseProgram for a controlled sandbox: it starts the
// companions, the program when it is told to, passes signals on, reports each
// end as it comes, and ends with the last one.
func superviseFamily(c *initConfig, incoming *json.Decoder) initStatus {
	syscall.CloseOnExec(channelFD) // it is the program's alone
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGCHLD)
	f := &family{pids: make([]int, len(c.Companions)+1)}
	for n, companion := range c.Companions {
		if err := f.start(c, n+1, companion.Args[0], companion); err != nil {
			report(initStatus{Companion: n + 1, Error: fmt.Sprintf("fork/exec %s: %v", companion.Args[0], err)})
		}
	}
	orders := make(chan order)
	go readOrders(incoming, orders)
	for started := len(c.Companions) == 0; !started; {
		select {
		case o, open := <-orders:
			if !open {
				return initStatus{Error: "the server has ended"}
			}
			f.obey(o)
			started = o.Start
		case <-ends:
			f.reap()
		}
	}
	program, err := findProgram(c)
	if err != nil {
		return initStatus{Error: err.Error(), Errno: syscall.ENOENT}
	}
	if err := f.start(c, 0, program, Program{Args: c.Args, Env: c.Env, Dir: c.Dir}); err != nil {
		return programError(c, err)
	}
	if c.SetUser {
		// What it started has another user, and is to be signalled all the same.
		if _, _, errno := psx.Syscall3(unix.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 1, 0); errno != 0 {
			return initStatus{Error: "keep the right to signal: " + errno.Error()}
		}
	}
	if err := stepBack(c); err != nil {
		return initStatus{Error: err.Error()}
	}
	for f.alive() {
		select {
		case o, open := <-orders:
			if f.obey(o); !open {
				orders = nil // the server has ended, and this process soon will
			}
		case <-ends:
			f.reap()
		}
	}
	linger(initStatus{Over: true})
	return initStatus{}
}

func readOrders(from *json.Decoder, to chan<- order) {
	for {
		var o order
		if from.Decode(&o) != nil {
			close(to)
			return
		}
		to <- o
	}
}

func (f *family) start(c *initConfig, n int, path string, p Program) error {
	attr := &syscall.ProcAttr{Dir: p.Dir, Env: p.Env, Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Setsid: true}}
	switch log := uintptr(c.CompanionLog); {
	case n == 0:
		attr.Files = append(attr.Files, channelFD)
	case log != 0:
		attr.Files = []uintptr{0, log, log}
	}
	if c.SetUser {
		attr.Sys.Credential = &syscall.Credential{Uid: uint32(c.UID), Gid: uint32(c.GID)}
	}
	pid, err := syscall.ForkExec(path, p.Args, attr)
	if err == nil {
		f.pids[n] = pid
	}
	return err
}

// obey passes a signal on: SIGKILL to the whole process group.
func (f *family) obey(o order) {
	if o.Signal == 0 || o.To >= len(f.pids) || f.pids[o.To] == 0 {
		return
	}
	pid := f.pids[o.To]
	if o.Signal == syscall.SIGKILL {
		pid = -pid
	}
	syscall.Kill(pid, o.Signal)
}

// reap collects all processes that have ended, and reports those of the family.
func (f *family) reap() {
	for {
		var wait syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &wait, syscall.WNOHANG, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || pid == 0 {
			return
		}
		for n, have := range f.pids {
			if have == pid && (wait.Exited() || wait.Signaled()) {
				f.pids[n] = 0
				value := uint32(wait)
				report(initStatus{Companion: n, Wait: &value})
			}
		}
	}
}

func (f *family) alive() bool {
	for _, pid := range f.pids {
		if pid != 0 {
			return true
		}
	}
	return false
}

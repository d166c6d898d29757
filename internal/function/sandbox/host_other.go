//go:build !linux

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Host starts processes on this machine, without isolation.
type Host struct {
	tmp  string
	wish Wish
}

// NewHost returns a Host that keeps what it needs below dir, which it creates.
func NewHost(dir string, wish Wish, _ *slog.Logger) (*Host, error) {
	h := &Host{tmp: filepath.Join(dir, "tmp"), wish: wish}
	if err := os.MkdirAll(h.tmp, 0o755); err != nil {
		return nil, fmt.Errorf("create sandbox directory: %w", err)
	}
	return h, nil
}

// Close does nothing here.
func (h *Host) Close() error { return nil }

// Level returns None, or an error if the wish asks for more.
func (h *Host) Level() (Level, error) {
	if h.wish.Min > None {
		return None, errors.New("sandbox: isolation is only available on Linux")
	}
	return None, nil
}

// Report tells that nothing is isolated.
func (h *Host) Report(context.Context) []Rung {
	return []Rung{{Mechanism: "isolation", Detail: "none: functions are plain processes of this user (run butai on Linux to isolate them)"}}
}

// Start starts a process in a group of its own.
func (h *Host) Start(spec *Spec) (*Process, error) {
	if _, err := h.Level(); err != nil {
		return nil, err
	}
	if spec.Root != "" {
		return nil, errNoRoot
	}
	if len(spec.Companions) > 0 {
		return nil, errNoCompanions
	}
	tmp, err := os.MkdirTemp(h.tmp, "")
	if err != nil {
		return nil, fmt.Errorf("create temporary directory: %w", err)
	}
	cmd := exec.Command(spec.Args[0])
	cmd.Args, cmd.Dir = spec.Args, spec.Dir
	cmd.Env = append(append([]string(nil), spec.Env...), "TMPDIR="+tmp)
	cmd.Stdout, cmd.Stderr = spec.Log, spec.Log
	if spec.Channel != nil {
		cmd.ExtraFiles = []*os.File{spec.Channel}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p := &Process{cmd: cmd, tmp: tmp, done: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		p.cmd = nil
		p.exit.Setup = err.Error()
		errors.As(err, &p.exit.SetupErrno)
	}
	go p.wait()
	return p, nil
}

// Process is a running process. Its methods are safe for concurrent use.
type Process struct {
	companions []*Companion // none
	cmd        *exec.Cmd
	tmp        string
	done       chan struct{}
	exit       Exit
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// AfterDone has f called in a goroutine of its own after Done.
func (p *Process) AfterDone(f func()) {
	go func() {
		<-p.done
		f()
	}()
}

// Exit tells how the process ended. It blocks until Done.
func (p *Process) Exit() Exit {
	<-p.done
	return p.exit
}

// Pid returns the process id, 0 if it never started.
func (p *Process) Pid() int {
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// Tmp is what only Linux sandboxes keep.
type Tmp struct{}

// Close does nothing.
func (*Tmp) Close() {}

// KeepTmp does nothing here.
func (p *Process) KeepTmp() {}

// TakeTmp waits for the end and returns nil.
func (p *Process) TakeTmp() *Tmp {
	<-p.done
	return nil
}

// SetWeight does nothing here.
func (p *Process) SetWeight(int, bool) error { return nil }

// ProcessorTime is not known here.
func (p *Process) ProcessorTime() (time.Duration, error) { return 0, errors.ErrUnsupported }

// StartProgram fails: there are no companions to wait for.
func (p *Process) StartProgram() error { return errNoCompanions }

// Signal sends a signal to the program, for which to must be 0.
func (p *Process) Signal(to int, s syscall.Signal) error {
	if to != 0 || p.cmd == nil {
		return errNoCompanions
	}
	return p.cmd.Process.Signal(s)
}

// Freeze fails: it takes Linux.
func (p *Process) Freeze() error { return errors.New("sandbox: processes can only be frozen on Linux") }

// Thaw does nothing.
func (p *Process) Thaw() error { return nil }

// Freezing says how sandboxes are frozen on this host.
func (h *Host) Freezing() string { return "not at all: it takes Linux" }

// Dial connects to a TCP port of this machine: sandboxes share all of it here.
func (p *Process) Dial(ctx context.Context, port int) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

// Kill ends the process and its group.
func (p *Process) Kill() {
	if p.cmd != nil {
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	}
}

// PeakMemory returns 0: it is not known before the process has ended.
func (p *Process) PeakMemory() int64 { return 0 }

func (p *Process) wait() {
	if p.cmd != nil {
		p.cmd.Wait()
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		if wait, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && wait.Signaled() {
			p.exit.Signal = wait.Signal()
		} else {
			p.exit.Code = p.cmd.ProcessState.ExitCode()
		}
	}
	os.RemoveAll(p.tmp)
	close(p.done)
}

// CanAttach is false: there is nothing to attach to.
func (h *Host) CanAttach() bool { return false }

// MemoryLimited is false.
func (h *Host) MemoryLimited() bool { return false }

// Attach fails.
func (p *Process) Attach([]Bind, int, int) error {
	return errors.New("sandbox: isolation is only available on Linux")
}

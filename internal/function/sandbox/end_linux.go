package sandbox

import (
	"context"
	"encoding/json"
	"os"
	"syscall"
)

// follow has the end of the sandbox collected when it comes. What the first
// process reports tells of it; without one, somebody has to wait.
func (p *Process) follow() {
	ending := &p.host.ending
	ending.Add(1)
	end := func(bool) {
		defer ending.Done()
		p.wait()
	}
	if p.status == nil || p.host.awaiter.await(context.Background(), p.status, end) != nil {
		go end(true)
	}
}

// wait collects the end of the sandbox and gives back what it held.
func (p *Process) wait() {
	var status initStatus
	if p.status != nil {
		status = p.readStatus()
		if status.Error == "" && status.Wait != nil {
			p.KeepTmp()
			p.Kill() // the first process waits for it
		}
		p.status.Close()
	}
	if p.orders != nil {
		p.orders.Close()
	}
	var wait syscall.WaitStatus
	if p.cmd != nil {
		p.cmd.Wait()
		wait, _ = p.cmd.ProcessState.Sys().(syscall.WaitStatus)
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // what the weaker rungs leave behind
		p.killStragglers()
	}
	if status.Wait != nil {
		wait = syscall.WaitStatus(*status.Wait)
	}
	p.ended(status, wait)
	for n := range p.companions {
		p.companionEnded(n, Exit{Signal: syscall.SIGKILL}) // unless it has before
	}
	close(p.gone)
	p.release()
}

// readStatus reads what the first process reports, until nobody is left that it
// minds, and returns how the program ended.
func (p *Process) readStatus() (program initStatus) {
	reports := json.NewDecoder(p.status)
	for {
		var s initStatus
		switch {
		case reports.Decode(&s) != nil, s.Over:
			return program
		case s.Companion > 0 && s.Companion <= len(p.companions):
			exit := Exit{Setup: s.Error}
			if s.Wait != nil {
				exit.setWait(syscall.WaitStatus(*s.Wait))
			}
			p.companionEnded(s.Companion-1, exit)
		case s.Wait != nil || s.Error != "":
			if program = s; p.orders == nil {
				return program
			}
			if s.Wait != nil {
				p.ended(s, syscall.WaitStatus(*s.Wait))
			}
		}
	}
}

func (p *Process) companionEnded(n int, exit Exit) {
	c := p.companions[n]
	select {
	case <-c.done: // only this goroutine closes it
	default:
		c.exit = exit
		close(c.done)
	}
}

func (e *Exit) setWait(wait syscall.WaitStatus) {
	if wait.Signaled() {
		e.Signal = wait.Signal()
	} else {
		e.Code = wait.ExitStatus()
	}
}

// ended announces the end of the program, once.
func (p *Process) ended(status initStatus, wait syscall.WaitStatus) {
	p.ending.Do(func() { p.announce(status, wait) })
}

func (p *Process) announce(status initStatus, wait syscall.WaitStatus) {
	p.exit = Exit{Setup: p.setup, SetupErrno: p.setupErrno}
	if status.Error != "" {
		p.exit.Setup, p.exit.SetupErrno = status.Error, status.Errno
	} else {
		p.exit.setWait(wait)
	}
	if p.guest() && p.exit.Setup == "" && p.group.oomKilled() {
		p.exit = Exit{Signal: syscall.SIGKILL} // it was runsc that was killed, for all
	}
	if p.exit.Signal == syscall.SIGKILL {
		p.exit.OutOfMemory = p.overLimit.Load() || p.group.oomKilled()
	}
	p.peak = p.highest()
	if p.peak == 0 && p.cmd != nil && p.cmd.ProcessState != nil {
		if usage, ok := p.cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			p.peak = usage.Maxrss << 10
		}
	}
	p.done()
}

func (p *Process) release() {
	p.mu.Lock()
	guard := p.guard
	p.mu.Unlock()
	if guard != nil {
		<-guard
	}
	if p.group != nil {
		p.group.remove()
	}
	p.frost.remove()
	if p.adopted != nil {
		p.adopted.Close()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.uid != 0 && !p.passedOn {
		p.host.giveUID(p.uid)
	}
	if p.tmp != "" {
		os.RemoveAll(p.tmp)
	}
}

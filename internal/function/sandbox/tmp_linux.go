package sandbox

import (
	"os"
	"runtime"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// Tmp is the /tmp of a sandbox that has ended, for another to go on with
// (Spec.Tmp), which gets the same user: what it has written is its own.
type Tmp struct {
	host *Host
	uid  int
	once sync.Once
	tree *os.File // a mount that is attached nowhere
}

// Close lets go of it, unless a sandbox has taken it over. t may be nil.
func (t *Tmp) Close() {
	if t == nil {
		return
	}
	t.once.Do(func() {
		t.tree.Close()
		t.host.giveUID(t.uid)
	})
}

// KeepTmp keeps what is in the sandbox's /tmp from going with it. When the
// program ends by itself, that happens without being asked for. It takes root;
// otherwise, and when there is nothing in it, nothing is kept.
func (p *Process) KeepTmp() {
	if !p.keepsTmp.Load() || p.uid == 0 {
		return
	}
	root := "/proc/" + strconv.Itoa(p.Pid())
	if names, err := os.ReadDir(root + "/root" + p.below + "/tmp"); err != nil || len(names) == 0 {
		return
	}
	done := make(chan error)
	var tree int
	go func() {
		// As in Attach, the thread ends with this goroutine.
		runtime.LockOSThread()
		var err error
		tree, err = p.cloneTmp()
		done <- err
	}()
	if err := <-done; err != nil {
		p.host.log.Warn("a function's /tmp is lost", "reason", err)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept != nil {
		unix.Close(tree)
		return
	}
	// The user goes with its files.
	p.kept, p.passedOn = &Tmp{host: p.host, uid: p.uid, tree: os.NewFile(uintptr(tree), "tmp")}, true
}

func (p *Process) cloneTmp() (tree int, err error) {
	if err := p.enterMounts(); err != nil {
		return 0, err
	}
	return unix.OpenTree(unix.AT_FDCWD, p.below+"/tmp", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
}

// TakeTmp returns what was kept, once, and nil if nothing was. The caller
// closes it or hands it to another sandbox. It blocks until all processes have
// ended.
func (p *Process) TakeTmp() *Tmp {
	<-p.gone
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.kept
	p.kept = nil
	return kept
}

// takeOver makes a kept /tmp, and its user, this sandbox's.
func (t *Tmp) takeOver(p *Process) {
	t.once.Do(func() { p.uid, p.adopted = t.uid, t.tree })
}

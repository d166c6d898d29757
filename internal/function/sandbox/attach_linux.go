package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// CanAttach tells whether running sandboxes can be given files and other limits
// (Process.Attach): only root may enter their mount namespaces.
func (h *Host) CanAttach() bool {
	level, err := h.Level()
	return err == nil && level >= Namespaces && h.asRoot
}

// MemoryLimited tells whether the memory of sandboxes is limited.
func (h *Host) MemoryLimited() bool {
	_, err := h.Level()
	return err == nil && h.cgroups.memory != ""
}

// Attach shows more of the host's directories in a running sandbox, read-only
// and at mount points that it has (Spec.MountPoints), and sets the memory limit
// and the size of /tmp, which must not have been set before. On an error the
// sandbox is good for nothing.
func (p *Process) Attach(binds []Bind, memoryMB, tmpMB int) error {
	trees := make([]int, 0, len(binds))
	defer func() {
		for _, tree := range trees {
			unix.Close(tree)
		}
	}()
	for _, b := range binds {
		tree, err := cloneTree(b.Source, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
		if err != nil {
			return err
		}
		trees = append(trees, tree)
	}
	if err := p.setMemory(memoryMB, tmpMB); err != nil {
		return err
	}
	p.keepsTmp.Store(true)
	done := make(chan error)
	go func() {
		// The thread can't leave the sandbox's namespace again; it ends with
		// this goroutine, because it stays locked.
		runtime.LockOSThread()
		done <- p.attachInside(binds, trees, tmpMB)
	}()
	if err := <-done; err != nil || p.lateDir == "" {
		return err
	}
	return p.enterLate(binds)
}

// How often, and how many times, Attach looks whether the first process has
// entered a directory: within a second and a bit.
const (
	enterPoll  = 20 * time.Microsecond
	enterLooks = 20000
)

// enterLate has the sandbox enter its working directory anew, in which
// something has been mounted since it began.
func (p *Process) enterLate(binds []Bind) error {
	at := slices.IndexFunc(binds, func(b Bind) bool { return b.Target == p.lateDir })
	if at < 0 {
		return nil
	}
	want, err := os.Stat(binds[at].Source)
	if err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	if err := syscall.Kill(p.Pid(), enterSignal); err != nil {
		return fmt.Errorf("attach: enter the working directory: %w", err)
	}
	for range enterLooks {
		if have, err := os.Stat("/proc/" + strconv.Itoa(p.Pid()) + "/cwd"); err == nil && os.SameFile(want, have) {
			return nil
		}
		time.Sleep(enterPoll)
	}
	return errors.New("attach: the sandbox did not enter its working directory")
}

func (p *Process) attachInside(binds []Bind, trees []int, tmpMB int) error {
	if err := p.enterMounts(); err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	for i, b := range binds {
		if err := unix.MoveMount(trees[i], "", unix.AT_FDCWD, p.below+b.Target, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
			return fmt.Errorf("attach %s: %w", b.Source, err)
		}
	}
	if tmpMB > 0 {
		if err := unix.Mount("", p.below+"/tmp", "", unix.MS_REMOUNT|unix.MS_NOSUID|unix.MS_NODEV, "size="+strconv.Itoa(tmpMB)+"m"); err != nil {
			return fmt.Errorf("attach: size of /tmp: %w", err)
		}
	}
	return nil
}

// enterMounts has this thread see what the sandbox sees. The namespace alone
// would do for that, if its root were always the sandbox's: where butai runs in
// a chroot, it is the host's.
func (p *Process) enterMounts() error {
	of := "/proc/" + strconv.Itoa(p.Pid())
	namespace, err := os.Open(of + "/ns/mnt")
	if err != nil {
		return err
	}
	defer namespace.Close()
	root, err := os.Open(of + "/root")
	if err != nil {
		return err
	}
	defer root.Close()
	for _, step := range []func() error{
		func() error { return unix.Unshare(unix.CLONE_FS) }, // threads share their root directory unless they say otherwise
		func() error { return unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNS) },
		func() error { return unix.Fchdir(int(root.Fd())) },
		func() error { return unix.Chroot(".") },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("enter the sandbox: %w", err)
		}
	}
	return nil
}

// setMemory limits a sandbox's memory that was started without a limit.
func (p *Process) setMemory(memoryMB, tmpMB int) error {
	if p.group.memory == "" || memoryMB == 0 {
		return nil
	}
	most := memoryMB + tmpMB
	if p.guest() {
		most += runscMB
	}
	if err := p.group.limitMemory(most); err != nil {
		return err
	}
	p.watchFrom(memoryMB, tmpMB)
	return nil
}

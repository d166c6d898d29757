package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// awaiter calls back when files can be read from. One goroutine waits for all of
// them: of a sandbox that is idle, nothing in the server waits. The zero value
// is ready for use.
type awaiter struct {
	once sync.Once
	err  error
	fd   int      // of the kernel's list of files (epoll(7))
	list *os.File // the same, for Go to wait at

	mu    sync.Mutex
	calls map[int]func(ready bool) // by file descriptor
}

// await has f called in a goroutine of its own, once: with true when file can be
// read from or its other end has been closed, with false if ctx ends before.
// Until then file must stay open, and nobody else may await it. On an error f
// isn't called.
func (a *awaiter) await(ctx context.Context, file *os.File, f func(ready bool)) error {
	if a.once.Do(a.open); a.err != nil {
		return a.err
	}
	fd, err := descriptor(file)
	if err != nil {
		return err
	}
	stop := func() bool { return false }
	called := make(chan struct{})
	a.mu.Lock()
	a.calls[fd] = func(ready bool) {
		<-called // stop is set
		stop()
		f(ready)
	}
	a.mu.Unlock()
	defer close(called)
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: int32(fd)}
	if err := unix.EpollCtl(a.fd, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		a.take(fd)
		return fmt.Errorf("wait for a file: %w", err)
	}
	stop = context.AfterFunc(ctx, func() {
		if call := a.take(fd); call != nil {
			call(false)
		}
	})
	return nil
}

// take takes a file off the list and returns what to call, nil if somebody else
// has taken it.
func (a *awaiter) take(fd int) func(ready bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	call := a.calls[fd]
	if call != nil {
		delete(a.calls, fd)
		_ = unix.EpollCtl(a.fd, unix.EPOLL_CTL_DEL, fd, nil) // it isn't there if it couldn't be added
	}
	return call
}

func (a *awaiter) open() {
	if a.fd, a.err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); a.err != nil {
		return
	}
	if a.err = unix.SetNonblock(a.fd, true); a.err != nil {
		unix.Close(a.fd)
		return
	}
	a.list = os.NewFile(uintptr(a.fd), "awaited files")
	a.calls = map[int]func(bool){}
	conn, err := a.list.SyscallConn()
	if err != nil {
		a.err = errors.Join(err, a.list.Close())
		return
	}
	go a.run(conn)
}

// run waits until close.
func (a *awaiter) run(conn syscall.RawConn) {
	events := make([]unix.EpollEvent, 32)
	_ = conn.Read(func(fd uintptr) bool {
		for {
			n, err := unix.EpollWait(int(fd), events, 0)
			if err == unix.EINTR {
				continue
			}
			if err != nil || n <= 0 {
				return false // wait for more
			}
			for _, event := range events[:n] {
				if call := a.take(int(event.Fd)); call != nil {
					go call(true)
				}
			}
		}
	})
}

// close ends the waiting; whatever is still awaited isn't called.
func (a *awaiter) close() {
	a.once.Do(func() { a.err = os.ErrClosed })
	if a.list != nil {
		a.list.Close()
	}
}

// descriptor is a file's descriptor, which stays as it is: File.Fd would make it
// block.
func descriptor(file *os.File) (fd int, err error) {
	conn, err := file.SyscallConn()
	if err == nil {
		err = conn.Control(func(n uintptr) { fd = int(n) })
	}
	return fd, err
}

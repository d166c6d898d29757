// Package rawio reads and writes sockets without telling Go's scheduler.
//
// A system call costs more than itself in Go: the scheduler must assume that it
// blocks, and wakes up a thread of its own that takes the processor away from it
// if it does. On a server that is idle between calls that thread has to be woken
// for each one. Go's sockets never block, so none of that is needed for them.
package rawio

import (
	"io"
	"os"
	"syscall"
	"unsafe"
)

// short is how much is read or written in this way: copying more than that
// would keep the scheduler waiting.
const short = 16 << 10

// Socket reads and writes a socket that doesn't block, a *net.TCPConn or an
// *os.File, obeying its deadlines. One goroutine at a time may read, and one
// write. Large pieces go the ordinary way.
type Socket struct {
	conn io.ReadWriter
	raw  syscall.RawConn
	in   transfer
	out  transfer
}

// transfer is one system call and what came of it.
type transfer struct {
	trap  uintptr
	buf   []byte
	n     int
	errno syscall.Errno
	try   func(fd uintptr) (done bool)
}

// New returns a Socket over conn.
func New(conn interface {
	io.ReadWriter
	syscall.Conn
}) (*Socket, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &Socket{conn: conn, raw: raw}
	s.in.trap, s.out.trap = syscall.SYS_READ, syscall.SYS_WRITE
	s.in.try, s.out.try = s.in.call, s.out.call
	return s, nil
}

func (t *transfer) call(fd uintptr) bool {
	for {
		n, _, errno := syscall.RawSyscall(t.trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(t.buf))), uintptr(len(t.buf)))
		switch errno {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return false
		}
		t.n, t.errno = int(n), errno
		return true
	}
}

// Read is io.Reader's.
func (s *Socket) Read(b []byte) (int, error) {
	if len(b) == 0 || len(b) > short {
		return s.conn.Read(b)
	}
	s.in.buf = b
	err := s.raw.Read(s.in.try)
	s.in.buf = nil
	switch {
	case err != nil:
		return 0, err
	case s.in.errno != 0:
		return 0, os.NewSyscallError("read", s.in.errno)
	case s.in.n == 0:
		return 0, io.EOF
	}
	return s.in.n, nil
}

// Write is io.Writer's.
func (s *Socket) Write(b []byte) (int, error) {
	if len(b) == 0 || len(b) > short {
		return s.conn.Write(b)
	}
	s.out.buf = b
	err := s.raw.Write(s.out.try)
	s.out.buf = nil
	switch {
	case err != nil:
		return 0, err
	case s.out.errno != 0:
		return 0, os.NewSyscallError("write", s.out.errno)
	case s.out.n < len(b):
		n, err := s.conn.Write(b[s.out.n:])
		return s.out.n + n, err
	}
	return len(b), nil
}

package function

import (
	"bytes"
	"os"
	"strings"
	"syscall"

	"github.com/butai-dev/butai/internal/function/telemetry"
)

// sideLog is what the extensions beside a runtime print. It goes to the
// function's log, and to subscribers as the extensions' own stream. The
// logWriter that it is part of guards it.
type sideLog struct {
	pipe    *os.File // read end, nil without extensions
	fd      int      // of pipe
	partial []byte   // a line whose end hasn't come yet
}

func (s *sideLog) attach(pipe *os.File) {
	if s.pipe = pipe; pipe != nil {
		s.fd = int(pipe.Fd())
		syscall.SetNonblock(s.fd, true)
	}
}

// take makes events of all that is there.
func (s *sideLog) take(l *logWriter) {
	if s.pipe == nil {
		return
	}
	buf := pipeBuffers.Get().(*[pipeBuffer]byte)
	defer pipeBuffers.Put(buf)
	for {
		n, err := syscall.Read(s.fd, buf[:])
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil || n <= 0:
			return
		}
		s.partial = append(s.partial, buf[:n]...)
		for {
			end := bytes.IndexByte(s.partial, '\n') + 1
			if end == 0 && len(s.partial) >= maxEvent {
				end = len(s.partial)
			}
			if end == 0 {
				break
			}
			s.emit(l, string(s.partial[:end]))
			s.partial = append(s.partial[:0], s.partial[end:]...)
		}
	}
}

func (s *sideLog) emit(l *logWriter, line string) {
	l.open()
	now, line := l.clock.Now(), strings.ToValidUTF8(line, "\uFFFD")
	l.hub.Line(now, telemetry.Extension, line)
	l.add(now, line)
}

// detach takes what is left and lets go of the pipe.
func (s *sideLog) detach(l *logWriter) {
	if s.pipe == nil {
		return
	}
	s.take(l)
	if len(s.partial) > 0 {
		s.emit(l, string(s.partial))
		s.partial = nil
	}
	s.pipe.Close()
	s.pipe = nil
}

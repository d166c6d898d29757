package rawio

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// pair returns both ends of a connection over TCP.
func pair(t *testing.T) (a, b *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialled, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dialled.Close(); accepted.Close() })
	return dialled.(*net.TCPConn), accepted.(*net.TCPConn)
}

func socket(t *testing.T, c *net.TCPConn) *Socket {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestBytes sends pieces of all sizes, more than the sockets' buffers hold,
// both ways at once.
func TestBytes(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	const rounds = 400
	var sent []byte
	for n := range rounds {
		sent = append(sent, bytes.Repeat([]byte{byte(n)}, n*n%40_000+1)...)
	}
	for _, s := range []*Socket{socket(t, a), socket(t, b)} {
		go func() {
			for n, rest := 0, sent; len(rest) > 0; n++ {
				piece := rest[:min(len(rest), n*n%40_000+1)]
				if k, err := s.Write(piece); k != len(piece) || err != nil {
					t.Errorf("%d of %d bytes written: %v", k, len(piece), err)
					return
				}
				rest = rest[len(piece):]
			}
		}()
	}
	done := make(chan []byte)
	for _, c := range []*net.TCPConn{a, b} {
		s := socket(t, c)
		go func() {
			got := make([]byte, len(sent))
			if _, err := io.ReadFull(s, got); err != nil {
				t.Errorf("read: %v", err)
			}
			done <- got
		}()
	}
	for range 2 {
		if !bytes.Equal(<-done, sent) {
			t.Error("other bytes arrived")
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	s := socket(t, a)
	buf := make([]byte, 10)
	a.SetReadDeadline(time.Now().Add(time.Millisecond))
	if _, err := s.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("past the deadline: %v", err)
	}
	a.SetReadDeadline(time.Time{})
	b.CloseWrite()
	if n, err := s.Read(buf); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
	b.SetLinger(0)
	b.Close()
	for range 2 { // the first finds out at the latest
		if _, err := s.Write(buf); errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("nobody told of the end")
}

func TestClosed(t *testing.T) {
	t.Parallel()
	a, _ := pair(t)
	s := socket(t, a)
	ended := make(chan error)
	go func() {
		_, err := s.Read(make([]byte, 1))
		ended <- err
	}()
	time.Sleep(time.Millisecond)
	a.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("read of a closed connection: %v", err)
	}
}

package edge

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"errors"
)

// serveConns runs a handler behind Listener and returns its address.
func serveConns(t *testing.T, srv *http.Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go srv.Serve(Listener(srv, l))
	t.Cleanup(func() { srv.Close() })
	return l.Addr().String()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

const plainGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

func TestHandlerSeesThatItsClientHasGone(t *testing.T) {
	t.Parallel()
	begun, ended := make(chan bool, 1), make(chan bool)
	address := serveConns(t, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- true
		<-r.Context().Done()
		close(ended)
	})})
	c := dial(t, address)
	io.WriteString(c, plainGet)
	<-begun
	c.Close()
	<-ended // or the test binary's time limit ends this
}

// TestManyRequestsOfAConnection has answers that come before and after the
// watch looks, alone and pipelined.
func TestManyRequestsOfAConnection(t *testing.T) {
	t.Parallel()
	n := 0
	address := serveConns(t, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n++; n%3 == 0 {
			time.Sleep(2 * watchPeriod)
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%d %s", n, body)
	}), IdleTimeout: time.Minute, ReadHeaderTimeout: time.Minute})
	c := dial(t, address)
	in := bufio.NewReader(c)
	want := 0
	for _, burst := range []int{1, 1, 1, 5, 1, 4} {
		io.WriteString(c, strings.Repeat("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", burst))
		for range burst {
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			if want++; string(body) != fmt.Sprint(want, " x") {
				t.Fatalf("answer %d is %q", want, body)
			}
		}
	}
}

func TestConnectionsThatSayNothingEnd(t *testing.T) {
	t.Parallel()
	address := serveConns(t, &http.Server{
		Handler:     http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		IdleTimeout: 50 * time.Millisecond, ReadHeaderTimeout: 50 * time.Millisecond,
	})
	for _, said := range []string{"", "GET / HT", plainGet} {
		c := dial(t, address)
		io.WriteString(c, said)
		if _, err := io.ReadAll(c); err != nil {
			t.Errorf("after %q: %v", said, err)
		}
	}
}

// TestHandlerIsLeftAlone has a client that closes its end behind a second
// request: that one is still to be answered.
func TestHandlerIsLeftAlone(t *testing.T) {
	t.Parallel()
	begun := make(chan bool, 2)
	address := serveConns(t, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- true
		select {
		case <-r.Context().Done():
			w.WriteHeader(http.StatusTeapot)
		case <-time.After(5 * watchPeriod):
		}
	})})
	c := dial(t, address).(*net.TCPConn)
	io.WriteString(c, plainGet)
	<-begun
	io.WriteString(c, plainGet)
	c.CloseWrite()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", res, err)
	}
}

// TestWatchEnds sees the watch go when nobody is there to be watched, and come
// again.
func TestWatchEnds(t *testing.T) {
	t.Parallel()
	begun, ended := make(chan bool), make(chan bool)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- true
		<-r.Context().Done()
		ended <- true
	})}
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Listener(srv, raw).(*listener)
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	for range 2 {
		c := dial(t, raw.Addr().String())
		io.WriteString(c, plainGet)
		<-begun
		c.Close()
		<-ended // or the test binary's time limit ends this
		for l.watching.Load() {
			time.Sleep(time.Millisecond)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.conns) != 0 {
		t.Errorf("%d connections are remembered", len(l.conns))
	}
}

func TestReadDeadlines(t *testing.T) {
	t.Parallel()
	ours, theirs := net.Pipe()
	defer theirs.Close()
	c := newConn(ours, &listener{})
	defer c.Close()
	b := make([]byte, 8)
	timesOut := func(what string) {
		t.Helper()
		if _, err := c.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %v", what, err)
		}
	}
	c.SetReadDeadline(time.Unix(1, 0))
	timesOut("a read past its deadline")
	c.SetReadDeadline(time.Now().Add(time.Millisecond))
	timesOut("a read that meets its deadline")
	c.SetReadDeadline(time.Time{})
	go func() {
		for under := false; !under; time.Sleep(time.Millisecond) {
			c.mu.Lock()
			under = c.reading
			c.mu.Unlock()
		}
		c.SetReadDeadline(time.Unix(1, 0))
	}()
	timesOut("a read under way whose deadline passes")
	c.SetReadDeadline(time.Now().Add(time.Hour))
	go theirs.Write([]byte("x"))
	if n, err := c.Read(b); n != 1 || err != nil {
		t.Errorf("a read in time: %d, %v", n, err)
	}
}

package edge

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestGivingWay sends many requests at once, and a long body, while another
// request is under way, and finds every answer right and nothing still counted
// as under way afterwards.
func TestGivingWay(t *testing.T) {
	t.Parallel()
	waiting, done := make(chan bool), make(chan bool)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			close(waiting)
			<-done
		}
		body, _ := io.ReadAll(r.Body) // what is missing, the client finds missing
		w.Write(body)
	})}
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Listener(srv, raw).(*listener)
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	address := raw.Addr().String()

	slow := dial(t, address)
	io.WriteString(slow, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
	<-waiting
	if n := l.active.Load(); n != 1 {
		t.Errorf("%d requests under way, want 1", n)
	}
	const many = 50
	c := dial(t, address)
	io.WriteString(c, strings.Repeat("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", many))
	in := bufio.NewReader(c)
	for i := range many {
		if body := readAnswer(t, in); string(body) != "x" {
			t.Fatalf("answer %d is %q", i, body)
		}
	}
	long := bytes.Repeat([]byte("0123456789abcdef"), 20*bulk/16)
	res, err := http.Post("http://"+address, "text/plain", bytes.NewReader(long))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(res.Body); err != nil || !bytes.Equal(body, long) {
		t.Errorf("a long body came back as %d bytes, %v", len(body), err)
	}
	res.Body.Close()

	close(done)
	readAnswer(t, bufio.NewReader(slow))
	gone := dial(t, address)
	io.WriteString(gone, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nx")
	gone.Close()
	for l.active.Load() != 0 { // or the test binary's time limit ends this
		time.Sleep(time.Millisecond)
	}
}

func readAnswer(t *testing.T, in *bufio.Reader) []byte {
	t.Helper()
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

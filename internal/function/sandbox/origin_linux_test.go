package sandbox

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	dialVariable = "BUTAI_TEST_DIAL"
	dialModes    = "BUTAI_TEST_DIAL_MODE"
)

// dialer is the program in the sandboxes of this file: it opens a connection,
// says so, and holds it until it is ended.
func dialer(address string) {
	network := "tcp"
	if strings.HasPrefix(address, "@") {
		network = "unix"
	}
	switch c, err := net.Dial(network, address); {
	case err != nil:
		fmt.Println(err)
		os.Exit(1)
	case os.Getenv(dialModes) == "reset":
		fmt.Fprint(c, "last words")
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	case os.Getenv(dialModes) == "close":
		c.Close()
	}
	fmt.Println("connected")
	if os.Getenv(dialModes) == "once" {
		os.Exit(0)
	}
	time.Sleep(time.Minute)
}

// copySelf puts this test program where other users can run it.
func copySelf(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "butai-sandbox-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "program")
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return path
}

// connect starts a sandbox that connects to l and returns it with the accepted
// connection's addresses.
func connect(t *testing.T, h *Host, l net.Listener, program, mode string) (p *Process, own, peer netip.AddrPort) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	inside := program
	if h.level == Namespaces {
		inside = "/var/task/program" // there, /tmp is another one
	}
	p, err = h.Start(&Spec{
		Args: []string{inside}, Env: []string{dialVariable + "=" + l.Addr().String(), dialModes + "=" + mode}, Dir: "/",
		Binds: []Bind{{Source: program, Target: inside}}, MemoryMB: 256, MaxTasks: 64, TmpMB: 1, Log: write,
	})
	write.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Kill(); <-p.Done() })
	if line, err := bufio.NewReader(read).ReadString('\n'); line != "connected\n" {
		t.Fatalf("dialer: %q %v %+v", line, err, p.Exit())
	}
	own, peer = accept(t, l)
	return p, own, peer
}

func accept(t *testing.T, l net.Listener) (own, peer netip.AddrPort) {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.LocalAddr().(*net.TCPAddr).AddrPort(), c.RemoteAddr().(*net.TCPAddr).AddrPort()
}

// TestOrigin has two sandboxes, this process and another user's connect.
func TestOrigin(t *testing.T) {
	program := copySelf(t)
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Logf("no %s on this machine: %v", address, err)
			continue
		}
		t.Cleanup(func() { l.Close() })
		for _, level := range []Level{Restricted, Namespaces} {
			t.Run(level.String()+" "+address, func(t *testing.T) { testOrigin(t, newHost(t, level), l, program) })
		}
	}
}

func testOrigin(t *testing.T, h *Host, l net.Listener, program string) {
	first, own, peer := connect(t, h, l, program, "")
	second, own2, peer2 := connect(t, h, l, program, "")
	tests := []struct {
		name      string
		p         *Process
		own, peer netip.AddrPort
		want      bool
	}{
		{"first's own", first, own, peer, true},
		{"second's own", second, own2, peer2, true},
		{"first's of second", second, own, peer, false},
		{"second's of first", first, own2, peer2, false},
		{"reversed", first, peer, own, false},
	}
	for _, tt := range tests {
		if got := tt.p.Owns(tt.own, tt.peer); got != tt.want {
			t.Errorf("%s: owns %v, want %v", tt.name, got, tt.want)
		}
	}
	if !h.MayHaveOpened(own, peer) || !h.MayHaveOpened(own2, peer2) {
		t.Error("sandboxes' connections go for others'")
	}
	for _, mode := range []string{"close", "reset"} {
		p, own, peer := connect(t, h, l, program, mode)
		if p.Owns(own, peer) {
			t.Errorf("%s: owns a connection that it has given up", mode)
		}
		if !h.MayHaveOpened(own, peer) {
			t.Errorf("%s: a connection that was given up goes for somebody else's", mode)
		}
	}
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	own, peer = accept(t, l)
	if first.Owns(own, peer) || h.MayHaveOpened(own, peer) {
		t.Error("the server's own connection goes for a sandbox's")
	}
	if os.Getuid() == 0 {
		plainDialer(t, h, l, program)
	}
}

// plainDialer connects as an ordinary user of the machine.
func plainDialer(t *testing.T, h *Host, l net.Listener, program string) {
	cmd := exec.Command(program)
	cmd.Env = []string{dialVariable + "=" + l.Addr().String()}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	if own, peer := accept(t, l); h.MayHaveOpened(own, peer) {
		t.Error("an ordinary user goes for a sandbox")
	}
}

// TestWithoutRoot runs this package's tests as a user without privileges.
func TestWithoutRoot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("these tests run without root already")
	}
	program := copySelf(t)
	cmd := exec.Command(program, "-test.run=TestOrigin|TestInherited|TestAbstract|TestPrivileges|TestKernel|TestHello|TestUnrunnable|TestReport", "-test.v")
	cmd.Dir, cmd.Env = filepath.Dir(program), append(os.Environ(), "HOME=/nonexistent", "TMPDIR="+filepath.Dir(program))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "--- PASS: TestOrigin/namespaces") {
		t.Logf("no user namespaces here?\n%s", out)
	}
}

// TestSocketListAgrees compares the kernel's two ways to tell a socket's owner.
func TestSocketListAgrees(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		defer l.Close()
		c, err := net.Dial("tcp", strings.Replace(l.Addr().String(), "[::]", "127.0.0.1", 1))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		own, peer := accept(t, l)
		asked, err := querySocket(plain(peer), plain(own))
		if err != nil {
			t.Logf("sock_diag: %v", err)
			asked, _ = findSocket(peer, own)
		}
		listed, found := scanSockets(plain(peer), plain(own))
		if !found || listed != asked || asked.inode == 0 || asked.uid != os.Getuid() {
			t.Errorf("%s: asked %+v, listed %+v %v", address, asked, listed, found)
		}
	}
	if _, found := findSocket(netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("127.0.0.1:2")); found {
		t.Error("found a connection that isn't there")
	}
}

func TestParseSocketBadLines(t *testing.T) {
	own, peer := netip.MustParseAddrPort("127.0.0.1:4566"), netip.MustParseAddrPort("127.0.0.1:8080")
	for _, line := range []string{"", "  sl  local_address rem_address   st", "0: zz:11D6 0100007F:1F90 01 0 0 0 993 0 7", "0: 0100007F:11D6 0100007F:1F90 01 0 0 0 x 0 7"} {
		if got, ok := parseSocket(line, own, peer); ok {
			t.Errorf("%q: %+v", line, got)
		}
	}
}

func BenchmarkOwns(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	own, peer := l.Addr().(*net.TCPAddr).AddrPort(), c.LocalAddr().(*net.TCPAddr).AddrPort()
	p := &Process{uid: firstUID} // as root's; costs the same whoever it turns out to be
	for b.Loop() {
		p.Owns(own, peer)
	}
}

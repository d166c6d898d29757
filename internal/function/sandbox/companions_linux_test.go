package sandbox

import (
	"io"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestCompanions starts a shell beside another one, and signals both.
func TestCompanions(t *testing.T) {
	t.Parallel()
	h, err := NewHost(t.TempDir(), Auto(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if level, err := h.Level(); err != nil || level != Namespaces {
		t.Skip("needs namespaces")
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	shell := func(script string) Program {
		return Program{Args: []string{"/bin/sh", "-c", script}, Env: []string{"PATH=/bin:/usr/bin"}, Dir: "/"}
	}
	program := shell(`trap "echo program leaves; exit 5" TERM; echo program; while :; do sleep 0.02; done`)
	p, err := h.Start(&Spec{
		Args: program.Args, Env: program.Env, Dir: "/", TmpMB: 1, Log: write,
		Companions: []Program{shell("echo first; exit 3"), shell("sleep 100 & sleep 100"), {Args: []string{"/nowhere"}, Dir: "/"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	write.Close()
	first, second, third := p.Companions()[0], p.Companions()[1], p.Companions()[2]
	if exit := first.Exit(); exit.Code != 3 {
		t.Errorf("the first companion ended with %+v", exit)
	}
	if exit := third.Exit(); !strings.Contains(exit.Setup, "no such file") {
		t.Errorf("a companion that isn't there ended with %+v", exit)
	}
	if err := p.StartProgram(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	for said := ""; !strings.Contains(said, "program"); {
		n, err := read.Read(buf)
		if err != nil {
			t.Fatalf("%v after %q", err, said)
		}
		said += string(buf[:n])
	}
	if err := p.Signal(0, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if exit := p.Exit(); exit.Code != 5 {
		t.Errorf("the program ended with %+v", exit)
	}
	select {
	case <-second.Done():
		t.Error("the second companion went with the program")
	default:
	}
	if err := p.Signal(2, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if exit := second.Exit(); exit.Signal != syscall.SIGKILL {
		t.Errorf("the second companion ended with %+v", exit)
	}
	// Whatever is left would keep the pipe open.
	if rest, err := io.ReadAll(read); err != nil || !strings.Contains(string(rest), "program leaves") {
		t.Errorf("the log ends with %q, %v", rest, err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

//go:build linux

package sandbox

import (
	"io"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestMain(m *testing.M) {
	if address := os.Getenv(dialVariable); address != "" {
		dialer(address)
	}
	if path := os.Getenv(truncateVariable); path != "" {
		truncater(path)
	}
	os.Exit(m.Run())
}

func newHost(t testing.TB, level Level) *Host {
	t.Helper()
	h, err := NewHost(t.TempDir(), Wish{Min: level, Max: level}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Level(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// shell runs a script in a sandbox and returns what it wrote.
func shell(t testing.TB, h *Host, script string, change func(*Spec)) (string, Exit) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	spec := &Spec{Args: []string{"/bin/sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin"}, Dir: "/", TmpMB: 8, MemoryMB: 64, MaxTasks: 64, Log: write}
	if change != nil {
		change(spec)
	}
	p, err := h.Start(spec)
	write.Close()
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(read)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out)), p.Exit()
}

func TestHello(t *testing.T) {
	for _, level := range []Level{None, Restricted, Namespaces, GVisor} {
		t.Run(level.String(), func(t *testing.T) {
			out, exit := shell(t, newHost(t, level), "echo hello; exit 3", nil)
			if out != "hello" || exit.Code != 3 {
				t.Errorf("output %q, exit %+v; want hello and code 3", out, exit)
			}
		})
	}
}

func TestReport(t *testing.T) {
	for _, level := range []Level{None, Restricted, Namespaces} {
		h := newHost(t, level)
		reached := map[string]bool{}
		for _, rung := range h.Report(t.Context()) {
			t.Log(rung)
			reached[rung.Mechanism] = rung.Reached
			if rung.Detail == "" {
				t.Errorf("%s: %s says nothing", level, rung.Mechanism)
			}
		}
		if reached["file system"] != (level == Namespaces) || reached["system calls"] != (level != None) {
			t.Errorf("%s: %v", level, reached)
		}
	}
}

func TestUnrunnableProgramIsReported(t *testing.T) {
	for _, level := range []Level{None, Restricted, Namespaces, GVisor} {
		t.Run(level.String(), func(t *testing.T) {
			h := newHost(t, level)
			_, exit := shell(t, h, "", func(s *Spec) { s.Args = []string{"/nonexistent"} })
			if exit.SetupErrno != syscall.ENOENT || exit.Setup != "fork/exec /nonexistent: no such file or directory" {
				t.Errorf("%+v", exit)
			}
		})
	}
}

func BenchmarkStart(b *testing.B) {
	for _, level := range []Level{None, Restricted, Namespaces} {
		b.Run(level.String(), func(b *testing.B) {
			h := newHost(b, level)
			for b.Loop() {
				if out, exit := shell(b, h, "echo x", nil); out != "x" {
					b.Fatal(exit)
				}
			}
		})
	}
}

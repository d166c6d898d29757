//go:build linux

package sandbox

import (
	"errors"
	"os"
	"testing"
)

// TestNoEndlessLine is a program that was started to become a sandbox and did
// not: it must not start itself once more.
func TestNoEndlessLine(t *testing.T) {
	h := newHost(t, Namespaces)
	arguments := os.Args
	os.Args = []string{initName, "went on"}
	defer func() { os.Args = arguments }()
	if _, err := h.Start(&Spec{Args: []string{"/bin/true"}, Dir: "/", MemoryMB: 64, MaxTasks: 64}); !errors.Is(err, errNoInit) {
		t.Errorf("got %v, want %v", err, errNoInit)
	}
}

package sandbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// TestSweep leaves the groups of a server that was killed behind, with a daemon
// in one, and those of one that lives.
func TestSweep(t *testing.T) {
	h := newHost(t, Restricted)
	base := filepath.Dir(h.cgroups.pids)
	if h.cgroups.v2 {
		base = h.cgroups.unified
	}
	if h.cgroups.pids == "" {
		t.Skip(h.cgroups.missing["pids"])
	}
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	prefix := filepath.Join(base, groupPrefix)
	left := prefix + strconv.Itoa(gone.Process.Pid) + "-1"
	nested, flat := filepath.Join(left, "sandbox-7"), left+"-sandbox-8"
	leaf := prefix + strconv.Itoa(gone.Process.Pid) + "-server"
	lives := prefix + strconv.Itoa(os.Getpid()) + "-999-sandbox-1"
	for _, dir := range []string{left, nested, flat, leaf, lives} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		defer os.Remove(dir)
	}
	member := func(dir string) *exec.Cmd {
		cmd := exec.Command("sleep", "600")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		if err := writeFile(filepath.Join(dir, "cgroup.procs"), strconv.Itoa(cmd.Process.Pid)); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	daemons := []*exec.Cmd{member(nested), member(flat)}
	tool := member(leaf) // which the server had started, as its user might have
	sweepGroups(base)
	for _, daemon := range daemons {
		if err := daemon.Wait(); err == nil || daemon.ProcessState.ExitCode() != -1 {
			t.Errorf("a daemon ended by itself: %v", err)
		}
	}
	for dir, want := range map[string]bool{left: false, nested: false, flat: false, leaf: true, lives: true} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if !serverLives(tool.Process.Pid) {
		t.Error("what isn't a sandbox's was killed")
	}
	tool.Process.Kill()
	tool.Wait()
	sweepGroups(base)
	if _, err := os.Stat(leaf); err == nil {
		t.Errorf("%s is left behind", leaf)
	}
}

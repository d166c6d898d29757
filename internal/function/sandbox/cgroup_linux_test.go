package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// fakeTree writes files below a folder that stands for /sys/fs/cgroup.
func fakeTree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// noScope is a host without systemd.
func noScope() (string, error) { return "", errors.New("no systemd") }

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestVersion2Groups(t *testing.T) {
	root := fakeTree(t, map[string]string{
		"proc":                               "0::/user/me\n",
		"user/me/cgroup.controllers":         "memory pids cpu\n",
		"user/me/cgroup.subtree_control":     "",
		"user/me/b-one/memory.max":           "max",
		"user/me/b-one/memory.swap.max":      "",
		"user/me/b-one/memory.peak":          "4096\n",
		"user/me/b-one/memory.events":        "oom 1\noom_kill 1\n",
		"user/me/b-one/pids.max":             "max",
		"user/me/b-one/cgroup.procs":         "",
		"user/me/b-one/cpu.weight":           "",
		"user/me/b-one/cpu.stat":             "usage_usec 1500\nuser_usec 1000\n",
		"user/me/butai-999999999-1/x/unused": "",
	})
	g := findCgroups(filepath.Join(root, "proc"), root, "b", noScope)
	base := filepath.Join(root, "user/me")
	if !g.v2 || g.memory != base || g.pids != base {
		t.Fatalf("groups %+v", g)
	}
	made, err := g.create("one", 128, 100, 7, false)
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"memory.max": strconv.Itoa(128 << 20), "memory.swap.max": "0", "pids.max": "100", "cpu.weight": "7"} {
		if got := content(t, filepath.Join(base, "b-one", file)); got != want {
			t.Errorf("%s = %q, want %q", file, got, want)
		}
	}
	if got, err := made.share.used(); err != nil || got != 1500*time.Microsecond {
		t.Errorf("processor time %v, %v", got, err)
	}
	if got := made.peakBytes(); got != 4096 {
		t.Errorf("peak = %d, want 4096", got)
	}
	if !made.oomKilled() {
		t.Error("the kill at the limit was not seen")
	}
	if err := made.add(42); err != nil || content(t, filepath.Join(base, "b-one/cgroup.procs")) != "42" {
		t.Errorf("add: %v", err)
	}
}

func TestHybridHostUsesVersion1(t *testing.T) {
	root := fakeTree(t, map[string]string{
		"proc":                                 "8:pids:/p\n4:memory:/m\n0::/\n",
		"memory/m/b/memory.limit_in_bytes":     "",
		"memory/m/b/one/memory.limit_in_bytes": "",
		"memory/m/b/one/memory.oom_control":    "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n",
		"pids/p/b/one/pids.max":                "",
	})
	g := findCgroups(filepath.Join(root, "proc"), root, "b", noScope)
	if g.v2 || g.memory != filepath.Join(root, "memory/m/b") || g.pids != filepath.Join(root, "pids/p/b") {
		t.Fatalf("groups %+v", g)
	}
	made, err := g.create("one", 64, 7, 100, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, filepath.Join(root, "memory/m/b/one/memory.limit_in_bytes")); got != strconv.Itoa(64<<20) {
		t.Errorf("limit %q", got)
	}
	if made.oomKilled() {
		t.Error("a kill was seen that wasn't")
	}
}

// TestSweptParent takes the parent group away, as a server in another container
// may do between two sandboxes.
func TestSweptParent(t *testing.T) {
	h := newHost(t, Namespaces)
	if h.cgroups.pids == "" {
		t.Skip(h.cgroups.missing["pids"])
	}
	for range 2 {
		if out, exit := shell(t, h, "echo hello", nil); out != "hello" {
			t.Fatalf("%q %+v", out, exit)
		}
		h.ending.Wait()
		h.cgroups.removeAll()
	}
}

func TestNoGroups(t *testing.T) {
	g := findCgroups("/nonexistent", t.TempDir(), "b", noScope)
	if g.memory != "" || g.missing["memory"] == "" {
		t.Errorf("groups %+v, want none and a reason", g)
	}
	made, err := g.create("one", 128, 10, 100, false)
	if err != nil {
		t.Fatal(err)
	}
	if made.peakBytes() != 0 || made.oomKilled() || made.add(1) != nil {
		t.Error("a group that isn't there should do nothing")
	}
}

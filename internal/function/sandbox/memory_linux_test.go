package sandbox

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestTmpIsNotMemory has sandboxes of 32 MB memory use a /tmp of 64 MB.
func TestTmpIsNotMemory(t *testing.T) {
	h := newHost(t, Namespaces)
	if h.cgroups.memory == "" {
		t.Skip(h.cgroups.missing["memory"])
	}
	const (
		// tail keeps all of it, until somebody reads or kills it.
		hog  = "head -c 60000000 /dev/zero | tail -c 50000000 | sleep 10"
		hold = "head -c 10000000 /dev/zero | tail -c 9000000 >/dev/null"
	)
	dd := func(mb string) string {
		return "dd if=/dev/zero of=/tmp/x bs=1M count=" + mb + " 2>&1 | tail -n 1 | cut -c 1-20; "
	}
	tests := []struct {
		name, script, out string
		killed            bool
	}{
		{"more in /tmp than memory", dd("60") + "wc -c </tmp/x; " + hold + "; echo held", "62914560 bytes (63 M\n62914560\nheld", false},
		{"more than /tmp holds", "dd if=/dev/zero of=/tmp/x bs=1M count=80 2>&1 | grep -o 'No space left on device'; wc -c </tmp/x", "No space left on device\n67108864", false},
		{"more memory than there is", hog + "; echo survived", "", true},
		{"more memory, /tmp in use", dd("20") + hog + "; echo survived", "20971520 bytes (21 M", true},
		{"more memory, /tmp used before", dd("60") + "rm /tmp/x; sleep 0.3; " + hog + "; echo survived", "62914560 bytes (63 M", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, exit := shell(t, h, tt.script, func(s *Spec) { s.MemoryMB, s.TmpMB = 32, 64 })
			if exit.OutOfMemory != tt.killed || len(tt.out) > len(out) || out[:len(tt.out)] != tt.out || !tt.killed && len(out) != len(tt.out) {
				t.Errorf("%q, %+v; want %q, killed %v", out, exit, tt.out, tt.killed)
			}
		})
	}
}

// TestMemoryTakenBeforeItIsWatched has a sandbox exceed its limit while nobody
// looks yet, as on a busy machine.
func TestMemoryTakenBeforeItIsWatched(t *testing.T) {
	t.Parallel()
	h := newHost(t, Namespaces)
	if h.cgroups.memory == "" {
		t.Skip(h.cgroups.missing["memory"])
	}
	p, err := h.Start(&Spec{Args: []string{"/bin/sh", "-c", "head -c 60000000 /dev/zero | tail -c 50000000 | sleep 1000"}, Env: []string{"PATH=/usr/bin:/bin"}, Dir: "/"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	for total := int64(0); total < 50_000_000; time.Sleep(time.Millisecond) {
		use, err := p.group.memoryUse()
		if err != nil {
			t.Fatal(err)
		}
		total = use.total
	}
	p.watchFrom(32, 8)
	if exit := p.Exit(); !exit.OutOfMemory {
		t.Errorf("%+v, want it killed for its memory", exit)
	}
}

func TestMemoryUse(t *testing.T) {
	tests := []struct {
		name  string
		v2    bool
		files map[string]string
		want  memoryUse
	}{
		{"version 1", false, map[string]string{"memory.usage_in_bytes": "1000\n", "memory.stat": "cache 300\nrss 600\nshmem 100\ntotal_cache 9\n"}, memoryUse{1000, 100, 200}},
		{"version 2", true, map[string]string{"memory.current": "1000\n", "memory.stat": "anon 600\nfile 300\nshmem 300\n"}, memoryUse{1000, 300, 0}},
	}
	for _, tt := range tests {
		g := &group{memory: fakeTree(t, tt.files), v2: tt.v2}
		if got, err := g.memoryUse(); err != nil || got != tt.want {
			t.Errorf("%s: %+v %v, want %+v", tt.name, got, err, tt.want)
		}
	}
	if _, err := (&group{memory: t.TempDir()}).memoryUse(); err == nil {
		t.Error("a group that is gone was read")
	}
}

// TestVersion2Alarm writes what the kernel would into a stand-in of its files.
func TestVersion2Alarm(t *testing.T) {
	dir := fakeTree(t, map[string]string{"memory.high": "max", "memory.events": "high 0\n"})
	alarm, err := (&group{memory: dir, v2: true}).alarm(4096)
	if err != nil {
		t.Fatal(err)
	}
	defer alarm.Close()
	if got := content(t, filepath.Join(dir, "memory.high")); got != "4096" {
		t.Errorf("memory.high is %q", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "memory.events"), []byte("high 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if n, err := alarm.Read(make([]byte, 4096)); err != nil || n == 0 {
		t.Errorf("the alarm did not ring: %v", err)
	}
}

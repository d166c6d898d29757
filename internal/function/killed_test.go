//go:build linux

package function

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/butai-dev/butai/internal/function/sandbox"
)

// leavesDaemon leaves a process behind that has its own session, and waits.
const leavesDaemon = `
import subprocess
def handler(event, c):
    subprocess.call(['/bin/sh', '-c', 'while :; do sleep 1; done', event], start_new_session=True)
`

// TestNothingSurvivesTheServer kills a server in the midst of a call, on each
// rung. With a process table of their own the function's processes end with it;
// elsewhere the next server ends them, if control groups tell whose they were.
func TestNothingSurvivesTheServer(t *testing.T) {
	t.Parallel()
	levels := []sandbox.Level{sandbox.Namespaces, sandbox.Restricted, sandbox.None}
	if usualIsolation.Min == sandbox.GVisor {
		levels = []sandbox.Level{sandbox.GVisor}
	}
	for _, level := range levels {
		t.Run(level.String(), func(t *testing.T) {
			r := newRig(t, func(c *Config) { c.Isolation = sandbox.Wish{Min: level, Max: level} })
			if _, err := r.host.Level(); err != nil {
				t.Skip(err)
			}
			r.python(t, "") // or there is no interpreter
			groups := false
			for _, rung := range r.Report(t.Context()) {
				groups = groups || rung.Mechanism == "task limit" && rung.Reached
			}
			dir, mounts := serverFolder(t), mountsHere(t)
			first := startServer(t, dir, level, "first")
			killServer(t, first)
			gone := func() bool { return len(processesWith(t, markIn(dir, "first"))) == 0 }
			if level >= sandbox.Namespaces {
				waitFor(t, "end of all", gone)
			}
			second := startServer(t, dir, level, "second")
			if groups {
				waitFor(t, "end of the daemon", gone)
				waitFor(t, "end of its groups", func() bool { return len(groupsOf(t, first.Process.Pid)) == 0 })
			}
			if left, err := filepath.Glob(filepath.Join(dir, "engine", "*", "tmp", "*")); err != nil || len(left) > 1 {
				t.Errorf("directories for /tmp: %v %q", err, left)
			}
			killServer(t, second)
			want(t, "mounts", mountsHere(t), mounts)
		})
	}
}

// serverFolder has code for a server to run, which others may read.
func serverFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "butai-test-server-")
	if err != nil {
		t.Fatal(err)
	}
	code := filepath.Join(dir, "code", "main.py")
	if err := os.MkdirAll(filepath.Dir(code), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(code, []byte(leavesDaemon), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// markIn is an argument of the daemon that a call leaves.
func markIn(dir, call string) string { return "\x00" + filepath.Base(dir) + "-" + call + "\x00" }

// startServer starts a server and a call, and waits for what that leaves.
func startServer(t *testing.T, dir string, level sandbox.Level, call string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(executablePath(t))
	mark := markIn(dir, call)
	cmd.Env = append(os.Environ(), "BUTAI_TEST_SERVER="+dir, "BUTAI_TEST_MARK="+strings.Trim(mark, "\x00"), "BUTAI_TEST_ISOLATION="+level.String())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		killServer(t, cmd)
		for _, pid := range pidsWith(t, mark) { // which weaker rungs leave
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	waitFor(t, "call", func() bool { return len(processesWith(t, mark)) > 0 })
	return cmd
}

// killServer doesn't mind if it has ended.
func killServer(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// pidsWith is processesWith by their numbers.
func pidsWith(t *testing.T, mark string) (found []int) {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		var pid int
		line, err := os.ReadFile(name)
		if _, scanErr := fmt.Sscanf(name, "/proc/%d/", &pid); err == nil && scanErr == nil && strings.Contains(string(line), mark) {
			found = append(found, pid)
		}
	}
	return found
}

// groupsOf are the control groups that a server has made.
func groupsOf(t *testing.T, pid int) (found []string) {
	t.Helper()
	prefix := fmt.Sprintf("butai-%d-", pid)
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil // it has gone meanwhile
		}
		if entry.IsDir() && strings.HasPrefix(entry.Name(), prefix) {
			found = append(found, path)
		}
		return nil
	})
	return found
}

// mountsHere lists the mounts of butai's that this process sees.
func mountsHere(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) > 4 && strings.Contains(fields[4], "butai") {
			found = append(found, fields[4])
		}
	}
	return strings.Join(found, "\n")
}

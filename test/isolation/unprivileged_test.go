package isolation

import (
	"bufio"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/butai-dev/butai/test/harness"
)

// TestAsNobody runs functions on a server without privileges.
func TestAsNobody(t *testing.T) {
	t.Parallel()
	data := nobodysFolder(t)
	h := hostOn(t, harness.StartAsNobody(t, "--data-dir", filepath.Join(data, "state")))
	for _, file := range []string{"neighbour.py", "whoami.js"} {
		t.Run(file, func(t *testing.T) {
			h := &host{T: t, server: h.server, lambda: h.lambda, role: h.role}
			name := strings.ReplaceAll(file, ".", "-")
			h.create(name, file, 256, 20)
			payload, failed := h.invoke(name, 1)
			if failed != "" || payload != "1" && payload != `[993,true]` {
				t.Errorf("%s %s", failed, payload)
			}
		})
	}
	err := filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if owner := info.Sys().(*syscall.Stat_t).Uid; owner != harness.Nobody {
			t.Errorf("%s belongs to user %d", path, owner)
		}
		if path == filepath.Join(data, "state") && info.Mode().Perm() != 0o700 {
			t.Errorf("others may enter the data directory: %v", info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func nobodysFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "butai-nobody-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chown(dir, harness.Nobody, harness.Nobody); err != nil {
		t.Skip(err)
	}
	return dir
}

// isolationOf reads what a butai command says of each mechanism: "yes" or "NO ",
// the mechanism, how or why not.
func isolationOf(out string) map[string]bool {
	reached := map[string]bool{}
	for line := range strings.Lines(out) {
		if len(line) < 26 || line[0] != ' ' {
			continue
		}
		if mark := line[2:5]; mark == "yes" || mark == "NO " {
			reached[strings.TrimSpace(line[7:25])] = mark == "yes"
		}
	}
	return reached
}

// TestDoctorIsTruthful compares what doctor says to a user without privileges
// where user namespaces are allowed and where they are not.
func TestDoctorIsTruthful(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	nobody := exec.Command(harness.Binary(t), "doctor")
	nobody.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: harness.Nobody, Gid: harness.Nobody}}
	out, err := nobody.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := isolationOf(string(out))
	if !got["file system"] || got["memory limit"] || got["network"] || !got["system calls"] {
		t.Errorf("as nobody: %v\n%s", got, out)
	}
	if strings.Contains(string(out), "/root/") {
		t.Errorf("interpreters that nobody can't reach:\n%s", out)
	}

	out, err = withoutUserNamespaces(t, "doctor").Output()
	if err != nil {
		t.Fatal(err)
	}
	got = isolationOf(string(out))
	if got["file system"] || !got["file access"] || got["user"] || !strings.Contains(string(out), "allow unprivileged user namespaces") {
		t.Errorf("without user namespaces: %v\n%s", got, out)
	}

	serve := withoutUserNamespaces(t, "serve", "--listen", "127.0.0.1:0", "--ephemeral")
	stdout, err := serve.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	defer serve.Wait()
	defer serve.Process.Signal(syscall.SIGTERM)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if line := lines.Text(); strings.Contains(line, "isolation") {
			if !strings.Contains(line, "not: file system") {
				t.Errorf("serve says %q", line)
			}
			return
		}
	}
	t.Error("serve says nothing of isolation")
}

// withoutUserNamespaces runs butai as nobody in a user namespace, the test's
// own, in which no others may be made. The setting ends with it.
func withoutUserNamespaces(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	harness.Tool(t, "setpriv")
	const script = `echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"`
	cmd := exec.Command("sh", append([]string{"-c", script, "sh", harness.Binary(t)}, args...)...)
	everybody := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 65536}}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER, UidMappings: everybody, GidMappings: everybody, GidMappingsEnableSetgroups: true,
	}
	return cmd
}

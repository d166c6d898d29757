package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// truncateVariable names a file that this program, in a sandbox, is to empty.
const truncateVariable = "BUTAI_TEST_TRUNCATE"

// truncater tries all ways to empty a file that can be read.
func truncater(path string) {
	for way, try := range map[string]func() error{
		"truncate": func() error { return unix.Truncate(path, 0) },
		"openat": func() error {
			_, err := unix.Openat(unix.AT_FDCWD, path, unix.O_RDONLY|unix.O_TRUNC, 0)
			return err
		},
		"openat2": func() error {
			_, err := unix.Openat2(unix.AT_FDCWD, path, &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_TRUNC})
			return err
		},
	} {
		if try() == nil {
			fmt.Println(way)
		}
	}
	own := filepath.Join(os.Getenv("TMPDIR"), "own")
	f, err := os.Create(own)
	if err == nil {
		err = f.Truncate(1000)
	}
	if err == nil {
		_, err = os.OpenFile(own, os.O_RDWR|os.O_TRUNC, 0)
	}
	fmt.Println("own file:", err)
	os.Exit(0)
}

// TestTruncate has code that may be read emptied by the user it belongs to.
func TestTruncate(t *testing.T) {
	program := copySelf(t)
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, exit := shell(t, newHost(t, Restricted), "", func(s *Spec) {
		s.Args, s.Env, s.MemoryMB = []string{program}, []string{truncateVariable + "=" + victim}, 256
		s.Binds = []Bind{{Source: program}, {Source: filepath.Dir(victim)}}
	})
	if out != "own file: <nil>" || !exit.Success() {
		t.Errorf("%q %+v", out, exit)
	}
	if content(t, victim) != "text" {
		t.Error("it is empty")
	}
}

func TestTruncateProgram(t *testing.T) {
	const allow, refuse = unix.SECCOMP_RET_ALLOW, unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	for _, tt := range []struct{ call, offset, flags, want uint32 }{
		{unix.SYS_TRUNCATE, dataSecondLo, 0, refuse},
		{unix.SYS_FTRUNCATE, dataSecondLo, 0, allow},
		{openCall, dataSecondLo, unix.O_RDONLY, allow},
		{openCall, dataSecondLo, unix.O_RDONLY | unix.O_TRUNC, refuse},
		{openCall, dataSecondLo, unix.O_WRONLY | unix.O_TRUNC, allow}, // that Landlock sees
		{unix.SYS_OPENAT, dataThirdLo, unix.O_RDONLY | unix.O_CLOEXEC, allow},
		{unix.SYS_OPENAT, dataThirdLo, unix.O_RDONLY | unix.O_TRUNC, refuse},
		{unix.SYS_OPENAT, dataThirdLo, unix.O_RDWR | unix.O_TRUNC, allow},
		{unix.SYS_OPENAT2, dataThirdLo, 0, unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
		{unix.SYS_READ, dataThirdLo, unix.O_TRUNC, allow},
	} {
		if got := interpret(t, truncateProgram(), map[uint32]uint32{dataNumber: tt.call, tt.offset: tt.flags}); got != tt.want {
			t.Errorf("call %d(%#x): %#x, want %#x", tt.call, tt.flags, got, tt.want)
		}
	}
}

func TestNamespacesAdvice(t *testing.T) {
	for name, want := range map[string]string{"kernel/unprivileged_userns_clone": "kernel.unprivileged_userns_clone=1", "user/max_user_namespaces": "user.max_user_namespaces="} {
		if got := namespacesAdvice(fakeTree(t, map[string]string{name: "0\n"})); !strings.Contains(got, want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

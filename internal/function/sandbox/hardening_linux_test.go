package sandbox

import (
	"net"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestInheritedFiles leaves a file open as a careless parent would.
func TestInheritedFiles(t *testing.T) {
	fd, err := unix.Open("/etc/hostname", unix.O_RDONLY, 0) // not close-on-exec
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	out, exit := shell(t, newHost(t, Namespaces), "cd /proc/self/fd && echo *", nil)
	if out != "0 1 2 3 4" && out != "0 1 2 3" { // 4 is the shell's own, on the directory
		t.Errorf("files %q, exit %+v", out, exit)
	}
}

// TestAbstractSocket calls a socket that no mount namespace hides.
func TestAbstractSocket(t *testing.T) {
	l, err := net.Listen("unix", "@butai-sandbox-test")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	program := copySelf(t)
	for _, level := range []Level{Restricted, Namespaces} {
		h := newHost(t, level)
		if !scopeRung(level).Reached {
			t.Skip(scopeRung(level))
		}
		inside := program
		if level == Namespaces {
			inside = "/var/task/program"
		}
		out, _ := shell(t, h, "", func(s *Spec) {
			s.Args, s.Binds = []string{inside}, []Bind{{Source: program, Target: inside}}
			s.Env, s.MemoryMB = []string{dialVariable + "=" + l.Addr().String(), dialModes + "=once"}, 256
		})
		if !strings.Contains(out, "operation not permitted") {
			t.Errorf("%s: %q", level, out)
		}
	}
}

// TestPrivileges looks at what the kernel says of a sandbox's processes, the
// first one included.
func TestPrivileges(t *testing.T) {
	for _, level := range []Level{Restricted, Namespaces} {
		status := "/proc/self/status /proc/1/status"
		if level == Restricted {
			status = "/dev/null" // /proc is out of reach
		}
		out, exit := shell(t, newHost(t, level), "sleep 0.2; cat "+status, nil) // the first process goes on after it has started the program
		if !exit.Success() {
			t.Fatalf("%s: %q %+v", level, out, exit)
		}
		for line := range strings.Lines(out) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
			switch name {
			case "CapInh", "CapPrm", "CapEff", "CapAmb":
				if strings.Trim(value, "0") != "" {
					t.Errorf("%s: %s is %s", level, name, value)
				}
			case "NoNewPrivs":
				if value != "1" {
					t.Errorf("%s: no_new_privs is %s", level, value)
				}
			}
		}
		if level == Namespaces && strings.Count(out, "NoNewPrivs:\t1") != 2 {
			t.Errorf("%s: %s", level, out)
		}
	}
}

// TestKernelInterfaces reaches for the kernel through /proc, and for what a
// container's root file system must not have.
func TestKernelInterfaces(t *testing.T) {
	h := newHost(t, Namespaces)
	tests := []struct{ name, script string }{
		{"kernel memory", "head -c 1 /proc/kcore | grep -q ."},
		{"keys", "grep -q . /proc/keys"},
		{"magic keys", "echo h >/proc/sysrq-trigger && grep -q . /proc/sysrq-trigger"},
		{"settings", "echo 1 >/proc/sys/vm/drop_caches"},
		{"writable settings", "grep ' /proc/sys ' /proc/mounts | grep -q ' rw'"},
		{"core pattern", "echo '|/tmp/x' >/proc/sys/kernel/core_pattern"},
		{"device tree", "ls /sys/class"},
		{"shared memory folder", "ls /dev/shm"},
		{"memory device", "ls /dev/mem /dev/kmem /dev/port"},
		{"terminals", "ls /dev/pts /dev/tty"},
		{"control groups", "ls /sys/fs/cgroup"},
		{"runtime sockets", "ls /run /var/run"},
		{"shared mounts", "grep -q shared: /proc/self/mountinfo"},
		{"old root", "ls /proc/1/root/sys/class /proc/1/cwd/sys/class"},
	}
	for _, tt := range tests {
		if out, _ := shell(t, h, "("+tt.script+") >/dev/null 2>&1 && echo yes", nil); out != "" {
			t.Errorf("%s: in reach (%q)", tt.name, out)
		}
	}
}

// TestSocketFamilies runs the filter's program in a small interpreter: it has
// too many jumps to trust one's eyes.
func TestSocketFamilies(t *testing.T) {
	tests := []struct {
		call, first uint32
		want        uint32
	}{
		{unix.SYS_SOCKET, unix.AF_INET, unix.SECCOMP_RET_ALLOW},
		{unix.SYS_SOCKET, unix.AF_INET6, unix.SECCOMP_RET_ALLOW},
		{unix.SYS_SOCKET, unix.AF_UNIX, unix.SECCOMP_RET_ALLOW},
		{unix.SYS_SOCKET, unix.AF_NETLINK, unix.SECCOMP_RET_ALLOW},
		{unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SECCOMP_RET_ALLOW},
		{unix.SYS_SOCKET, unix.AF_VSOCK, unix.SECCOMP_RET_ERRNO | uint32(unix.EAFNOSUPPORT)},
		{unix.SYS_SOCKET, unix.AF_ALG, unix.SECCOMP_RET_ERRNO | uint32(unix.EAFNOSUPPORT)},
		{unix.SYS_SOCKETPAIR, unix.AF_TIPC, unix.SECCOMP_RET_ERRNO | uint32(unix.EAFNOSUPPORT)},
		{unix.SYS_CLONE, unix.CLONE_VM, unix.SECCOMP_RET_ALLOW},
		{unix.SYS_CLONE, unix.CLONE_NEWUSER, unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{unix.SYS_CLONE3, 0, unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
		{unix.SYS_BPF, 0, unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{unix.SYS_READ, 0, unix.SECCOMP_RET_ALLOW},
		{x32Bit | unix.SYS_READ, 0, unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
	}
	for _, tt := range tests {
		data := map[uint32]uint32{dataNumber: tt.call, dataArch: auditArch, dataFirstLo: tt.first}
		if got := interpret(t, filterProgram(), data); got != tt.want {
			t.Errorf("call %d(%d): %#x, want %#x", tt.call, tt.first, got, tt.want)
		}
	}
	if got := interpret(t, filterProgram(), map[uint32]uint32{dataArch: auditArch + 1}); got == unix.SECCOMP_RET_ALLOW {
		t.Error("calls of another architecture are allowed")
	}
}

// interpret runs the part of classic BPF that filterProgram uses.
func interpret(t *testing.T, program []unix.SockFilter, data map[uint32]uint32) uint32 {
	t.Helper()
	var a uint32
	for pc := 0; pc < len(program); pc++ {
		op := program[pc]
		jump := func(yes bool) {
			if yes {
				pc += int(op.Jt)
			} else {
				pc += int(op.Jf)
			}
		}
		switch op.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			a = data[op.K]
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			jump(a == op.K)
		case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			jump(a >= op.K)
		case unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K:
			jump(a&op.K != 0)
		case unix.BPF_JMP | unix.BPF_JA:
			pc += int(op.K)
		case unix.BPF_RET | unix.BPF_K:
			return op.K
		default:
			t.Fatalf("unknown instruction %#x", op.Code)
		}
	}
	t.Fatal("the program runs off its end")
	return 0
}

// TestCountTasks counts this program's own.
func TestCountTasks(t *testing.T) {
	names, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	if got := countTasks(os.Getuid()); got < uint64(len(names))/2 || got == 0 {
		t.Errorf("%d tasks, while this program alone has %d", got, len(names))
	}
	if got := countTasks(1_999_999_999); got != 0 {
		t.Errorf("nobody has %d tasks", got)
	}
}

// TestUsers looks whether two sandboxes have no user in common, not even their
// first processes: the limit of processes counts all of a user's, and their
// threads. (With one user for all first processes, the 125th sandbox died.)
func TestUsers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has users to give")
	}
	h := newHost(t, Namespaces)
	users := make(chan string, 2)
	for range 2 {
		go func() {
			out, _ := shell(t, h, "sleep 0.5; grep -h ^Uid: /proc/self/status /proc/1/status", nil)
			users <- out
		}()
	}
	seen := map[string]bool{}
	for range 2 {
		for line := range strings.Lines(<-users) {
			if user := strings.Fields(line)[1]; seen[user] || user == "0" {
				t.Errorf("user %s twice, or root", user)
			} else {
				seen[user] = true
			}
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d users: %v", len(seen), seen)
	}
}

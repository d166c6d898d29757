package sandbox

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// deniedCalls are the system calls that no Lambda function needs and that reach
// parts of the kernel where privilege bugs live, or act on other processes. It
// is a deny-list on purpose: an allow-list would break programs whenever a C
// library starts to use a newer call.
var deniedCalls = []uint32{
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT,
	unix.SYS_OPEN_TREE, unix.SYS_OPEN_TREE_ATTR, unix.SYS_MOVE_MOUNT, unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR,
	unix.SYS_UNSHARE, unix.SYS_SETNS,
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_KCMP, unix.SYS_PIDFD_GETFD,
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD,
	unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
	unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY,
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE,
	unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_REBOOT,
	unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_ACCT, unix.SYS_QUOTACTL, unix.SYS_SYSLOG,
	unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_CLOCK_ADJTIME, unix.SYS_ADJTIMEX,
	unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME, unix.SYS_VHANGUP, unix.SYS_LOOKUP_DCOOKIE,
	unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_FANOTIFY_INIT,
}

// families are the kinds of sockets that there may be. Others have had more
// than their share of privilege bugs (packet, crypto, transport and bus
// families), or lead out of a virtual machine to its host (vsock).
var families = []uint32{unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK}

// newNamespaces are the clone flags that would give a process capabilities in
// namespaces of its own.
const newNamespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET |
	unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

// Offsets in struct seccomp_data.
const (
	dataNumber  = 0
	dataArch    = 4
	dataFirstLo = 16 // low half of the first argument, on little-endian machines
)

// x32Bit marks calls of the x32 ABI, which share the x86-64 architecture value
// and would otherwise slip past the numbers above.
const x32Bit = 0x40000000

// filterProgram assembles the deny-list. Calls of a foreign architecture (such
// as 32-bit ones) are refused altogether, because their numbers differ; clone3
// answers "not implemented", because its flags lie behind a pointer that a
// filter can't read, and C libraries then fall back to clone.
func filterProgram() []unix.SockFilter {
	const (
		load  = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		above = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
		bits  = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
		ret   = unix.BPF_RET | unix.BPF_K

		refuse  = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
		missing = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
		unknown = unix.SECCOMP_RET_ERRNO | uint32(unix.EAFNOSUPPORT)
	)
	p := []unix.SockFilter{
		{Code: load, K: dataArch},
		{Code: equal, Jt: 1, K: auditArch},
		{Code: ret, K: missing},
		{Code: load, K: dataNumber},
		{Code: above, Jf: 1, K: x32Bit},
		{Code: ret, K: missing},
		{Code: equal, Jf: 1, K: unix.SYS_CLONE3},
		{Code: ret, K: missing},
	}
	for _, call := range deniedCalls {
		p = append(p,
			unix.SockFilter{Code: equal, Jf: 1, K: call},
			unix.SockFilter{Code: ret, K: refuse})
	}
	p = append(p,
		unix.SockFilter{Code: equal, Jf: 4, K: unix.SYS_CLONE},
		unix.SockFilter{Code: load, K: dataFirstLo},
		unix.SockFilter{Code: bits, Jf: 1, K: newNamespaces},
		unix.SockFilter{Code: ret, K: refuse},
		unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: equal, Jt: 1, K: unix.SYS_SOCKET},
		unix.SockFilter{Code: equal, Jf: uint8(len(families)) + 2, K: unix.SYS_SOCKETPAIR},
		unix.SockFilter{Code: load, K: dataFirstLo})
	for i, family := range families {
		p = append(p, unix.SockFilter{Code: equal, Jt: uint8(len(families) - i), K: family})
	}
	return append(p,
		unix.SockFilter{Code: ret, K: unknown},
		unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ALLOW})
}

// Offsets of the flags of open and of openat.
const (
	dataSecondLo = 24
	dataThirdLo  = 32
)

// truncateProgram refuses to empty a file that isn't open for writing, which
// Landlock has an eye on only since Linux 6.2: by its path, and by opening it
// for reading only. openat2 keeps its flags where a filter can't read them.
func truncateProgram() []unix.SockFilter {
	const (
		load  = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		bits  = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
		ret   = unix.BPF_RET | unix.BPF_K
	)
	return []unix.SockFilter{
		{Code: load, K: dataNumber},
		{Code: equal, Jt: 9, K: unix.SYS_TRUNCATE},
		{Code: equal, Jt: 9, K: unix.SYS_OPENAT2},
		{Code: equal, Jf: 2, K: openCall},
		{Code: load, K: dataSecondLo},
		{Code: unix.BPF_JMP | unix.BPF_JA, K: 2},
		{Code: equal, Jf: 3, K: unix.SYS_OPENAT},
		{Code: load, K: dataThirdLo},
		{Code: bits, Jf: 1, K: unix.O_TRUNC},
		{Code: bits, Jf: 1, K: unix.O_ACCMODE},
		{Code: ret, K: unix.SECCOMP_RET_ALLOW},
		{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
	}
}

// installFilter sets no_new_privs and a filter on the calling thread; what it
// forks or executes inherits both. The strictest of several filters decides.
func installFilter(program []unix.SockFilter) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	fprog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&fprog)))
	if errno != 0 {
		return fmt.Errorf("install system call filter: %w", errno)
	}
	return nil
}

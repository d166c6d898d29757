package sandbox

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

// openCall is the system call that openat has replaced.
const openCall = unix.SYS_OPEN

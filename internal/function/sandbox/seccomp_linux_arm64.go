package sandbox

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_AARCH64

// openCall is the system call that openat has replaced.
const openCall = 1<<32 - 1 // there is none

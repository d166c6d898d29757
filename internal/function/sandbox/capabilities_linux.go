package sandbox

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// giveUpCapabilities takes all capabilities but those to keep from the calling
// thread, or from all threads, depending on call. Root has none either then,
// because nothing is left that it could regain in exec.
func giveUpCapabilities(call func(trap, a1, a2, a3 uintptr) (r1, r2 uintptr, err syscall.Errno), keep ...uint) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var left [2]unix.CapUserData
	for _, capability := range keep {
		left[0].Effective |= 1 << capability
		left[0].Permitted |= 1 << capability
	}
	if _, _, errno := call(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&left)), 0); errno != 0 {
		return fmt.Errorf("give up capabilities: %w", errno)
	}
	return nil
}

// dropInheritable keeps this thread's capabilities from what it executes.
func dropInheritable() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return err
	}
	sets[0].Inheritable, sets[1].Inheritable = 0, 0
	return unix.Capset(&header, &sets[0])
}

// dropCapabilities makes sure that what this thread starts as another user has
// no capability and can't regain one.
func dropCapabilities() error {
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("drop ambient capabilities: %w", err)
	}
	if err := dropInheritable(); err != nil {
		return fmt.Errorf("drop inheritable capabilities: %w", err)
	}
	for capability := uintptr(0); ; capability++ {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0)
		switch {
		case errors.Is(err, unix.EINVAL): // past the kernel's last capability
			return nil
		case errors.Is(err, unix.EPERM): // has none to drop
			return nil
		case err != nil:
			return fmt.Errorf("drop capabilities: %w", err)
		}
	}
}

package function

import (
	"fmt"
	"os"
	"syscall"
)

// machineMemory returns the machine's memory in bytes.
func machineMemory() int64 {
	var info syscall.Sysinfo_t
	if err := syscall.Sysinfo(&info); err != nil {
		return 0
	}
	return int64(info.Totalram) * int64(info.Unit)
}

// packetSocket is the kind of socket that keeps packets apart.
const packetSocket = syscall.SOCK_SEQPACKET

// logPipe is os.Pipe without the poller, which would wake up the server for
// each line.
func logPipe() (read, write *os.File, err error) {
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC); err != nil {
		return nil, nil, fmt.Errorf("create log pipe: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "log"), os.NewFile(uintptr(fds[1]), "log"), nil
}

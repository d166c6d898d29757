//go:build !linux

package function

import (
	"os"
	"syscall"
)

// packetSocket: bootstraps work with streams as well, without being sent calls
// ahead.
const packetSocket = syscall.SOCK_STREAM

func logPipe() (read, write *os.File, err error) { return os.Pipe() }

// machineMemory returns a modest assumption where asking takes more than one
// portable call.
func machineMemory() int64 { return 8 << 30 }

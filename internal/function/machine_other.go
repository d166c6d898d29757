//go:build !linux

package function

// machineMemory returns a modest assumption where asking takes more than one
// portable call.
func machineMemory() int64 { return 8 << 30 }

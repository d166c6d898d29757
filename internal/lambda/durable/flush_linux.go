package durable

import (
	"os"

	"golang.org/x/sys/unix"
)

// Flush makes everything written below dir durable: one call for the whole
// file system, where thousands of files would need as many.
func Flush(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}

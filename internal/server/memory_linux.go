package server

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// releaseProgram unmaps the pages of the program file, most of which only the
// start needed; what is needed again comes back from the page cache. (Of a file
// that was written in large pieces, as linkers write, it comes back 2 MiB at a
// time: a copy of the program takes less.)
func releaseProgram() error {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return err
	}
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var begin, end uintptr
		var mode string
		line := lines.Text()
		if !strings.HasSuffix(line, " "+self) {
			continue
		}
		if _, err := fmt.Sscanf(line, "%x-%x %s", &begin, &end, &mode); err != nil {
			return err
		}
		if mode != "r-xp" && mode != "r--p" {
			continue // what can be written to would be lost
		}
		// The address is not of Go's heap, and stays what it is.
		pages := unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&begin))), end-begin)
		if err := unix.Madvise(pages, unix.MADV_DONTNEED); err != nil {
			return err
		}
	}
	return nil
}

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
// time: a copy of the program takes less.) Pages that were written to stay: a
// program that is linked dynamically has addresses in them that the file
// doesn't have, even if nothing may write to them any more.
func releaseProgram() error {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err
	}
	defer maps.Close()
	var begin, end uintptr // of the program's mapping that the lines are about
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		line := lines.Text()
		name, value, _ := strings.Cut(line, ":")
		switch {
		case strings.ContainsRune(name, '-'): // a mapping's first line
			begin, end = 0, 0
			var mode string
			if !strings.HasSuffix(line, " "+self) {
				continue
			}
			if _, err := fmt.Sscanf(line, "%x-%x %s", &begin, &end, &mode); err != nil {
				return err
			}
			if mode != "r-xp" && mode != "r--p" {
				begin = end // what can be written to would be lost
			}
		case name == "Anonymous" && begin < end && strings.Fields(value)[0] == "0":
			// The address is not of Go's heap, and stays what it is.
			pages := unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&begin))), end-begin)
			if err := unix.Madvise(pages, unix.MADV_DONTNEED); err != nil {
				return err
			}
		}
	}
	return nil
}

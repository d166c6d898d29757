package sandbox

import (
	"fmt"
	"os"

	"github.com/landlock-lsm/go-landlock/landlock"
	llsys "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// restrictPaths limits the process and all it starts to reading some paths and
// writing others, as far as the kernel's Landlock can.
func restrictPaths(read, write []string) error {
	var rules []landlock.Rule
	for _, path := range read {
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		if info.IsDir() {
			rules = append(rules, landlock.RODirs(path))
		} else {
			rules = append(rules, landlock.ROFiles(path))
		}
	}
	rules = append(rules, landlock.RWDirs(write...), landlock.RWFiles("/dev/null"))
	if err := landlock.V5.BestEffort().RestrictPaths(rules...); err != nil {
		return fmt.Errorf("restrict file access: %w", err)
	}
	return nil
}

// Versions of Landlock: the first that keeps files from being truncated, and the
// first that knows what restrictScope asks.
const (
	truncateABI = 3
	scopeABI    = 6
)

// landlockABI is the kernel's version of Landlock, 0 for none.
func landlockABI() int {
	abi, err := llsys.LandlockGetABIVersion()
	if err != nil {
		return 0
	}
	return abi
}

// restrictScope keeps the process and all it starts from signalling others,
// which matters where functions have no user of their own, and from their
// abstract Unix sockets, which belong to the network that all share.
func restrictScope() error {
	if err := landlock.V6.BestEffort().RestrictScoped(); err != nil {
		return fmt.Errorf("restrict signals and abstract sockets: %w", err)
	}
	return nil
}

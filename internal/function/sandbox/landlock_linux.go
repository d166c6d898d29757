package sandbox

import (
	"fmt"
	"os"

	"github.com/landlock-lsm/go-landlock/landlock"
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
	// Without a user of its own, a function could otherwise signal the server.
	if err := landlock.V6.BestEffort().RestrictScoped(); err != nil {
		return fmt.Errorf("restrict signals: %w", err)
	}
	return nil
}

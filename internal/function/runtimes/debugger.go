package runtimes

import (
	"fmt"
	"os"
	"path/filepath"
)

// MissingDebuggerError says that a runtime's functions can't be debugged on
// this host.
type MissingDebuggerError struct {
	Runtime string
	Install string // what to do about it, as a sentence
}

func (e *MissingDebuggerError) Error() string {
	return fmt.Sprintf("runtime %s: no debugger found on this machine. %s", e.Runtime, e.Install)
}

// Debugpy returns the folder of the debugpy package that fits a Python
// interpreter, or a *MissingDebuggerError. Any copy on this host will do whose
// metadata allows the version: where its compiled parts are another version's,
// debugpy does without.
func (s *Set) Debugpy(i *Interpreter) (dir string, err error) {
	patterns := s.places.pythonLibraries()
	if i.Prefix != "" {
		patterns = append([]string{filepath.Join(i.Prefix, "lib", "python"+i.Runtime.Version, "site-packages")}, patterns...)
	}
	needs := ""
	for _, pattern := range patterns {
		names, err := filepath.Glob(filepath.Join(pattern, "debugpy"))
		if err != nil {
			continue
		}
		for _, name := range names {
			if _, err := os.Stat(filepath.Join(name, "__main__.py")); err != nil {
				continue
			}
			_, requires := readMetadata(filepath.Dir(name), "debugpy")
			if satisfies(numbers(i.Version), requires) {
				return name, nil
			}
			needs = requires
		}
	}
	missing := &MissingDebuggerError{i.Runtime.ID, fmt.Sprintf("Install debugpy for Python %s (%s -m pip install debugpy).", i.Runtime.Version, i.Path)}
	if needs != "" {
		missing.Install = fmt.Sprintf("The debugpy that is installed needs Python %s: %s", needs, missing.Install)
	}
	return "", missing
}

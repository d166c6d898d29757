package sandbox

import (
	"fmt"
	"strings"
)

// Level is a rung of the isolation ladder, weakest first.
type Level int

// The rungs.
const (
	// None: plain processes in a process group of their own.
	None Level = iota
	// Restricted: Landlock rules for files, a system call deny-list, resource
	// limits and no_new_privs; the host's process list stays visible.
	Restricted
	// Namespaces: a root file system, process table and IPC of its own, an
	// unprivileged user without capabilities, on top of what Restricted has;
	// memory and task limits where control groups can be written.
	Namespaces
	// GVisor: a kernel of its own, gVisor's, in what Namespaces has. It takes the
	// program runsc, and time with each system call, so nobody gets it unasked.
	GVisor
)

// String returns the name that ParseWish accepts.
func (l Level) String() string {
	switch l {
	case GVisor:
		return "runsc"
	case Namespaces:
		return "namespaces"
	case Restricted:
		return "restricted"
	}
	return "none"
}

// Wish says which rungs are acceptable.
type Wish struct {
	Min Level // refuse to start anything below
	Max Level // don't try anything above
}

// Auto takes the strongest rung that works and costs next to nothing.
func Auto() Wish { return Wish{Min: None, Max: Namespaces} }

// ParseWish reads a command-line value: "" or "auto" for Auto, a rung's name for
// exactly it, "require" for namespaces or nothing, or "require=" and a rung's name for
// that one or, up to namespaces, a stronger one.
func ParseWish(s string) (Wish, error) {
	switch s {
	case "", "auto":
		return Auto(), nil
	case "require":
		s = "require=namespaces"
	case "gvisor":
		s = "runsc"
	}
	name, atLeast := strings.CutPrefix(s, "require=")
	for level := None; level <= GVisor; level++ {
		if name != level.String() {
			continue
		}
		if atLeast {
			return Wish{Min: level, Max: max(level, Namespaces)}, nil
		}
		return Wish{Min: level, Max: level}, nil
	}
	return Wish{}, fmt.Errorf("isolation %q is not one of auto, require[=RUNG] or a RUNG, of which there are runsc, namespaces, restricted and none", s)
}

// Rung is one line of the report on isolation.
type Rung struct {
	Mechanism string // such as "memory limit"
	Reached   bool
	Detail    string // how it is done, or why not and what would change that
}

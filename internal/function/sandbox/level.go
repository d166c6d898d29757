package sandbox

import (
	"errors"
	"fmt"
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
)

// String returns the name that ParseWish accepts.
func (l Level) String() string {
	switch l {
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

// Auto takes the strongest rung that works.
func Auto() Wish { return Wish{Min: None, Max: Namespaces} }

// ParseWish reads a command-line value: "" or "auto" for the strongest that
// works, "require" for namespaces or nothing, or a rung's name for exactly it.
func ParseWish(s string) (Wish, error) {
	switch s {
	case "", "auto":
		return Auto(), nil
	case "require", "namespaces":
		return Wish{Min: Namespaces, Max: Namespaces}, nil
	case "restricted":
		return Wish{Min: Restricted, Max: Restricted}, nil
	case "none":
		return Wish{Min: None, Max: None}, nil
	case "gvisor", "runsc":
		return Wish{}, errors.New("isolation " + s + ": functions don't run under gVisor yet; require is the strongest there is")
	}
	return Wish{}, fmt.Errorf("isolation %q is not one of auto, require, namespaces, restricted, none", s)
}

// Rung is one line of the report on isolation.
type Rung struct {
	Mechanism string // such as "memory limit"
	Reached   bool
	Detail    string // how it is done, or why not and what would change that
}

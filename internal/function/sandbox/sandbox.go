// Package sandbox starts processes that must not be trusted: it hides the
// host's files and processes from them, bounds their memory and number, and
// takes them down as a whole. It offers the strongest isolation the host allows
// and says which that is. It knows nothing of Lambda.
//
// On Linux the program starts itself again as a sandbox's first process, which
// this package's initialisation turns into one before main is reached.
package sandbox

import (
	"errors"
	"os"
	"syscall"
)

// Bind makes a host path visible inside the sandbox, read-only.
type Bind struct {
	Source string // on the host; a directory or a file
	Target string // inside; absolute
}

// Link is a symbolic link inside the sandbox's otherwise empty root.
type Link struct {
	Name   string // where the link is
	Target string // what it says
}

// Spec describes one sandbox.
type Spec struct {
	Args []string // Args[0] is a path, as seen from inside; with a Root it may be a name to be found in PATH
	Env  []string // the whole environment
	Dir  string   // working directory, as seen from inside

	// Root is a host directory that is all of the file system inside, read-only
	// but for /tmp; "" shows the host's programs and libraries. In it must be the
	// directories dev, proc and tmp, and the files etc/hosts and etc/resolv.conf,
	// and none of these may be a link. It takes the Namespaces rung, and what is
	// below is not for sandboxes with a Root.
	Root string

	Binds  []Bind
	Links  []Link
	Layers []string // host directories merged at LayersAt, later ones win
	// LayersAt is where Layers appear, "" for nowhere.
	LayersAt string

	// MountPoints are empty directories inside, for Process.Attach.
	MountPoints []string
	// LateDir says that Dir is one of the MountPoints, and the program can't
	// enter anew what Process.Attach shows there: that does it for the program.
	LateDir bool

	TmpMB int // size of /tmp
	// Tmp is a /tmp to go on with, which Start takes over; nil for an empty one.
	// KeepTmp lets Process.TakeTmp have this sandbox's in the end.
	Tmp      *Tmp
	KeepTmp  bool
	MemoryMB int // memory limit of everything inside; 0 means none
	MaxTasks int // processes and threads; 0 means none
	// Weight is the share of the processor, from 1 to 10000, that it gets beside
	// others who want it; Ordinary if it is 0. It counts for nothing where the
	// host has no control groups for it.
	Weight int
	// Idle gives it only what nobody else wants, whatever it weighs. Where the
	// kernel can't do that (before Linux 5.15), Weight counts.
	Idle bool

	// Companions run beside the program, as the same user and with the same
	// limits. They start first; the program waits for Process.StartProgram.
	// Controlled lets its user signal the program without any (Process.Signal).
	// Both take the Namespaces rung; there is no LateDir with them.
	Companions []Program
	Controlled bool

	// Freezable lets Process.Freeze stop the sandbox.
	Freezable bool

	Channel *os.File // becomes descriptor 3; may be nil
	Log     *os.File // becomes descriptors 1 and 2
	// CompanionLog is what Log is for the companions; nil if they share it.
	CompanionLog *os.File
}

// Ordinary is what any process on the host weighs.
const Ordinary = 100

var errNoRoot = errors.New("sandbox: a root file system of its own needs the namespaces rung of isolation, which this host does not offer")

// Exit tells how a sandbox's main process ended.
type Exit struct {
	Code        int            // exit status, when Signal is 0
	Signal      syscall.Signal // the signal that ended it, or 0
	OutOfMemory bool           // the kernel killed it at its memory limit
	// Setup is why the program was never started, else "". SetupErrno is the
	// system's reason when it was the program itself that could not be run.
	Setup      string
	SetupErrno syscall.Errno
}

// Success reports a plain exit with status 0.
func (e Exit) Success() bool { return e.Code == 0 && e.Signal == 0 && e.Setup == "" }

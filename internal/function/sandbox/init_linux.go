package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// initName is the argv[0] by which the program knows that it was started to
// become a sandbox. Nobody starts programs under such a name by accident.
const initName = "butai-sandbox-init"

// Descriptors of a sandbox's first process.
const (
	channelFD = 3 // handed on to the program
	configFD  = 4 // initConfig as JSON, and then orders
	statusFD  = 5 // initStatus as JSON, when the program has ended or never began
	tmpFD     = 6 // with initConfig.HasTmp
)

// setupFailed is the exit status after a failed setup, for the log only: the
// reason travels in initStatus.
const setupFailed = 125

// initConfig is the order that the engine gives to a sandbox's first process.
type initConfig struct {
	Level       Level
	Args        []string
	Env         []string
	Dir         string
	Root        string // host directory on which the new root is assembled
	Image       string // host directory that is the new root, "" to show the host's system
	Binds       []Bind
	Links       []Link
	Layers      []string
	LayersAt    string
	MountPoints []string
	LateDir     bool // enter Dir anew at enterSignal, for the program too
	TmpMB       int
	UID, GID    int // whom the program runs as
	InitUID     int // whom this process becomes afterwards; 0: stay
	SetUser     bool
	Read        []string // Restricted: directories and files to read and execute
	Write       []string // Restricted: directories to write
	HasTmp      bool     // tmpFD is the mount for /tmp
	Trial       bool     // stop before starting the program
	Companions  []Program
	Controlled  bool // orders will follow
	// CompanionLog is the descriptor of the companions' output; 0 if they share
	// the program's.
	CompanionLog int
	Hosts        string // to add to /etc/hosts
	GVisor       string // platform of the GVisor rung
	GVisorPath   string // the host's runsc
}

// initStatus is what the first process reports at its end, and at the end of
// each process of a controlled sandbox.
type initStatus struct {
	Companion int           `json:",omitempty"` // whom it is about; 0 is the program
	Over      bool          `json:",omitempty"` // nobody is left, and this process waits to be killed
	Error     string        `json:",omitempty"`
	Errno     syscall.Errno `json:",omitempty"` // of running the program itself
	Wait      *uint32       `json:",omitempty"` // wait status of the program
}

// init turns this process into a sandbox and never returns, if it was started
// for that. It stands here and not in main because packages are initialised in
// the order of their import paths, each once its imports are: this one comes
// early, and what others need for it, ten times of what a sandbox does, is
// never done.
func init() {
	if len(os.Args) != 1 || os.Args[0] != initName {
		return
	}
	// The filter, capabilities and parent-death signal belong to threads.
	runtime.LockOSThread()
	// Whoever started the server may have left files open for it that are
	// nobody's business here.
	status := initStatus{}
	if err := unix.CloseRange(configFD, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		status.Error = "close inherited files: " + err.Error()
	} else {
		status = runInit()
	}
	report(status)
	if status.Error != "" {
		os.Exit(setupFailed)
	}
	os.Exit(0)
}

func report(status initStatus) {
	if data, err := json.Marshal(status); err == nil {
		syscall.Write(statusFD, data)
	}
}

func runInit() initStatus {
	incoming := json.NewDecoder(os.NewFile(configFD, "config"))
	var c initConfig
	if err := incoming.Decode(&c); err != nil {
		return initStatus{Error: "read configuration: " + err.Error()}
	}
	if c.Level == GVisor {
		return superviseGuest(&c)
	}
	if err := isolate(&c); err != nil {
		return initStatus{Error: err.Error()}
	}
	if c.Trial {
		return initStatus{}
	}
	if c.Level == Restricted {
		return execProgram(&c)
	}
	if c.Controlled {
		return superviseFamily(&c, incoming)
	}
	return superviseProgram(&c)
}

func isolate(c *initConfig) error {
	if c.Level == Namespaces {
		build := buildRoot
		if c.Image != "" {
			build = mountImage
		}
		if err := build(c); err != nil {
			return err
		}
	}
	if err := setLimits(c); err != nil {
		return err
	}
	if c.Level == Restricted {
		if err := restrictPaths(c.Read, c.Write); err != nil {
			return err
		}
		if landlockABI() < truncateABI {
			if err := installFilter(truncateProgram()); err != nil {
				return err
			}
		}
	}
	if err := restrictScope(); err != nil {
		return err
	}
	if err := dropCapabilities(); err != nil {
		return err
	}
	return installFilter(filterProgram())
}

// execProgram replaces this process, for want of a process table of its own
// that would need a first process.
func execProgram(c *initConfig) initStatus {
	if err := syscall.Chdir(c.Dir); err != nil {
		return initStatus{Error: "enter working directory: " + err.Error()}
	}
	if err := giveUpCapabilities(syscall.RawSyscall); err != nil {
		return initStatus{Error: err.Error()}
	}
	err := syscall.Exec(c.Args[0], c.Args, c.Env)
	return programError(c, err)
}

func programError(c *initConfig, err error) initStatus {
	status := initStatus{Error: fmt.Sprintf("fork/exec %s: %v", c.Args[0], err)}
	errors.As(err, &status.Errno)
	return status
}

// superviseProgram starts the program as a child and reaps until it ends: the
// first process of a namespace can't be killed by signals from inside and must
// collect orphans, which is no job for an interpreter.
func superviseProgram(c *initConfig) initStatus {
	attr := &syscall.ProcAttr{Dir: c.Dir, Env: c.Env, Files: []uintptr{0, 1, 2, channelFD}, Sys: &syscall.SysProcAttr{Setsid: true}}
	if c.SetUser {
		attr.Sys.Credential = &syscall.Credential{Uid: uint32(c.UID), Gid: uint32(c.GID)}
	}
	program, err := findProgram(c)
	if err != nil {
		return initStatus{Error: err.Error(), Errno: syscall.ENOENT}
	}
	if c.LateDir {
		attr.Sys.Cloneflags = unix.CLONE_FS // one working directory for both
	}
	child, err := syscall.ForkExec(program, c.Args, attr)
	if err != nil {
		return programError(c, err)
	}
	if err := stepBack(c); err != nil {
		return initStatus{Error: err.Error()}
	}
	return await(child, func(wait syscall.WaitStatus) initStatus {
		value := uint32(wait)
		return initStatus{Wait: &value}
	})
}

// await reaps until the child ends, and lingers with what status makes of its end
// unless that is an error.
func await(child int, status func(syscall.WaitStatus) initStatus) initStatus {
	for {
		var wait syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &wait, 0, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return initStatus{Error: "wait: " + err.Error()}
		}
		if pid == child && (wait.Exited() || wait.Signaled()) {
			end := status(wait)
			if end.Error != "" {
				return end
			}
			linger(end)
		}
	}
}

// linger reports the last end and waits to be killed: until then, the engine
// can reach what is in the sandbox.
func linger(status initStatus) {
	report(status)
	for {
		unix.Pause()
	}
}

// enterSignal tells a sandbox's first process that its directory is complete.
const enterSignal = syscall.SIGUSR1

// enterAgain enters a directory anew when told to: something has been mounted
// there since. Process.Attach looks whether it has worked.
func enterAgain(dir string, signals <-chan os.Signal) {
	for s := range signals {
		if s == enterSignal {
			_ = syscall.Chdir(dir)
		}
	}
}

// stepBack gives up what the first process doesn't need once the program runs,
// and protects it from the program.
func stepBack(c *initConfig) error {
	// Holding these open would hide from the engine that the program closed them.
	for _, fd := range []int{1, 2, channelFD} {
		syscall.Close(fd)
	}
	if c.CompanionLog != 0 {
		syscall.Close(c.CompanionLog)
	}
	var keep []uint
	if c.SetUser && c.InitUID != 0 {
		// Go changes these on all threads. The program must not share the user,
		// or it could signal and inspect this process.
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setresgid(c.InitUID, c.InitUID, c.InitUID), syscall.Setresuid(c.InitUID, c.InitUID, c.InitUID)); err != nil {
			return fmt.Errorf("drop privileges: %w", err)
		}
		if c.Controlled {
			keep = append(keep, unix.CAP_KILL) // of use only for what this process sees, the sandbox
		}
	}
	if err := giveUpCapabilities(psx.Syscall3, keep...); err != nil {
		return err
	}
	if err := dieWithServer(); err != nil {
		return err
	}
	// In a user namespace there is only one user, so the program could signal
	// and inspect this process after all: it takes no signals and shows nothing.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals)
	switch {
	case c.Level == GVisor:
		go tellGuest(signals)
	case c.LateDir:
		go enterAgain(c.Dir, signals)
	}
	unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	return nil
}

// dieWithServer renews the parent-death signal, which a change of user clears,
// and makes sure that the server hasn't died in between: then nobody reads the
// status pipe any more.
func dieWithServer() error {
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("set parent-death signal: %w", err)
	}
	status := []unix.PollFd{{Fd: statusFD}}
	if n, err := unix.Poll(status, 0); err == nil && n > 0 && status[0].Revents&unix.POLLERR != 0 {
		return errors.New("the server has ended")
	}
	return nil
}

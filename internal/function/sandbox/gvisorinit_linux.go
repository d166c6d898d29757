package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"runtime"
	"strings"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// guestRoot is where, as the first process sees it, the file system of a sandbox
// on the GVisor rung is. Beside it is what runsc needs and the program mustn't see.
const guestRoot = "/guest"

// What the first process has for runsc, beside the guest's file system.
const (
	runscProgram = "/runsc"
	runscBundle  = "/bundle" // the configuration
	runscState   = "/state"
	runscLog     = "/bundle/log"
)

// runscFailed is runsc's own exit status if it can't do what it was told.
const runscFailed = 128

// superviseGuest is isolate and superviseProgram of the GVisor rung.
func superviseGuest(c *initConfig) initStatus {
	if err := buildGuest(c); err != nil {
		return initStatus{Error: err.Error()}
	}
	program, problem := findInGuest(c)
	if problem.Error != "" {
		return problem
	}
	if err := writeBundle(c, program); err != nil {
		return initStatus{Error: err.Error()}
	}
	if err := setLimit("core size", syscall.RLIMIT_CORE, 0, 0); err != nil {
		return initStatus{Error: err.Error()}
	}
	child, err := syscall.ForkExec(runscProgram, runscArgs(c), &syscall.ProcAttr{
		Dir: "/", Env: []string{"PATH=/"}, Files: []uintptr{0, 1, 2, channelFD}, Sys: guestAttributes(c),
	})
	if err != nil {
		return initStatus{Error: "start runsc: " + err.Error()}
	}
	if err := stepBack(c); err != nil {
		return initStatus{Error: err.Error()}
	}
	return await(child, func(wait syscall.WaitStatus) initStatus { return guestStatus(c, wait) })
}

// tellGuest passes on that the program is asked to end: runsc would end itself,
// and the program with it, untold.
func tellGuest(signals <-chan os.Signal) {
	for s := range signals {
		if s == syscall.SIGTERM {
			args := []string{"runsc", "--root=" + runscState, "kill", "function", "TERM"}
			_, _ = syscall.ForkExec(runscProgram, args, &syscall.ProcAttr{Dir: "/", Env: []string{"PATH=/"}})
		}
	}
}

// guestAttributes give runsc a user namespace, in which it is root without being
// root: there, the program's user and the first process's own are all that is.
// So it is the latter, on the host, who does what the program asks for.
func guestAttributes(c *initConfig) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true, Cloneflags: syscall.CLONE_NEWUSER, Credential: &syscall.Credential{NoSetGroups: !c.SetUser}}
	ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: c.UID, Size: 1}}
	if c.SetUser {
		ids = []syscall.SysProcIDMap{{ContainerID: 0, HostID: c.InitUID, Size: 1}, {ContainerID: insideUID, HostID: c.UID, Size: 1}}
	}
	attr.UidMappings, attr.GidMappings, attr.GidMappingsEnableSetgroups = ids, ids, c.SetUser
	return attr
}

func runscArgs(c *initConfig) []string {
	return []string{
		"runsc", "--platform=" + c.GVisor, "--root=" + runscState, "--log=" + runscLog, "--log-format=json",
		"--ignore-cgroups", // the whole sandbox is in one
		"--network=host",   // as on the other rungs
		"--host-uds=none", "--overlay2=none", "--file-access=shared",
		"run", "--bundle=" + runscBundle, fmt.Sprintf("--pass-fd=%[1]d:%[1]d", channelFD), "function",
	}
}

// buildGuest assembles the program's file system below guestRoot, in another one
// for runsc, which becomes this process's root.
func buildGuest(c *initConfig) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("tmpfs", c.Root, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755,size=4m"); err != nil {
		return fmt.Errorf("mount root: %w", err)
	}
	for _, dir := range []string{guestRoot, runscBundle, runscState, "/tmp"} {
		if err := os.MkdirAll(c.Root+dir, 0o755); err != nil {
			return err
		}
	}
	const attributes = unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV
	if err := bind(c.GVisorPath, c.Root+runscProgram, attributes); err != nil {
		return err
	}
	guest := *c
	guest.Root += guestRoot
	if c.SetUser {
		guest.UID, guest.GID = insideUID, insideUID // see guestAttributes
	}
	build := buildGuestRoot
	if c.Image != "" {
		build = showImage
	}
	for _, step := range []func() error{
		func() error { return mountDevices(c) },
		func() error { return build(&guest) },
		func() error { guest.UID, guest.GID = c.UID, c.GID; return mountTmp(&guest) },
		func() error { return mountWholeProc(c) },
		func() error { return giveToRunsc(c, c.Root+runscState, c.Root+runscBundle) },
		func() error { return pivotRoot(c) },
		// What Attach mounts there shows in the namespaces that runsc makes.
		func() error { return unix.Mount("", guestRoot, "", unix.MS_SHARED|unix.MS_REC, "") },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// buildGuestRoot is buildRoot without what gVisor brings itself: /dev and /proc.
func buildGuestRoot(c *initConfig) error {
	if err := unix.Mount("tmpfs", c.Root, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755,size=1m"); err != nil {
		return fmt.Errorf("mount root: %w", err)
	}
	for _, step := range []func(*initConfig) error{mountSystem, mountBinds, makeLinks, mountLayers, writeAccounts} {
		if err := step(c); err != nil {
			return err
		}
	}
	for _, dir := range []string{"/dev", "/proc", "/sys", "/tmp", "/run", "/home", "/var/tmp"} {
		if err := os.MkdirAll(c.Root+dir, 0o755); err != nil {
			return err
		}
	}
	return unix.Mount("", c.Root, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV, "")
}

// mountWholeProc shows runsc the sandbox's processes, of which there is its own
// kind only. In a user namespace it may mount another one only if nothing of
// this one is covered.
func mountWholeProc(c *initConfig) error {
	target := c.Root + "/proc"
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("proc", target, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return nil
}

// giveToRunsc makes directories writable for runsc's user.
func giveToRunsc(c *initConfig, dirs ...string) (err error) {
	if !c.SetUser {
		return nil // it has the same one
	}
	for _, dir := range dirs {
		err = errors.Join(err, os.Chown(dir, c.InitUID, c.InitUID))
	}
	return err
}

// findInGuest finds the program, as seen from inside, or tells why it can't be
// run, in the words that the kernel has for it.
func findInGuest(c *initConfig) (program string, problem initStatus) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		// Threads share their root directory unless they say otherwise. This one
		// ends with the goroutine, because it stays locked.
		runtime.LockOSThread()
		err := errors.Join(unix.Unshare(unix.CLONE_FS), unix.Chroot(guestRoot), unix.Chdir("/"))
		if err != nil {
			problem.Error = "look for the program: " + err.Error()
			return
		}
		if program, err = findProgram(c); err != nil {
			problem = initStatus{Error: err.Error(), Errno: syscall.ENOENT}
			return
		}
		file := program
		if !path.IsAbs(file) {
			file = path.Join(c.Dir, file)
		}
		reason := unix.Access(file, unix.X_OK)
		if info, statErr := os.Stat(file); reason == nil && statErr == nil && (info.IsDir() || info.Mode()&0o111 == 0) {
			reason = unix.EACCES
		}
		if reason != nil {
			problem = programError(c, reason)
		}
	}()
	<-done
	return program, problem
}

// writeBundle writes what runsc is to do, as the OCI runtime specification has it.
func writeBundle(c *initConfig, program string) error {
	hostname, err := os.Hostname()
	if err != nil {
		return err
	}
	tmp := specs.Mount{Destination: "/tmp", Type: "bind", Source: guestRoot + "/tmp", Options: []string{"rbind", "rw", "nosuid", "nodev"}}
	if !c.SetUser { // nobody but runsc's root is in its user namespace: see guestAttributes
		tmp = specs.Mount{Destination: "/tmp", Type: "tmpfs", Source: "tmpfs", Options: []string{
			"rw", "nosuid", "nodev", "mode=0700", fmt.Sprintf("uid=%d", insideUID), fmt.Sprintf("gid=%d", insideUID), fmt.Sprintf("size=%dm", max(c.TmpMB, 1)),
		}}
	}
	args := append([]string{program}, c.Args[1:]...)
	config, err := json.Marshal(specs.Spec{
		Version: specs.Version,
		Process: &specs.Process{
			User: specs.User{UID: insideUID, GID: insideUID}, Args: args, Env: c.Env, Cwd: c.Dir,
			Capabilities: &specs.LinuxCapabilities{}, NoNewPrivileges: true, Rlimits: guestLimits(),
		},
		Root:     &specs.Root{Path: guestRoot, Readonly: true},
		Hostname: hostname,
		Mounts:   []specs.Mount{{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "nodev", "noexec"}}, tmp},
		Linux: &specs.Linux{Namespaces: []specs.LinuxNamespace{
			{Type: specs.PIDNamespace}, {Type: specs.MountNamespace}, {Type: specs.IPCNamespace}, {Type: specs.UTSNamespace},
		}},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(runscBundle+"/config.json", config, 0o644)
}

// guestLimits are those of setLimits.
func guestLimits() []specs.POSIXRlimit {
	return []specs.POSIXRlimit{
		{Type: "RLIMIT_NOFILE", Soft: maxFiles, Hard: maxFiles},
		{Type: "RLIMIT_NPROC", Soft: maxProcesses, Hard: maxProcesses},
		{Type: "RLIMIT_MEMLOCK", Soft: maxLocked, Hard: maxLocked},
		{Type: "RLIMIT_CORE"},
		{Type: "RLIMIT_STACK", Soft: stackSize, Hard: unix.RLIM_INFINITY},
	}
}

// guestStatus reads the end of the program from that of runsc, which passes an
// exit status on, and has numbers beyond 128 for signals as shells do.
func guestStatus(c *initConfig, wait syscall.WaitStatus) initStatus {
	if code := wait.ExitStatus(); code == runscFailed {
		if reason := runscReason(); reason != "" {
			return guestError(c, reason)
		}
	} else if code > runscFailed && code <= runscFailed+64 {
		wait = syscall.WaitStatus(code - runscFailed)
	}
	value := uint32(wait)
	return initStatus{Wait: &value}
}

// guestError words why runsc couldn't start the program, as the host's kernel would
// have if that is what it is about.
func guestError(c *initConfig, reason string) initStatus {
	if strings.Contains(reason, ": failed to load ") {
		for _, errno := range []syscall.Errno{syscall.ENOENT, syscall.ENOEXEC, syscall.EACCES} {
			if strings.HasSuffix(reason, ": "+errno.Error()) {
				return programError(c, errno)
			}
		}
	}
	return initStatus{Error: "runsc: " + reason}
}

// runscReason is the last thing that runsc complained of, "" if it didn't.
func runscReason() (reason string) {
	data, err := os.ReadFile(runscLog)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err.Error()
	}
	for line := range strings.Lines(string(data)) {
		var entry struct{ Msg, Level string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Level == "error" {
			reason = entry.Msg
		}
	}
	return reason
}

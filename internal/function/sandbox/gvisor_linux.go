package sandbox

import (
	"cmp"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// GVisor puts a kernel between a function and the host's: gVisor's program runsc
// answers the function's system calls itself, and only that program, in a few
// dozen calls that its own filter lets through, talks to the host. The sandbox's
// first process assembles the same file system as for Namespaces, and where it
// would start the function's program, starts runsc on it. So control groups,
// /tmp, Attach and the end of all with the first process are as on that rung.

// gvisor is the runsc of this host.
type gvisor struct {
	path     string
	platform string // how it catches system calls; "" until it has been tried
}

// gvisorPlatforms are gVisor's ways to catch system calls, best first. The third,
// kvm, takes a machine that isn't virtual to be of use.
var gvisorPlatforms = []string{"systrap", "ptrace"}

// runscMB is how much memory of the host runsc's own processes may take for a
// sandbox, beside what the program has.
const runscMB = 128

// getRunsc says how to get it.
const getRunsc = "make runsc builds one, for which put .tools/bin on the server's PATH, or see https://gvisor.dev/docs/user_guide/install"

// findRunsc looks for runsc where the server's programs are.
func findRunsc() (string, error) {
	path, err := exec.LookPath("runsc")
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return "", fmt.Errorf("gVisor's runsc is not here (%s): %w", getRunsc, err)
	}
	return path, nil
}

// runscVersion is the version of the Go module that a runsc was built from, or the
// release that it says it is.
func runscVersion(path string) string {
	if info, err := buildinfo.ReadFile(path); err == nil && strings.HasPrefix(info.Main.Version, "v") {
		return info.Main.Version
	}
	out, err := exec.Command(path, "--version").Output()
	if err != nil {
		return "of unknown version"
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimPrefix(first, "runsc version ")
}

// tryGVisor finds the platform that works here, by running a program on it.
func (h *Host) tryGVisor() error {
	path, err := findRunsc()
	if err != nil {
		return err
	}
	var failed []error
	for _, platform := range gvisorPlatforms {
		h.gvisor = gvisor{path, platform}
		p, err := h.start(GVisor, &Spec{Args: []string{"/bin/true"}, Dir: "/"}, false)
		if err != nil {
			return err
		}
		exit := p.Exit()
		if exit.Success() {
			return nil
		}
		failed = append(failed, fmt.Errorf("platform %s: %s", platform, cmp.Or(exit.Setup, fmt.Sprintf("/bin/true ended with status %d, signal %d", exit.Code, exit.Signal))))
	}
	return fmt.Errorf("runsc at %s doesn't work here: %w", path, errors.Join(failed...))
}

// kernelRung is about whose kernel answers the functions.
func (h *Host) kernelRung(level Level) Rung {
	const mechanism = "own kernel"
	if level == GVisor {
		return Rung{mechanism, true, fmt.Sprintf("gVisor's (runsc %s, platform %s)", runscVersion(h.gvisor.path), h.gvisor.platform)}
	}
	path, err := findRunsc()
	if err != nil {
		return Rung{mechanism, false, "the host's answers. For gVisor's: butai serve --isolation=runsc, once there is a runsc (" + getRunsc + ")"}
	}
	return Rung{mechanism, false, fmt.Sprintf("the host's answers. For gVisor's: butai serve --isolation=runsc; there is runsc %s at %s", runscVersion(path), path)}
}

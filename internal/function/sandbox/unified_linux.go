package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// On version 2 of control groups, a group that holds processes may not hand its
// controllers on to groups below it. Where the server shares its group with
// nobody, it moves to a leaf of its own, beside the sandboxes' groups. It rarely
// is alone: a login session is one group, with the shell in it, and belongs to
// root besides. There systemd is asked for a scope (newScope), which is what it
// offers to programs that keep groups of their own.
//
// The sandboxes have no parent group in common: as a whole that would weigh as
// much as the server, however idle the sandboxes in it are.

// controllers are those that limit and weigh sandboxes.
var controllers = []string{"memory", "pids", "cpu"}

// unified looks for a place in version 2's hierarchy.
type unified struct {
	mountRoot string
	name      string // begins the names of sandboxes' groups
	root      bool   // may write everywhere
	// scope moves this process to a group of its own and returns its path.
	scope func() (string, error)
}

// find prepares a place for sandboxes' groups; own is this process's group.
func (u unified) find(own string) cgroups {
	g, err := u.below(own)
	if err != nil && !inService(own) {
		// A service's processes belong into its group: its end is theirs.
		scope, scopeErr := u.scope()
		if scopeErr == nil {
			if g, scopeErr = u.below(scope); scopeErr == nil {
				g.note = ", in a scope that systemd made"
			}
		}
		if err = errors.Join(err, scopeErr); scopeErr == nil {
			err = nil
		}
	}
	if err != nil && u.root && own != "/" {
		// Processes at the top are in nobody's way.
		if top, topErr := u.below("/"); topErr == nil {
			top.note = ", at the top of the hierarchy"
			return top
		}
	}
	if err != nil {
		return without("control groups: " + strings.ReplaceAll(err.Error(), "\n", "; ") + advice(own, err))
	}
	return g
}

// serverLeaf is the group that this process moves to.
func serverLeaf() string { return groupPrefix + strconv.Itoa(os.Getpid()) + "-server" }

// below has sandboxes' groups made below own, or beside this process if that has
// its leaf already.
func (u unified) below(own string) (cgroups, error) {
	if path.Base(own) == serverLeaf() {
		own = path.Dir(own)
	}
	base := filepath.Join(u.mountRoot, own)
	offered, err := os.ReadFile(filepath.Join(base, "cgroup.controllers"))
	if err != nil {
		return cgroups{}, err
	}
	sweepGroups(base)
	sweepScopes(filepath.Dir(base))
	g := cgroups{v2: true, unified: base, prefix: u.name + "-", missing: map[string]string{}}
	// Whether groups can be made, and what they can do, is seen by making one.
	trial := filepath.Join(base, g.prefix+"trial")
	if err := os.Mkdir(trial, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return cgroups{}, err
	}
	defer os.Remove(trial)
	reached := map[string]bool{}
	for _, controller := range controllers {
		if !slices.Contains(strings.Fields(string(offered)), controller) {
			g.missing[controller] = fmt.Sprintf("control groups: %s has no %s controller%s", base, controller, handOn(own))
			continue
		}
		if err := hand(controller, base); err != nil {
			return cgroups{}, err
		}
		reached[controller] = true
	}
	if reached["memory"] {
		g.memory = base
	}
	if reached["pids"] {
		g.pids = base
	}
	g.killable = has(trial, killFile)
	g.processor = processor{v2: true, why: g.missing["cpu"], idle: has(trial, idleFile)}
	return g, nil
}

// hand gives a controller to the groups below base. That takes processes out of
// base, if any are there.
func hand(controller, base string) error {
	err := enable(controller, base)
	for try := 0; errors.Is(err, syscall.EBUSY) && try < 10; try++ { // what this process started meanwhile
		if err := moveToLeaf(base); err != nil {
			return err
		}
		err = enable(controller, base)
	}
	return err
}

func enable(controller, dir string) error {
	return writeFile(filepath.Join(dir, "cgroup.subtree_control"), "+"+controller)
}

// moveToLeaf moves this process and all that it has started from base to a
// group below it. It moves nobody if others are there.
func moveToLeaf(base string) error {
	data, err := os.ReadFile(filepath.Join(base, "cgroup.procs"))
	if err != nil {
		return err
	}
	mine, there := descendants(os.Getpid()), strings.Fields(string(data))
	for _, text := range there {
		pid, err := strconv.Atoi(text) // 0 is one of another PID namespace
		if err != nil || !slices.Contains(mine, pid) && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return fmt.Errorf("other processes are in %s, too", base)
		}
	}
	leaf := filepath.Join(base, serverLeaf())
	if err := os.Mkdir(leaf, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	for _, pid := range there {
		if err := writeFile(filepath.Join(leaf, "cgroup.procs"), pid); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return nil
}

// unitOf is the innermost of systemd's units that a group is in or below, ""
// for none.
func unitOf(own string) string {
	for dir := own; dir != "/" && dir != "."; dir = path.Dir(dir) {
		switch path.Ext(dir) {
		case ".service", ".scope", ".slice":
			return path.Base(dir)
		}
	}
	return ""
}

func inService(own string) bool { return path.Ext(unitOf(own)) == ".service" }

// writableAdvice is what to do in a container.
const writableAdvice = " (a container must have control groups that it can write: mount /sys/fs/cgroup without ro)"

// advice is what to do where no group can be made.
func advice(own string, err error) string {
	switch {
	case errors.Is(err, syscall.EROFS):
		return writableAdvice
	case inService(own):
		return " (add Delegate=yes to " + unitOf(own) + ", and let it run nothing beside butai)"
	case unitOf(own) == "":
		return " (run butai as the only process of a control group that its user can write)"
	}
	return " (run as root, or: systemd-run --user --scope -p Delegate=yes butai serve)"
}

// handOn is how somebody gets a controller that isn't there.
func handOn(own string) string {
	if manager := slices.IndexFunc(strings.Split(own, "/"), isUserManager); manager >= 0 {
		return " (systemctl edit user@.service: [Service] Delegate=cpu memory pids)"
	}
	return ""
}

func isUserManager(unit string) bool {
	return strings.HasPrefix(unit, "user@") && strings.HasSuffix(unit, ".service")
}

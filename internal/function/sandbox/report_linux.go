package sandbox

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// Report tells, mechanism by mechanism, what sandboxes get. The first call
// tries the rungs out, which takes some milliseconds; ctx bounds nothing else.
func (h *Host) Report(ctx context.Context) []Rung {
	level, err := h.Level()
	if err != nil {
		return []Rung{{Mechanism: "isolation", Detail: err.Error()}}
	}
	user := "unprivileged user id per sandbox, no capabilities"
	if !h.asRoot {
		user = "user namespace, no capabilities"
	}
	rungs := []Rung{h.rung("file system", level >= Namespaces, "private root, read-only code and system, private /tmp", Namespaces)}
	switch level {
	case Namespaces, GVisor:
		rungs = append(rungs,
			Rung{"processes", true, "own process table and IPC; killed as a whole"},
			Rung{"user", true, user})
	case Restricted:
		rungs = append(rungs,
			Rung{"file access", true, "Landlock: code, runtime and system readable, a private temporary directory writable"},
			Rung{"processes", false, h.processGroup()},
			Rung{"user", false, "functions run as the server's own user" + cond(landlockABI() < scopeABI, ", and can signal all that runs as it (needs Linux 6.12 with Landlock)", "")})
	default:
		rungs = append(rungs,
			h.rung("file access", false, "", Restricted),
			Rung{"processes", false, h.processGroup()},
			Rung{"user", false, "functions run as the server's own user"})
	}
	filtered := level != None
	rungs = append(rungs,
		h.kernelRung(level),
		Rung{"system calls", filtered, callsDetail(level)},
		Rung{"resource limits", filtered, cond(filtered, "open files, processes, locked memory, core size, as on Lambda", "the server's own")})
	rungs = append(rungs, scopeRung(level), Rung{"network", false, "the host's own, for functions need the internet; so what listens on this machine's addresses is in their reach"})
	return append(rungs, h.groupRungs()...)
}

func callsDetail(level Level) string {
	switch level {
	case GVisor:
		return "answered by runsc, which itself has a filter that leaves it a few dozen of the host's"
	case None:
		return "all allowed"
	}
	return "no_new_privs and a deny-list"
}

// processGroup is how sandboxes without a process table of their own end.
func (h *Host) processGroup() string {
	if h.cgroups.killable {
		return "the host's process list is in sight; killed as a whole by its control group"
	}
	return "process group; a function that starts a daemon can leave it behind"
}

// scopeRung is about what restrictScope does.
func scopeRung(level Level) Rung {
	const mechanism = "abstract sockets"
	switch {
	case level == None:
		return Rung{mechanism, false, "all in reach"}
	case level == GVisor:
		return Rung{mechanism, true, "gVisor's own: those of other programs are out of reach"}
	case landlockABI() < scopeABI:
		return Rung{mechanism, false, "those of other programs are in reach (needs Linux 6.12 with Landlock)"}
	}
	return Rung{mechanism, true, "Landlock: those of other programs are out of reach"}
}

func (h *Host) groupRungs() []Rung {
	g := &h.cgroups
	how := cond(g.v2, "control groups v2", "control groups v1") + g.note
	return []Rung{
		{"memory limit", g.memory != "", cond(g.memory != "", how, g.missing["memory"])},
		{"task limit", g.pids != "", cond(g.pids != "", how, g.missing["pids"])},
		g.processor.rung(how),
	}
}

func (h *Host) rung(mechanism string, reached bool, detail string, level Level) Rung {
	if reached {
		return Rung{mechanism, true, detail}
	}
	reason := h.reasons[level]
	if reason == "" {
		reason = "not asked for"
	}
	if level == Namespaces && !h.asRoot && h.reasons[level] != "" {
		reason += " (" + namespacesAdvice("/proc/sys") + ", or run as root)"
	}
	if level == Namespaces && h.asRoot && h.reasons[level] != "" {
		reason += " (a container needs CAP_SYS_ADMIN for it)"
	}
	return Rung{mechanism, false, reason}
}

// namespacesAdvice is how to have user namespaces, by the setting below sys that
// forbids them.
func namespacesAdvice(sys string) string {
	for _, setting := range []struct{ name, forbids, allow string }{
		{"kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"},
		{"user/max_user_namespaces", "0", "user.max_user_namespaces=10000"},
		{"kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"},
	} {
		if value, err := os.ReadFile(filepath.Join(sys, setting.name)); err == nil && strings.TrimSpace(string(value)) == setting.forbids {
			return "allow unprivileged user namespaces: sysctl " + setting.allow
		}
	}
	return "allow unprivileged user namespaces"
}

func cond(ok bool, yes, no string) string {
	if ok {
		return yes
	}
	return no
}

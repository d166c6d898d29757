package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// v2Tree is a stand-in for a group with some controllers and somebody in it.
func v2Tree(t *testing.T, controllers, group string) string {
	files := map[string]string{"proc": "0::" + group + "\n"}
	files[strings.Trim(group, "/")+"/cgroup.controllers"] = controllers + "\n"
	files[strings.Trim(group, "/")+"/cgroup.subtree_control"] = ""
	return fakeTree(t, files)
}

// TestScope is a login session: its group is nobody's to use, and systemd gives
// another.
func TestScope(t *testing.T) {
	root := v2Tree(t, "memory pids cpu", "/app.slice/butai.scope")
	session := "/user.slice/session-1.scope"
	asked := 0
	u := unified{mountRoot: root, name: "b", scope: func() (string, error) { asked++; return "/app.slice/butai.scope", nil }}
	g := u.find(session)
	if g.memory != filepath.Join(root, "app.slice/butai.scope") || !strings.Contains(g.note, "systemd") || asked != 1 {
		t.Errorf("asked %d times: %+v", asked, g)
	}
	if g := u.find("/app.slice/butai.scope"); g.note != "" || asked != 1 {
		t.Errorf("a group of one's own will do: %+v", g)
	}
	// Whoever ends a service ends what is in its group.
	if g := u.find("/system.slice/ci.service"); g.v2 || asked != 1 || !strings.Contains(g.missing["memory"], "add Delegate=yes to ci.service") {
		t.Errorf("asked %d times: %+v", asked, g)
	}
}

// TestTopOfHierarchy is root's last resort.
func TestTopOfHierarchy(t *testing.T) {
	root := v2Tree(t, "memory pids", "/")
	u := unified{mountRoot: root, name: "b", root: true, scope: noScope}
	if g := u.find("/system.slice/ci.service"); g.memory != root {
		t.Errorf("%+v", g)
	}
	u.root = false
	if g := u.find("/system.slice/ci.service"); g.v2 {
		t.Errorf("%+v", g)
	}
}

// TestSomeControllers has systemd hand on what older ones do to users.
func TestSomeControllers(t *testing.T) {
	own := "/user.slice/user@1000.service/app.slice/x.scope"
	root := v2Tree(t, "pids", own)
	g := findCgroups(filepath.Join(root, "proc"), root, "b", noScope)
	if g.memory != "" || g.pids == "" || g.processor.why == "" {
		t.Fatalf("%+v", g)
	}
	h := &Host{cgroups: g}
	for _, rung := range h.groupRungs() {
		if rung.Reached != (rung.Mechanism == "task limit") {
			t.Errorf("%+v", rung)
		}
		if !rung.Reached && !strings.Contains(rung.Detail, "Delegate=cpu memory pids") {
			t.Errorf("no advice: %+v", rung)
		}
	}
	dir := filepath.Join(g.unified, "b-one")
	for _, file := range []string{"pids.max", "cgroup.procs"} {
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, file), nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	made, err := g.create("one", 128, 100, 7, false) // neither memory.max nor cpu.weight is there
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, filepath.Join(dir, "pids.max")); got != "100" || made.share.dir != "" {
		t.Errorf("%q tasks, %+v", got, made.share)
	}
}

// TestNoGroupIsSaid is what doctor says of each mechanism where there is none.
func TestNoGroupIsSaid(t *testing.T) {
	for _, own := range []string{"/user.slice/session-1.scope", "/", "/docker/abc"} {
		h := &Host{cgroups: unified{mountRoot: t.TempDir(), name: "b", scope: noScope}.find(own)}
		for _, rung := range h.groupRungs() {
			if rung.Reached || !strings.Contains(rung.Detail, "(run") {
				t.Errorf("%s: %+v", own, rung)
			}
		}
	}
}

// TestDaemonEndsWithItsGroup leaves a daemon behind that has left its process
// group, on a rung without a process table of its own.
func TestDaemonEndsWithItsGroup(t *testing.T) {
	h := newHost(t, Restricted)
	if !h.cgroups.killable {
		t.Skip("this host can't kill a control group")
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	p, err := h.Start(&Spec{Args: []string{"/bin/sh", "-c", "setsid sleep 600 & echo started"}, Env: []string{"PATH=/usr/bin:/bin"}, Dir: "/", Log: write})
	write.Close()
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if err := read.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64)
	for { // the daemon holds the other end
		if _, err := read.Read(buf); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the daemon lives")
			}
			return
		}
	}
}

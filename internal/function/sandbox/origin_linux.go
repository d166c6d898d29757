package sandbox

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Sandboxes share the host's network, so whoever listens on the loopback
// address is in their reach. The methods here say who is at the other end of a
// connection; own and peer are its addresses as the asking server sees them.

// Owns tells whether it was this sandbox that opened a connection and still
// holds it.
func (p *Process) Owns(own, peer netip.AddrPort) bool { return p.Is(WhoOpened(own, peer)) }

// Peer is the program at the other end of a connection; the zero value is
// nobody.
type Peer struct{ socket socketOwner }

// WhoOpened finds out who opened a connection and still holds it.
func WhoOpened(own, peer netip.AddrPort) Peer {
	owner, _ := findSocket(peer, own)
	return Peer{owner}
}

// Is tells whether the peer is in this sandbox.
func (p *Process) Is(peer Peer) bool { return p.owns(peer.socket) }

func (p *Process) owns(socket socketOwner) bool {
	switch {
	case socket.inode == 0:
		return false
	case p.uid != 0:
		// Under gVisor it is runsc that holds the program's sockets.
		return socket.uid == p.uid || p.guest() && socket.uid == p.uid+initUIDs
	}
	for _, pid := range descendants(p.Pid()) {
		if holds(pid, socket.inode) {
			return true
		}
	}
	return false
}

// MayHaveOpened tells whether the peer of a connection may be in a sandbox, of
// this server or another. When that can't be found out, because the peer has
// closed the connection already or hides, it is taken for one. Below the
// Restricted rung there is no telling, nor any use: functions can do what the
// server can.
func (h *Host) MayHaveOpened(own, peer netip.AddrPort) bool {
	if level, err := h.Level(); err != nil || level == None || !isOurs(peer.Addr(), own.Addr()) {
		return false
	}
	owner, found := findSocket(peer, own)
	switch {
	case !found || owner.inode == 0:
		return true
	case isSandboxUser(owner.uid):
		return true
	case h.level >= Namespaces && h.asRoot, owner.uid != os.Geteuid():
		return false
	}
	return !heldOutside(owner.inode)
}

// heldOutside looks for a process outside of all sandboxes that holds a socket.
// It can only read processes of the server's own user, which is all that is
// asked of it.
func heldOutside(inode uint32) bool {
	own, ok := filters("self")
	if !ok {
		return false
	}
	for _, pid := range processes() {
		if !holds(pid, inode) {
			continue
		}
		// No process can shed its filters, nor anything that it starts.
		if n, ok := filters(strconv.Itoa(pid)); ok && n <= own {
			return true
		}
	}
	return false
}

// filters counts the system call filters on a process.
func filters(pid string) (n int, ok bool) {
	data, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(data)) {
		if value, found := strings.CutPrefix(line, "Seccomp_filters:"); found {
			n, err = strconv.Atoi(strings.TrimSpace(value))
			return n, err == nil
		}
	}
	return 0, false
}

// processes lists all process ids in sight, newest first, as far as numbers
// tell: who connects has often only just been started.
func processes() []int {
	names, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil
	}
	pids := make([]int, 0, len(names))
	for _, name := range names {
		if pid, err := strconv.Atoi(filepath.Base(name)); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.SortFunc(pids, func(a, b int) int { return b - a })
	return pids
}

// descendants lists a process and all that it started.
func descendants(root int) []int {
	children := map[int][]int{}
	for _, pid := range processes() {
		if parent := parentOf(pid); parent != 0 {
			children[parent] = append(children[parent], pid)
		}
	}
	family := []int{root}
	for i := 0; i < len(family); i++ {
		family = append(family, children[family[i]]...)
	}
	return family
}

// parentOf reads a process's parent, 0 if it is gone. The name before it may
// hold anything, parentheses too.
func parentOf(pid int) int {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return parent
}

// holds tells whether a process has a socket among its open files.
func holds(pid int, inode uint32) bool {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd/"
	names, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	want := "socket:[" + strconv.FormatUint(uint64(inode), 10) + "]"
	for _, name := range names {
		if target, err := os.Readlink(dir + name.Name()); err == nil && target == want {
			return true
		}
	}
	return false
}

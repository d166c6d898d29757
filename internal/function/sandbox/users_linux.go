package sandbox

// Users of sandboxes. As root, each sandbox gets two user ids of its own, one for
// its program and one for its first process, out of a range that neither
// accounts nor subordinate id ranges use: the per-user limit of processes is
// then a limit per sandbox, and its connections can be told from all others. Each
// Host takes the ids from one block of the range, so that two servers on one
// machine rarely share any.
const (
	firstUID  = 2_000_000_000
	maxUIDs   = 1 << 16 // of a block
	uidBlocks = 1 << 10
	// initUIDs is how far beyond that of the program the user id of the first
	// process is, once that has no more to do.
	initUIDs = maxUIDs * uidBlocks
	// insideUID is Lambda's own; a user namespace maps it to the caller.
	insideUID = 993
)

// takeUID lends a user id for the time of a sandbox.
func (h *Host) takeUID() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.free); n > 0 {
		uid := h.free[n-1]
		h.free = h.free[:n-1]
		return uid
	}
	h.next++
	return h.firstUID + (h.next-1)%maxUIDs
}

// isSandboxUser tells whether a user id may be one of a sandbox, of any server.
func isSandboxUser(uid int) bool { return uid >= firstUID && uid < firstUID+2*initUIDs }

// giveUID takes a user id back.
func (h *Host) giveUID(uid int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.free = append(h.free, uid)
}

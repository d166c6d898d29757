//go:build !linux

package sandbox

import "net/netip"

// Owns returns true: nothing tells who opened a connection here.
func (p *Process) Owns(_, _ netip.AddrPort) bool { return true }

// Peer is the program at the other end of a connection.
type Peer struct{}

// WhoOpened returns nobody in particular.
func WhoOpened(_, _ netip.AddrPort) Peer { return Peer{} }

// Is returns true, as Owns does.
func (p *Process) Is(Peer) bool { return true }

// MayHaveOpened returns false: there are no sandboxes here, only processes that
// can do what the server can.
func (h *Host) MayHaveOpened(_, _ netip.AddrPort) bool { return false }

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// Sandboxes share the host's network, but on AWS each has one of its own, where
// programs listen at sandbox.localdomain and may all choose the same port. So
// that name leads to another loopback address in each sandbox, its own by
// agreement only: a program that listens on all addresses still takes its port
// from the whole machine.

const hostsFile = "/etc/hosts"

// addressOf is the loopback address of the sandbox with a number. They come
// round again, on one machine by the next server or after 65536 sandboxes.
func (h *Host) addressOf(serial int64) netip.Addr {
	block := (h.firstUID - firstUID) / maxUIDs
	return netip.AddrFrom4([4]byte{127, byte(128 + block%64), byte(serial >> 8), byte(serial)})
}

// Address is the loopback address that sandbox.localdomain leads to inside.
func (p *Process) Address() netip.Addr {
	if !p.address.IsValid() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return p.address
}

func (p *Process) hostsLine() string { return p.address.String() + "\tsandbox.localdomain sandbox\n" }

// writeHosts writes the host's list of names with the sandbox's own added.
func writeHosts(c *initConfig, name string) error {
	if c.Hosts == "" {
		return nil
	}
	known, err := os.ReadFile(hostsFile)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(known) > 0 && known[len(known)-1] != '\n' {
		known = append(known, '\n')
	}
	return os.WriteFile(name, append(known, c.Hosts...), 0o644)
}

// Dial connects to a TCP port at the sandbox's Address, if it is the sandbox
// itself that listens there.
func (p *Process) Dial(ctx context.Context, port int) (net.Conn, error) {
	at := netip.AddrPortFrom(p.Address(), uint16(port))
	if !p.listens(at) {
		return nil, fmt.Errorf("sandbox: nobody inside listens at %s", at)
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", at.String())
}

// listens tells whether what listens at an address is in this sandbox.
func (p *Process) listens(at netip.AddrPort) bool {
	owner, err := queryListener(at)
	return err == nil && p.owns(owner)
}

// queryListener asks the kernel for the socket that a connection to an address
// would reach. Hosts that can't tell have their list of sockets searched.
func queryListener(at netip.AddrPort) (socketOwner, error) {
	answer, err := diagnose(at, netip.AddrPortFrom(netip.IPv4Unspecified(), 0))
	if err == nil && answer.state == stateListen {
		return socketOwner{uid: int(answer.uid), inode: answer.inode}, nil
	}
	for _, address := range []netip.Addr{at.Addr(), netip.IPv4Unspecified()} {
		nobody := netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
		if owner, ok := scanSockets(netip.AddrPortFrom(address, at.Port()), nobody); ok {
			return owner, nil
		}
	}
	return socketOwner{}, unix.ENOENT
}

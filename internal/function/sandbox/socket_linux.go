package sandbox

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// socketOwner is what the kernel knows of the program behind a TCP socket. The
// inode is 0 when no program holds the socket any more; the user is then
// meaningless.
type socketOwner struct {
	uid   int
	inode uint32
}

// findSocket looks up the connected TCP socket of this machine with the given
// addresses. It asks the kernel for that one socket; hosts without that
// interface have it searched in the list of all of them.
func findSocket(own, peer netip.AddrPort) (owner socketOwner, found bool) {
	own, peer = plain(own), plain(peer)
	owner, err := querySocket(own, peer)
	if err == nil {
		return owner, true
	}
	// "No such socket" and "no such kernel module" are one error. In the first
	// case the other end, which the caller holds, is still to be found.
	if _, other := querySocket(peer, own); errors.Is(err, unix.ENOENT) && other == nil {
		return socketOwner{}, false
	}
	return scanSockets(own, peer)
}

// plain turns an IPv4 address in IPv6 clothes into itself.
func plain(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// The request and the beginning of the answer of the kernel's sock_diag
// interface (sock_diag(7)).
type (
	diagSocket struct {
		sourcePort, targetPort [2]byte // network byte order
		source, target         [16]byte
		device                 uint32
		cookie                 [2]uint32
	}
	diagRequest struct {
		header             unix.NlMsghdr
		family, protocol   uint8
		extensions, unused uint8
		states             uint32
		socket             diagSocket
	}
	diagAnswer struct {
		family, state, timer, retransmits uint8
		socket                            diagSocket
		expires, receiveQueue, sendQueue  uint32
		uid, inode                        uint32
	}
)

// stateListen is TCP_LISTEN: the kernel answers with a listener if there is no
// connection, which is nobody's peer.
const stateListen = 10

// querySocket asks for a connection.
func querySocket(own, peer netip.AddrPort) (socketOwner, error) {
	answer, err := diagnose(own, peer)
	if err == nil && answer.state == stateListen {
		err = unix.ENOENT
	}
	return socketOwner{uid: int(answer.uid), inode: answer.inode}, err
}

func diagnose(own, peer netip.AddrPort) (diagAnswer, error) {
	request := diagRequest{
		header:   unix.NlMsghdr{Len: uint32(unsafe.Sizeof(diagRequest{})), Type: unix.SOCK_DIAG_BY_FAMILY, Flags: unix.NLM_F_REQUEST},
		protocol: unix.IPPROTO_TCP, states: ^uint32(0),
		socket: diagSocket{cookie: [2]uint32{^uint32(0), ^uint32(0)}},
	}
	request.family = unix.AF_INET6
	if own.Addr().Is4() {
		request.family = unix.AF_INET
	}
	binary.BigEndian.PutUint16(request.socket.sourcePort[:], own.Port())
	binary.BigEndian.PutUint16(request.socket.targetPort[:], peer.Port())
	copy(request.socket.source[:], own.Addr().AsSlice())
	copy(request.socket.target[:], peer.Addr().AsSlice())

	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return diagAnswer{}, err
	}
	defer unix.Close(fd)
	message := unsafe.Slice((*byte)(unsafe.Pointer(&request)), unsafe.Sizeof(request))
	if err := unix.Sendto(fd, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return diagAnswer{}, err
	}
	// Words keep the answer aligned. The kernel has answered when Sendto returns.
	var words [512]uint64
	buf := unsafe.Slice((*byte)(unsafe.Pointer(&words)), unsafe.Sizeof(words))
	n, _, err := unix.Recvfrom(fd, buf, unix.MSG_DONTWAIT)
	if err != nil {
		return diagAnswer{}, err
	}
	return readDiag(buf[:n])
}

func readDiag(buf []byte) (diagAnswer, error) {
	const head = unix.SizeofNlMsghdr
	if len(buf) < head+4 {
		return diagAnswer{}, errors.New("short netlink answer")
	}
	switch header := (*unix.NlMsghdr)(unsafe.Pointer(&buf[0])); {
	case header.Type == unix.NLMSG_ERROR:
		return diagAnswer{}, unix.Errno(-*(*int32)(unsafe.Pointer(&buf[head])))
	case header.Type != unix.SOCK_DIAG_BY_FAMILY || len(buf) < head+int(unsafe.Sizeof(diagAnswer{})):
		return diagAnswer{}, fmt.Errorf("unexpected netlink answer %d", header.Type)
	}
	return *(*diagAnswer)(unsafe.Pointer(&buf[head])), nil
}

// scanSockets searches the lists of connections; a client that speaks IPv4 may
// do so over an IPv6 socket.
func scanSockets(own, peer netip.AddrPort) (socketOwner, bool) {
	for _, list := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(list)
		if err != nil {
			continue
		}
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			if owner, ok := parseSocket(lines.Text(), own, peer); ok {
				f.Close()
				return owner, true
			}
		}
		f.Close()
	}
	return socketOwner{}, false
}

// parseSocket reads a line of /proc/net/tcp, if it is about that connection:
// number, own address, peer, state, queues, timers, retransmits, user, probes,
// inode.
func parseSocket(line string, own, peer netip.AddrPort) (socketOwner, bool) {
	fields := strings.Fields(line)
	if len(fields) < 10 || parseAddress(fields[1]) != own || parseAddress(fields[2]) != peer {
		return socketOwner{}, false
	}
	uid, err := strconv.Atoi(fields[7])
	if err != nil {
		return socketOwner{}, false
	}
	inode, err := strconv.ParseUint(fields[9], 10, 32)
	return socketOwner{uid, uint32(inode)}, err == nil
}

// parseAddress reads address:port in hexadecimal, the address as 32-bit words
// in the machine's byte order.
func parseAddress(text string) netip.AddrPort {
	address, port, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(address)
	if err != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}
	}
	for word := raw; len(word) > 0; word = word[4:] {
		binary.NativeEndian.PutUint32(word, binary.BigEndian.Uint32(word))
	}
	ip, ok := netip.AddrFromSlice(raw)
	number, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil {
		return netip.AddrPort{}
	}
	return plain(netip.AddrPortFrom(ip, uint16(number)))
}

// isOurs tells whether a peer at this address is a program of this machine.
func isOurs(peer, own netip.Addr) bool {
	peer, own = peer.Unmap(), own.Unmap()
	if peer.IsLoopback() || peer == own {
		return true
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return true // better safe
	}
	for _, a := range addresses {
		if network, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(network.IP); ok && ip.Unmap() == peer.WithZone("") {
				return true
			}
		}
	}
	return false
}

//go:build !linux

package sandbox

import (
	"net"
	"strconv"
	"time"
)

// Listening tells whether some program listens on a TCP port of an address of
// this machine, by connecting to it.
func Listening(host string, port int) bool {
	c, err := net.DialTimeout("tcp", net.JoinHostPort(host, strconv.Itoa(port)), time.Second)
	if err != nil {
		return false
	}
	_ = c.Close() // nothing was said
	return true
}

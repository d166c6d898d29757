//go:build !linux

package rawio

import (
	"io"
	"syscall"
)

// Socket is the socket itself where system calls can't be made directly.
type Socket struct{ io.ReadWriter }

// New returns a Socket over conn.
func New(conn interface {
	io.ReadWriter
	syscall.Conn
}) (*Socket, error) {
	return &Socket{conn}, nil
}

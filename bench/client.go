package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// callTimeout ends a call that hangs, and counts it as lost.
const callTimeout = 30 * time.Second

// endpoint is a subject that speaks HTTP. Its callers keep their connections
// and send requests that were written down beforehand: what the load generator
// costs is taken from the same cores that the subject runs on.
type endpoint struct {
	address string
	roots   []int
	// request returns the n-th request of a caller, whole.
	request func(n int) []byte
	check   func(status int, body []byte) error
}

func (e *endpoint) processes() []int { return e.roots }

func (e *endpoint) connect() (caller, error) { return &connection{endpoint: e}, nil }

// connection is one keep-alive connection.
type connection struct {
	endpoint *endpoint
	conn     net.Conn
	in       *bufio.Reader
	body     []byte
	n        int
}

func (c *connection) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

func (c *connection) call() error {
	if c.conn == nil {
		conn, err := net.Dial("tcp", c.endpoint.address)
		if err != nil {
			return err
		}
		c.conn, c.in = conn, bufio.NewReader(conn)
	}
	status, err := c.exchange(c.endpoint.request(c.n))
	c.n++
	if err != nil {
		c.close()
		return err
	}
	return c.endpoint.check(status, c.body)
}

func (c *connection) exchange(request []byte) (status int, err error) {
	if c.n%64 == 0 {
		if err := c.conn.SetDeadline(time.Now().Add(callTimeout)); err != nil {
			return 0, err
		}
	}
	if _, err := c.conn.Write(request); err != nil {
		return 0, err
	}
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 {
		return 0, fmt.Errorf("bad status line %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, err
	}
	length := -1
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		}
	}
	if length < 0 {
		return 0, errors.New("an answer without Content-Length")
	}
	c.body = append(c.body[:0], make([]byte, length)...)
	_, err = io.ReadFull(c.in, c.body)
	return status, err
}

// get is a GET request without a body.
func get(host, path string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nAccept: */*\r\nUser-Agent: bench\r\n\r\n")
}

// always sends one and the same request.
func always(request []byte) func(int) []byte { return func(int) []byte { return request } }

// expect checks for a 200 with exactly this body.
func expect(want string) func(int, []byte) error {
	return func(status int, body []byte) error {
		if status != 200 || string(body) != want {
			return fmt.Errorf("got %d %.200q, want 200 %q", status, body, want)
		}
		return nil
	}
}

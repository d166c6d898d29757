package bootstrap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// Kind is a frame's first byte after its length.
type Kind byte

// The kinds of PROTOCOL.md.
const (
	Ready      Kind = 'K'
	InitFailed Kind = 'F'
	Invoke     Kind = 'I'
	Response   Kind = 'R'
	Failure    Kind = 'E'
	Fatal      Kind = 'X'
)

// Frame is one message of a runtime.
type Frame struct {
	Kind      Kind
	ErrorType string // only of InitFailed, Failure and Fatal
	Body      []byte // JSON; owned by the receiver
	Oversize  int    // length of a body that was beyond the limit and thrown away
}

// Invocation is what a runtime needs to know to run one event.
type Invocation struct {
	Deadline      time.Time
	RequestID     string
	InvokedARN    string
	TraceID       string
	ClientContext []byte
	Payload       []byte
}

// Transport is the engine's end of the socket.
type Transport interface {
	io.ReadWriter
	SetDeadline(t time.Time) error
}

const (
	frameHead  = 5                 // length and kind
	invokeHead = 8 + 2 + 2 + 2 + 4 // deadline and the lengths of four texts
	bufferSize = 16 << 10          // holds nearly every answer in one read
	keepBuffer = 64 << 10          // larger write buffers are given back
	hardLimit  = 256 << 20         // a length beyond it is not a frame
	errorHead  = 2                 // length of the error type
	lengthSize = frameHead - 1
)

// ErrProtocol means that the process wrote something to the socket that is
// no frame, which only the function's own code can cause.
var ErrProtocol = errors.New("bootstrap: malformed frame")

// Channel speaks the protocol over a transport. It serves one invocation at a
// time and is not safe for concurrent use.
type Channel struct {
	conn  Transport
	limit int // longest body that is kept
	out   []byte
	in    []byte
}

// NewChannel returns a Channel that throws away bodies longer than limit bytes.
func NewChannel(conn Transport, limit int) *Channel {
	return &Channel{conn: conn, limit: limit, in: make([]byte, bufferSize)}
}

// Ready reads the frame that ends the init phase: Ready or InitFailed. Its
// errors are Invoke's.
func (c *Channel) Ready(deadline time.Time) (Frame, error) {
	if err := c.conn.SetDeadline(deadline); err != nil {
		return Frame{}, err
	}
	return c.receive()
}

// Invoke writes one invocation and reads the runtime's answer. It returns
// os.ErrDeadlineExceeded past the deadline and io.EOF or a connection error
// when the process has closed its end.
func (c *Channel) Invoke(inv *Invocation, deadline time.Time) (Frame, error) {
	if err := c.conn.SetDeadline(deadline); err != nil {
		return Frame{}, err
	}
	if err := c.send(inv); err != nil {
		return Frame{}, err
	}
	return c.receive()
}

// send writes one invocation in a single write.
func (c *Channel) send(inv *Invocation) error {
	n := 1 + invokeHead + len(inv.RequestID) + len(inv.InvokedARN) + len(inv.TraceID) + len(inv.ClientContext) + len(inv.Payload)
	b := binary.BigEndian.AppendUint32(c.out[:0], uint32(n))
	b = append(b, byte(Invoke))
	b = binary.BigEndian.AppendUint64(b, uint64(inv.Deadline.UnixMilli()))
	b = binary.BigEndian.AppendUint16(b, uint16(len(inv.RequestID)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(inv.InvokedARN)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(inv.TraceID)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(inv.ClientContext)))
	b = append(b, inv.RequestID...)
	b = append(b, inv.InvokedARN...)
	b = append(b, inv.TraceID...)
	b = append(b, inv.ClientContext...)
	b = append(b, inv.Payload...)
	c.out = b
	if cap(b) > keepBuffer {
		c.out = nil
	}
	_, err := c.conn.Write(b)
	return err
}

// receive reads the runtime's next frame.
func (c *Channel) receive() (Frame, error) {
	got := 0
	for got < frameHead {
		n, err := c.conn.Read(c.in[got:])
		if err != nil {
			return Frame{}, err
		}
		got += n
	}
	length := int(binary.BigEndian.Uint32(c.in)) - 1
	if length < 0 || length > hardLimit {
		return Frame{}, fmt.Errorf("%w: length %d", ErrProtocol, length)
	}
	frame := Frame{Kind: Kind(c.in[lengthSize])}
	early := c.in[frameHead:got]
	if len(early) > length {
		return Frame{}, fmt.Errorf("%w: %d bytes after the frame", ErrProtocol, len(early)-length)
	}
	if length > c.limit {
		frame.Oversize = length
		return frame, c.discard(length - len(early))
	}
	body := make([]byte, length)
	copy(body, early)
	if _, err := io.ReadFull(c.conn, body[len(early):]); err != nil {
		return Frame{}, err
	}
	return frame, frame.split(body)
}

// split takes the error type off the body of the kinds that carry one.
func (f *Frame) split(body []byte) error {
	switch f.Kind {
	case Ready, Response:
		f.Body = body
		return nil
	case InitFailed, Failure, Fatal:
		if len(body) < errorHead {
			return fmt.Errorf("%w: short error", ErrProtocol)
		}
		n := errorHead + int(binary.BigEndian.Uint16(body))
		if n > len(body) {
			return fmt.Errorf("%w: short error", ErrProtocol)
		}
		f.ErrorType, f.Body = string(body[errorHead:n]), body[n:]
		return nil
	}
	return fmt.Errorf("%w: kind %q", ErrProtocol, byte(f.Kind))
}

func (c *Channel) discard(n int) error {
	for n > 0 {
		got, err := c.conn.Read(c.in[:min(n, len(c.in))])
		if err != nil {
			return err
		}
		n -= got
	}
	return nil
}

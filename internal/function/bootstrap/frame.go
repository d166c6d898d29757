package bootstrap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Kind is a frame's first byte after its length.
type Kind byte

// The kinds of PROTOCOL.md.
const (
	Ready      Kind = 'K'
	InitFailed Kind = 'F'
	Spare      Kind = 'S'
	Load       Kind = 'L'
	Restored   Kind = 'Z'
	Attended   Kind = 'V'
	Invoke     Kind = 'I'
	Chunk      Kind = 'C'
	MediaType  Kind = 'T'
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
	// Took is how long the invocation took, 0 if the runtime doesn't say. Such
	// runtimes mark the end of the invocation's log, with EndMark, if there was
	// any of it to read: then Marked is set.
	Took   time.Duration
	Marked bool
}

// Invocation is what a runtime needs to know to run one event.
type Invocation struct {
	Deadline      time.Time
	RequestID     string
	InvokedARN    string
	TraceID       string
	ClientContext []byte
	Payload       []byte
	// Sink takes a response that is streamed; without one it is collected.
	Sink Sink
}

// Sink takes a streamed response.
type Sink interface {
	// Begin tells the response's media type; it is called at most once, and
	// before Write.
	Begin(mediaType string)
	Write(p []byte) (int, error)
}

// Transport is the engine's end of the socket.
type Transport interface {
	io.ReadWriter
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
}

const (
	frameHead  = 5                 // length and kind
	invokeHead = 8 + 2 + 2 + 2 + 4 // deadline and the lengths of four texts
	bufferSize = 16 << 10          // holds nearly every answer in one read
	keepBuffer = 64 << 10          // larger buffers for frames that are written aren't kept
	hardLimit  = 256 << 20         // a length beyond it is not a frame
	errorHead  = 2                 // length of the error type
	countHead  = 5                 // mark and duration
	lengthSize = frameHead - 1
	// packetSize is the most that goes into one packet, where the socket keeps
	// packets apart: a reader with a buffer of this size gets each one whole.
	packetSize = bufferSize

	serial = 1 // flag of Ready: see Channel.Serial
	hooks  = 2 // flag of Ready: see Channel.Restore
	idles  = 4 // flag of Ready: see Channel.Attend
)

// ErrProtocol means that the process wrote something to the socket that is
// no frame, which only the function's own code can cause.
var ErrProtocol = errors.New("bootstrap: malformed frame")

// Buffers are shared: only a channel that reads or writes right now needs one.
var (
	readBuffers  = sync.Pool{New: func() any { return new([bufferSize]byte) }}
	writeBuffers = sync.Pool{New: func() any { return new([]byte) }}
)

// Channel speaks the protocol over a transport. Any number of goroutines may
// send, and one at a time receive.
type Channel struct {
	conn   Transport
	limit  int // longest body that is kept
	write  sync.Mutex
	kept   []byte    // what has been read of the next frame
	armed  time.Time // the deadline that the transport's reads have
	serial bool      // see Serial
	hooks  bool      // see Restore
	idles  bool      // see Attend
}

// NewChannel returns a Channel that throws away bodies longer than limit bytes.
func NewChannel(conn Transport, limit int) *Channel {
	return &Channel{conn: conn, limit: limit}
}

// Ready reads the frame that ends the init phase: Ready or InitFailed. Its
// errors are Receive's.
func (c *Channel) Ready(deadline time.Time) (Frame, error) {
	frame, err := c.Receive(deadline)
	if err == nil && frame.Kind == Ready {
		c.serial = len(frame.Body) > 0 && frame.Body[0]&serial != 0
		c.hooks = len(frame.Body) > 0 && frame.Body[0]&hooks != 0
		c.idles = len(frame.Body) > 0 && frame.Body[0]&idles != 0
	}
	return frame, err
}

// Restore tells a runtime that has been waiting since Ready that calls will
// come, and waits until it has run what it should before: Ready, or InitFailed
// if that failed. It asks only runtimes that have said so. Its errors are
// Receive's.
func (c *Channel) Restore(deadline time.Time) (Frame, error) {
	if !c.hooks {
		return Frame{Kind: Ready}, nil
	}
	if _, err := c.conn.Write([]byte{0, 0, 0, 1, byte(Restored)}); err != nil {
		return Frame{}, err
	}
	serial := c.serial
	c.serial = false // this answer isn't an invocation's
	defer func() { c.serial = serial }()
	return c.Receive(deadline)
}

// Attend tells a runtime that has been waiting since Ready that there are
// extensions, so that the function may have something to do between calls:
// signals to handle, events to fetch. It tells only runtimes that would stand
// still otherwise.
func (c *Channel) Attend() error {
	if !c.idles {
		return nil
	}
	_, err := c.conn.Write([]byte{0, 0, 0, 1, byte(Attended)})
	return err
}

// Serial tells whether the runtime can be sent several invocations, which it
// works off one after the other and tells apart in its log. It is known after
// Ready.
func (c *Channel) Serial() bool { return c.serial }

// EndMark is what a runtime puts into its log where an invocation's part ends.
func EndMark(requestID string) []byte { return []byte("\x00end of " + requestID + "\x00") }

// Message is a line of a runtime's log as the log event that it makes. Runtimes
// write a message of theirs as one line even if it has several, as AWS's do
// with frames: NUL and CR stand for a line's end within it, and a NUL at its
// end says that it has none.
func Message(line string) string {
	if strings.IndexByte(line, 0) < 0 {
		return line
	}
	if whole, ok := strings.CutSuffix(line, "\x00\n"); ok {
		line = whole
	}
	return strings.ReplaceAll(line, "\x00\r", "\n")
}

// Invoke writes one invocation and reads the runtime's answer. Its errors are
// Receive's.
func (c *Channel) Invoke(inv *Invocation, deadline time.Time) (Frame, error) {
	if err := c.Send(inv, deadline); err != nil {
		return Frame{}, err
	}
	return c.Receive(deadline)
}

// Size is the length of an invocation's frame.
func (inv *Invocation) Size() int {
	return frameHead + invokeHead + len(inv.RequestID) + len(inv.InvokedARN) + len(inv.TraceID) + len(inv.ClientContext) + len(inv.Payload)
}

// Send writes one invocation. What fits into a socket's buffer is written in
// one piece and without regard to the deadline.
func (c *Channel) Send(inv *Invocation, deadline time.Time) error {
	c.write.Lock()
	defer c.write.Unlock()
	buffer := writeBuffers.Get().(*[]byte)
	b := binary.BigEndian.AppendUint32((*buffer)[:0], uint32(inv.Size()-lengthSize))
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
	if cap(b) <= keepBuffer {
		*buffer = b
		defer writeBuffers.Put(buffer)
	}
	if len(b) <= packetSize {
		_, err := c.conn.Write(b)
		return err
	}
	return c.sendLong(b, deadline)
}

// sendLong writes a frame in pieces, as fast as the process takes them.
func (c *Channel) sendLong(b []byte, deadline time.Time) error {
	if err := c.conn.SetWriteDeadline(deadline); err != nil {
		return err
	}
	for len(b) > 0 {
		n := min(len(b), packetSize)
		if _, err := c.conn.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return c.conn.SetWriteDeadline(time.Time{})
}

// Load writes the order to load a function: its environment, a JSON object.
func (c *Channel) Load(environment []byte, deadline time.Time) error {
	c.write.Lock()
	defer c.write.Unlock()
	b := binary.BigEndian.AppendUint32(nil, uint32(len(environment)+1))
	b = append(append(b, byte(Load)), environment...)
	return c.sendLong(b, deadline)
}

// RequestIDOf returns the request id in a whole invocation frame, "" if it is
// none.
func RequestIDOf(frame []byte) string {
	const at = frameHead + invokeHead
	if len(frame) < at {
		return ""
	}
	n := int(binary.BigEndian.Uint16(frame[frameHead+8:]))
	if len(frame) < at+n {
		return ""
	}
	return string(frame[at : at+n])
}

// read is conn.Read with a deadline. To set one costs more than to read a small
// answer, and calls of one function have all the same time. So an earlier
// call's deadline stays in force and is only renewed when it runs out.
func (c *Channel) read(p []byte, deadline time.Time) (int, error) {
	for {
		if c.armed.IsZero() || c.armed.After(deadline) {
			if err := c.conn.SetReadDeadline(deadline); err != nil {
				return 0, err
			}
			c.armed = deadline
		}
		n, err := c.conn.Read(p)
		if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && c.armed.Before(deadline) {
			c.armed = time.Time{}
			continue
		}
		if errors.Is(err, syscall.ECONNRESET) {
			// The process has ended with invocations unread. What it answered
			// before is still to be had; the error comes once.
			n, err = c.conn.Read(p)
		}
		return n, err
	}
}

// Receive reads the runtime's next frame. It returns os.ErrDeadlineExceeded
// past the deadline and io.EOF or a connection error when the process has
// closed its end.
func (c *Channel) Receive(deadline time.Time) (Frame, error) {
	buffer := readBuffers.Get().(*[bufferSize]byte)
	defer readBuffers.Put(buffer)
	in := buffer[:]
	got := copy(in, c.kept)
	c.kept = nil
	for got < frameHead {
		n, err := c.read(in[got:], deadline)
		if err != nil {
			return Frame{}, err
		}
		got += n
	}
	length := int(binary.BigEndian.Uint32(in)) - 1
	if length < 0 || length > hardLimit {
		return Frame{}, fmt.Errorf("%w: length %d", ErrProtocol, length)
	}
	frame := Frame{Kind: Kind(in[lengthSize])}
	early := in[frameHead:got]
	if len(early) > length && frame.streams() {
		frame.Body = bytes.Clone(early[:length])
		c.kept = bytes.Clone(early[length:])
		return frame, nil
	}
	if len(early) > length {
		return Frame{}, fmt.Errorf("%w: %d bytes after the frame", ErrProtocol, len(early)-length)
	}
	limit := c.limit
	if c.serial {
		limit += countHead
	}
	if length > limit {
		frame.Oversize = length
		return frame, c.discard(in, length-len(early), deadline)
	}
	body := make([]byte, length)
	for have := copy(body, early); have < length; {
		n, err := c.read(body[have:], deadline)
		if err != nil {
			return Frame{}, err
		}
		have += n
	}
	if c.serial && !frame.streams() {
		if len(body) < countHead {
			return Frame{}, fmt.Errorf("%w: no duration", ErrProtocol)
		}
		frame.Marked = body[0] != 0
		frame.Took = time.Duration(binary.BigEndian.Uint32(body[1:])) * time.Microsecond
		body = body[countHead:]
	}
	return frame, frame.split(body)
}

// streams tells whether the frame is a part of a response that goes on.
func (f *Frame) streams() bool { return f.Kind == Chunk || f.Kind == MediaType }

// split takes the error type off the body of the kinds that carry one.
func (f *Frame) split(body []byte) error {
	switch f.Kind {
	case Ready, Spare, Response, Chunk, MediaType:
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

func (c *Channel) discard(buf []byte, n int, deadline time.Time) error {
	for n > 0 {
		got, err := c.read(buf[:min(n, len(buf))], deadline)
		if err != nil {
			return err
		}
		n -= got
	}
	return nil
}

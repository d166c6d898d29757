package function

import (
	"io"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/function/bootstrap"
)

// guarded stands between a runtime, which may say anything at any time, and
// the caller's stream: that is begun once, before the first piece, and left
// alone when the call has ended.
type guarded struct {
	mu    sync.Mutex
	to    ResponseStream
	begun bool
	ended bool
	bytes int // written so far
}

var _ bootstrap.Sink = (*guarded)(nil)

// plainBytes is the media type of a response whose runtime names none.
const plainBytes = "application/octet-stream"

// Begin implements bootstrap.Sink.
func (g *guarded) Begin(mediaType string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.begin(mediaType)
}

func (g *guarded) begin(mediaType string) {
	if !g.begun && !g.ended {
		g.begun = true
		g.to.Begin(mediaType)
	}
}

// Write implements bootstrap.Sink.
func (g *guarded) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended {
		return 0, io.ErrClosedPipe
	}
	g.begin(plainBytes)
	g.bytes += len(p)
	return g.to.Write(p)
}

// sent is how much has been written.
func (g *guarded) sent() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.bytes
}

// end keeps what still comes from the caller.
func (g *guarded) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
}

// receive reads a call's answer. What is streamed goes to the caller as it
// comes, or is collected if sink is nil.
func receive(s pipeline, sink *guarded, deadline time.Time) (bootstrap.Frame, error) {
	var whole []byte
	for {
		frame, err := s.Receive(deadline)
		switch {
		case err != nil:
			return frame, err
		case frame.Kind == bootstrap.MediaType:
			if sink != nil {
				sink.Begin(string(frame.Body))
			}
		case frame.Kind == bootstrap.Chunk && sink != nil:
			_, _ = sink.Write(frame.Body) // a caller who has gone away doesn't stop the function
		case frame.Kind == bootstrap.Chunk:
			if whole = append(whole, frame.Body...); len(whole) > maxResponse {
				whole = whole[:maxResponse+1]
			}
		case frame.Kind == bootstrap.Response && whole != nil:
			frame.Body = append(whole, frame.Body...)
			if len(frame.Body) > maxResponse {
				frame.Body, frame.Oversize = nil, len(frame.Body)
			}
			return frame, nil
		default:
			return frame, nil
		}
	}
}

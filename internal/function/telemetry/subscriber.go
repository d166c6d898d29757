package telemetry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// target is where a subscriber listens.
type target struct {
	tcp         bool
	port        int
	uri, method string // of HTTP
}

// subscriber gets a sandbox's events in batches: after so many of them, or so
// many bytes, or so long after the first.
type subscriber struct {
	hub       *Hub
	extension string
	api       string
	schema    string   // guarded by hub.mu
	types     []string // guarded by hub.mu
	target    target

	items, bytes int
	patience     time.Duration
	wake         chan struct{} // buffered: there is something to look at

	mu           sync.Mutex
	pending      [][]byte
	size         int
	due          bool // whatever is pending is to be sent now
	sending      bool
	flushed      []chan struct{} // closed once nothing is pending
	dropped      int
	droppedBytes int
	timer        *time.Timer // runs while something is pending
	conn         net.Conn    // of TCP; only run uses it
	client       *http.Client
}

// Pauses between attempts to deliver, each twice the one before.
const (
	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
)

// wants tells whether a subscriber gets events of a type. Older schemas don't
// know all of them.
func (s *subscriber) wants(kind string) bool {
	stream, detail, _ := strings.Cut(kind, ".")
	if !slices.Contains(s.types, stream) {
		return false
	}
	switch {
	case s.schema == Logs.fallback:
		return !slices.Contains([]string{"initStart", "initRuntimeDone", "initReport", "runtimeDone", "restoreStart", "restoreRuntimeDone", "restoreReport"}, detail)
	case s.api == Telemetry.name:
		return kind != TypeEnd // its schema reference doesn't list it
	}
	return true
}

// put takes an event into the batch; hub.mu is held.
func (s *subscriber) put(e event) {
	if !s.wants(e.kind) {
		return
	}
	text := e.text
	if e.structured != nil && s.schema >= "2022-12-13" {
		text = e.structured
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sending && (len(s.pending) >= s.items || s.size+len(text) > s.bytes) {
		s.dropped++
		s.droppedBytes += len(text)
		return
	}
	s.pending = append(s.pending, text)
	s.size += len(text)
	switch {
	case len(s.pending) >= s.items || s.size >= s.bytes:
		s.due = true
		s.look()
	case len(s.pending) == 1:
		s.timer = time.AfterFunc(s.patience, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.due = len(s.pending) > 0
			s.look()
		})
	}
}

// look has run look; s.mu is held.
func (s *subscriber) look() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// flush has everything sent that is pending; the channel is closed then.
func (s *subscriber) flush() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	done := make(chan struct{})
	s.flushed = append(s.flushed, done)
	s.due = len(s.pending) > 0
	s.look()
	return done
}

// run delivers batches until the hub is closed.
func (s *subscriber) run() {
	s.client = &http.Client{
		Transport:     &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return s.hub.dial(ctx, s.target.port) }},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer s.client.CloseIdleConnections()
	defer s.hangUp()
	for {
		select {
		case <-s.wake:
		case <-s.hub.ctx.Done():
			return
		}
		for batch := s.take(); batch != nil; batch = s.take() {
			if !s.deliver(batch) {
				return
			}
			s.delivered()
		}
	}
}

// take takes the batch that is due, nil if none is.
func (s *subscriber) take() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.due || len(s.pending) == 0 {
		s.due, s.sending = false, false
		if len(s.pending) == 0 {
			for _, done := range s.flushed {
				close(done)
			}
			s.flushed = nil
		}
		return nil
	}
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	batch := s.pending
	s.pending, s.size, s.sending = nil, 0, true
	s.due = len(s.flushed) > 0 // then what comes meanwhile goes, too
	return batch
}

type droppedRecord struct {
	Bytes   int    `json:"droppedBytes"`
	Records int    `json:"droppedRecords"`
	Reason  string `json:"reason"`
}

// delivered tells the subscriber of what had to be dropped while the last batch
// was on its way, after what it will get nevertheless.
func (s *subscriber) delivered() {
	s.hub.mu.Lock()
	wanted := s.wants(typeLogsDropped)
	s.hub.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dropped == 0 {
		return
	}
	e := newEvent(s.hub.now(), typeLogsDropped, droppedRecord{
		s.droppedBytes, s.dropped, "Some logs were dropped because the downstream consumer is slower than the logs production rate",
	})
	s.dropped, s.droppedBytes, s.due = 0, 0, true
	if wanted {
		s.pending = append(s.pending, e.text)
		s.size += len(e.text)
	}
}

// deliver sends a batch, again and again until it has arrived; it tells whether
// it has.
func (s *subscriber) deliver(batch [][]byte) bool {
	send := s.post
	if s.target.tcp {
		send = s.write
	}
	for pause := firstPause; s.hub.gate(); pause = min(2*pause, lastPause) {
		if send(batch) == nil {
			return true
		}
		select {
		case <-time.After(pause):
		case <-s.hub.ctx.Done():
		}
	}
	return false
}

// post sends a batch as one JSON array.
func (s *subscriber) post(batch [][]byte) error {
	body := bytes.Join(batch, []byte(","))
	body = append(append([]byte("["), body...), ']')
	req, err := http.NewRequestWithContext(s.hub.ctx, s.target.method, s.target.uri, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := s.client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	if err = errors.Join(err, res.Body.Close()); err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("telemetry: the subscriber answered %s", res.Status)
	}
	return err
}

// write sends a batch as lines.
func (s *subscriber) write(batch [][]byte) error {
	if s.conn == nil {
		conn, err := s.hub.dial(s.hub.ctx, s.target.port)
		if err != nil {
			return err
		}
		s.conn = conn
	}
	stop := context.AfterFunc(s.hub.ctx, func() { s.conn.Close() })
	defer stop()
	_, err := s.conn.Write(append(bytes.Join(batch, []byte("\n")), '\n'))
	if err != nil {
		s.hangUp()
	}
	return err
}

func (s *subscriber) hangUp() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}

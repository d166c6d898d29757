// Package telemetry streams what happens in a sandbox to the extensions in it
// that have subscribed: events of the platform, and what the function and its
// extensions print ("Accessing real-time telemetry data for extensions using the
// Telemetry API", and the Logs API before it). It knows nothing of sandboxes but
// how to reach the ports in one.
package telemetry

import (
	"context"
	"encoding/json"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Streams that extensions may subscribe to.
const (
	Platform  = "platform"
	Function  = "function"
	Extension = "extension"
)

// Types of events that need to be told apart here. Those of the function and
// extension streams are called like the stream.
const (
	TypeRuntimeDone        = "platform.runtimeDone"
	TypeEnd                = "platform.end"
	TypeFault              = "platform.fault"
	typeLogsDropped        = "platform.logsDropped"
	typeSubscription       = "platform.telemetrySubscription"
	typeLogsSubscription   = "platform.logsSubscription"
	maxEarly, maxEarlySize = 1000, 256 << 10
)

// timeFormat is that of an event's time.
const timeFormat = "2006-01-02T15:04:05.000Z"

// Dial connects to a port in the sandbox, and to nobody outside of it.
type Dial func(ctx context.Context, port int) (net.Conn, error)

// Hub takes the events of one sandbox, from the start of its processes to their
// end, to its subscribers. It is safe for concurrent use; nobody who hands it
// an event waits for a subscriber.
type Hub struct {
	dial   Dial
	say    func(*Subscription)
	now    func() time.Time
	asJSON bool // the function logs JSON

	active atomic.Bool // there are subscribers, or may be

	mu        sync.Mutex
	early     []event // of the init phase, for those who subscribe during it
	earlySize int
	list      []*subscriber
	over      bool          // nobody may subscribe any more
	held      chan struct{} // closed by Resume; nil unless deliveries are held back

	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// event is one as subscribers get it.
type event struct {
	kind string
	// text is the whole of it as JSON. structured is another form, for schemas
	// that show a line that is a JSON object as one; nil if it is none.
	text, structured []byte
}

// NewHub returns a Hub. say is called with each subscription, and is to emit
// what there is to say of it; now gives the time for events of the hub's own;
// asJSON says that the function logs JSON.
func NewHub(dial Dial, say func(*Subscription), now func() time.Time, asJSON bool) *Hub {
	h := &Hub{dial: dial, say: say, now: now, asJSON: asJSON}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.active.Store(true)
	return h
}

// Active tells whether anybody may want events. A nil Hub has no subscribers.
func (h *Hub) Active() bool { return h != nil && h.active.Load() }

// Emit hands over an event of the platform. The record is marshalled at once.
func (h *Hub) Emit(at time.Time, kind string, record any) {
	if h.Active() {
		h.broadcast(newEvent(at, kind, record))
	}
}

// Line hands over a line that the function or an extension has printed.
func (h *Hub) Line(at time.Time, stream, line string) {
	if !h.Active() {
		return
	}
	e := newEvent(at, stream, line)
	if object := strings.TrimSpace(line); h.asJSON && strings.HasPrefix(object, "{") && json.Valid([]byte(object)) {
		e.structured = newEvent(at, stream, json.RawMessage(object)).text
	}
	h.broadcast(e)
}

func newEvent(at time.Time, kind string, record any) event {
	text, err := json.Marshal(struct {
		Time   string `json:"time"`
		Type   string `json:"type"`
		Record any    `json:"record"`
	}{at.UTC().Format(timeFormat), kind, record})
	if err != nil {
		return event{kind: kind} // can't happen: records are plain values
	}
	return event{kind: kind, text: text}
}

func (h *Hub) broadcast(e event) {
	if e.text == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.over && len(h.early) < maxEarly && h.earlySize+len(e.text) <= maxEarlySize {
		h.early = append(h.early, e)
		h.earlySize += len(e.text)
	}
	for _, s := range h.list {
		s.put(e)
	}
}

// Subscribed tells whether there are any subscribers.
func (h *Hub) Subscribed() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.list) > 0
}

// CloseSubscriptions ends the time in which extensions may subscribe, the init
// phase.
func (h *Hub) CloseSubscriptions() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.over, h.early = true, nil
	h.active.Store(len(h.list) > 0)
}

// Hold keeps deliveries back until Resume: nobody in a frozen sandbox listens.
func (h *Hub) Hold() {
	if !h.Active() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held == nil {
		h.held = make(chan struct{})
	}
}

// Resume undoes Hold.
func (h *Hub) Resume() {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held != nil {
		close(h.held)
		h.held = nil
	}
}

// gate waits while deliveries are held back; it tells whether to go on.
func (h *Hub) gate() bool {
	for {
		h.mu.Lock()
		held := h.held
		h.mu.Unlock()
		if held == nil {
			return h.ctx.Err() == nil
		}
		select {
		case <-held:
		case <-h.ctx.Done():
			return false
		}
	}
}

// Flush has subscribers get what there is for them, and waits until they have
// it, or for so long.
func (h *Hub) Flush(limit time.Duration) {
	if !h.Active() {
		return
	}
	h.mu.Lock()
	list := append([]*subscriber(nil), h.list...)
	h.mu.Unlock()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for _, s := range list {
		select {
		case <-s.flush():
		case <-timer.C:
			return
		case <-h.ctx.Done():
			return
		}
	}
}

// Close ends all deliveries. What hasn't been delivered is gone.
func (h *Hub) Close() {
	if h == nil {
		return
	}
	h.active.Store(false)
	h.mu.Lock()
	h.over = true
	h.mu.Unlock()
	h.cancel()
	h.work.Wait()
}

package runtimeapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/function/bootstrap"
	"github.com/butai-dev/butai/internal/function/telemetry"
	"github.com/butai-dev/butai/internal/ident"
)

// MaxExtensions is how many extensions a function may have ("Lambda quotas").
const MaxExtensions = 10

// Events that extensions register for.
const (
	eventInvoke   = "INVOKE"
	eventShutdown = "SHUTDOWN"
)

// Function is what extensions are told of the function.
type Function struct{ Name, Version, Handler, Account string }

// Fault says that an extension can't go on, which is the end of its sandbox.
type Fault struct {
	Type    string // such as Extension.Crash
	Message string
}

func (f *Fault) Error() string { return f.Type + ": " + f.Message }

// Extensions are the extensions of one sandbox ("Using the Lambda Extensions
// API to create extensions"). It is safe for concurrent use.
type Extensions struct {
	function  Function
	telemetry *telemetry.Hub
	serving   sync.Once
	mux       *http.ServeMux // see handler

	mu      sync.Mutex
	changed chan struct{} // closed with every change, and made anew
	list    []*extension
	closed  bool // nobody may register any more
	ending  bool // ends are no faults any more
	fault   *Fault
	onFault func()
}

type extension struct {
	name, id         string
	external         bool
	invoke, shutdown bool
	events           []string // as registered, in their order
	registered       bool
	asking           bool        // for the next event
	ended            bool        // its process
	event            chan []byte // buffered, so that giving never blocks
	errorType        string
}

// ExtensionState is how an extension stands after the init phase.
type ExtensionState struct {
	Name, State, ErrorType string
	Events                 []string
}

// NewExtensions returns the extensions of a sandbox; external names those that
// are processes of their own. Those who ask for telemetry get that of the hub.
// onFault is called once, when one can't go on.
func NewExtensions(f Function, external []string, hub *telemetry.Hub, onFault func()) *Extensions {
	x := &Extensions{function: f, telemetry: hub, changed: make(chan struct{}), onFault: onFault}
	for _, name := range external {
		x.list = append(x.list, newExtension(name, true))
	}
	return x
}

func newExtension(name string, external bool) *extension {
	return &extension{name: name, id: ident.UUID(), external: external, event: make(chan []byte, 1)}
}

// change tells those that wait for something; x.mu is held.
func (x *Extensions) change() {
	close(x.changed)
	x.changed = make(chan struct{})
}

// await waits until ok holds of all extensions. The error is a *Fault, or
// os.ErrDeadlineExceeded.
func (x *Extensions) await(deadline time.Time, ok func(*extension) bool) error {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	for {
		x.mu.Lock()
		changed, fault := x.changed, x.fault
		done := !slices.ContainsFunc(x.list, func(e *extension) bool { return !ok(e) })
		x.mu.Unlock()
		switch {
		case fault != nil:
			return fault
		case done:
			return nil
		}
		select {
		case <-changed:
		case <-timer.C:
			return os.ErrDeadlineExceeded
		}
	}
}

// Registered waits until the external extensions have registered.
func (x *Extensions) Registered(deadline time.Time) error {
	return x.await(deadline, func(e *extension) bool { return e.registered })
}

// Ready ends registration and waits until all extensions ask for their next
// event.
func (x *Extensions) Ready(deadline time.Time) error {
	x.Seal()
	return x.await(deadline, func(e *extension) bool { return e.asking || e.ended })
}

// Seal ends registration.
func (x *Extensions) Seal() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed = true
}

// Any tells whether there are any, and whether there are external ones.
func (x *Extensions) Any() (any, external bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.list) > 0, slices.ContainsFunc(x.list, func(e *extension) bool { return e.external })
}

// Internal tells whether the runtime has registered any itself.
func (x *Extensions) Internal() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.ContainsFunc(x.list, func(e *extension) bool { return !e.external })
}

// Fault is what keeps an extension from going on, nil if none does.
func (x *Extensions) Fault() *Fault {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.fault
}

// fail notes the first fault; x.mu is held.
func (x *Extensions) fail(e *extension, kind, message string) {
	e.errorType = kind
	if x.fault == nil && !x.ending {
		x.fault = &Fault{kind, message}
		go x.onFault()
	}
	x.change()
}

// Ended notes that the process of the nth external extension has ended; how
// words its exit status.
func (x *Extensions) Ended(n int, how string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := x.list[n]
	e.ended, e.asking = true, false
	if !x.ending && x.fault == nil {
		x.fail(e, "Extension.Crash", how)
	}
	x.change()
}

// LaunchFailed notes that the nth external extension can't be started.
func (x *Extensions) LaunchFailed(n int, why string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.list[n].ended = true
	x.fail(x.list[n], "Extension.LaunchError", why)
}

// Invoke sends a call's event to those who asked for such. They are done with
// it when they ask again, see Ready.
func (x *Extensions) Invoke(inv *bootstrap.Invocation) {
	x.send(func(e *extension) bool { return e.invoke }, invokeEvent{
		Type: eventInvoke, Deadline: inv.Deadline.UnixMilli(), RequestID: inv.RequestID, ARN: inv.InvokedARN,
		Tracing: tracing{"X-Amzn-Trace-Id", inv.TraceID},
	})
}

// Shutdown begins the end: it tells those who asked for it, and returns the
// places of the external ones that didn't.
func (x *Extensions) Shutdown(reason string, deadline time.Time) (untold []int) {
	x.mu.Lock()
	x.ending = true
	for n, e := range x.list {
		if e.external && !e.shutdown {
			untold = append(untold, n)
		}
	}
	x.mu.Unlock()
	x.send(func(e *extension) bool { return e.shutdown }, shutdownEvent{eventShutdown, reason, deadline.UnixMilli()})
	return untold
}

// Ending makes the ends of processes no faults any more.
func (x *Extensions) Ending() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ending = true
}

type invokeEvent struct {
	Type      string  `json:"eventType"`
	Deadline  int64   `json:"deadlineMs"`
	RequestID string  `json:"requestId"`
	ARN       string  `json:"invokedFunctionArn"`
	Tracing   tracing `json:"tracing"`
}

type tracing struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

type shutdownEvent struct {
	Type     string `json:"eventType"`
	Reason   string `json:"shutdownReason"`
	Deadline int64  `json:"deadlineMs"`
}

func (x *Extensions) send(whom func(*extension) bool, event any) {
	data, err := json.Marshal(event)
	if err != nil {
		return // can't happen: texts and numbers
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range x.list {
		if e.ended || !whom(e) {
			continue
		}
		select {
		case e.event <- data:
			e.asking = false
		default: // it hasn't fetched the one before
		}
	}
}

// States lists how the extensions stand.
func (x *Extensions) States() []ExtensionState {
	x.mu.Lock()
	defer x.mu.Unlock()
	var states []ExtensionState
	for _, e := range x.list {
		state := "Started"
		switch {
		case e.errorType == "Extension.LaunchError":
			state = "LaunchError"
		case e.errorType != "" && !strings.HasSuffix(e.errorType, ".Crash"):
			state = "InitError"
		case e.asking:
			state = "Ready"
		case e.registered:
			state = "Registered"
		}
		states = append(states, ExtensionState{e.name, state, e.errorType, e.events})
	}
	return states
}

// register makes an extension known; the refusal is a type and a message.
func (x *Extensions) register(name string, events []string) (id string, refusal *Fault) {
	x.mu.Lock()
	defer x.mu.Unlock()
	at := slices.IndexFunc(x.list, func(e *extension) bool { return e.name == name })
	external := at >= 0 && x.list[at].external
	for _, event := range events {
		if event != eventInvoke && (event != eventShutdown || !external) {
			return "", &Fault{"Extension.InvalidEventType", event + ": " + errEvent.Error()}
		}
	}
	switch {
	case at >= 0 && (x.list[at].registered || !external):
		return "", &Fault{"Extension.InvalidExtensionState", "Extension with this name already registered"}
	case x.closed:
		return "", &Fault{"Extension.RegistrationClosed", "Extension registration closed already"}
	case at < 0 && len(x.list) >= MaxExtensions:
		return "", &Fault{"Extension.TooManyExtensions", fmt.Sprintf("Extension limit (%d) reached", MaxExtensions)}
	case at < 0:
		at = len(x.list)
		x.list = append(x.list, newExtension(name, false))
	}
	e := x.list[at]
	e.registered, e.events = true, events
	e.invoke, e.shutdown = slices.Contains(events, eventInvoke), slices.Contains(events, eventShutdown)
	x.change()
	return e.id, nil
}

var errEvent = errors.New("ErrorInvalidEventType")

func (x *Extensions) byID(id string) *extension {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range x.list {
		if e.id == id && e.registered {
			return e
		}
	}
	return nil
}

// next waits for an extension's next event, until gone is closed.
func (x *Extensions) next(e *extension, gone <-chan struct{}) []byte {
	x.mu.Lock()
	if len(e.event) == 0 {
		e.asking = true
		x.change()
	}
	x.mu.Unlock()
	select {
	case data := <-e.event:
		return data
	case <-gone:
		return nil
	}
}

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

const identifierHeader = "Lambda-Extension-Identifier"

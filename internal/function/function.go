// Package function runs Lambda functions: it keeps sandboxes per function
// version, starts and reuses them, enforces timeouts and memory, and returns
// what the handler answered. It knows nothing of the Lambda control plane,
// which publishes Specs to it.
package function

import (
	"context"
	"time"
)

// Spec describes one immutable function version (or one revision of $LATEST).
// A Spec is never changed once it was handed to an Engine; a changed function
// is a new Spec with a new ID.
type Spec struct {
	ID      string // unique per function version and revision; sandboxes are pooled by it
	Account string
	Region  string
	Name    string
	Version string // "$LATEST" or a number
	ARN     string // unqualified function ARN
	RoleARN string

	Runtime string // AWS runtime id, such as python3.11 or provided.al2023
	Handler string
	CodeDir string   // directory with the unpacked code, read-only, becomes /var/task
	Layers  []string // directories with unpacked layers in merge order, become /opt
	// Image is set for a function from a container image, which has neither
	// Runtime, Handler, CodeDir nor Layers.
	Image *Image

	MemoryMB    int
	EphemeralMB int // size limit of /tmp
	Timeout     time.Duration
	Environment map[string]string // the user's variables only
	// Unseal decrypts the user's variables for each sandbox that starts;
	// Environment is empty then. It is nil for variables that aren't encrypted.
	// Its error is a *VariablesError.
	Unseal func(context.Context) (map[string]string, error)

	LogGroup    string
	LogFormat   string // "Text" or "JSON"
	LogLevel    string // least level of what the function logs in JSON
	SystemLevel string // INFO, or WARN to leave out what the platform logs of calls that succeed
	TracingMode string // "PassThrough" or TracingActive
	// Concurrency is the function's reserved concurrent executions; <0 means
	// none reserved. Unlike the rest it may differ between Specs of one ID: the
	// newest one that was invoked counts, for all versions of the function.
	Concurrency int
	// Provisioned is how many sandboxes of this version are kept ready (see
	// Engine.Provision), FunctionProvisioned that of all versions together. They
	// may differ between Specs of one ID, as Concurrency may.
	Provisioned, FunctionProvisioned int
	Architecture                     string // x86_64 or arm64
	// SnapStart has cold starts begin after the init phase (see Engine.Snapshot).
	SnapStart bool
}

// TracingActive is the mode of a version whose calls are traced.
const TracingActive = "Active"

// Request is one invocation.
type Request struct {
	RequestID     string // UUID seen by the handler and the caller
	InvokedARN    string // as invoked, with the qualifier the caller used
	Payload       []byte // JSON; empty means {}
	ClientContext []byte // decoded JSON, or nil
	TraceID       string // X-Amzn-Trace-Id value, or ""
	Tail          bool   // collect the last 4 KiB of log for Result.LogTail
	// Deadline is how long the caller waits; zero if for as long as Invoke's
	// context lasts.
	Deadline time.Time
	// Stream takes the response as it comes, if the function streams it; the
	// Result's Payload is empty then. It is nil for callers that want it whole.
	Stream ResponseStream
}

// ResponseStream takes a streamed response. It is called by one goroutine, and
// not after the call has ended.
type ResponseStream interface {
	// Begin tells the response's media type; it is called at most once, and
	// before Write.
	Begin(mediaType string)
	Write(p []byte) (int, error)
}

// Result is the outcome of an invocation that reached the function.
type Result struct {
	Payload       []byte
	FunctionError string // "" or "Unhandled"
	LogTail       []byte // last 4096 bytes of the log, if asked for
	ColdStart     bool
	Duration      time.Duration
}

// Invoker runs functions. *Engine implements it.
type Invoker interface {
	// Invoke runs one request to its end. An error means that the function
	// was not reached: *ThrottledError when a concurrency limit stands in
	// the way, otherwise an internal failure. Failures of the function
	// itself (exceptions, timeouts, exits) are Results with FunctionError set.
	Invoke(ctx context.Context, spec *Spec, req *Request) (*Result, error)
}

// ThrottledError says which limit refused the call; Reason is a member of
// Lambda's ThrottleReason enumeration.
type ThrottledError struct {
	Reason string
}

func (e *ThrottledError) Error() string { return "function: throttled: " + e.Reason }

// VariablesError says why a function's variables could not be decrypted, as
// Lambda tells its callers.
type VariablesError struct{ Code, Message string }

func (e *VariablesError) Error() string { return e.Code + ": " + e.Message }

// Credentials are the temporary keys of a function's role.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Expiration                                 time.Time
	// Kept, unless nil, waits until the keys outlast a restart of the server.
	// They are good before, but nobody is to see what a function did with them.
	Kept func() error
}

// RoleAssumer hands out temporary credentials for a function's role, as
// Lambda's service principal does with sts:AssumeRole.
type RoleAssumer interface {
	AssumeForFunction(ctx context.Context, spec *Spec) (Credentials, error)
}

// LogEvent is one CloudWatch Logs event.
type LogEvent struct {
	Time    time.Time
	Message string
}

// LogSink takes log events off the engine's hands. Put must not block on I/O,
// and owns the slice. Events of one stream come in order; messages keep the
// line's end, as CloudWatch Logs shows Lambda's.
type LogSink interface {
	Put(account, region, group, stream string, events []LogEvent)
}

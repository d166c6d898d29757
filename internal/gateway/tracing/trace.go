// Package tracing is what is kept of the gateway's requests, so that people
// can ask why one was answered as it was: the shape of a trace, the ring that
// the newest ones are kept in, how secrets are hidden, how a trace reads.
package tracing

import "time"

// Trace is one request on its way through the gateway. Its JSON is what
// GET /_butai/traces answers with. Bodies are cut at a few KiB and secrets are
// masked; see Mask.
type Trace struct {
	Seq               uint64       `json:"seq"` // grows with every trace kept
	RequestID         string       `json:"requestId"`
	ExtendedRequestID string       `json:"extendedRequestId"`
	TraceID           string       `json:"traceId"` // Root of X-Amzn-Trace-Id
	Time              time.Time    `json:"time"`    // when the request arrived
	DurationUS        int64        `json:"durationMicros"`
	Account           string       `json:"account,omitempty"`
	Region            string       `json:"region,omitempty"`
	APIID             string       `json:"apiId"`
	Stage             string       `json:"stage"`
	DeploymentID      string       `json:"deploymentId,omitempty"`
	Request           Request      `json:"request"`
	Resource          *Resource    `json:"resource,omitempty"` // nil if nothing matched
	Stops             []Stop       `json:"stops"`
	Integration       *Integration `json:"integration,omitempty"` // nil if nothing was called
	Response          Response     `json:"response"`
	Failure           *Failure     `json:"failure,omitempty"` // nil if the gateway didn't answer itself
}

// Page is the answer to GET /_butai/traces: the newest first.
type Page struct {
	Traces []Trace `json:"traces"`
}

// Request is what the client sent.
type Request struct {
	Method   string              `json:"method"`
	Path     string              `json:"path"` // with the stage or base path
	Query    string              `json:"query,omitempty"`
	Protocol string              `json:"protocol"`
	Host     string              `json:"host"`
	SourceIP string              `json:"sourceIp"`
	Header   map[string][]string `json:"headers,omitempty"`
	Body     *Body               `json:"body,omitempty"`
}

// Resource is the method that the request was routed to.
type Resource struct {
	ID     string            `json:"id"`
	Path   string            `json:"path"`   // such as /user/{id}
	Method string            `json:"method"` // as declared: ANY stays ANY
	Params map[string]string `json:"pathParameters,omitempty"`
}

// Stop is one stage of the road: where the request was and what was found or
// decided there.
type Stop struct {
	Name   string `json:"name"`
	AtUS   int64  `json:"atMicros"` // since the request arrived
	TookUS int64  `json:"tookMicros"`
	Notes  []Note `json:"notes,omitempty"`
}

// Note is one fact of a stop.
type Note struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Integration is the call of what stands behind the method.
type Integration struct {
	Type            string              `json:"type"`
	Target          string              `json:"target,omitempty"`  // function ARN or address
	Request         *Body               `json:"request,omitempty"` // the rendered template, or the proxy event
	RequestHeader   map[string][]string `json:"requestHeaders,omitempty"`
	Status          int                 `json:"status,omitempty"`
	LatencyUS       int64               `json:"latencyMicros"`
	RequestID       string              `json:"requestId,omitempty"`
	ExecutedVersion string              `json:"executedVersion,omitempty"`
	FunctionError   bool                `json:"functionError,omitempty"`
	Answer          *Body               `json:"answer,omitempty"`
	Selector        string              `json:"selector,omitempty"` // what selection patterns were matched against
}

// Response is what the client got.
type Response struct {
	Status int                 `json:"status"`
	Header map[string][]string `json:"headers,omitempty"`
	Body   *Body               `json:"body,omitempty"` // before compression
}

// Body is a body's beginning.
type Body struct {
	Text      string `json:"text"` // base64 if Binary
	Size      int    `json:"size"` // of the whole body, in bytes
	Truncated bool   `json:"truncated,omitempty"`
	Binary    bool   `json:"binary,omitempty"`
}

// Failure is why the gateway made the answer itself.
type Failure struct {
	Type         string   `json:"type"`                   // x-amzn-ErrorType
	ResponseType string   `json:"responseType,omitempty"` // of gateway responses, such as ACCESS_DENIED
	Message      string   `json:"message"`
	Cause        []string `json:"cause,omitempty"` // as in the execution log
	Fix          string   `json:"fix,omitempty"`   // what to do about it, in a sentence
}

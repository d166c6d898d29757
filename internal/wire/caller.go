package wire

import (
	"context"
	"net/http"
	"time"
)

// Caller is who makes a request, and from where.
type Caller struct {
	Account     string // 12 digits; "" of who sends no signature
	Region      string
	Partition   string // "aws"
	ARN         string // principal, such as arn:aws:iam::000000000000:root; "" of who sends no signature
	UserID      string // unique id, such as the account or AIDA…
	UserName    string // IAM user's name, for policy variables; "" otherwise
	AccessKeyID string
	SourceIP    string
	UserAgent   string
	RequestID   string
	Trace       string // X-Amzn-Trace-Id of the request; "" without
	Endpoint    string // scheme://host[:port] under which the client reached butai
	Secure      bool   // TLS
	TLSVersion  string // such as 1.3; "" without TLS
	// Service is the principal of a service of AWS that calls inside butai, such
	// as "events.amazonaws.com", and "" for everybody else. It acts with Role, the
	// ARN of a role that it has assumed, or else for itself, about SourceARN.
	Service, Role            string
	SourceARN, SourceAccount string
	// Header are headers that the answer gets besides those of the model, in
	// AWS's spelling.
	Header http.Header
}

// Anonymous reports whether the request had no signature.
func (c *Caller) Anonymous() bool { return c.ARN == "" }

type callerKey struct{}

// WithCaller returns a context that carries c.
func WithCaller(ctx context.Context, c *Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom returns the caller of the request; it panics when the context
// carries none, which is a bug in the caller of a service method.
func CallerFrom(ctx context.Context) *Caller {
	c, ok := ctx.Value(callerKey{}).(*Caller)
	if !ok {
		panic("wire: context without a caller")
	}
	return c
}

// Principal is the holder of an access key that butai issued.
type Principal struct {
	Account  string
	ARN      string
	UserID   string
	UserName string // of an IAM user; "" otherwise
	Secret   string
	Token    string    // session token of temporary keys; "" otherwise
	Expires  time.Time // of temporary keys; zero otherwise
	Disabled bool      // an inactive or deleted key: it was ours, and opens nothing
}

// Package functionurl is the data plane of Lambda's function URLs: it answers
// the HTTP requests that are made to them. Lambda's control plane publishes
// the URLs into it; it never asks the store.
package functionurl

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/xray"
)

// URL is one function URL as it is published. It is immutable.
type URL struct {
	ID          string // first label of its host
	FunctionARN string // with the alias that it is for, if any
	Account     string
	Region      string
	Signed      bool  // callers must sign: AuthType AWS_IAM
	CORS        *CORS // nil if the function answers for itself
	Streaming   bool  // InvokeMode RESPONSE_STREAM
}

// Functions runs functions. *catalog.Catalog implements it.
type Functions interface {
	Invoke(ctx context.Context, call *catalog.Call) (*catalog.Outcome, error)
	Resolve(functionARN string) *catalog.Target
}

// Signers is IAM as far as signed requests need it.
type Signers interface {
	// Authenticate finds out who signed r, whose payload is body, for Lambda
	// in a region. Any error is a refusal.
	Authenticate(r *http.Request, body []byte, region string) (*wire.Caller, error)
	// Decide evaluates req for the caller.
	Decide(caller *wire.Caller, req *policy.Request) policy.Decision
}

// Config is what New needs; every field is required.
type Config struct {
	Functions Functions
	Signers   Signers
	Clock     clock.Clock
	Log       *slog.Logger
}

// Server answers function URLs. It is safe for concurrent use; requests never
// wait for changes.
type Server struct {
	Config
	urls sync.Map // id to *URL
}

// New returns a Server without URLs.
func New(cfg Config) *Server { return &Server{Config: cfg} }

// Put publishes a URL in place of an earlier one of its id.
func (s *Server) Put(u *URL) { s.urls.Store(u.ID, u) }

// Remove takes a URL away.
func (s *Server) Remove(id string) { s.urls.Delete(id) }

const (
	invokeAction = "lambda:InvokeFunctionUrl"
	// maxBody is Lambda's limit of a request's payload.
	maxBody = 6291456
)

// ServeURL answers a request to the URL of an id. path is raw and begins with
// a slash.
func (s *Server) ServeURL(w http.ResponseWriter, r *http.Request, id, path string) {
	x := &exchange{Server: s, w: w, r: r, path: path, requestID: ident.UUID()}
	w.Header().Set("x-amzn-RequestId", x.requestID)
	found, ok := s.urls.Load(id)
	if !ok {
		x.fail(http.StatusForbidden, "AccessDeniedException", `{"Message":null}`)
		return
	}
	x.url = found.(*URL)
	x.serve()
}

// exchange is one request on its way.
type exchange struct {
	*Server
	w         http.ResponseWriter
	r         *http.Request
	url       *URL
	path      string
	requestID string
	body      []byte
	caller    *wire.Caller // who signed; nil if nobody had to
}

// Texts of AWS's own answers.
const (
	forbidden     = `{"Message":"Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"}`
	internalError = "Internal Server Error"
)

func (x *exchange) serve() {
	if x.url.CORS.preflight(x.w.Header(), x.r) {
		x.w.WriteHeader(http.StatusOK)
		return
	}
	body, err := io.ReadAll(io.LimitReader(x.r.Body, maxBody+1))
	switch {
	case err != nil:
		x.fail(http.StatusBadRequest, "IncompleteBody", `{"Message":"The request's body ended early."}`)
		return
	case len(body) > maxBody:
		x.fail(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", `{"Message":"Request must be smaller than 6291456 bytes for the InvokeFunction operation"}`)
		return
	}
	x.body = body
	if !x.authorized() {
		x.fail(http.StatusForbidden, "AccessDeniedException", forbidden)
		return
	}
	x.invoke()
}

// authorized decides by the policy of exactly the URL's qualifier, and for
// signed requests by the signer's own policies too (Developer Guide: "Control
// access to Lambda function URLs"). Since 2025-10 AWS also wants
// lambda:InvokeFunction of new URLs; tools of before can't grant it, so the
// rule that all tools know is kept.
func (x *exchange) authorized() bool {
	target := x.Functions.Resolve(x.url.FunctionARN)
	if target == nil {
		return false
	}
	kind := "NONE"
	if x.url.Signed {
		kind = "AWS_IAM"
	}
	req := &policy.Request{
		Principal: policy.Principal{Kind: policy.Anonymous}, Action: invokeAction, Resource: x.url.FunctionARN,
		ResourceAccount: x.url.Account, ResourcePolicy: target.Policy(), Context: policy.Context{},
	}
	req.Context.Set("lambda:FunctionUrlAuthType", kind)
	if !x.url.Signed {
		return policy.Evaluate(req).Allowed
	}
	caller, err := x.Signers.Authenticate(x.r, x.body, x.url.Region)
	if err != nil {
		x.Log.Debug("a function URL refused a signature", "url", x.url.ID, "error", err)
		return false
	}
	x.caller = caller
	return x.Signers.Decide(caller, req).Allowed
}

func (x *exchange) invoke() {
	trace := x.r.Header.Get("X-Amzn-Trace-Id")
	joined := xray.Join(trace, x.Clock.Now(), x.url.FunctionARN)
	if trace == "" {
		trace = joined
	}
	root, _, _ := strings.Cut(trace, ";")
	x.w.Header().Set("X-Amzn-Trace-Id", root)
	call := &catalog.Call{FunctionARN: x.url.FunctionARN, Payload: x.event(trace), KnownJSON: true, RequestID: x.requestID, TraceID: joined}
	var live *stream
	if x.url.Streaming {
		live = &stream{exchange: x, control: http.NewResponseController(x.w)}
		call.Stream = live
	}
	out, err := x.Functions.Invoke(x.r.Context(), call)
	if live != nil && live.started {
		if err != nil || out.FunctionError != "" {
			panic(http.ErrAbortHandler) // the client must see that it didn't get all
		}
		return
	}
	refusal, refused := errors.AsType[*catalog.Refusal](err)
	switch {
	case refused && refusal.Status == http.StatusTooManyRequests:
		x.fail(refusal.Status, refusal.Code, `{"Reason":"`+refusal.Reason+`","Type":"User","message":"Rate Exceeded."}`)
	case refused:
		x.fail(http.StatusForbidden, "AccessDeniedException", forbidden)
	case err != nil:
		if x.r.Context().Err() == nil {
			x.Log.Error("a function URL could not be served", "function", x.url.FunctionARN, "request", x.requestID, "error", err)
		}
		x.fail(http.StatusInternalServerError, "InternalFailure", internalError)
	case out.FunctionError != "":
		x.fail(http.StatusBadGateway, "", internalError)
	default:
		x.answer(out.Payload)
	}
}

// fail answers for the function.
func (x *exchange) fail(status int, kind, body string) {
	h := x.w.Header()
	if kind != "" {
		h.Set("x-amzn-ErrorType", kind)
	}
	x.respond(status, []byte(body))
}

// respond writes an answer whose headers are set.
func (x *exchange) respond(status int, body []byte) {
	h := x.w.Header()
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	if x.url != nil {
		x.url.CORS.decorate(h, x.r)
	}
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body) // a client that has gone away needs no answer
}

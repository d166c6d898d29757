// Package awsapi is the front end of the AWS APIs: one http.Handler that
// takes a signed request to any service, finds the operation, checks who
// calls and whether they may, and answers in the service's own protocol.
package awsapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/sigv4"
	"github.com/butai-dev/butai/internal/wire"
)

// Registration is a service and the model it implements.
type Registration struct {
	Model   *wire.ServiceModel
	Service any
}

// Authorizer decides whether a caller may do something.
type Authorizer interface {
	// Authorize returns "" if the caller may, and otherwise the message of
	// the AccessDenied answer.
	Authorize(ctx context.Context, caller *wire.Caller, target wire.IAMTarget) (denial string)
}

// Config is what New needs; every field is required unless it says otherwise.
type Config struct {
	Services   []Registration
	Keys       Keys
	Authorizer Authorizer
	Log        *slog.Logger
	Clock      clock.Clock
	// StrictCredentials refuses access keys that butai didn't issue, which
	// otherwise act as the root user of their account.
	StrictCredentials bool
	// Suspect tells of which requests they are refused in any case; nil means
	// of none. It is asked only about requests with such a key.
	Suspect func(*http.Request) bool
}

// Handler serves the AWS APIs.
type Handler struct {
	Config
	byName    map[string]*service
	bySigning map[string][]*service // several APIs may sign with one name
	signers   *Signers
	warned    sync.Map // refused parts that were logged already
}

var _ http.Handler = (*Handler)(nil)

type service struct {
	*wire.ServiceModel
	profile
	impl     any
	refusals map[string][]refusal // by operation
}

// New returns a handler for the registered services.
func New(cfg Config) (*Handler, error) {
	h := &Handler{Config: cfg, byName: map[string]*service{}, bySigning: map[string][]*service{}}
	h.signers = NewSigners(cfg.Keys, cfg.Clock, cfg.StrictCredentials, cfg.Suspect)
	for _, reg := range cfg.Services {
		p, ok := profiles[reg.Model.Name]
		if !ok {
			return nil, fmt.Errorf("awsapi: no profile for service %s", reg.Model.Name)
		}
		s := &service{ServiceModel: reg.Model, profile: p, impl: reg.Service}
		if r, ok := reg.Service.(wire.Refuser); ok {
			var err error
			if s.refusals, err = s.compileRefusals(r.Refused()); err != nil {
				return nil, err
			}
		}
		h.byName[reg.Model.Name] = s
		h.bySigning[reg.Model.SigningName] = append(h.bySigning[reg.Model.SigningName], s)
	}
	return h, nil
}

// ServeHTTP takes a request from the first byte to the last of its answer.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := &call{handler: h, started: time.Now(), requestID: ident.UUID(), req: &wire.Request{Request: r}}
	res := call.run()
	header := w.Header()
	maps.Copy(header, res.Header)
	if call.failure == nil && call.caller != nil {
		maps.Copy(header, call.caller.Header)
	}
	if res.Stream != nil {
		call.stream(w, res)
		return
	}
	if r.Method != http.MethodHead || header.Get("Content-Length") == "" { // HeadObject's is the object's
		header["Content-Length"] = []string{strconv.Itoa(len(res.Body))}
	}
	if res.Status == http.StatusNoContent {
		header.Del("Content-Length")
	}
	w.WriteHeader(res.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(res.Body) // a client that has gone away needs no answer
	}
	call.log(res.Status)
}

// stream writes an answer that comes piece by piece, each piece at once.
func (c *call) stream(w http.ResponseWriter, res *wire.Response) {
	w.WriteHeader(res.Status)
	if err := res.Stream(&flusher{w, http.NewResponseController(w)}); err != nil {
		c.failure = err // too late to tell the client, who sees the end is missing
	}
	c.log(res.Status)
}

type flusher struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// Write implements io.Writer.
func (f *flusher) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if err == nil {
		err = f.control.Flush()
	}
	return n, err
}

// call is one request on its way through the handler.
type call struct {
	handler   *Handler
	started   time.Time
	requestID string
	req       *wire.Request
	svc       *service
	protocol  wire.Protocol // what this client speaks of what svc does
	op        *wire.Operation
	caller    *wire.Caller
	failure   error
}

// run is the road of a control-plane request: identify, authenticate, decode,
// validate, authorize, call, encode.
func (c *call) run() *wire.Response {
	signature, unsigned := sigv4.Parse(c.req.Request)
	if unsigned != nil {
		signature = nil
	}
	svc, err := c.handler.identify(c.req.Request, signature)
	if err != nil {
		if svc = c.handler.public(c.req.Request); svc == nil {
			return c.handler.unknownService(c.req.Request, signature, err, c.requestID)
		}
	}
	c.svc, c.protocol = svc, svc.spokenBy(c.req.Request)
	if svc.Name == "s3" {
		return c.runS3(signature, unsigned)
	}
	if unsigned != nil {
		return c.fail(c.describe(unsigned))
	}
	if c.caller, err = c.authenticate(signature); err != nil {
		return c.fail(err)
	}
	return c.serve()
}

// serve is the road from the operation on, for a caller who is known.
func (c *call) serve() *wire.Response {
	svc := c.svc
	op, opErr := c.protocol.Identify(svc.ServiceModel, c.req, func(op *wire.Operation) bool { return op.Built(svc.impl) })
	if opErr != nil {
		return c.fail(opErr)
	}
	c.op = op
	if !op.Built(svc.impl) {
		return c.fail(svc.notBuilt(op))
	}
	in, err := c.decode()
	if err != nil {
		return c.fail(err)
	}
	ctx := wire.WithCaller(c.req.Context(), c.caller)
	if err := c.authorize(ctx, in); err != nil {
		return c.fail(err)
	}
	out, err := c.invoke(ctx, in)
	if err != nil {
		return c.fail(err)
	}
	res, err := c.protocol.Encode(svc.ServiceModel, op, out, c.requestID)
	if err != nil {
		return c.fail(err)
	}
	return res
}

func (c *call) decode() (any, error) {
	if c.op.NewInput == nil {
		return nil, nil
	}
	in := c.op.NewInput()
	if err := c.protocol.Decode(c.svc.ServiceModel, c.op, c.req, in); err != nil {
		return nil, err
	}
	if err := c.svc.refuse(c.op, in); err != nil {
		return nil, err
	}
	if custom, ok := c.svc.impl.(Validator); ok {
		return in, custom.ValidateInput(c.op, in)
	}
	validate := c.svc.Schema.Validate
	if c.svc.whole {
		validate = c.svc.Schema.ValidateWhole
	}
	if found := validate(c.op.Input, in, c.svc.isExempt); len(found) > 0 {
		message := wire.ViolationText(found)
		if c.svc.newer != nil {
			message = c.svc.newer.Replace(message)
		}
		return nil, &wire.Error{Code: c.svc.validation, Status: 400, Message: message}
	}
	return in, nil
}

// Validator is implemented by a service that words failed model constraints
// itself; it replaces the common validation.
type Validator interface {
	ValidateInput(op *wire.Operation, in any) error
}

func (s *service) isExempt(shape *wire.Shape) bool {
	for _, name := range s.exempt {
		if shape.Name == name {
			return true
		}
	}
	return false
}

func (c *call) authorize(ctx context.Context, in any) error {
	var targets []wire.IAMTarget
	if namer, ok := c.svc.impl.(wire.IAMNamer); ok {
		targets = namer.IAMTargets(ctx, c.op, in)
	} else {
		targets = []wire.IAMTarget{{Action: c.svc.SigningName + ":" + c.op.Name, Resource: "*"}}
	}
	for _, target := range targets {
		if denial := c.handler.Authorizer.Authorize(ctx, c.caller, target); denial != "" {
			if revealer, ok := c.svc.impl.(wire.Revealer); ok {
				if err := revealer.Missing(ctx, c.op, in); err != nil {
					return err
				}
			}
			denied := c.svc.denied
			denied.Message = denial
			return &denied
		}
	}
	return nil
}

// invoke runs the operation; a panic in a service is an internal failure of
// that request alone.
func (c *call) invoke(ctx context.Context, in any) (out any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in %s.%s: %v", c.svc.Name, c.op.Name, p)
		}
	}()
	out, err = c.op.Call(ctx, c.svc.impl, in)
	if err != nil {
		return nil, err
	}
	if rv := reflect.ValueOf(out); !rv.IsValid() || rv.IsNil() {
		return nil, nil
	}
	return out, nil
}

// fail encodes err for the client. Errors that are neither modelled nor
// wire.Errors are internal: the client learns only the request id.
func (c *call) fail(err error) *wire.Response {
	c.failure = err
	var about *wire.About
	var modelled wire.ModelledError
	var plain *wire.Error
	var bytes *wire.SerializationError
	switch {
	case errors.As(err, &about):
		return c.protocol.EncodeError(c.svc.ServiceModel, about, c.requestID)
	case errors.As(err, &modelled):
		return c.protocol.EncodeError(c.svc.ServiceModel, modelled, c.requestID)
	case errors.As(err, &plain):
		return c.protocol.EncodeError(c.svc.ServiceModel, plain, c.requestID)
	case errors.As(err, &bytes):
		code := "SerializationException"
		if strings.HasSuffix(c.svc.Protocol, "xml") {
			code = "MalformedXML"
		} else if c.svc.Protocol == "query" {
			code = "MalformedInput"
		}
		return c.protocol.EncodeError(c.svc.ServiceModel, &wire.Error{Code: code, Status: 400, Message: bytes.Message}, c.requestID)
	}
	return c.protocol.EncodeError(c.svc.ServiceModel, &wire.Error{
		Code: "InternalFailure", Status: 500, Fault: true,
		Message: "The request processing has failed because of an unknown error, exception or failure. Request id: " + c.requestID,
	}, c.requestID)
}

// log writes one line a call: errors of ours and, once each, parts of AWS
// that butai doesn't do; everything else only when debugging.
func (c *call) log(status int) {
	if c.svc == nil {
		return
	}
	name := "?"
	if c.op != nil {
		name = c.op.Name
	}
	log := c.handler.Log
	if status < 500 && !log.Enabled(c.req.Context(), slog.LevelDebug) {
		return
	}
	attrs := []any{"service", c.svc.Name, "operation", name, "status", status, "request", c.requestID,
		"took", time.Since(c.started).Round(time.Microsecond)}
	switch {
	case status == http.StatusNotImplemented:
		if _, seen := c.handler.warned.LoadOrStore(c.failure.Error(), true); !seen {
			log.Warn("refused: "+c.failure.Error(), "service", c.svc.Name, "operation", name)
		}
	case status >= 500 && c.failure != nil:
		log.Error(c.failure.Error(), attrs...)
	case c.failure != nil:
		log.Debug(c.failure.Error(), attrs...)
	default:
		log.Debug("served", attrs...)
	}
}

func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

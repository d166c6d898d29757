// Package runtimeapi serves Lambda's HTTP Runtime API ("Using the Lambda
// runtime API for custom runtimes") to one process, for runtimes that bring
// their own client: provided.* and AWS's runtime interface clients. Official
// clients speak TCP only and split AWS_LAMBDA_RUNTIME_API at its colon, so it
// listens on the loopback address, which all functions can reach, and can't
// hide behind a secret path either. So it asks of each connection whose it is.
package runtimeapi

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/function/bootstrap"
)

const (
	root            = "/2018-06-01/runtime"
	errorTypeHeader = "Lambda-Runtime-Function-Error-Type"
	errorBodyHeader = "Lambda-Runtime-Function-Error-Body"
	modeHeader      = "Lambda-Runtime-Function-Response-Mode"
	headerTimeout   = 10 * time.Second
)

// ErrGone means that the process has ended.
var ErrGone = errors.New("runtimeapi: the runtime process has ended")

// Process is the runtime that a Server serves.
type Process interface {
	// Done is closed when the process has ended, which ends waiting calls with
	// ErrGone.
	Done() <-chan struct{}
	// Owns tells whether it was the process, or another one in its sandbox, that
	// opened a connection, by the addresses that this end sees.
	Owns(own, peer netip.AddrPort) bool
}

// Server is the Runtime API of one process. Ready and Invoke are called by one
// goroutine at a time.
type Server struct {
	listener net.Listener
	http     http.Server
	limit    int // longest response

	extensions *Extensions
	gone       <-chan struct{} // closed when the process has ended
	ready      chan bootstrap.Frame
	events     chan *bootstrap.Invocation
	answer     chan bootstrap.Frame

	mu      sync.Mutex
	started bool           // the first next has come
	current string         // request id being worked on, "" between calls
	sink    bootstrap.Sink // of the call under way; nil if its response is collected
}

// Listen opens the port that the process will be told, for the runtime and its
// extensions. Responses longer than limit are refused. The server answers once
// Serve was called.
func Listen(limit int, extensions *Extensions) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("runtime API: %w", err)
	}
	s := &Server{
		listener: listener, limit: limit, extensions: extensions,
		ready: make(chan bootstrap.Frame, 1), events: make(chan *bootstrap.Invocation), answer: make(chan bootstrap.Frame, 1),
	}
	s.http.Handler = s.routes()
	s.http.ReadHeaderTimeout = headerTimeout
	s.http.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // a killed process leaves broken connections
	return s, nil
}

// Address is the value of AWS_LAMBDA_RUNTIME_API.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Serve begins to answer the process, and nobody else.
func (s *Server) Serve(p Process) {
	s.gone = p.Done()
	go s.http.Serve(private{s.listener, p})
}

// private is a listener for one process.
type private struct {
	net.Listener
	process Process
}

// Accept drops the connections of strangers without a word.
func (l private) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil || l.process.Owns(addrPort(c.LocalAddr()), addrPort(c.RemoteAddr())) {
			return c, err
		}
		c.Close()
	}
}

func addrPort(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort()
	}
	return netip.AddrPort{}
}

// Close ends the server and its connections.
func (s *Server) Close() error { return errors.Join(s.http.Close(), ignoreClosed(s.listener.Close())) }

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Ready waits until the process asks for its first event or reports that its
// init failed.
func (s *Server) Ready(deadline time.Time) (bootstrap.Frame, error) {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case frame := <-s.ready:
		return frame, nil
	case <-timer.C:
		return bootstrap.Frame{}, os.ErrDeadlineExceeded
	case <-s.gone:
		return s.lastWord(s.ready)
	}
}

// Invoke hands an event to the process and waits for its answer.
func (s *Server) Invoke(inv *bootstrap.Invocation, deadline time.Time) (bootstrap.Frame, error) {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case s.events <- inv:
	case <-timer.C:
		return bootstrap.Frame{}, os.ErrDeadlineExceeded
	case <-s.gone:
		return bootstrap.Frame{}, ErrGone
	}
	select {
	case frame := <-s.answer:
		return frame, nil
	case <-timer.C:
		return bootstrap.Frame{}, os.ErrDeadlineExceeded
	case <-s.gone:
		return s.lastWord(s.answer)
	}
}

// lastWord prefers what the process said just before it ended.
func (s *Server) lastWord(frames <-chan bootstrap.Frame) (bootstrap.Frame, error) {
	select {
	case frame := <-frames:
		return frame, nil
	default:
		return bootstrap.Frame{}, ErrGone
	}
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+root+"/invocation/next", s.next)
	mux.HandleFunc("POST "+root+"/invocation/{id}/response", s.response)
	mux.HandleFunc("POST "+root+"/invocation/{id}/error", s.failure)
	mux.HandleFunc("POST "+root+"/init/error", s.initError)
	mux.HandleFunc("GET /2018-06-01/ping", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "pong") })
	s.extensions.routes(mux)
	return mux
}

func (s *Server) next(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.current != "" {
		s.mu.Unlock()
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "Transition from Running to Ready is not allowed")
		return
	}
	if !s.started {
		s.started = true
		s.ready <- bootstrap.Frame{Kind: bootstrap.Ready}
	}
	s.mu.Unlock()
	select {
	case inv := <-s.events:
		s.mu.Lock()
		s.current, s.sink = inv.RequestID, inv.Sink
		s.mu.Unlock()
		writeEvent(w, inv)
	case <-r.Context().Done():
	}
}

func writeEvent(w http.ResponseWriter, inv *bootstrap.Invocation) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", inv.RequestID)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.Deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", inv.InvokedARN)
	if inv.TraceID != "" {
		h.Set("Lambda-Runtime-Trace-Id", inv.TraceID)
	}
	if len(inv.ClientContext) > 0 {
		h.Set("Lambda-Runtime-Client-Context", string(inv.ClientContext))
	}
	h.Set("Content-Length", strconv.Itoa(len(inv.Payload)))
	w.Write(inv.Payload)
}

// finish checks that the request's id is the one under way and ends it.
func (s *Server) finish(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == "" || s.current != r.PathValue("id") {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return false
	}
	s.current = ""
	return true
}

func (s *Server) response(w http.ResponseWriter, r *http.Request) {
	if mode := r.Header.Get(modeHeader); mode != "" && mode != "streaming" {
		refuse(w, http.StatusBadRequest, "InvalidFunctionResponseMode", "Invalid function response mode: "+mode)
		return
	}
	body, err := s.read(r)
	if err != nil {
		return // the connection broke; the process's end will tell why
	}
	if !s.finish(w, r) {
		return
	}
	if len(body) > s.limit {
		s.answer <- bootstrap.Frame{Kind: bootstrap.Response, Oversize: len(body)}
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", s.limit))
		return
	}
	// A streamed response may fail half-way and says so in its trailer.
	if kind := r.Trailer.Get(errorTypeHeader); kind != "" {
		if text, err := base64.StdEncoding.DecodeString(r.Trailer.Get(errorBodyHeader)); err == nil {
			body = text
		}
		s.answer <- bootstrap.Frame{Kind: bootstrap.Failure, ErrorType: kind, Body: body}
	} else {
		s.answer <- bootstrap.Frame{Kind: bootstrap.Response, Body: body}
	}
	accept(w)
}

// read reads a response: a streamed one goes on to the caller as it comes, if
// the caller wants that, and leaves nothing.
func (s *Server) read(r *http.Request) ([]byte, error) {
	s.mu.Lock()
	sink, known := s.sink, s.current != "" && s.current == r.PathValue("id")
	s.mu.Unlock()
	if sink == nil || !known || r.Header.Get(modeHeader) != "streaming" {
		return io.ReadAll(io.LimitReader(r.Body, int64(s.limit)+1))
	}
	sink.Begin(r.Header.Get("Content-Type"))
	_, err := io.Copy(onward{sink}, r.Body)
	return nil, err
}

// onward is a sink whose reader may go away without stopping the function.
type onward struct{ sink bootstrap.Sink }

// Write implements io.Writer.
func (o onward) Write(p []byte) (int, error) {
	_, _ = o.sink.Write(p)
	return len(p), nil
}

func (s *Server) failure(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(s.limit)))
	if err != nil || !s.finish(w, r) {
		return
	}
	s.answer <- bootstrap.Frame{Kind: bootstrap.Failure, ErrorType: r.Header.Get(errorTypeHeader), Body: body}
	accept(w)
}

func (s *Server) initError(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(s.limit)))
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "Transition from Ready to InitError is not allowed")
		return
	}
	s.started = true
	s.ready <- bootstrap.Frame{Kind: bootstrap.InitFailed, ErrorType: r.Header.Get(errorTypeHeader), Body: body}
	accept(w)
}

func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	io.WriteString(w, `{"status":"OK"}`+"\n")
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(struct {
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}{message, kind})
}

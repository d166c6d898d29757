package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/awsapi"
	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/xray"
)

// debugHandler lets functions of the caller's account be debugged, for signed
// requests of clients on this machine alone. A debugger can do whatever the
// function's role may, so that it is a permission of its own.
func (s *Server) debugHandler(api *awsapi.Handler) http.Handler {
	return loopbackOnly(api.Guard(wire.IAMTarget{Action: "butai:DebugFunction", Resource: "*"}, &debugging{server: s}))
}

// debugging serves the debugger's page. It remembers the folders that functions
// are linked to, for as long as the server runs.
type debugging struct {
	server *Server
	links  sync.Map // function ARN to folder
}

// DebugEvent is one line of a debugged call's answer: first the debugger that
// waits, then the outcome.
type DebugEvent struct {
	Waiting *function.Debugger `json:"waiting,omitempty"`
	Folder  string             `json:"folder,omitempty"` // that butai dev has linked to the function, or ""
	Outcome *DebugOutcome      `json:"outcome,omitempty"`
	Message string             `json:"message,omitempty"` // why there is no outcome
}

// DebugOutcome is how a debugged call ended.
type DebugOutcome struct {
	Payload       []byte `json:"payload"`
	FunctionError string `json:"functionError,omitempty"`
	LogTail       []byte `json:"logTail,omitempty"`
}

// ServeHTTP answers POST, whose body is the event, with the query parameters
// function, qualifier and port: it runs the function under a debugger and
// answers with lines of DebugEvents. PUT with function and dir says what folder
// a function's code comes from.
func (d *debugging) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	caller, q := wire.CallerFrom(r.Context()), r.URL.Query()
	functionARN := q.Get("function")
	if !strings.HasPrefix(functionARN, "arn:") {
		functionARN = arn.New("lambda", caller.Region, caller.Account, "function:"+functionARN).String()
	}
	if a, err := arn.Parse(functionARN); err != nil || a.Account != caller.Account {
		writeJSON(w, http.StatusForbidden, map[string]string{"message": "Only functions of the caller's own account can be debugged."})
		return
	}
	switch r.Method {
	case http.MethodPut:
		if dir := q.Get("dir"); filepath.IsAbs(dir) {
			d.links.Store(functionARN, dir)
		}
		writeJSON(w, http.StatusOK, struct{}{})
	case http.MethodPost:
		d.run(w, r, functionARN)
	default:
		w.Header().Set("Allow", "POST, PUT")
		writeJSON(w, http.StatusMethodNotAllowed, map[string]string{"message": "Functions are debugged with POST."})
	}
}

// run debugs one call.
func (d *debugging) run(w http.ResponseWriter, r *http.Request, functionARN string) {
	q := r.URL.Query()
	port, err := strconv.Atoi(q.Get("port"))
	if err != nil || port < 0 || port > 65535 {
		writeJSON(w, http.StatusBadRequest, map[string]string{"message": "There is no port " + q.Get("port") + "."})
		return
	}
	event, err := io.ReadAll(r.Body)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"message": err.Error()})
		return
	}
	base, qualified := functionARN, functionARN
	if qualifier := q.Get("qualifier"); qualifier != "" {
		qualified += ":" + qualifier
	}
	target, err := d.server.catalog.Admit(&catalog.Call{FunctionARN: qualified, Payload: event})
	if refusal, ok := errors.AsType[*catalog.Refusal](err); ok {
		w.Header().Set("X-Amzn-Errortype", refusal.Code)
		writeJSON(w, refusal.Status, map[string]string{"message": refusal.Message})
		return
	}
	lines := make(chan DebugEvent, 1)
	go func() {
		defer close(lines)
		folder := ""
		if dir, ok := d.links.Load(base); ok {
			folder = dir.(string)
		}
		lines <- d.call(r.Context(), target.Pick(), qualified, event, port, func(waiting *function.Debugger) {
			lines <- DebugEvent{Waiting: waiting, Folder: folder}
		})
	}()
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := json.NewEncoder(w)
	for line := range lines {
		if out.Encode(&line) == nil {
			_ = http.NewResponseController(w).Flush() // a client that has gone away ends the call
		}
	}
}

// call runs the debugged call to its end.
func (d *debugging) call(ctx context.Context, spec *function.Spec, qualified string, event []byte, port int, waiting func(*function.Debugger)) DebugEvent {
	result, err := d.server.engine.Debug(ctx, spec, &function.Request{
		RequestID: ident.UUID(), InvokedARN: qualified, Payload: event, Tail: true,
		TraceID: xray.New(d.server.cfg.Clock.Now(), qualified),
	}, port, waiting)
	if err != nil {
		return DebugEvent{Message: err.Error()}
	}
	return DebugEvent{Outcome: &DebugOutcome{result.Payload, result.FunctionError, result.LogTail}}
}

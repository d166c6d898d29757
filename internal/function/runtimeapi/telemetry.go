package runtimeapi

import (
	"errors"
	"io"
	"net/http"

	"github.com/butai-dev/butai/internal/function/telemetry"
)

// maxSubscription is the longest request to subscribe that is read.
const maxSubscription = 64 << 10

func (x *Extensions) telemetryRoutes(mux *http.ServeMux) {
	for path, api := range map[string]telemetry.API{"/2020-08-15/logs": telemetry.Logs, "/2022-07-01/telemetry": telemetry.Telemetry} {
		serve := x.known(func(w http.ResponseWriter, r *http.Request, e *extension) { x.serveSubscribe(w, r, e, api) })
		mux.HandleFunc("PUT "+path, serve)
		mux.HandleFunc("PUT "+path+"/{$}", serve) // the Telemetry API's reference writes it so
	}
}

func (x *Extensions) serveSubscribe(w http.ResponseWriter, r *http.Request, e *extension, api telemetry.API) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSubscription))
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequestFormat", err.Error())
		return
	}
	err = x.telemetry.Subscribe(e.name, api, body)
	if refusal, ok := errors.AsType[*telemetry.Refusal](err); ok {
		refuse(w, refusal.Status, refusal.Type, refusal.Message)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `"OK"`)
}

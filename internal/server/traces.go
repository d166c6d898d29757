package server

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/awsapi"
	"github.com/butai-dev/butai/internal/edge"
	"github.com/butai-dev/butai/internal/gateway"
	"github.com/butai-dev/butai/internal/gateway/tracing"
	"github.com/butai-dev/butai/internal/wire"
)

// defaultLast is how many traces are answered when nobody says how many.
const defaultLast = 10

// traceHandler answers with the traces of the caller's account, to clients on
// this machine alone. They hold what requests carried, so that reading them is
// a permission of its own.
func traceHandler(api *awsapi.Handler, g *gateway.Gateway) http.Handler {
	return loopbackOnly(api.Guard(wire.IAMTarget{Action: "butai:GetTraces", Resource: "*"}, &traces{g}))
}

type traces struct{ gateway *gateway.Gateway }

// ServeHTTP answers GET /_butai/traces, with the query parameters api, stage,
// status, last and after, and GET /_butai/traces/{requestId}.
func (t *traces) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET")
		writeJSON(w, http.StatusMethodNotAllowed, map[string]string{"message": "Traces are read with GET."})
		return
	}
	account := wire.CallerFrom(r.Context()).Account
	if id := strings.Trim(strings.TrimPrefix(r.URL.Path, edge.TracesPath), "/"); id != "" {
		found := t.gateway.Traces(account, tracing.Filter{RequestID: id, Last: 1})
		if len(found) == 0 {
			writeJSON(w, http.StatusNotFound, map[string]string{
				"message": "No trace of request " + id + " is kept: it was another account's, is long ago, or was not sampled."})
			return
		}
		writeJSON(w, http.StatusOK, found[0])
		return
	}
	f, err := parseFilter(r)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"message": err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, tracing.Page{Traces: t.gateway.Traces(account, f)})
}

func parseFilter(r *http.Request) (f tracing.Filter, err error) {
	q := r.URL.Query()
	f = tracing.Filter{API: q.Get("api"), Stage: q.Get("stage"), Last: defaultLast}
	if f.Status, err = tracing.ParseStatus(q.Get("status")); err != nil {
		return f, err
	}
	if v := q.Get("last"); v != "" {
		if f.Last, err = strconv.Atoi(v); err != nil {
			return f, err
		}
	}
	if v := q.Get("after"); v != "" {
		f.After, err = strconv.ParseUint(v, 10, 64)
	}
	return f, err
}

// loopbackOnly hides next from other machines.
func loopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if ip, parseErr := netip.ParseAddr(host); err != nil || parseErr != nil || !ip.Unmap().IsLoopback() {
			writeJSON(w, http.StatusForbidden, map[string]string{"message": "This page is for clients on butai's own machine."})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// writeJSON answers with v. Nothing handed to it fails to encode.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that has gone away needs no answer
}

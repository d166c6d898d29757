package awsapi

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/butai-dev/butai/internal/sigv4"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/restjson"
)

// identify finds the service that a request is meant for: by its credential
// scope, or for unsigned requests by target header and host name.
func (h *Handler) identify(r *http.Request) (*service, error) {
	name := ""
	if cred, err := sigv4.Parse(r); err == nil {
		name = cred.Service
	}
	target, _, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	candidates := h.bySigning[name]
	for _, s := range candidates {
		if s.TargetPrefix == target {
			return s, nil
		}
	}
	if len(candidates) > 0 {
		return candidates[0], nil
	}
	label, _, _ := strings.Cut(r.Host, ".")
	for _, s := range h.byName {
		if target != "" && target == s.TargetPrefix || name == "" && label == s.Endpoint {
			return s, nil
		}
	}
	if name == "" {
		return nil, &wire.Error{Code: "MissingAuthenticationTokenException", Status: http.StatusForbidden,
			Message: "Missing Authentication Token"}
	}
	return nil, wire.NotBuilt("service %q", name)
}

// unknownService answers a request for no service of ours. What protocol its
// client speaks is anyone's guess; most AWS clients read REST-JSON errors.
func (h *Handler) unknownService(r *http.Request, err error, requestID string) *wire.Response {
	if _, seen := h.warned.LoadOrStore(err.Error(), true); !seen {
		h.Log.Warn(fmt.Sprintf("refused: %v", err), "method", r.Method, "path", r.URL.Path)
	}
	return restjson.Protocol{}.EncodeError(nil, err, requestID)
}

package awsapi

import (
	"net/http"
	"strings"

	"github.com/butai-dev/butai/internal/sigv4"
	"github.com/butai-dev/butai/internal/wire"
)

// identify finds the service that a request is meant for: by the credential
// scope of its signature, which is nil if it has none that can be read, or for unsigned requests by target header and host name. Of services
// that share a name, the target or the path tells which.
func (h *Handler) identify(r *http.Request, signature *sigv4.Signature) (*service, error) {
	name := ""
	if signature != nil {
		name = signature.Service
	}
	target, _, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	candidates := h.bySigning[name]
	if s := among(candidates, r, target); s != nil {
		return s, nil
	}
	label, _, _ := strings.Cut(r.Host, ".")
	candidates = nil
	for _, s := range h.byName {
		if target != "" && target == s.TargetPrefix || name == "" && label == s.Endpoint {
			candidates = append(candidates, s)
		}
	}
	if s := among(candidates, r, target); s != nil {
		return s, nil
	}
	switch {
	case signedV2(r):
		return nil, &wire.Error{Code: "InvalidRequest", Status: http.StatusBadRequest,
			Message: "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."}
	case name == "":
		return nil, &wire.Error{Code: "MissingAuthenticationTokenException", Status: http.StatusForbidden,
			Message: "Missing Authentication Token"}
	}
	return nil, notServed(name)
}

// among chooses one of the services that a request may be for, nil if there are
// none.
func among(candidates []*service, r *http.Request, target string) *service {
	var rest *service
	for _, s := range candidates {
		switch {
		case s.prefix != "" && strings.HasPrefix(r.URL.Path, s.prefix), target != "" && s.TargetPrefix == target:
			return s
		case rest == nil && s.prefix == "":
			rest = s
		}
	}
	return rest
}

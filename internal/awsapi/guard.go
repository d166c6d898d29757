package awsapi

import (
	"bytes"
	"io"
	"net/http"
	"strconv"

	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/sigv4"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/restjson"
)

// guarded is the front end of butai's own pages, which are no AWS API.
var guarded = &service{
	ServiceModel: &wire.ServiceModel{Name: "butai", SigningName: "butai", Protocol: "rest-json"},
	profile: profile{
		protocol: restjson.Protocol{}, maxBody: 7 << 20, // a function's event, and more
		denied: wire.Error{Code: "AccessDeniedException", Status: http.StatusForbidden}, family: sigv4.REST,
	},
}

// Guard lets requests to next that carry the signature of someone who may do
// target, as the AWS APIs do; the service in the credential scope may be any.
// next finds the caller by wire.CallerFrom.
func (h *Handler) Guard(target wire.IAMTarget, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{handler: h, requestID: ident.UUID(), req: &wire.Request{Request: r}, svc: guarded, protocol: guarded.protocol}
		var caller *wire.Caller
		signature, err := sigv4.Parse(r)
		if err != nil {
			err = c.describe(err)
		} else if caller, err = c.authenticate(signature); err == nil {
			if denial := h.Authorizer.Authorize(r.Context(), caller, target); denial != "" {
				denied := guarded.denied
				denied.Message = denial
				err = &denied
			}
		}
		if err == nil {
			r.Body = io.NopCloser(bytes.NewReader(c.req.Body))
			next.ServeHTTP(w, r.WithContext(wire.WithCaller(r.Context(), caller)))
			return
		}
		res := c.fail(err)
		for name, values := range res.Header {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(res.Body)))
		w.WriteHeader(res.Status)
		_, _ = w.Write(res.Body) // a client that has gone away needs no answer
	})
}

package gateway

import (
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/gateway/vtl"
)

// authorizerSource is $context.authorizer: a Lambda authorizer's principal and
// context, or a token's claims.
type authorizerSource struct{ x *exchange }

// claimSource is $context.authorizer.claims.
type claimSource []contextEntry

var _, _ vtl.Source = authorizerSource{}, claimSource{}

func (s authorizerSource) Keys() []string {
	v := s.x.caller.verdict
	if v == nil {
		return nil
	}
	if v.claims != nil {
		return []string{"claims"}
	}
	return append(claimSource(v.context).Keys(), "principalId", "integrationLatency")
}

func (s authorizerSource) Lookup(name string) (vtl.Value, bool) {
	v := s.x.caller.verdict
	switch {
	case v == nil:
		return nil, false
	case v.claims != nil:
		return claimSource(v.claims), name == "claims"
	}
	switch name {
	case "principalId":
		return v.principalID, true
	case "integrationLatency":
		return s.x.caller.call.latency.Milliseconds(), true
	}
	return claimSource(v.context).Lookup(name)
}

func (s claimSource) Keys() []string {
	keys := make([]string, len(s))
	for i, e := range s {
		keys[i] = e.name
	}
	return keys
}

func (s claimSource) Lookup(name string) (vtl.Value, bool) {
	for _, e := range s {
		if e.name == name {
			if e.null {
				return nil, true
			}
			return e.text, true
		}
	}
	return nil, false
}

// accessVariable returns the access-log variables that tell how the caller was
// let in (developer guide, "Variables for access logging for API Gateway").
func (x *exchange) accessVariable(name string) (string, bool) {
	group, rest, _ := strings.Cut(name, ".")
	switch group {
	case "authorize":
		return x.caller.authorize.variable(rest)
	case "authenticate":
		return x.caller.authenticate.variable(rest)
	case "authorizer":
		return x.caller.call.variable(rest)
	}
	return "", false
}

func (a *attempt) variable(name string) (string, bool) {
	switch name {
	case "status":
		return strconv.Itoa(a.status), a.made
	case "error":
		return a.err, a.err != ""
	case "latency":
		return "0", a.made // decided in memory, below a millisecond
	}
	return "", false
}

func (c *authorizerCall) variable(name string) (string, bool) {
	switch name {
	case "status":
		return strconv.Itoa(c.status), c.made
	case "error":
		return c.err, c.err != ""
	case "latency", "integrationLatency":
		return milliseconds(c.latency), c.made
	case "integrationStatus":
		return strconv.Itoa(c.code), c.code != 0
	case "requestId":
		return c.requestID, c.requestID != ""
	}
	return "", false
}

package awsapi

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/wire"
)

// preflight answers what a browser asks before a request of a web page
// (recorded: the answers to those who don't say what they want).
func (c *call) preflight() *wire.Response {
	q := crossOrigin(c.req.Request)
	q.Method = c.req.Header.Get("Access-Control-Request-Method")
	if q.Origin == "" {
		return c.fail(wire.Errorf("BadRequest", "Insufficient information. Origin request header needed."))
	}
	pages, ok := c.svc.impl.(wire.CrossOriginPolicy)
	if !ok {
		return c.fail(wire.NotBuilt("requests of web pages to %s", c.svc.Name))
	}
	grant, err := pages.AllowOrigin(c.req.Context(), q)
	if err != nil {
		return c.fail(err)
	}
	res, err := c.protocol.Encode(c.svc.ServiceModel, &wire.Operation{Status: http.StatusOK}, nil, c.requestID)
	if err != nil {
		return c.fail(err)
	}
	return grantOrigin(res, q, grant)
}

// allowOrigin adds to an answer what lets a web page have it.
func (c *call) allowOrigin(res *wire.Response) *wire.Response {
	pages, ok := c.svc.impl.(wire.CrossOriginPolicy)
	if !ok || c.req.Header.Get("Origin") == "" {
		return res
	}
	q := crossOrigin(c.req.Request)
	grant, err := pages.AllowOrigin(c.req.Context(), q)
	if err != nil {
		return res // browsers alone are told, and those ask before
	}
	return grantOrigin(res, q, grant)
}

// crossOrigin reads what a request tells of the page that sends it. An
// Access-Control-Request-Headers counts on any request (recorded).
func crossOrigin(r *http.Request) *wire.CrossOrigin {
	q := &wire.CrossOrigin{Path: r.URL.Path, Origin: r.Header.Get("Origin"), Method: r.Method}
	for name := range strings.SplitSeq(r.Header.Get("Access-Control-Request-Headers"), ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			q.Headers = append(q.Headers, name)
		}
	}
	return q
}

// grantOrigin writes a grant into the headers that browsers look at (recorded:
// which, and when).
func grantOrigin(res *wire.Response, q *wire.CrossOrigin, grant *wire.OriginGrant) *wire.Response {
	set := func(name string, values ...string) {
		if len(values) > 0 {
			res.Header[name] = []string{strings.Join(values, ", ")}
		}
	}
	set("Access-Control-Allow-Origin", "*")
	if !grant.AnyOrigin {
		set("Access-Control-Allow-Origin", q.Origin)
		set("Access-Control-Allow-Credentials", "true")
	}
	set("Access-Control-Allow-Methods", grant.Methods...)
	set("Access-Control-Allow-Headers", grant.Headers...)
	set("Access-Control-Expose-Headers", grant.Expose...)
	if grant.MaxAge != nil {
		set("Access-Control-Max-Age", strconv.FormatInt(*grant.MaxAge, 10))
	}
	set("Vary", "Origin", "Access-Control-Request-Headers", "Access-Control-Request-Method")
	return res
}

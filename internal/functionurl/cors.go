package functionurl

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// CORS is a URL's setting for cross-origin requests: Lambda answers preflight
// requests by it, and adds its headers to every answer in place of the
// function's own.
type CORS struct {
	Origins, Methods, Headers, Expose []string
	Credentials                       bool
	MaxAge                            int64 // seconds
}

// preflight answers a preflight request; false if r is none, or c is nil.
func (c *CORS) preflight(h http.Header, r *http.Request) bool {
	if c == nil || r.Method != http.MethodOptions || r.Header.Get("Origin") == "" || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	if !c.decorate(h, r) {
		return true
	}
	if len(c.Methods) > 0 {
		h.Set("Access-Control-Allow-Methods", strings.Join(c.Methods, ","))
	}
	if len(c.Headers) > 0 {
		h.Set("Access-Control-Allow-Headers", strings.Join(c.Headers, ","))
	}
	if c.MaxAge > 0 {
		h.Set("Access-Control-Max-Age", strconv.FormatInt(c.MaxAge, 10))
	}
	return true
}

// decorate adds the headers that every answer to an allowed origin has.
func (c *CORS) decorate(h http.Header, r *http.Request) (allowed bool) {
	if c == nil {
		return false
	}
	origin := r.Header.Get("Origin")
	any := slices.Contains(c.Origins, "*")
	if origin == "" || !any && !slices.Contains(c.Origins, origin) {
		return false
	}
	if any && !c.Credentials {
		origin = "*"
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Vary", "Origin")
	if c.Credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(c.Expose) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(c.Expose, ","))
	}
	return true
}

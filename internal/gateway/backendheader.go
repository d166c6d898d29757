package gateway

import (
	"net/http"
	"strings"
)

// backendHeader makes the headers that an HTTP backend sees (recorded): for
// HTTP the mapped ones and a few of the gateway's own, for HTTP_PROXY the
// client's besides. An AWS service sees the same as an HTTP backend.
func (x *exchange) backendHeader() http.Header {
	h := make(http.Header, 16)
	if x.m.kind == typeHTTPProxy {
		for _, f := range x.headers() {
			switch strings.ToLower(f.name) {
			case "host", "content-encoding", "via", "x-amzn-trace-id":
			default:
				h[f.name] = f.values
			}
		}
	}
	for _, f := range x.outbound.header {
		if !droppedFromIntegration(x.m.kind, f.name) {
			setFold(h, f.name, f.values)
		}
	}
	if !x.m.kind.isProxy() { // of a client's own request nothing is made up (measured)
		setDefault(h, "Accept", applicationJSON)
	}
	setDefault(h, "User-Agent", "AmazonAPIGateway_"+x.st.apiID)
	if !bodyless(x.verb) { // of the client: a GET that becomes a POST has no type (recorded)
		contentType := one(x.r.Header, "Content-Type")
		if contentType == "" && !x.m.kind.isProxy() {
			contentType = applicationJSON
		}
		if contentType != "" {
			setDefault(h, "Content-Type", contentType)
		}
	}
	takeFold(h, "Connection") // is between the gateway and its backend
	if trailer := takeFold(h, "Trailer"); trailer != nil {
		h["trailer"] = trailer // net/http leaves it out in the usual spelling
	}
	if host := takeFold(h, "Host"); host != nil {
		h["Host"] = host
	}
	if agent := takeFold(h, "User-Agent"); agent != nil {
		h["User-Agent"] = agent // net/http knows it by this spelling only
	}
	setFold(h, "x-amzn-apigateway-api-id", []string{x.st.apiID}) // spelled so (measured)
	h["X-Amzn-Trace-Id"] = []string{x.trace.forRequest()}
	return h
}

// setDefault sets a header unless it is there in any spelling.
func setDefault(h http.Header, name, value string) {
	for key := range h {
		if strings.EqualFold(key, name) {
			return
		}
	}
	h[name] = []string{value}
}

// takeFold removes a header in any spelling and returns its values.
func takeFold(h http.Header, name string) []string {
	for key, values := range h {
		if strings.EqualFold(key, name) {
			delete(h, key)
			return values
		}
	}
	return nil
}

// checkHeader refuses what would end a header's line: values mapped from a
// body may hold anything. The words are Java's.
func checkHeader(h http.Header) *failure {
	for _, values := range h {
		for _, v := range values {
			if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
				return configurationError("Illegal character(s) in message header value: " + v)
			}
		}
	}
	return nil
}

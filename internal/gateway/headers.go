package gateway

import (
	"net/http"
	"net/textproto"
	"strings"
)

// field is a header with its name as the sender spelled it.
type field struct {
	name   string
	values []string
}

// fields is a list of headers in the order in which API Gateway lists them:
// by name, ignoring case.
type fields []field

// get returns the values of a name: in this spelling or else, since net/http
// does not keep how a client spelled it, in any.
func (f fields) get(name string) []string {
	var folded []string
	for i := range f {
		if f[i].name == name {
			return f[i].values
		}
		if folded == nil && strings.EqualFold(f[i].name, name) {
			folded = f[i].values
		}
	}
	return folded
}

// exact returns the values of a name in this spelling, as query strings are
// looked up.
func (f fields) exact(name string) []string {
	for i := range f {
		if f[i].name == name {
			return f[i].values
		}
	}
	return nil
}

// set replaces or adds a header.
func (f *fields) set(name string, values []string) {
	for i := range *f {
		if strings.EqualFold((*f)[i].name, name) {
			(*f)[i] = field{name, values}
			return
		}
	}
	*f = append(*f, field{name, values})
}

// setExact replaces or adds an entry whose name counts in this spelling.
func (f *fields) setExact(name string, values []string) {
	for i := range *f {
		if (*f)[i].name == name {
			(*f)[i].values = values
			return
		}
	}
	*f = append(*f, field{name, values})
}

// one returns the last value of a request header, or "".
func one(h http.Header, name string) string {
	values := h[name]
	if values == nil {
		for key := range h {
			if strings.EqualFold(key, name) {
				values = h[key]
				break
			}
		}
	}
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// droppedFromRequest lists the client's headers that nothing behind the front
// door sees (developer guide, "Amazon API Gateway important notes").
func droppedFromRequest(name string, values []string) bool {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Connection", "Content-Length", "Content-Md5", "Expect", "Max-Forwards", "Proxy-Authenticate",
		"Server", "Te", "Transfer-Encoding", "Trailer", "Upgrade", "Www-Authenticate", "Host",
		"X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto", "X-Amzn-Trace-Id":
		// The last five are set anew from what the gateway knows.
		return true
	case "Authorization":
		return len(values) > 0 && strings.HasPrefix(values[0], "AWS4-HMAC-SHA256")
	}
	return false
}

// clientSpelling restores how the client spelled a header's name. HTTP/2 has
// lower-case names only, and three names are always in title case (measured).
func clientSpelling(name string, http2 bool) string {
	canonical := textproto.CanonicalMIMEHeaderKey(name)
	switch canonical {
	case "Authorization", "User-Agent":
		return canonical
	}
	if http2 {
		return strings.ToLower(name)
	}
	return name
}

// illegalRequestHeader lists what must not be mapped to, whatever the type;
// for AWS and AWS_PROXY there is more (recorded; developer guide, "Amazon API
// Gateway important notes").
func illegalRequestHeader(kind integrationType, name string) bool {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Content-Length", "Transfer-Encoding", "X-Amzn-Trace-Id", "X-Amzn-Apigateway-Api-Id":
		return true
	case "Authorization", "Connection", "Expect", "Proxy-Authenticate", "Te":
		return kind == typeAWS || kind == typeAWSProxy
	}
	return false
}

// droppedFromIntegration lists the headers that may be mapped to and yet do
// not reach the backend (recorded).
func droppedFromIntegration(kind integrationType, name string) bool {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Expect", "Proxy-Authenticate", "Te":
		return true
	case "Via":
		return kind.isHTTP()
	case "Referer":
		return kind == typeAWS
	}
	return false
}

// remapped returns the name under which an integration's header reaches the
// client, or "" if it does not (recorded; developer guide, "Amazon API
// Gateway important notes").
func remapped(kind integrationType, name string) string {
	const prefix = "x-amzn-Remapped-"
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Transfer-Encoding":
		return ""
	case "Content-Encoding", "Via":
		if kind == typeHTTPProxy {
			return ""
		}
	case "Connection", "Content-Length", "Date", "Server", "X-Amz-Apigw-Id":
		return prefix + name
	case "X-Amzn-Requestid":
		if kind == typeHTTPProxy {
			return prefix + "x-amzn-RequestId" // spelled so whatever the backend writes (recorded)
		}
		return prefix + name
	case "X-Amzn-Trace-Id":
		if kind != typeHTTPProxy { // answers of HTTP_PROXY have no other one
			return prefix + name
		}
	case "Authorization", "Content-Md5", "Expect", "Host", "Max-Forwards", "Proxy-Authenticate",
		"Trailer", "Upgrade", "User-Agent", "Www-Authenticate":
		if kind == typeAWS || kind == typeHTTP {
			return prefix + name
		}
	}
	return name
}

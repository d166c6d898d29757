package gateway

import (
	"io"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/gateway/vtl"
	"github.com/butai-dev/butai/internal/tlsname"
)

// maxPayload is the largest payload in bytes (developer guide, "Quotas for
// configuring and running a REST API").
const maxPayload = 10 << 20

// readBody takes in the request's payload.
func (x *exchange) readBody() *failure {
	x.at("read body")
	r := x.r
	switch {
	case r.ContentLength == 0 || r.Body == nil:
		return nil
	case r.ContentLength > maxPayload:
		return requestTooLarge()
	case r.ContentLength > 0:
		x.body = make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, x.body); err != nil {
			return badRequestBody("Invalid request body")
		}
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxPayload+1))
	if err != nil {
		return badRequestBody("Invalid request body")
	}
	if len(body) > maxPayload {
		return requestTooLarge()
	}
	x.body = body
	return nil
}

// maxDiscard bounds what is read of a payload that nobody wants.
const maxDiscard = 64 << 20

// discardBody takes in what a refused request still sends: closing the
// connection under a client that is writing would cost it the answer. Who
// waits for a 100 before sending needs none of that.
func (x *exchange) discardBody() {
	if x.r.Body != nil && one(x.r.Header, "Expect") == "" {
		_, _ = io.CopyN(io.Discard, x.r.Body, maxDiscard) // the answer is the same, however it ends
	}
}

// headers are the request's headers as everything behind the front door sees
// them.
func (x *exchange) headers() fields {
	if x.header != nil {
		return x.header
	}
	h := make(fields, 0, len(x.r.Header)+5)
	for name, values := range x.r.Header {
		if !droppedFromRequest(name, values) {
			h = append(h, field{clientSpelling(name, x.r.ProtoMajor == 2), values})
		}
	}
	h = append(h,
		field{"Host", []string{x.r.Host}},
		field{"X-Forwarded-For", []string{forwardedFor(one(x.r.Header, "X-Forwarded-For"), x.sourceIP())}})
	if endpoint := x.target.VPCEndpoint; endpoint != "" {
		h = append(h, x.endpointFields(endpoint)...)
	} else {
		proto, port := x.listener()
		h = append(h,
			field{"X-Amzn-Trace-Id", []string{x.trace.forRequest()}},
			field{"X-Forwarded-Port", []string{port}},
			field{"X-Forwarded-Proto", []string{proto}})
	}
	slices.SortFunc(h, func(a, b field) int { return compareFold(a.name, b.name) })
	x.header = h
	return h
}

// listener is the protocol that the client speaks, and the port it came to.
func (x *exchange) listener() (proto, port string) {
	proto, port = "http", "80"
	if x.r.TLS != nil {
		proto, port = "https", "443"
	}
	if addr, ok := x.r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if _, p, err := net.SplitHostPort(addr.String()); err == nil {
			port = p
		}
	}
	return proto, port
}

// endpointFields are what a VPC endpoint adds instead (measured): there is no
// VPC here whose id it could add too.
func (x *exchange) endpointFields(endpoint string) fields {
	h := fields{{"x-amzn-vpce-config", []string{"1"}}, {"x-amzn-vpce-id", []string{endpoint}}}
	if c := x.r.TLS; c != nil {
		h = append(h, field{"x-amzn-tls-version", []string{tlsname.Version(c.Version)}},
			field{"x-amzn-cipher-suite", []string{tlsname.Suite(c.CipherSuite)}})
	}
	return h
}

func forwardedFor(earlier, client string) string {
	if earlier == "" {
		return client
	}
	return earlier + ", " + client
}

// compareFold orders ASCII names, ignoring case.
func compareFold(a, b string) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		if x, y := lower(a[i]), lower(b[i]); x != y {
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// sourceIP is the address of the client's end of the connection.
func (x *exchange) sourceIP() string {
	host, _, err := net.SplitHostPort(x.r.RemoteAddr)
	if err != nil {
		return x.r.RemoteAddr
	}
	return host
}

// query is the decoded query string, names in the order of their first
// appearance.
func (x *exchange) query() fields {
	if !x.queryRead {
		x.queryRead = true
		x.queryString = parseQuery(x.r.URL.RawQuery)
	}
	return x.queryString
}

// parseQuery decodes form style: + is a space. It never fails; a bad escape
// stays as it is. Semicolons separate too (developer guide, "Amazon API
// Gateway important notes").
func parseQuery(raw string) fields {
	var f fields
	for raw != "" {
		var pair string
		if i := strings.IndexAny(raw, "&;"); i >= 0 {
			pair, raw = raw[:i], raw[i+1:]
		} else {
			pair, raw = raw, ""
		}
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		key, value = unescapeQuery(key), unescapeQuery(value)
		if i := slices.IndexFunc(f, func(e field) bool { return e.name == key }); i >= 0 {
			f[i].values = append(f[i].values, value)
			continue
		}
		f = append(f, field{key, []string{value}})
	}
	return f
}

func unescapeQuery(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			b = append(b, ' ')
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			b = append(b, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= lower(c) && lower(c) <= 'f'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return lower(c) - 'a' + 10
}

// pathParam returns a path variable's value, as sent.
func (x *exchange) pathParam(name string) (string, bool) {
	for _, p := range x.params {
		if p.Name == name {
			return p.Value, true
		}
	}
	return "", false
}

// The three groups of $input.params(), looked up in the exchange only when a
// template asks.
type (
	pathSource   struct{ x *exchange }
	querySource  struct{ x *exchange }
	headerSource struct{ x *exchange }
)

var _, _, _ vtl.TextSource = pathSource{}, querySource{}, headerSource{}

func (s pathSource) Text(name string) (string, bool) { return s.x.pathParam(name) }

func (s pathSource) Lookup(name string) (vtl.Value, bool) {
	v, ok := s.x.pathParam(name)
	return v, ok
}

func (s pathSource) Keys() []string {
	keys := make([]string, len(s.x.params))
	for i, p := range s.x.params {
		keys[i] = p.Name
	}
	return keys
}

func (s querySource) Text(name string) (string, bool)      { return lastOf(s.x.query().exact(name)) }
func (s querySource) Lookup(name string) (vtl.Value, bool) { return lastValue(s.x.query().exact(name)) }
func (s querySource) Keys() []string                       { return s.x.query().names() }

func (s headerSource) Text(name string) (string, bool) {
	return lastOf(s.x.headers().get(name))
}

func (s headerSource) Lookup(name string) (vtl.Value, bool) {
	return lastValue(s.x.headers().get(name))
}
func (s headerSource) Keys() []string { return s.x.headers().names() }

func lastOf(values []string) (string, bool) {
	if len(values) == 0 {
		return "", false
	}
	return values[len(values)-1], true
}

func lastValue(values []string) (vtl.Value, bool) {
	if v, ok := lastOf(values); ok {
		return v, true
	}
	return nil, false
}

func (f fields) names() []string {
	names := make([]string, len(f))
	for i := range f {
		names[i] = f[i].name
	}
	return names
}

package gateway

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// httpTarget is the backend of an HTTP or HTTP_PROXY integration.
type httpTarget struct {
	address uriTemplate
	verb    string // "" is the client's
	// transport is nil for a VPC link, whose address is not known.
	transport *http.Transport
	scheme    string // of a VPC link's target; "" is the address's own
}

// compileHTTP resolves the integration's URI and connection with the stage's
// variables.
func compileHTTP(st *stage, integration *apigatewayapi.Integration) (httpTarget, *failure) {
	t := httpTarget{
		address: parseURI(interpolate(wire.Val(integration.Uri), st.variables)),
		verb:    integrationVerb(integration),
	}
	kind := backendKind{certificate: st.certificateID}
	if integration.TlsConfig != nil {
		kind.skipVerify = wire.Val(integration.TlsConfig.InsecureSkipVerification)
	}
	if wire.Val(integration.ConnectionType) == apigatewayapi.ConnectionTypeVPCLINK {
		link, fail := st.vpcLink(interpolate(wire.Val(integration.ConnectionId), st.variables), interpolate(wire.Val(integration.IntegrationTarget), st.variables))
		if fail != nil {
			return t, fail
		}
		kind.link, t.scheme = linkAddress(link), link.Scheme
	}
	t.transport = st.backends.transport(kind, st.certificate)
	return t, nil
}

// integrationVerb is the verb to call a backend with; "" is the client's,
// which ANY stands for.
func integrationVerb(integration *apigatewayapi.Integration) string {
	verb := strings.ToUpper(wire.Val(integration.HttpMethod))
	if verb == "ANY" {
		return ""
	}
	return verb
}

// bodyless lists the verbs whose integration requests carry no body (recorded).
func bodyless(verb string) bool {
	return verb == http.MethodGet || verb == http.MethodHead || verb == http.MethodOptions
}

// callHTTP sends the integration request to an HTTP backend.
func (x *exchange) callHTTP() *failure {
	req, body, fail := x.httpRequest()
	if fail != nil {
		return fail
	}
	x.outbound.sent, x.inbound.url = req.Header, req.URL.String()
	x.log.endpointRequest(x, body)
	x.noteSent(body)
	if x.m.streams {
		return x.streamBackend(req)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.r.Context()), x.m.timeout)
	defer cancel()
	begun := time.Now()
	fail = x.roundTrip(x.m.http.transport, req.WithContext(ctx))
	x.inbound.called, x.inbound.latency = true, time.Since(begun)
	if fail != nil {
		return fail
	}
	x.inbound.selector = strconv.Itoa(x.inbound.status)
	x.log.endpointResponse(x)
	return nil
}

// httpRequest makes the request to an HTTP backend, and its body.
func (x *exchange) httpRequest() (*http.Request, []byte, *failure) {
	t := &x.m.http
	u, fail := parseEndpoint(t.address.fill(x.outbound.path))
	if fail != nil {
		return nil, nil, fail
	}
	req := &http.Request{Method: cmp.Or(t.verb, x.verb), URL: u, Host: u.Host, Header: x.backendHeader(), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	if fail := checkHeader(req.Header); fail != nil {
		return nil, nil, fail
	}
	if t.scheme != "" {
		u.Scheme = t.scheme
	}
	if host := last(req.Header["Host"]); host != nil {
		req.Host = host[0]
		delete(req.Header, "Host")
	}
	query, body := x.outbound.query, x.outbound.body
	if x.m.kind == typeHTTPProxy {
		query = mergeQuery(x.query(), query)
		if body, fail = x.convertedBody(); fail != nil {
			return nil, nil, fail
		}
	}
	u.RawQuery = encodeQuery(u.RawQuery, query)
	if bodyless(req.Method) {
		body = nil
	}
	if len(body) > 0 {
		req.ContentLength = int64(len(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		req.Body, _ = req.GetBody() // never fails
	}
	return req, body, nil
}

// mergeQuery appends mapped parameters to the client's: HTTP_PROXY keeps both
// (recorded).
func mergeQuery(client, mapped fields) fields {
	if len(mapped) == 0 {
		return client
	}
	out := append(make(fields, 0, len(client)+len(mapped)), client...)
next:
	for _, p := range mapped {
		for i := range out {
			if out[i].name == p.name {
				out[i].values = append(append(make([]string, 0, len(out[i].values)+1), out[i].values...), p.values...)
				continue next
			}
		}
		out = append(out, p)
	}
	return out
}

// convertedBody is the client's body as a proxy integration passes it on.
func (x *exchange) convertedBody() ([]byte, *failure) {
	body, _, err := x.m.content.forRequest(x.body, len(x.body) > 0 && x.st.binary.match(one(x.r.Header, "Content-Type")))
	if err != nil {
		return nil, configurationError("Unable to transform request")
	}
	return body, nil
}

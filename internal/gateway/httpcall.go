package gateway

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

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
		link, fail := st.vpcLink(interpolate(wire.Val(integration.ConnectionId), st.variables))
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
	t := &x.m.http
	verb := t.verb
	if verb == "" {
		verb = x.verb
	}
	u, fail := parseEndpoint(t.address.fill(x.outbound.path))
	if fail != nil {
		return fail
	}
	host := u.Host
	if t.scheme != "" {
		u.Scheme = t.scheme
	}
	body := x.outbound.body
	if x.m.kind == typeHTTPProxy {
		u.RawQuery = encodeQuery(u.RawQuery, mergeQuery(x.query(), x.outbound.query))
		if body, fail = x.convertedBody(); fail != nil {
			return fail
		}
	} else {
		u.RawQuery = encodeQuery(u.RawQuery, x.outbound.query)
	}
	if bodyless(verb) {
		body = nil
	}
	header := x.backendHeader()
	if h := header["Host"]; len(h) > 0 {
		host = h[len(h)-1]
		delete(header, "Host")
	}
	x.outbound.sent, x.inbound.url = header, u.String()
	x.log.endpointRequest(x, body)
	x.noteSent(body)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.r.Context()), x.m.timeout)
	defer cancel()
	req := (&http.Request{
		Method: verb, URL: u, Host: host, Header: header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if len(body) > 0 {
		req.ContentLength = int64(len(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		req.Body, _ = req.GetBody() // never fails
	}
	begun := time.Now()
	fail = x.roundTrip(t.transport, req)
	x.inbound.called, x.inbound.latency = true, time.Since(begun)
	if fail != nil {
		return fail
	}
	x.inbound.selector = strconv.Itoa(x.inbound.status)
	x.log.endpointResponse(x)
	return nil
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
	setDefault(h, "Accept", applicationJSON)
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
	h["X-Amzn-Apigateway-Api-Id"] = []string{x.st.apiID}
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

// roundTrip makes the call and takes in the answer.
func (x *exchange) roundTrip(t http.RoundTripper, req *http.Request) *failure {
	res, err := t.RoundTrip(req)
	if err != nil {
		return backendFailure(req.URL, err)
	}
	defer func() { _ = res.Body.Close() }() // what matters of it has been read
	x.inbound.status, x.inbound.header = res.StatusCode, res.Header
	body, err := io.ReadAll(io.LimitReader(res.Body, maxPayload+1))
	if err != nil {
		return backendFailure(req.URL, err)
	}
	if body, err = inflate(body, one(res.Header, "Content-Encoding")); err != nil || len(body) > maxPayload {
		return responseTooLarge()
	}
	x.inbound.body = body
	return nil
}

// inflate decodes a backend's body. A body that isn't what its header says
// stays as it is; only one of more than a payload's size is an error.
func inflate(body []byte, encoding string) ([]byte, error) {
	var r io.Reader
	var err error
	switch strings.ToLower(encoding) {
	case "gzip", "x-gzip":
		r, err = gzip.NewReader(bytes.NewReader(body))
	case "deflate":
		r, err = zlib.NewReader(bytes.NewReader(body))
	default:
		return body, nil
	}
	if err != nil {
		return body, nil
	}
	out, err := io.ReadAll(io.LimitReader(r, maxPayload+1))
	switch {
	case err != nil:
		return body, nil
	case len(out) > maxPayload:
		return nil, io.ErrShortBuffer
	}
	return out, nil
}

// backendFailure words why a backend could not be reached, in API Gateway's
// terms as its execution logs show them. Their causes are worded by Java.
func backendFailure(u *url.URL, err error) *failure {
	var timeout net.Error
	var unknown *net.DNSError
	var wrongName x509.HostnameError
	var untrusted x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return integrationTimeout()
	case errors.As(err, &unknown):
		return configurationError("Invalid endpoint address")
	case errors.As(err, &wrongName):
		return configurationError("Host name '" + u.Hostname() + "' does not match the certificate subject provided by the peer (" +
			wrongName.Certificate.Subject.String() + ")")
	case errors.As(err, &untrusted):
		return configurationError("PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: " +
			"unable to find valid certification path to requested target")
	case errors.As(err, &invalid):
		return configurationError("PKIX path validation failed: java.security.cert.CertPathValidatorException: validity check failed")
	}
	return networkError()
}

// answerProxied passes an HTTP_PROXY backend's answer on.
func (x *exchange) answerProxied() *failure {
	x.answer.status = x.inbound.status
	x.answer.header = make(http.Header, len(x.inbound.header)+4)
	for name, values := range x.inbound.header {
		x.setHeader(name, values)
	}
	body := x.inbound.body
	isBinary := len(x.st.binary) > 0 && x.st.binary.match(one(x.inbound.header, "Content-Type"))
	switch {
	case isBinary && !x.wantsBinary():
		body = encodeBase64(body)
	case !isBinary && !utf8.Valid(body):
		body = bytes.ToValidUTF8(body, replacement)
	}
	x.answer.body = body
	return nil
}

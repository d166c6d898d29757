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
	"strings"
	"unicode/utf8"
)

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

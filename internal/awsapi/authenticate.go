package awsapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/butai-dev/butai/internal/sigv4"
	"github.com/butai-dev/butai/internal/wire"
)

// authenticate verifies the request's signature, reads the body and finds out who
// calls. A key that butai issued must verify. A key it didn't issue can't be
// verified: it acts as the root user of the account that it spells, if it is
// 12 digits, unless credentials are strict or the request is suspect.
func (c *call) authenticate(signature *sigv4.Signature) (*wire.Caller, error) {
	r := c.req.Request
	var err error
	who, trusted := c.handler.signers.holder(r, signature.AccessKeyID)
	if trusted {
		err = c.readBody(sigv4.UnverifiedBody(r))
	} else {
		err = c.verify(signature)
	}
	if err != nil {
		return nil, c.describe(err)
	}
	caller := c.handler.signers.caller(r, &signature.Scope, who, c.svc.SigningName)
	caller.RequestID, caller.Trace = c.requestID, r.Header.Get("X-Amzn-Trace-Id")
	return caller, nil
}

// verify checks the signature and leaves the body in c.req.Body. S3 declares
// the body's hash in a header, so there the signature comes first.
func (c *call) verify(signature *sigv4.Signature) error {
	r, now := c.req.Request, c.handler.Clock.Now()
	if c.svc.Name == "s3" {
		_, body, err := c.handler.signers.verifier.VerifyStream(r, signature, now)
		if err != nil {
			return err
		}
		return c.readBody(body)
	}
	if err := c.readBody(r.Body); err != nil {
		return err
	}
	_, err := c.handler.signers.verifier.VerifyParsed(r, signature, c.req.Body, now)
	return err
}

// maxPrepared is how much space a request gets for what it says it will send.
const maxPrepared = 1 << 20

var errShortBody = wire.Errorf("IncompleteBody", "The request's body ended early.")

// readBody buffers the request's body within the service's limit.
func (c *call) readBody(from io.Reader) error {
	if n := c.req.ContentLength; from == c.req.Request.Body && 0 <= n && n <= min(maxPrepared, c.svc.maxBody) {
		c.req.Body = make([]byte, n)
		if _, err := io.ReadFull(from, c.req.Body); err != nil {
			return errShortBody
		}
		_ = c.req.Request.Body.Close() // or net/http looks whether there is more
		return nil
	}
	limited := &io.LimitedReader{R: from, N: c.svc.maxBody + 1}
	space := bytes.NewBuffer(make([]byte, 0, min(max(c.req.ContentLength, 0), maxPrepared)+bytes.MinRead))
	_, err := space.ReadFrom(limited)
	var refused *sigv4.Error
	switch {
	case errors.As(err, &refused):
		return refused
	case err != nil:
		return errShortBody
	case int64(space.Len()) > c.svc.maxBody:
		return &wire.Error{Code: "RequestEntityTooLargeException", Status: http.StatusRequestEntityTooLarge,
			Message: fmt.Sprintf("Request must be smaller than %d bytes", c.svc.maxBody)}
	}
	c.req.Body = space.Bytes()
	if chunked, ok := from.(*sigv4.ChunkedBody); ok {
		// Checksums of streamed uploads come behind the body.
		for name, values := range chunked.Trailer() {
			c.req.Header[name] = values
		}
	}
	return nil
}

// describe words a refused signature for the service's protocol.
func (c *call) describe(err error) error {
	var refused *sigv4.Error
	if !errors.As(err, &refused) {
		return err
	}
	d := refused.Describe(c.svc.family)
	return &wire.Error{Code: d.Code, Status: d.Status, Message: d.Message}
}

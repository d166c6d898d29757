package awsapi

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/butai-dev/butai/internal/sigv4"
	"github.com/butai-dev/butai/internal/wire"
)

// Keys looks up access keys that IAM or STS issued.
type Keys interface {
	// Lookup returns nil for a key that butai didn't issue.
	Lookup(accessKeyID string) *wire.Principal
}

// UseRecorder is implemented by Keys that remember when a key was used.
type UseRecorder interface {
	Used(accessKeyID, service, region string)
}

const (
	defaultAccount = "000000000000"
	defaultRegion  = "us-east-1"
)

// lookup is what the signature verifier knows of a key.
func (h *Handler) lookup(accessKeyID, token string) (string, sigv4.KeyStatus) {
	who := h.Keys.Lookup(accessKeyID)
	switch {
	case who == nil || who.Disabled || who.Token != token:
		return "", sigv4.KeyUnknown
	case !who.Expires.IsZero() && h.Clock.Now().After(who.Expires):
		return "", sigv4.KeyExpired
	}
	return who.Secret, sigv4.KeyValid
}

// authenticate verifies the signature, reads the body and finds out who
// calls. A key that butai issued must verify. A key it didn't issue can't be
// verified: it acts as the root user of the account that it spells, if it is
// 12 digits, unless credentials are strict or the request is suspect.
func (c *call) authenticate() (*wire.Caller, error) {
	r := c.req.Request
	signature, err := sigv4.Parse(r)
	if err != nil {
		return nil, c.describe(err)
	}
	who := c.handler.Keys.Lookup(signature.AccessKeyID)
	if who == nil && !c.handler.strict(r) {
		who = root(signature.AccessKeyID)
		err = c.readBody(sigv4.UnverifiedBody(r))
	} else {
		err = c.verify()
	}
	if err != nil {
		return nil, c.describe(err)
	}
	if keys, ok := c.handler.Keys.(UseRecorder); ok {
		keys.Used(signature.AccessKeyID, c.svc.SigningName, signature.Region)
	}
	return &wire.Caller{
		Account: who.Account, Region: regionOf(signature.Region), Partition: "aws", ARN: who.ARN, UserID: who.UserID, UserName: who.UserName,
		AccessKeyID: signature.AccessKeyID, SourceIP: sourceIP(r), UserAgent: r.UserAgent(), RequestID: c.requestID,
		Endpoint: endpoint(r), Secure: r.TLS != nil,
	}, nil
}

// strict tells whether a request needs a key that butai issued.
func (h *Handler) strict(r *http.Request) bool {
	return h.StrictCredentials || h.Suspect != nil && h.Suspect(r)
}

// verify checks the signature and leaves the body in c.req.Body. S3 declares
// the body's hash in a header, so there the signature comes first.
func (c *call) verify() error {
	r, now := c.req.Request, c.handler.Clock.Now()
	if c.svc.Name == "s3" {
		_, body, err := c.handler.verifier.VerifyStream(r, now)
		if err != nil {
			return err
		}
		return c.readBody(body)
	}
	if err := c.readBody(r.Body); err != nil {
		return err
	}
	_, err := c.handler.verifier.Verify(r, c.req.Body, now)
	return err
}

// readBody buffers the request's body within the service's limit.
func (c *call) readBody(from io.Reader) error {
	limited := &io.LimitedReader{R: from, N: c.svc.maxBody + 1}
	body, err := io.ReadAll(limited)
	var refused *sigv4.Error
	switch {
	case errors.As(err, &refused):
		return refused
	case err != nil:
		return wire.Errorf("IncompleteBody", "The request's body ended early.")
	case int64(len(body)) > c.svc.maxBody:
		return &wire.Error{Code: "RequestEntityTooLargeException", Status: http.StatusRequestEntityTooLarge,
			Message: fmt.Sprintf("Request must be smaller than %d bytes", c.svc.maxBody)}
	}
	c.req.Body = body
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

func root(accessKeyID string) *wire.Principal {
	account := defaultAccount
	if len(accessKeyID) == 12 && strings.Trim(accessKeyID, "0123456789") == "" {
		account = accessKeyID
	}
	return &wire.Principal{Account: account, ARN: "arn:aws:iam::" + account + ":root", UserID: account}
}

// regionOf is the region of a credential scope; global services are signed
// for us-east-1 or aws-global.
func regionOf(scope string) string {
	if scope == "" || scope == "aws-global" {
		return defaultRegion
	}
	return scope
}

func endpoint(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

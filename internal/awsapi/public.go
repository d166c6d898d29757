package awsapi

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/butai-dev/butai/internal/sigv4"
	"github.com/butai-dev/butai/internal/wire"
)

// S3 serves those who send no signature, as far as policies of buckets let them.

// runS3 is the road of a request to S3.
func (c *call) runS3(signature *sigv4.Signature, unsigned error) *wire.Response {
	var err error
	switch {
	case c.req.Method == http.MethodOptions:
		unhost(c.req.Request)
		return c.preflight()
	case unsigned == nil:
		c.caller, err = c.authenticate(signature)
	case signsNothing(c.req.Request):
		c.caller, err = c.anonymous()
	default:
		err = c.describe(unsigned)
	}
	unhost(c.req.Request) // which the signature doesn't cover
	if err != nil {
		return c.allowOrigin(c.fail(err))
	}
	return c.allowOrigin(c.serve())
}

// signsNothing reports whether a request doesn't even try to have a signature.
func signsNothing(r *http.Request) bool {
	query := r.URL.Query()
	return r.Header.Get("Authorization") == "" && !query.Has("X-Amz-Algorithm") && !query.Has("X-Amz-Credential") && !signedV2(r)
}

// public finds the service that a request without a signature is for: S3, if
// its host is S3's own of a bucket, or names one that there is, as its path may
// too; nil otherwise.
func (h *Handler) public(r *http.Request) *service {
	s := h.byName["s3"]
	if s == nil || !signsNothing(r) || r.Header.Get("X-Amz-Target") != "" {
		return nil
	}
	bucket := bucketOfHost(r.Host)
	if bucket != "" && strings.Contains(r.Host, "amazonaws.com") {
		return s
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if holder, ok := s.impl.(wire.PublicService); ok && holder.Holds(r.Context(), cmp.Or(bucket, first)) {
		return s
	}
	return nil
}

// anonymous is the caller of a request without a signature, whose body it reads.
func (c *call) anonymous() (*wire.Caller, error) {
	r := c.req.Request
	if err := c.readBody(sigv4.UnverifiedBody(r)); err != nil {
		return nil, c.describe(err)
	}
	return &wire.Caller{
		Region: defaultRegion, Partition: "aws", SourceIP: sourceIP(r), UserAgent: r.UserAgent(),
		Endpoint: endpoint(r), Secure: r.TLS != nil, TLSVersion: tlsVersion(r), RequestID: c.requestID,
	}, nil
}

package sigv4

import (
	"io"
	"net/http"
)

// UnverifiedBody returns the body of a request whose key is unknown, for a
// server that lets such callers in: aws-chunked forms are decoded, a declared
// hash is compared, signatures of chunks are not.
func UnverifiedBody(r *http.Request) io.ReadCloser {
	declared := r.Header.Get("X-Amz-Content-Sha256")
	if declared == "" {
		declared = unsignedPayload
	}
	body := checkedBody(r, &Signature{}, nil, declared)
	if chunked, ok := body.(*ChunkedBody); ok {
		chunked.signed = false
	}
	return body
}

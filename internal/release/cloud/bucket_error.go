package cloud

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
)

// bucketError is an answer of S3 that isn't a success.
type bucketError struct {
	Code    string
	Message string
	status  int
}

var _ smithy.APIError = (*bucketError)(nil)

// readBucketError reads S3's XML. An answer to HEAD has none; its status is
// all that it says.
func readBucketError(res *http.Response, data []byte) error {
	e := &bucketError{status: res.StatusCode}
	if len(data) == 0 || xml.Unmarshal(data, e) != nil || e.Code == "" {
		e.Code = strings.ReplaceAll(http.StatusText(res.StatusCode), " ", "")
	}
	return e
}

func (e *bucketError) Error() string {
	return fmt.Sprintf("S3: %d %s: %s", e.status, e.Code, e.Message)
}
func (e *bucketError) ErrorCode() string    { return e.Code }
func (e *bucketError) ErrorMessage() string { return e.Message }

// ErrorFault implements smithy.APIError.
func (e *bucketError) ErrorFault() smithy.ErrorFault {
	if e.status >= http.StatusInternalServerError {
		return smithy.FaultServer
	}
	return smithy.FaultClient
}

// HTTPStatusCode lets the SDK's retryer see what may be tried again.
func (e *bucketError) HTTPStatusCode() int { return e.status }

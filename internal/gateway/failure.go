package gateway

import (
	"net/http"

	"github.com/butai-dev/butai/internal/gateway/value"
)

// failure is an answer that the gateway makes itself. What the client sees
// and why it happened, which only the execution log tells, are kept apart.
type failure struct {
	status    int
	kind      string // gateway response type (developer guide, "Gateway response types"), or ""
	errorType string // x-amzn-ErrorType
	message   string
	detail    string // what $context.error.validationErrorString says
	// front marks the answers of the front door (routing, authorization,
	// throttling). Two components of API Gateway write errors: the front door
	// puts no space behind the colon and sends no trace id, execution does both.
	front bool
	// plain marks the one answer that is a sentence and no JSON.
	plain bool
	// noTrace is how the 500 for an illegal header mapping differs from the
	// other ones (recorded).
	noTrace bool
	// capital spells the body's member Message, null leaves it without a text:
	// so do the answers of authorization.
	capital, null bool
	// cause are the lines for the execution log.
	cause []string
	// fix is one plain sentence that says what to do about it, for `butai
	// trace`; "" leaves it to advice.
	fix string
}

func (f *failure) Error() string { return f.kind + ": " + f.message }

// body is the default body, byte for byte.
func (f *failure) body() []byte {
	if f.plain {
		return []byte(f.message)
	}
	b := []byte(`{"message": `)
	if f.capital {
		b[2] = 'M'
	}
	if f.front {
		b = b[:len(b)-1]
	}
	return append(f.appendMessage(b), '}')
}

// appendMessage appends the message as JSON.
func (f *failure) appendMessage(b []byte) []byte {
	if f.null {
		return append(b, "null"...)
	}
	return value.AppendQuoted(b, f.message)
}

// because returns f with the lines that the execution log gets.
func (f *failure) because(lines ...string) *failure {
	f.cause = append(f.cause, lines...)
	return f
}

// fixedBy returns f with the sentence that says what to do about it. It names
// the command that helps, if one does.
func (f *failure) fixedBy(sentence string) *failure {
	f.fix = sentence
	return f
}

func forbidden() *failure {
	return &failure{status: http.StatusForbidden, kind: "ACCESS_DENIED", errorType: "ForbiddenException", message: "Forbidden", front: true}
}

func missingAuthenticationToken() *failure {
	return &failure{status: http.StatusForbidden, kind: "MISSING_AUTHENTICATION_TOKEN",
		errorType: "MissingAuthenticationTokenException", message: "Missing Authentication Token", front: true}
}

func invalidAPIKey() *failure {
	return &failure{status: http.StatusForbidden, kind: "INVALID_API_KEY", errorType: "ForbiddenException", message: "Forbidden", front: true}
}

// limitExceeded is the answer to requests that a usage plan's quota no longer
// covers.
func limitExceeded() *failure {
	return &failure{status: http.StatusTooManyRequests, kind: "QUOTA_EXCEEDED", errorType: "LimitExceededException", message: "Limit Exceeded", front: true}
}

func tooManyRequests() *failure {
	return &failure{status: http.StatusTooManyRequests, kind: "THROTTLED", errorType: "TooManyRequestsException", message: "Too Many Requests", front: true}
}

// requestTooLarge has the text of the developer guide's table of gateway
// response types.
func requestTooLarge() *failure {
	return &failure{status: http.StatusRequestEntityTooLarge, kind: "REQUEST_TOO_LARGE",
		errorType: "RequestTooLargeException", message: "HTTP content length exceeded 10485760 bytes.", front: true}
}

// cacheControlForbidden is the answer to a client who may not invalidate the
// cache, where the method's settings ask for it (API Reference,
// "MethodSetting", FAIL_WITH_403).
func cacheControlForbidden() *failure {
	return (&failure{status: http.StatusForbidden, kind: "ACCESS_DENIED", errorType: "AccessDeniedException", message: "Unauthorized", front: true}).
		because("Unauthorized cache control header")
}

func badRequestParameters(message string) *failure {
	return &failure{status: http.StatusBadRequest, kind: "BAD_REQUEST_PARAMETERS", errorType: "BadRequestException", message: message}
}

func badRequestBody(message string) *failure {
	return &failure{status: http.StatusBadRequest, kind: "BAD_REQUEST_BODY", errorType: "BadRequestException", message: message}
}

func unsupportedMediaType() *failure {
	return &failure{status: http.StatusUnsupportedMediaType, kind: "UNSUPPORTED_MEDIA_TYPE", errorType: "BadRequestException", message: "Unsupported Media Type"}
}

// configurationError is the 500 for what is wrong with the API itself.
func configurationError(why string) *failure {
	return (&failure{status: http.StatusInternalServerError, kind: "API_CONFIGURATION_ERROR",
		errorType: "InternalServerErrorException", message: "Internal server error"}).because("Execution failed due to configuration error: " + why)
}

// malformedProxyResponse is the 502 for a function behind AWS_PROXY that
// failed or did not answer in the proxy's format.
func malformedProxyResponse(lines ...string) *failure {
	return (&failure{status: http.StatusBadGateway, kind: "INTEGRATION_FAILURE",
		errorType: "InternalServerErrorException", message: "Internal server error"}).because(lines...)
}

func integrationTimeout() *failure {
	return (&failure{status: http.StatusGatewayTimeout, kind: "INTEGRATION_TIMEOUT",
		errorType: "InternalServerErrorException", message: "Endpoint request timed out"}).because("Execution failed due to a timeout error")
}

// networkError is the 504 for a backend that cannot be reached.
func networkError() *failure {
	return (&failure{status: http.StatusGatewayTimeout, kind: "INTEGRATION_FAILURE", errorType: "InternalServerErrorException",
		message: "Network error communicating with endpoint"}).because("Execution failed due to a network error communicating with endpoint")
}

// responseTooLarge is the 500 for a backend that answers with more than a
// payload may have. The documentation gives the limit alone, no text.
func responseTooLarge() *failure {
	return (&failure{status: http.StatusInternalServerError, kind: "INTEGRATION_FAILURE", errorType: "InternalServerErrorException",
		message: "Internal server error"}).because("Execution failed due to an integration response of more than 10485760 bytes")
}

// notBuilt answers requests for a part of API Gateway that butai does not
// have. It is no answer of AWS's.
func notBuilt(what string) *failure {
	return (&failure{status: http.StatusNotImplemented,
		errorType: "NotImplementedException", message: "butai does not have this part of API Gateway yet: " + what}).because("Execution failed: butai does not have " + what)
}

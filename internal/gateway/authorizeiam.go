package gateway

import (
	"errors"
	"net/http"
	"strings"

	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/wire"
)

// Signers is IAM as far as signed requests need it.
type Signers interface {
	// Authenticate finds out who signed r, whose payload as sent is body, for
	// the service execute-api of a region. Refusals are *SignatureError.
	Authenticate(r *http.Request, body []byte, region string) (*wire.Caller, error)
	// Decide evaluates req for the caller: it adds who they are, the policies
	// that bind them and the condition keys that tell of them.
	Decide(caller *wire.Caller, req *policy.Request) policy.Decision
}

// SignatureError is a refused signature, in AWS's own words.
type SignatureError struct {
	Code    string // such as InvalidSignatureException
	Message string
}

func (e *SignatureError) Error() string { return e.Code + ": " + e.Message }

// authorizeSigner is AWS_IAM: the request must be signed, and the policies of
// whoever signed it, with the API's own, must allow the call.
func (x *exchange) authorizeSigner() *failure {
	caller, err := x.gw.signers.Authenticate(canonicalHeaders(x.r), x.body, x.st.region)
	if err != nil {
		return x.refuseSignature(err)
	}
	x.caller.authenticate = attempt{made: true, status: http.StatusOK}
	x.caller.signer = caller
	x.note("signer", caller.ARN)
	req := x.policyRequest()
	return x.judge(x.gw.signers.Decide(caller, req), req)
}

func (x *exchange) refuseSignature(err error) *failure {
	var refused *SignatureError
	if !errors.As(err, &refused) {
		x.gw.log.Error("verifying a signature failed", "request", x.requestID, "err", err)
		return authorizerFailure("AUTHORIZER_FAILURE", "AuthorizerFailureException")
	}
	x.caller.authenticate = attempt{made: true, status: http.StatusForbidden, err: refused.Message}
	return badSignature(refused)
}

// badSignature is the answer to a refused signature. Its gateway response
// goes by its kind (developer guide, "Gateway response types").
func badSignature(refused *SignatureError) *failure {
	kind := "INVALID_SIGNATURE"
	switch refused.Code {
	case "MissingAuthenticationTokenException":
		return missingAuthenticationToken()
	case "ExpiredTokenException":
		kind = "EXPIRED_TOKEN"
	case "IncompleteSignatureException":
		// Customising this type changes the answer to an Authorization header
		// that is no signature (measured).
		kind = "MISSING_AUTHENTICATION_TOKEN"
	}
	return (&failure{status: http.StatusForbidden, kind: kind, errorType: refused.Code, message: refused.Message, front: true}).because(refused.Message)
}

// nowhere is the answer to a path or verb that the API does not have. It is
// that of a method with AWS_IAM: an Authorization header that is no signature
// gets the fault of the header told (measured).
func (x *exchange) nowhere() *failure {
	if auth := one(x.r.Header, "Authorization"); auth != "" && !strings.HasPrefix(auth, "AWS4-") {
		_, err := x.gw.signers.Authenticate(canonicalHeaders(x.r), nil, x.st.region)
		var refused *SignatureError
		if errors.As(err, &refused) {
			return badSignature(refused)
		}
	}
	return missingAuthenticationToken()
}

// canonicalHeaders is r with header names as net/http looks them up; the front
// door has restored how the client spelled them.
func canonicalHeaders(r *http.Request) *http.Request {
	out := *r
	out.Header = make(http.Header, len(r.Header))
	for name, values := range r.Header {
		name = http.CanonicalHeaderKey(name)
		out.Header[name] = append(out.Header[name], values...)
	}
	return &out
}

// signerText returns one of the $context.identity members that tell of the
// signer, or "". A user or role session is its unique id there (developer
// guide, "$context variables for data models, authorizers, …").
func (x *exchange) signerText(name string) string {
	c := x.caller.signer
	if c == nil {
		return ""
	}
	switch name {
	case "accountId":
		return c.Account
	case "caller", "user":
		return c.UserID
	case "userArn":
		return c.ARN
	case "accessKey":
		return c.AccessKeyID
	}
	return ""
}

package sigv4

import (
	"net/http"
	"strings"
)

// Kind is the sort of a refusal.
type Kind int

// The sorts of refusal.
const (
	KindMissingToken    Kind = iota // no signature at all
	KindAmbiguous                   // signed in the header and in the query
	KindIncomplete                  // a part of the signature is missing or unreadable
	KindBadScope                    // wrong date or terminator in the credential scope
	KindBadExpires                  // X-Amz-Expires out of range
	KindUnsigned                    // a header that must be signed isn't
	KindUnknownKey                  // no such access key, or a wrong session token
	KindExpiredToken                // the session's credentials have run out
	KindSkewed                      // the date is too far from the server's
	KindRequestExpired              // the presigned URL has run out
	KindMismatch                    // the signature is wrong
	KindPayloadMismatch             // the body is not the one that was signed
	KindMalformedBody               // an aws-chunked body that can't be decoded
)

// Error is a refused request. Message is in the words of AWS's JSON and query
// protocols; Describe gives the code and words for any protocol.
type Error struct {
	Kind    Kind
	Message string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

func incomplete(message string) error { return &Error{Kind: KindIncomplete, Message: message} }

// Family is a group of protocols that report signature errors alike.
type Family int

// The families.
const (
	// JSON is awsJson1.0 and 1.1: status 400 and codes ending in Exception.
	JSON Family = iota
	// REST is restJson1 (Lambda, API Gateway): the same codes with 403.
	REST
	// Query is awsQuery and Route 53's restXml.
	Query
	// S3 has codes and texts of its own.
	S3
)

// Description is how an error goes over the wire.
type Description struct {
	Code    string
	Status  int
	Message string
}

type wireCode struct {
	exception   string // JSON and REST
	query       string
	queryStatus int
	s3          string
	s3Status    int
	s3Text      string // empty: the error's own message
}

const s3Mismatch = "The request signature we calculated does not match the signature you provided. Check your key and signing method."

var wireCodes = [...]wireCode{
	KindMissingToken:    {"MissingAuthenticationTokenException", "MissingAuthenticationToken", 403, "AccessDenied", 403, "Access Denied"},
	KindAmbiguous:       {"InvalidSignatureException", "SignatureDoesNotMatch", 403, "InvalidRequest", 400, "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified"},
	KindIncomplete:      {"IncompleteSignatureException", "IncompleteSignature", 400, "AuthorizationHeaderMalformed", 400, ""},
	KindBadScope:        {"InvalidSignatureException", "SignatureDoesNotMatch", 403, "AuthorizationHeaderMalformed", 400, ""},
	KindBadExpires:      {"InvalidSignatureException", "SignatureDoesNotMatch", 403, "AuthorizationQueryParametersError", 400, ""},
	KindUnsigned:        {"InvalidSignatureException", "SignatureDoesNotMatch", 403, "AccessDenied", 403, "There were headers present in the request which were not signed"},
	KindUnknownKey:      {"UnrecognizedClientException", "InvalidClientTokenId", 403, "InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."},
	KindExpiredToken:    {"ExpiredTokenException", "ExpiredToken", 403, "ExpiredToken", 400, "The provided token has expired."},
	KindSkewed:          {"InvalidSignatureException", "SignatureDoesNotMatch", 403, "RequestTimeTooSkewed", 403, "The difference between the request time and the current time is too large."},
	KindRequestExpired:  {"InvalidSignatureException", "SignatureDoesNotMatch", 403, "AccessDenied", 403, "Request has expired"},
	KindMismatch:        {"InvalidSignatureException", "SignatureDoesNotMatch", 403, "SignatureDoesNotMatch", 403, s3Mismatch},
	KindPayloadMismatch: {"InvalidSignatureException", "SignatureDoesNotMatch", 403, "XAmzContentSHA256Mismatch", 400, "The provided 'x-amz-content-sha256' header does not match what was computed."},
	KindMalformedBody:   {"InvalidSignatureException", "SignatureDoesNotMatch", 403, "IncompleteBody", 400, ""},
}

// Describe words e for a protocol family.
func (e *Error) Describe(f Family) Description {
	c := wireCodes[e.Kind]
	switch f {
	case JSON:
		return Description{c.exception, http.StatusBadRequest, e.Message}
	case REST:
		d := Description{c.exception, http.StatusForbidden, e.Message}
		if e.Kind == KindMissingToken {
			d.Message = "Missing Authentication Token"
		}
		return d
	case Query:
		return Description{c.query, c.queryStatus, e.Message}
	}
	d := Description{c.s3, c.s3Status, c.s3Text}
	if d.Message == "" {
		d.Message = e.Message
		if strings.HasPrefix(c.s3, "AuthorizationHeader") {
			d.Message = "The authorization header is malformed; " + e.Message
		}
	}
	return d
}

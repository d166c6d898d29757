// Package sigv4 checks AWS Signature Version 4 on incoming requests, in the
// Authorization header or as a presigned URL, with the aws-chunked bodies of
// S3 uploads, and signs requests for our own clients.
//
// Verifying is our own code because it is on the path of every call; the
// tests hold it against botocore's and the Go SDK's signers. Facts come from
// the IAM User Guide, "Create a signed AWS API request", and the S3 API
// Reference, "Authenticating Requests (AWS Signature Version 4)".
package sigv4

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm   = "AWS4-HMAC-SHA256"
	terminator  = "aws4_request"
	basicFormat = "20060102T150405Z"

	// maxSkew is how far a request's date may be from ours.
	maxSkew = 15 * time.Minute
	// maxExpires is the longest life of a presigned URL.
	maxExpires = 7 * 24 * time.Hour
)

// Scope is the credential scope with its access key:
// KEY/20260131/us-east-1/dynamodb/aws4_request.
type Scope struct {
	AccessKeyID, Date, Region, Service string
}

func (s Scope) string() string {
	return s.Date + "/" + s.Region + "/" + s.Service + "/" + terminator
}

// For checks that the scope is one for a service in a region.
func (s Scope) For(service, region string) error {
	var wrong string
	if s.Region != region {
		wrong = "Credential should be scoped to a valid region. "
	}
	if s.Service != service {
		wrong += "Credential should be scoped to correct service: '" + service + "'. "
	}
	if wrong != "" {
		return &Error{Kind: KindBadScope, Message: wrong}
	}
	return nil
}

// Signature is what a request says about its own signature; nothing of it has
// been verified.
type Signature struct {
	Scope
	// SessionToken is X-Amz-Security-Token, empty for long-lived keys.
	SessionToken string
	// Presigned is set when the signature is in the query.
	Presigned bool

	signedHeaders string // names in lower case, in the given order, with ; between them
	signature     string
	date          string // as sent
	time          time.Time
	hasExpires    bool // presigned only
	expires       time.Duration
}

// Signed reports, without looking closer, whether r carries a Version 4
// signature in either form.
func Signed(r *http.Request) bool {
	return headerSigned(r) || querySigned(r)
}

func headerSigned(r *http.Request) bool {
	return strings.HasPrefix(strings.TrimSpace(r.Header.Get("Authorization")), "AWS4-")
}

func querySigned(r *http.Request) bool {
	return strings.Contains(r.URL.RawQuery, "X-Amz-Algorithm") && r.URL.Query().Has("X-Amz-Algorithm")
}

// Parse reads the signature of r without verifying it. It is cheap and good
// for routing by scope. The error is an *Error: KindMissingToken when there
// is no signature, KindIncomplete when it lacks a part, and so on.
func Parse(r *http.Request) (*Signature, error) {
	switch header := headerSigned(r); {
	case querySigned(r) && r.Header.Get("Authorization") != "":
		return nil, &Error{
			Kind:    KindAmbiguous,
			Message: "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
		}
	case querySigned(r):
		return parseQuery(r.URL.Query())
	case header:
		return parseHeader(r, r.Header.Get("Authorization"))
	}
	return nil, &Error{Kind: KindMissingToken, Message: "Request is missing Authentication Token"}
}

// ParseHeader reads the Authorization header of r, whatever its scheme, as a
// server does that knows no other: what is no Version 4 signature gets an
// *Error of KindIncomplete that tells what it lacks.
func ParseHeader(r *http.Request) (*Signature, error) {
	return parseHeader(r, r.Header.Get("Authorization"))
}

// parseHeader reads "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…,
// Signature=…"; parts may be separated by commas, spaces or both.
func parseHeader(r *http.Request, auth string) (*Signature, error) {
	name, rest, _ := strings.Cut(strings.TrimSpace(auth), " ")
	var credential, signature, signedHeaders string
	for rest != "" {
		var part string
		if part, rest = cutPart(rest); part == "" {
			continue
		}
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			return nil, incomplete("Invalid key=value pair (missing equal-sign) in Authorization header " +
				"(hashed with SHA-256 and encoded with Base64): '" + hashed(auth) + "'.")
		}
		switch key {
		case "Credential":
			credential = value
		case "Signature":
			signature = value
		case "SignedHeaders":
			signedHeaders = value
		}
	}
	date := r.Header.Get("X-Amz-Date")
	if date == "" {
		date = r.Header.Get("Date")
	}
	var missing strings.Builder
	for _, part := range [...]struct{ key, value string }{
		{"Credential", credential}, {"Signature", signature}, {"SignedHeaders", signedHeaders},
	} {
		if part.value == "" {
			missing.WriteString("Authorization header requires '" + part.key + "' parameter. ")
		}
	}
	if date == "" {
		missing.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	if missing.Len() > 0 {
		return nil, incomplete(missing.String() + "(Hashed with SHA-256 and encoded with Base64) Authorization=" + hashed(auth))
	}
	s := &Signature{
		SessionToken:  r.Header.Get("X-Amz-Security-Token"),
		signature:     signature,
		signedHeaders: signedHeaders,
	}
	return s, s.complete(name, credential, date)
}

// cutPart cuts text at its first comma or space.
func cutPart(text string) (part, rest string) {
	for i := range len(text) {
		if text[i] == ',' || text[i] == ' ' {
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}

// hashed is how messages show a header that may hold a secret.
func hashed(header string) string {
	sum := sha256.Sum256([]byte(header))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// parseQuery reads the X-Amz-… parameters of a presigned URL.
func parseQuery(query url.Values) (*Signature, error) {
	var missing strings.Builder
	for _, key := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"} {
		if query.Get(key) == "" {
			missing.WriteString("AWS query-string parameters must include '" + key + "'. ")
		}
	}
	if missing.Len() > 0 {
		return nil, incomplete(missing.String() + "Re-examine the query-string parameters.")
	}
	s := &Signature{
		SessionToken:  query.Get("X-Amz-Security-Token"),
		Presigned:     true,
		signature:     query.Get("X-Amz-Signature"),
		signedHeaders: query.Get("X-Amz-SignedHeaders"),
	}
	if text := query.Get("X-Amz-Expires"); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err != nil:
			return nil, &Error{Kind: KindBadExpires, Message: "X-Amz-Expires should be a number"}
		case seconds < 0:
			return nil, &Error{Kind: KindBadExpires, Message: "X-Amz-Expires must be non-negative"}
		case seconds > int64(maxExpires/time.Second):
			return nil, &Error{
				Kind: KindBadExpires,
				Message: "X-Amz-Expires must be less than a week (in seconds); " +
					"that is, the given X-Amz-Expires must be less than 604800 seconds",
			}
		}
		s.expires, s.hasExpires = time.Duration(seconds)*time.Second, true
	}
	return s, s.complete(query.Get("X-Amz-Algorithm"), query.Get("X-Amz-Credential"), query.Get("X-Amz-Date"))
}

// complete checks algorithm, date and credential scope, in AWS's order.
func (s *Signature) complete(name, credential, date string) error {
	var ok bool
	if s.date, s.time, ok = parseDate(date); !ok {
		return incomplete("Date must be in ISO-8601 'basic format'. Got '" + date + "'. See http://en.wikipedia.org/wiki/ISO_8601")
	}
	if name != algorithm {
		return incomplete("Unsupported AWS 'algorithm': '" + name + "' (only AWS4-HMAC-SHA256 for now). ")
	}
	// An access key may hold slashes in other implementations of the
	// protocol; AWS's never do, so five parts it is.
	var parts [5]string
	n := 0
	for part := range strings.SplitSeq(strings.TrimRight(credential, "/"), "/") {
		if n < len(parts) {
			parts[n] = part
		}
		n++
	}
	if n != len(parts) {
		return incomplete("Credential must have exactly 5 slash-delimited elements, " +
			"e.g. keyid/date/region/service/term, got '" + credential + "'")
	}
	s.Scope = Scope{AccessKeyID: parts[0], Date: parts[1], Region: parts[2], Service: parts[3]}
	var wrong []string
	if parts[4] != terminator {
		wrong = append(wrong, "Credential should be scoped with a valid terminator: 'aws4_request', not '"+parts[4]+"'.")
	}
	if day := s.date[:8]; parts[1] != day {
		wrong = append(wrong, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '"+
			parts[1]+"' != '"+day+"', from '"+s.date+"'.")
	}
	if wrong != nil {
		return &Error{Kind: KindBadScope, Message: strings.Join(wrong, " ")}
	}
	return nil
}

// parseDate reads X-Amz-Date, or the forms that a Date header may have, and
// gives the date in basic format as it goes into the string to sign.
func parseDate(text string) (string, time.Time, bool) {
	if t, ok := parseBasic(text); ok {
		return text, t, true
	}
	if t, err := time.Parse(basicFormat, text); err == nil {
		return text, t, true
	}
	if t, err := http.ParseTime(text); err == nil {
		t = t.UTC()
		return t.Format(basicFormat), t, true
	}
	return "", time.Time{}, false
}

// parseBasic reads the basic format, as time.Parse does in ten times the time.
func parseBasic(text string) (t time.Time, ok bool) {
	if len(text) != len(basicFormat) || text[8] != 'T' || text[15] != 'Z' {
		return time.Time{}, false
	}
	ok = true
	number := func(from, to int) (n int) {
		for _, c := range []byte(text[from:to]) {
			ok = ok && '0' <= c && c <= '9'
			n = 10*n + int(c-'0')
		}
		return n
	}
	month, day := time.Month(number(4, 6)), number(6, 8)
	hour, minute, second := number(9, 11), number(11, 13), number(13, 15)
	t = time.Date(number(0, 4), month, day, hour, minute, second, 0, time.UTC)
	ok = ok && t.Month() == month && t.Day() == day && hour < 24 && minute < 60 && second < 60
	return t, ok
}

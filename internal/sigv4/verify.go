package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// KeyStatus is what a Lookup knows about an access key.
type KeyStatus int

// The states of a key.
const (
	// KeyUnknown: no such key, an inactive one, or a wrong session token.
	KeyUnknown KeyStatus = iota
	KeyValid
	// KeyExpired: temporary credentials that have run out.
	KeyExpired
)

// Lookup finds the secret of an access key. A key that came with a session
// token is valid only with that token. It is called on every request, from
// many goroutines, and must answer from memory.
type Lookup func(accessKeyID, sessionToken string) (secret string, status KeyStatus)

// Verifier checks signatures. Make one per server with New; it is safe for
// concurrent use.
type Verifier struct {
	lookup Lookup
	keys   keyCache
}

// New returns a Verifier that takes its secrets from lookup.
func New(lookup Lookup) *Verifier { return &Verifier{lookup: lookup} }

// Identity is who signed a request.
type Identity struct {
	Scope
	SessionToken string
	// Signed is set once the signature has been verified.
	Signed    bool
	Presigned bool
}

// Verify checks r against a body that has been read; aws-chunked ones need
// VerifyStream. The Identity is filled,
// but not Signed, as far as the signature could be read even with an error:
// with KindUnknownKey a lenient server can go on with it. Errors are *Error.
func (v *Verifier) Verify(r *http.Request, body []byte, now time.Time) (Identity, error) {
	s, err := Parse(r)
	if err != nil {
		return Identity{}, err
	}
	return v.VerifyParsed(r, s, body, now)
}

// VerifyParsed is Verify for a signature that Parse has read from r.
func (v *Verifier) VerifyParsed(r *http.Request, s *Signature, body []byte, now time.Time) (Identity, error) {
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	declared := r.Header.Get("X-Amz-Content-Sha256")
	switch {
	case declared == unsignedPayload, declared == "" && s.Presigned && s.Service == "s3":
		hash = unsignedPayload
	case declared != "" && declared != hash && s.Service == "s3":
		// The others ignore the header and hash the body; S3 compares.
		return unverified(s), payloadMismatch()
	}
	id, _, err := v.verify(r, s, hash, now)
	return id, err
}

// VerifyStream checks s, which Parse has read from r, by r's headers alone and returns
// the body to read instead of r.Body. That one decodes the aws-chunked forms
// and fails with an *Error, at the latest in the place of io.EOF, if the
// bytes are not those that were signed: what has been read before must be
// thrown away then. Only S3 requests declare their hash, so it is for them.
func (v *Verifier) VerifyStream(r *http.Request, s *Signature, now time.Time) (Identity, io.ReadCloser, error) {
	hash := r.Header.Get("X-Amz-Content-Sha256")
	if hash == "" {
		if hash = emptyHash; s.Presigned {
			hash = unsignedPayload
		}
	}
	id, key, err := v.verify(r, s, hash, now)
	if err != nil {
		return id, nil, err
	}
	return id, checkedBody(r, s, key, hash), nil
}

// verify looks the key up and compares signatures. It returns the signing
// key for the chunks of the body.
func (v *Verifier) verify(r *http.Request, s *Signature, payloadHash string, now time.Time) (Identity, *signingKey, error) {
	id := unverified(s)
	if err := s.checkTime(now); err != nil {
		return id, nil, err
	}
	if !s.signs("host") && !s.signs(":authority") {
		return id, nil, &Error{Kind: KindUnsigned, Message: "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."}
	}
	secret, status := v.lookup(s.AccessKeyID, s.SessionToken)
	switch status {
	case KeyUnknown:
		return id, nil, &Error{Kind: KindUnknownKey, Message: "The security token included in the request is invalid."}
	case KeyExpired:
		return id, nil, &Error{Kind: KindExpiredToken, Message: "The security token included in the request is expired"}
	}
	key := v.keys.get(secret, s.Scope)
	query := canonicalQuery(r.URL.RawQuery)
	space := spaces.Get().(*[]byte)
	defer spaces.Put(space)
	var canonical, toSign string
	for i, path := range canonicalPaths(rawPath(r), s.Service) {
		text := appendCanonicalRequest((*space)[:0], r, s, path, query, payloadHash)
		n := len(text)
		text = s.appendStringToSign(text, sha256.Sum256(text))
		*space = text
		if key.signed(text[n:], s.signature) {
			id.Signed = true
			return id, key, nil
		}
		if i == 0 {
			canonical, toSign = string(text[:n]), string(text[n:])
		}
	}
	return id, nil, &Error{Kind: KindMismatch, Message: mismatchMessage(canonical, toSign)}
}

// spaces are buffers for the texts of a verification.
var spaces = sync.Pool{New: func() any { b := make([]byte, 0, 1<<10); return &b }}

func unverified(s *Signature) Identity {
	return Identity{Scope: s.Scope, SessionToken: s.SessionToken, Presigned: s.Presigned}
}

func (s *Signature) appendStringToSign(b []byte, requestHash [sha256.Size]byte) []byte {
	b = append(b, algorithm+"\n"...)
	b = append(append(b, s.date...), '\n')
	b = append(append(b, s.Scope.Date...), '/')
	b = append(append(b, s.Region...), '/')
	b = append(append(b, s.Service...), "/"+terminator+"\n"...)
	return hex.AppendEncode(b, requestHash[:])
}

// signs tells whether the signature covers a header.
func (s *Signature) signs(header string) bool {
	for name := range strings.SplitSeq(s.signedHeaders, ";") {
		if name == header {
			return true
		}
	}
	return false
}

// mismatchMessage tells the client what it should have signed, as AWS does.
func mismatchMessage(canonical, toSign string) string {
	return "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\n" +
		"The Canonical String for this request should have been\n'" + canonical + "'\n\n" +
		"The String-to-Sign should have been\n'" + toSign + "'\n"
}

// checkTime applies the 15 minutes of grace, or a presigned URL's own life.
func (s *Signature) checkTime(now time.Time) error {
	now = now.UTC().Truncate(time.Second)
	if s.time.After(now.Add(maxSkew)) {
		return &Error{Kind: KindSkewed, Message: "Signature not yet current: " + s.date + " is still later than " +
			now.Add(maxSkew).Format(basicFormat) + " (" + now.Format(basicFormat) + " + 15 min.)"}
	}
	if s.hasExpires {
		if end := s.time.Add(s.expires); end.Before(now) {
			return &Error{Kind: KindRequestExpired, Message: "Signature expired: " + end.Format(basicFormat) +
				" is now earlier than " + now.Format(basicFormat)}
		}
		return nil
	}
	if s.time.Before(now.Add(-maxSkew)) {
		return &Error{Kind: KindSkewed, Message: "Signature expired: " + s.date + " is now earlier than " +
			now.Add(-maxSkew).Format(basicFormat) + " (" + now.Format(basicFormat) + " - 15 min.)"}
	}
	return nil
}

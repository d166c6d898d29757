package awsapi

import (
	"crypto/tls"
	"net/http"
	"strings"

	"github.com/butai-dev/butai/internal/clock"
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

// Signers finds out who signed a request: a call of an AWS API, or one of an
// API behind API Gateway. A key that butai issued must verify. A key it didn't
// issue can't be verified: it acts as the root user of the account that it
// spells, if it is 12 digits, unless credentials are strict or the request is
// suspect.
type Signers struct {
	keys     Keys
	clock    clock.Clock
	strict   bool
	suspect  func(*http.Request) bool
	verifier *sigv4.Verifier
}

// NewSigners returns the Signers over keys. Strict refuses keys that butai
// didn't issue; suspect, which may be nil, tells of which requests they are
// refused in any case.
func NewSigners(keys Keys, clock clock.Clock, strict bool, suspect func(*http.Request) bool) *Signers {
	s := &Signers{keys: keys, clock: clock, strict: strict, suspect: suspect}
	s.verifier = sigv4.New(s.lookup)
	return s
}

// lookup is what the signature verifier knows of a key.
func (s *Signers) lookup(accessKeyID, token string) (string, sigv4.KeyStatus) {
	who := s.keys.Lookup(accessKeyID)
	switch {
	case who == nil || who.Disabled || who.Token != token:
		return "", sigv4.KeyUnknown
	case !who.Expires.IsZero() && s.clock.Now().After(who.Expires):
		return "", sigv4.KeyExpired
	}
	return who.Secret, sigv4.KeyValid
}

// holder returns whose a key is. Trusted ones need no verification; without,
// the holder may be nil, and verification fails.
func (s *Signers) holder(r *http.Request, accessKeyID string) (who *wire.Principal, trusted bool) {
	who = s.keys.Lookup(accessKeyID)
	if who == nil && !s.strict && (s.suspect == nil || !s.suspect(r)) {
		return root(accessKeyID), true
	}
	return who, false
}

// caller is the holder of a key as the caller of a service, who has passed.
func (s *Signers) caller(r *http.Request, scope *sigv4.Scope, who *wire.Principal, service string) *wire.Caller {
	if keys, ok := s.keys.(UseRecorder); ok {
		keys.Used(scope.AccessKeyID, service, scope.Region)
	}
	return &wire.Caller{
		Account: who.Account, Region: regionOf(scope.Region), Partition: "aws", ARN: who.ARN, UserID: who.UserID, UserName: who.UserName,
		AccessKeyID: scope.AccessKeyID, SourceIP: sourceIP(r), UserAgent: r.UserAgent(),
		Endpoint: endpoint(r), Secure: r.TLS != nil, TLSVersion: tlsVersion(r),
	}
}

// Authenticate finds out who signed r, whose payload is body, for a service in
// a region. An Authorization header that is no signature is told so. Refusals
// are *sigv4.Error.
func (s *Signers) Authenticate(r *http.Request, body []byte, service, region string) (*wire.Caller, error) {
	if r.Header.Get("Authorization") != "" && !sigv4.Signed(r) {
		if _, err := sigv4.ParseHeader(r); err != nil {
			return nil, err
		}
	}
	signature, err := sigv4.Parse(r)
	if err != nil {
		return nil, err
	}
	if err := signature.Scope.For(service, region); err != nil {
		return nil, err
	}
	who, trusted := s.holder(r, signature.AccessKeyID)
	if !trusted {
		if _, err := s.verifier.VerifyParsed(r, signature, body, s.clock.Now()); err != nil {
			return nil, err
		}
	}
	return s.caller(r, &signature.Scope, who, service), nil
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

// tlsVersion is the version as conditions of policies spell it.
func tlsVersion(r *http.Request) string {
	if r.TLS == nil {
		return ""
	}
	return strings.TrimPrefix(tls.VersionName(r.TLS.Version), "TLS ")
}

package apigateway

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/wire"
)

// Objects reads truststores.
type Objects interface {
	// GetObject reads an object, or its given version. The error is an AWS
	// error if there is none or it may not be read.
	GetObject(ctx context.Context, account, bucket, key, version string) ([]byte, error)
}

// truststore are the authorities whose client certificates a domain accepts,
// as they were when the domain was last pointed at them: API Gateway too reads
// the object then, and not again.
type truststore struct {
	PEM      string
	Warnings []string
}

// readTruststore reads what a domain's mutual TLS is to trust; nil if the
// domain has none.
func (s *Service) readTruststore(ctx context.Context, sc scope, m *apigatewayapi.MutualTlsAuthentication) (*truststore, error) {
	if m == nil {
		return nil, nil
	}
	address, err := url.Parse(wire.Val(m.TruststoreUri))
	if err != nil || address.Scheme != "s3" || address.Host == "" || len(address.Path) < 2 {
		return nil, badRequest("Invalid truststore URI specified: %s", wire.Val(m.TruststoreUri))
	}
	text, err := s.Objects.GetObject(ctx, sc.Account, address.Host, strings.TrimPrefix(address.Path, "/"), wire.Val(m.TruststoreVersion))
	if err != nil {
		_, status, _, message := wire.ErrorFacts(err)
		if status >= 500 {
			return nil, err
		}
		return nil, badRequest("Unable to access the truststore %s: %s", *m.TruststoreUri, message)
	}
	return s.checkTruststore(text)
}

// checkTruststore keeps the certificates of a truststore in PEM form. Those
// that can't be trusted are warned of (developer guide, "Configuring mutual
// TLS authentication").
func (s *Service) checkTruststore(text []byte) (*truststore, error) {
	t := &truststore{}
	var kept bytes.Buffer
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		switch {
		case err != nil:
			t.Warnings = append(t.Warnings, "The truststore contains a certificate that cannot be parsed")
			continue
		case s.Clock.Now().After(c.NotAfter):
			t.Warnings = append(t.Warnings, "The certificate with subject "+c.Subject.String()+" has expired")
		}
		if err := pem.Encode(&kept, &pem.Block{Type: block.Type, Bytes: block.Bytes}); err != nil {
			return nil, err
		}
	}
	if kept.Len() == 0 {
		return nil, badRequest("Invalid truststore: it contains no certificates in PEM format")
	}
	t.PEM = kept.String()
	return t, nil
}

// checkMutualTLS refuses the domains that can't have it (developer guide,
// "Configuring mutual TLS authentication").
func checkMutualTLS(d *domain) error {
	v := &d.Domain
	if owner := wire.Val(v.OwnershipVerificationCertificateArn); owner != "" {
		if c, err := arn.Parse(owner); err != nil || c.Service != "acm" || !strings.HasPrefix(c.Resource, "certificate/") {
			return badRequest("Invalid certificate ARN: %s.", owner)
		}
	}
	switch {
	case v.MutualTlsAuthentication == nil:
		return nil
	case v.EndpointConfiguration.Types[0] != apigatewayapi.EndpointTypeREGIONAL:
		return badRequest("Mutual TLS authentication is only supported for REGIONAL endpoint type.")
	case wire.Val(v.SecurityPolicy) == apigatewayapi.SecurityPolicyTLS10:
		return badRequest("Mutual TLS authentication requires TLS 1.2 or later.")
	}
	return nil
}

// setTruststore takes over what was read.
func (d *domain) setTruststore(t *truststore) {
	d.Truststore = ""
	if m := d.Domain.MutualTlsAuthentication; m != nil && t != nil {
		d.Truststore, m.TruststoreWarnings = t.PEM, t.Warnings
	}
}

// patchTruststore changes a member of mutual TLS; without an address there is
// none.
func patchTruststore(field func(*apigatewayapi.MutualTlsAuthentication) **string) func(*apigatewayapi.DomainName, patchOp) error {
	return func(d *apigatewayapi.DomainName, op patchOp) error {
		m := &apigatewayapi.MutualTlsAuthentication{}
		if d.MutualTlsAuthentication != nil {
			*m = *d.MutualTlsAuthentication
		}
		*field(m) = nil
		if op.op != "remove" {
			*field(m) = nonEmpty(op.value)
		}
		d.MutualTlsAuthentication = m
		return nil
	}
}

// dropEmpty takes mutual TLS away that leads to no truststore.
func dropEmpty(d *apigatewayapi.DomainName) {
	if m := d.MutualTlsAuthentication; m != nil && m.TruststoreUri == nil {
		d.MutualTlsAuthentication = nil
	}
}

// namesTruststore reports whether operations are about the truststore.
func namesTruststore(ops []apigatewayapi.PatchOperation) bool {
	return slices.ContainsFunc(ops, func(op apigatewayapi.PatchOperation) bool {
		return strings.HasPrefix(wire.Val(op.Path), "/mutualTlsAuthentication/")
	})
}

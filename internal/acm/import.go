package acm

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"github.com/butai-dev/butai/internal/api/acmapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// ImportCertificate takes in a certificate with its key, or replaces one.
func (s *Service) ImportCertificate(ctx context.Context, in *acmapi.ImportCertificateRequest) (*acmapi.ImportCertificateResponse, error) {
	pair, err := tls.X509KeyPair(in.Certificate, in.PrivateKey)
	if err != nil {
		return nil, &acmapi.ValidationException{Message: wire.Ptr("The certificate and the private key don't belong together or can't be read: " + err.Error())}
	}
	x := pair.Leaf
	id := ident.UUID()
	c := &certificate{Tags: in.Tags}
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		if in.CertificateArn != nil {
			have, err := find(ctx, tx, *in.CertificateArn)
			if err != nil {
				return err
			}
			id, c.Tags = idOf(*in.CertificateArn), have.Tags
		}
		subject := append([]string{}, x.DNSNames...)
		domain := x.Subject.CommonName
		if domain == "" && len(subject) > 0 {
			domain = subject[0]
		}
		c.Detail = acmapi.CertificateDetail{
			CertificateArn: wire.Ptr(newARN(ctx, id)), DomainName: wire.Ptr(domain), SubjectAlternativeNames: subject,
			Subject: wire.Ptr(x.Subject.String()), Issuer: wire.Ptr(x.Issuer.CommonName), CreatedAt: s.now(), ImportedAt: s.now(),
			KeyAlgorithm: wire.Ptr(algorithmOf(x)), InUseBy: []string{}, Type: wire.Ptr(acmapi.CertificateTypeIMPORTED),
			RenewalEligibility: wire.Ptr(acmapi.RenewalEligibilityINELIGIBLE), Options: options(nil),
		}
		c.issued(x)
		c.CertificatePEM, c.ChainPEM, c.KeyPEM = in.Certificate, in.CertificateChain, in.PrivateKey
		return certificates.Put(tx, c, at(ctx, id)...)
	})
	return &acmapi.ImportCertificateResponse{CertificateArn: c.Detail.CertificateArn}, err
}

func algorithmOf(x *x509.Certificate) string {
	switch key := x.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA-%d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return map[int]string{256: acmapi.KeyAlgorithmECPrime256v1, 384: acmapi.KeyAlgorithmECSecp384r1, 521: acmapi.KeyAlgorithmECSecp521r1}[key.Curve.Params().BitSize]
	case ed25519.PublicKey:
		return "ED25519"
	}
	return "UNKNOWN"
}

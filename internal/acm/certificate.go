package acm

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/acmapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// RequestCertificate asks for a certificate. It is issued when the DNS record
// of each of its domains is there.
func (s *Service) RequestCertificate(ctx context.Context, in *acmapi.RequestCertificateRequest) (*acmapi.RequestCertificateResponse, error) {
	// Without a method ACM validates by e-mail, which butai can't send.
	if wire.Val(in.ValidationMethod) != acmapi.ValidationMethodDNS {
		return nil, wire.NotBuilt("ACM validation other than ValidationMethod=DNS")
	}
	algorithm := acmapi.KeyAlgorithmRSA2048
	if in.KeyAlgorithm != nil {
		algorithm = *in.KeyAlgorithm
	}
	if algorithm != acmapi.KeyAlgorithmRSA2048 && algorithm != acmapi.KeyAlgorithmECPrime256v1 && algorithm != acmapi.KeyAlgorithmECSecp384r1 {
		return nil, &acmapi.InvalidParameterException{Message: wire.Ptr("The key algorithm " + algorithm + " is not supported for requested certificates.")}
	}
	if in.Options != nil && wire.Val(in.Options.Export) == acmapi.CertificateExportENABLED {
		return nil, wire.NotBuilt("exportable ACM certificates")
	}
	id := ident.UUID()
	c := &certificate{Token: wire.Val(in.IdempotencyToken), Tags: in.Tags, Detail: acmapi.CertificateDetail{
		CertificateArn: wire.Ptr(newARN(ctx, id)), DomainName: in.DomainName, SubjectAlternativeNames: names(in),
		Subject: wire.Ptr("CN=" + *in.DomainName), Issuer: wire.Ptr("Amazon"), CreatedAt: s.now(),
		Status: wire.Ptr(acmapi.CertificateStatusPENDINGVALIDATION), KeyAlgorithm: displayAlgorithm(algorithm),
		SignatureAlgorithm: wire.Ptr("SHA256WITHRSA"), InUseBy: []string{}, Type: wire.Ptr(acmapi.CertificateTypeAMAZONISSUED),
		KeyUsages: []acmapi.KeyUsage{}, ExtendedKeyUsages: []acmapi.ExtendedKeyUsage{},
		RenewalEligibility: wire.Ptr(acmapi.RenewalEligibilityINELIGIBLE), Options: options(in.Options),
	}}
	for _, name := range c.Detail.SubjectAlternativeNames {
		c.Detail.DomainValidationOptions = append(c.Detail.DomainValidationOptions, validation(wire.CallerFrom(ctx).Account, name))
	}
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		if c.Token != "" {
			for other, err := range certificates.All(tx, at(ctx, "")[:2]...) {
				if err != nil {
					return err
				}
				if other.Token == c.Token && slices.Equal(other.Detail.SubjectAlternativeNames, c.Detail.SubjectAlternativeNames) {
					c.Detail.CertificateArn = other.Detail.CertificateArn
					return nil
				}
			}
		}
		return certificates.Put(tx, c, at(ctx, id)...)
	})
	return &acmapi.RequestCertificateResponse{CertificateArn: c.Detail.CertificateArn}, err
}

// displayAlgorithm is how DescribeCertificate spells an algorithm: RSA-2048
// with a hyphen, unlike the request.
func displayAlgorithm(algorithm string) *string {
	return wire.Ptr(strings.Replace(algorithm, "RSA_", "RSA-", 1))
}

func options(in *acmapi.CertificateOptions) *acmapi.CertificateOptions {
	out := &acmapi.CertificateOptions{
		CertificateTransparencyLoggingPreference: wire.Ptr(acmapi.CertificateTransparencyLoggingPreferenceENABLED),
		Export:                                   wire.Ptr(acmapi.CertificateExportDISABLED),
	}
	if in != nil && in.CertificateTransparencyLoggingPreference != nil {
		out.CertificateTransparencyLoggingPreference = in.CertificateTransparencyLoggingPreference
	}
	return out
}

// names are the certificate's names, the domain first, each once.
func names(in *acmapi.RequestCertificateRequest) []string {
	out := []string{*in.DomainName}
	for _, n := range in.SubjectAlternativeNames {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// validation is the record that proves a domain: the same for a domain and
// its wildcard, and for every request of one account, as ACM's is.
func validation(account, domain string) acmapi.DomainValidation {
	base := strings.TrimPrefix(domain, "*.")
	return acmapi.DomainValidation{
		DomainName: wire.Ptr(domain), ValidationDomain: wire.Ptr(domain), ValidationMethod: wire.Ptr(acmapi.ValidationMethodDNS),
		ValidationStatus: wire.Ptr(acmapi.DomainStatusPENDINGVALIDATION),
		ResourceRecord: &acmapi.ResourceRecord{
			Name: wire.Ptr("_" + digest(account, base, "name") + "." + base + "."), Type: wire.Ptr("CNAME"),
			Value: wire.Ptr("_" + digest(account, base, "value") + "." + digest(account, base, "zone")[:10] + ".acm-validations.aws."),
		},
	}
}

// validate issues a pending certificate whose records have appeared.
func (s *Service) validate(ctx context.Context, c *certificate) error {
	if *c.Detail.Status != acmapi.CertificateStatusPENDINGVALIDATION {
		return nil
	}
	account := wire.CallerFrom(ctx).Account
	for i := range c.Detail.DomainValidationOptions {
		option := &c.Detail.DomainValidationOptions[i]
		found, err := s.Records.HasCNAME(ctx, account, *option.ResourceRecord.Name, *option.ResourceRecord.Value)
		if err != nil || !found {
			return err
		}
	}
	leaf, err := s.Authority.Issue(c.Detail.SubjectAlternativeNames, strings.Replace(*c.Detail.KeyAlgorithm, "RSA-", "RSA_", 1))
	if err != nil {
		return err
	}
	return s.edit(ctx, *c.Detail.CertificateArn, func(stored *certificate) error {
		if *stored.Detail.Status == acmapi.CertificateStatusPENDINGVALIDATION {
			stored.CertificatePEM, stored.ChainPEM, stored.KeyPEM = leaf.CertificatePEM, leaf.ChainPEM, leaf.KeyPEM
			stored.issued(leaf.X509)
			stored.Detail.IssuedAt = s.now()
			for i := range stored.Detail.DomainValidationOptions {
				stored.Detail.DomainValidationOptions[i].ValidationStatus = wire.Ptr(acmapi.DomainStatusSUCCESS)
			}
		}
		*c = *stored
		return nil
	})
}

// issued fills in what a signed certificate says of itself.
func (c *certificate) issued(x *x509.Certificate) {
	d := &c.Detail
	d.Status = wire.Ptr(acmapi.CertificateStatusISSUED)
	d.NotBefore, d.NotAfter = &x.NotBefore, &x.NotAfter
	d.Serial = wire.Ptr(colons(x.SerialNumber.Bytes()))
	d.SignatureAlgorithm = wire.Ptr(signatureAlgorithm(x.SignatureAlgorithm))
	d.KeyUsages = []acmapi.KeyUsage{{Name: wire.Ptr(acmapi.KeyUsageNameDIGITALSIGNATURE)}, {Name: wire.Ptr(acmapi.KeyUsageNameKEYENCIPHERMENT)}}
	d.ExtendedKeyUsages = []acmapi.ExtendedKeyUsage{{Name: wire.Ptr(acmapi.ExtendedKeyUsageNameTLSWEBSERVERAUTHENTICATION), OID: wire.Ptr("1.3.6.1.5.5.7.3.1")}}
}

// signatureAlgorithm spells an algorithm with the hash first, as ACM does:
// SHA256WITHRSA, SHA256WITHECDSA.
func signatureAlgorithm(a x509.SignatureAlgorithm) string {
	first, second, ok := strings.Cut(strings.ToUpper(a.String()), "-")
	switch {
	case !ok:
		return first
	case strings.HasPrefix(second, "SHA"):
		return second + "WITH" + first
	}
	return first + "WITH" + second
}

func colons(b []byte) string {
	parts := make([]string, len(b))
	for i, c := range b {
		parts[i] = fmt.Sprintf("%02x", c)
	}
	return strings.Join(parts, ":")
}

// describe reads a certificate, issuing it first if it is due.
func (s *Service) describe(ctx context.Context, certificateARN string) (*certificate, error) {
	var c *certificate
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		c, err = find(ctx, r, certificateARN)
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, s.validate(ctx, c)
}

// DescribeCertificate returns a certificate's details.
func (s *Service) DescribeCertificate(ctx context.Context, in *acmapi.DescribeCertificateRequest) (*acmapi.DescribeCertificateResponse, error) {
	c, err := s.describe(ctx, *in.CertificateArn)
	if err != nil {
		return nil, err
	}
	return &acmapi.DescribeCertificateResponse{Certificate: &c.Detail}, nil
}

// GetCertificate returns a certificate and its chain in PEM.
func (s *Service) GetCertificate(ctx context.Context, in *acmapi.GetCertificateRequest) (*acmapi.GetCertificateResponse, error) {
	c, err := s.describe(ctx, *in.CertificateArn)
	if err != nil {
		return nil, err
	}
	if c.CertificatePEM == nil {
		return nil, &acmapi.RequestInProgressException{Message: wire.Ptr("Certificate is not issued yet. It is in state " + *c.Detail.Status)}
	}
	out := &acmapi.GetCertificateResponse{Certificate: wire.Ptr(string(c.CertificatePEM))}
	if c.ChainPEM != nil {
		out.CertificateChain = wire.Ptr(string(c.ChainPEM))
	}
	return out, nil
}

// DeleteCertificate deletes a certificate and its key.
func (s *Service) DeleteCertificate(ctx context.Context, in *acmapi.DeleteCertificateRequest) error {
	return s.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := find(ctx, tx, *in.CertificateArn); err != nil {
			return err
		}
		return certificates.Delete(tx, at(ctx, idOf(*in.CertificateArn))...)
	})
}

// UpdateCertificateOptions changes the transparency logging preference.
func (s *Service) UpdateCertificateOptions(ctx context.Context, in *acmapi.UpdateCertificateOptionsRequest) error {
	return s.edit(ctx, *in.CertificateArn, func(c *certificate) error {
		c.Detail.Options = options(in.Options)
		return nil
	})
}

package acm_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/acm"
	"github.com/butai-dev/butai/internal/api/acmapi"
	"github.com/butai-dev/butai/internal/api/route53api"
	"github.com/butai-dev/butai/internal/ca"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/route53"
	"github.com/butai-dev/butai/internal/store/sqlite"
	"github.com/butai-dev/butai/internal/wire"
)

// world is ACM beside a real Route 53 and a real authority.
type world struct {
	*acm.Service
	names *route53.Service
	ca    *ca.Authority
	clock *clock.Fake
	ctx   context.Context
	zone  *string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	st, err := sqlite.OpenMemory(t.Context(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	w := &world{clock: clock.NewFake(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))}
	w.ctx = wire.WithCaller(t.Context(), &wire.Caller{Account: "000000000000", Region: "us-east-1", Partition: "aws"})
	w.names = route53.New(route53.Config{Store: st, Clock: w.clock})
	w.ca = ca.New(t.TempDir(), w.clock)
	w.Service = acm.New(acm.Config{Store: st, Clock: w.clock, Log: slog.New(slog.DiscardHandler), Records: w.names, Authority: w.ca})
	zone, err := w.names.CreateHostedZone(w.ctx, &route53api.CreateHostedZoneRequest{Name: wire.Ptr("example.com"), CallerReference: wire.Ptr("r")})
	if err != nil {
		t.Fatal(err)
	}
	w.zone = zone.HostedZone.Id
	return w
}

func (w *world) request(t *testing.T, domain string, more ...string) *string {
	t.Helper()
	out, err := w.RequestCertificate(w.ctx, &acmapi.RequestCertificateRequest{DomainName: &domain, SubjectAlternativeNames: more, ValidationMethod: wire.Ptr("DNS")})
	if err != nil {
		t.Fatal(err)
	}
	return out.CertificateArn
}

func (w *world) describe(t *testing.T, arn *string) *acmapi.CertificateDetail {
	t.Helper()
	out, err := w.DescribeCertificate(w.ctx, &acmapi.DescribeCertificateRequest{CertificateArn: arn})
	if err != nil {
		t.Fatal(err)
	}
	return out.Certificate
}

// prove makes the DNS record that a validation asks for.
func (w *world) prove(t *testing.T, v acmapi.DomainValidation) {
	t.Helper()
	_, err := w.names.ChangeResourceRecordSets(w.ctx, &route53api.ChangeResourceRecordSetsRequest{HostedZoneId: w.zone,
		ChangeBatch: &route53api.ChangeBatch{Changes: []route53api.Change{{Action: wire.Ptr("UPSERT"), ResourceRecordSet: &route53api.ResourceRecordSet{
			Name: v.ResourceRecord.Name, Type: v.ResourceRecord.Type, TTL: wire.Ptr(int64(60)),
			ResourceRecords: []route53api.ResourceRecord{{Value: v.ResourceRecord.Value}},
		}}}}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestValidation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	arn := w.request(t, "api.example.com", "*.api.example.com", "www.example.com")
	d := w.describe(t, arn)
	if *d.Status != "PENDING_VALIDATION" || len(d.DomainValidationOptions) != 3 {
		t.Fatalf("requested: %s, %d validations", *d.Status, len(d.DomainValidationOptions))
	}
	if a, b := d.DomainValidationOptions[0].ResourceRecord, d.DomainValidationOptions[1].ResourceRecord; *a.Name != *b.Name || *a.Value != *b.Value {
		t.Errorf("a domain and its wildcard are proved by different records: %s, %s", *a.Name, *b.Name)
	}
	_, err := w.GetCertificate(w.ctx, &acmapi.GetCertificateRequest{CertificateArn: arn})
	var pending *acmapi.RequestInProgressException
	if !errors.As(err, &pending) {
		t.Errorf("get a pending certificate: %v", err)
	}
	w.prove(t, d.DomainValidationOptions[0])
	if d = w.describe(t, arn); *d.Status != "PENDING_VALIDATION" {
		t.Errorf("issued although www.example.com isn't proved")
	}
	if _, err := w.ForHost(w.ctx, "api.example.com"); err == nil {
		t.Error("a pending certificate is served")
	}
	w.prove(t, d.DomainValidationOptions[2])
	d = w.describe(t, arn)
	if *d.Status != "ISSUED" || *d.DomainValidationOptions[1].ValidationStatus != "SUCCESS" {
		t.Fatalf("proved: %s", *d.Status)
	}
	w.verify(t, arn, "api.example.com", "x.api.example.com", "www.example.com")
	if again := w.describe(t, arn); *again.Serial != *d.Serial {
		t.Error("each look issues another certificate")
	}
}

// verify checks the chain of an issued certificate as a browser would.
func (w *world) verify(t *testing.T, arn *string, hosts ...string) {
	t.Helper()
	out, err := w.GetCertificate(w.ctx, &acmapi.GetCertificateRequest{CertificateArn: arn})
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(*out.Certificate))
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.ReadFile(w.ca.Path())
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(root) {
		t.Fatal("the authority's file holds no certificate")
	}
	for _, host := range hosts {
		if _, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: trusted, CurrentTime: w.clock.Now()}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
		pair, err := w.ForHost(w.ctx, strings.ToUpper(host))
		if err != nil || !slices.Equal(pair.Certificate[0], leaf.Raw) {
			t.Errorf("the listener gives another certificate for %s: %v", host, err)
		}
	}
	if _, err := leaf.Verify(x509.VerifyOptions{DNSName: "other.org", Roots: trusted, CurrentTime: w.clock.Now()}); err == nil {
		t.Error("the certificate is good for other.org")
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: trusted, CurrentTime: w.clock.Now().Add(199 * 24 * time.Hour)}); err == nil {
		t.Error("the certificate never expires")
	}
	d := w.describe(t, arn)
	if !d.NotBefore.Equal(leaf.NotBefore) || !d.NotAfter.Equal(leaf.NotAfter) || *d.SignatureAlgorithm != "SHA256WITHECDSA" {
		t.Errorf("the description says %v to %v, %s", d.NotBefore, d.NotAfter, *d.SignatureAlgorithm)
	}
}

func TestKeyAlgorithms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for algorithm, shown := range map[string]string{"EC_prime256v1": "EC_prime256v1", "EC_secp384r1": "EC_secp384r1", "RSA_2048": "RSA-2048"} {
		out, err := w.RequestCertificate(w.ctx, &acmapi.RequestCertificateRequest{DomainName: wire.Ptr("example.com"), KeyAlgorithm: &algorithm, ValidationMethod: wire.Ptr("DNS")})
		if err != nil {
			t.Fatal(err)
		}
		w.prove(t, w.describe(t, out.CertificateArn).DomainValidationOptions[0])
		if d := w.describe(t, out.CertificateArn); *d.Status != "ISSUED" || *d.KeyAlgorithm != shown {
			t.Errorf("%s: %s, shown as %s", algorithm, *d.Status, *d.KeyAlgorithm)
		}
	}
	_, err := w.RequestCertificate(w.ctx, &acmapi.RequestCertificateRequest{DomainName: wire.Ptr("example.com"), KeyAlgorithm: wire.Ptr("RSA_4096"), ValidationMethod: wire.Ptr("DNS")})
	var invalid *acmapi.InvalidParameterException
	if !errors.As(err, &invalid) {
		t.Errorf("RSA_4096: %v", err)
	}
}

func TestImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	leaf, err := w.ca.Issue([]string{"imported.example.com"}, "EC_prime256v1")
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.ImportCertificate(w.ctx, &acmapi.ImportCertificateRequest{Certificate: leaf.CertificatePEM, PrivateKey: leaf.KeyPEM, CertificateChain: leaf.ChainPEM})
	if err != nil {
		t.Fatal(err)
	}
	if d := w.describe(t, out.CertificateArn); *d.Type != "IMPORTED" || *d.Status != "ISSUED" || *d.DomainName != "imported.example.com" {
		t.Errorf("imported: %s %s %s", *d.Type, *d.Status, *d.DomainName)
	}
	w.verify(t, out.CertificateArn, "imported.example.com")
	other, err := w.ca.Issue([]string{"other.example.com"}, "EC_prime256v1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.ImportCertificate(w.ctx, &acmapi.ImportCertificateRequest{Certificate: leaf.CertificatePEM, PrivateKey: other.KeyPEM})
	var invalid *acmapi.ValidationException
	if !errors.As(err, &invalid) {
		t.Errorf("a certificate with another's key: %v", err)
	}
}

func TestIdempotencyToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	request := func(domain, token string) string {
		out, err := w.RequestCertificate(w.ctx, &acmapi.RequestCertificateRequest{DomainName: &domain, IdempotencyToken: &token, ValidationMethod: wire.Ptr("DNS")})
		if err != nil {
			t.Fatal(err)
		}
		return *out.CertificateArn
	}
	first := request("a.example.com", "t")
	if again := request("a.example.com", "t"); again != first {
		t.Errorf("the same request made %s beside %s", again, first)
	}
	if other := request("b.example.com", "t"); other == first {
		t.Error("another domain got the same certificate")
	}
}

func TestUnknownCertificates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for arn, want := range map[string]string{
		"arn:aws:acm:us-east-1:000000000000:certificate/absent": "ResourceNotFoundException",
		"arn:aws:iam::000000000000:role/not-a-certificate":      "InvalidArnException",
		"not an arn at all, but long enough":                    "InvalidArnException",
	} {
		_, err := w.DescribeCertificate(w.ctx, &acmapi.DescribeCertificateRequest{CertificateArn: &arn})
		if err == nil {
			t.Errorf("%s was found", arn)
			continue
		}
		if code, _, _, _ := wire.ErrorFacts(err); code != want {
			t.Errorf("%s: %v, want %s", arn, err, want)
		}
	}
	arn := w.request(t, "a.example.com")
	elsewhere := wire.WithCaller(t.Context(), &wire.Caller{Account: "000000000000", Region: "eu-west-1", Partition: "aws"})
	if _, err := w.DescribeCertificate(elsewhere, &acmapi.DescribeCertificateRequest{CertificateArn: arn}); err == nil {
		t.Error("a certificate shows in another region")
	}
}

// TestExactNameWins: a host's own certificate is better than a wildcard.
func TestExactNameWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wild, own := w.request(t, "*.example.com"), w.request(t, "a.example.com")
	for _, arn := range []*string{wild, own} {
		w.prove(t, w.describe(t, arn).DomainValidationOptions[0])
		w.describe(t, arn)
	}
	for host, want := range map[string]string{"a.example.com": "a.example.com", "b.example.com": "*.example.com"} {
		pair, err := w.ForHost(w.ctx, host)
		if err != nil {
			t.Fatal(err)
		}
		if name := leafOf(t, pair).Subject.CommonName; name != want {
			t.Errorf("%s gets the certificate of %s", host, name)
		}
	}
	for _, host := range []string{"x.a.example.com", "example.com", "other.org", ""} {
		if _, err := w.ForHost(w.ctx, host); err == nil {
			t.Errorf("%q gets a certificate", host)
		}
	}
}

func leafOf(t *testing.T, pair *tls.Certificate) *x509.Certificate {
	t.Helper()
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

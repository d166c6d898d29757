// Package acm is AWS Certificate Manager. Requested certificates are signed by
// butai's own authority as soon as their DNS validation records are there;
// imported ones are kept as they came.
package acm

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/acmapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/ca"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// Records looks for the CNAME record that proves a domain's owner.
type Records interface {
	HasCNAME(ctx context.Context, account, name, value string) (bool, error)
}

// Config is what New needs; every field is required.
type Config struct {
	Store     store.Store
	Clock     clock.Clock
	Log       *slog.Logger
	Records   Records
	Authority *ca.Authority
}

// Service implements ACM, by account and region.
type Service struct {
	Config
}

// New returns the service.
func New(cfg Config) *Service { return &Service{cfg} }

// The operations that Service offers.
var _ interface {
	acmapi.AddTagsToCertificateAPI
	acmapi.DeleteCertificateAPI
	acmapi.DescribeCertificateAPI
	acmapi.GetCertificateAPI
	acmapi.ImportCertificateAPI
	acmapi.ListCertificatesAPI
	acmapi.ListTagsForCertificateAPI
	acmapi.RemoveTagsFromCertificateAPI
	acmapi.RequestCertificateAPI
	acmapi.UpdateCertificateOptionsAPI
} = (*Service)(nil)

// Refused lists the parameters whose effect isn't built.
func (s *Service) Refused() []wire.Refusal {
	return []wire.Refusal{
		{Operation: "RequestCertificate", Member: "CertificateAuthorityArn", Reason: "AWS Private CA"},
		{Operation: "RequestCertificate", Member: "ManagedBy", Reason: "certificates managed by CloudFront"},
		{Operation: "RequestCertificate", Member: "DomainValidationOptions", Reason: "e-mail validation"},
		{Operation: "ListCertificates", Member: "Includes.managedBy", Reason: "certificates managed by CloudFront"},
		{Operation: "ListCertificates", Member: "Includes.exportOption", Reason: "exportable certificates"},
		{Operation: "ListCertificates", Member: "Includes.extendedKeyUsage", Reason: "this filter"},
		{Operation: "ListCertificates", Member: "Includes.keyUsage", Reason: "this filter"},
	}
}

// certificate is a certificate as it is stored, by account, region and id.
type certificate struct {
	Detail acmapi.CertificateDetail
	Token  string       `json:",omitzero"` // idempotency token of the request
	Tags   []acmapi.Tag `json:",omitzero"`

	CertificatePEM, ChainPEM, KeyPEM []byte `json:",omitzero"`
}

var certificates = record.New[certificate]("acm", "certificate")

func idOf(certificateARN string) string {
	return certificateARN[strings.LastIndexByte(certificateARN, '/')+1:]
}

func at(ctx context.Context, id string) []string {
	c := wire.CallerFrom(ctx)
	return []string{c.Account, c.Region, id}
}

func newARN(ctx context.Context, id string) string {
	c := wire.CallerFrom(ctx)
	return arn.New("acm", c.Region, c.Account, "certificate/"+id).String()
}

// find returns the certificate of an ARN of the caller's account and region.
func find(ctx context.Context, r store.ReadTx, certificateARN string) (*certificate, error) {
	a, err := arn.Parse(certificateARN)
	if err != nil || a.Service != "acm" || !strings.HasPrefix(a.Resource, "certificate/") {
		return nil, &acmapi.InvalidArnException{Message: wire.Ptr("Could not parse ARN: " + certificateARN)}
	}
	c, err := certificates.Get(r, at(ctx, idOf(certificateARN))...)
	if err != nil {
		return nil, err
	}
	if c == nil || *c.Detail.CertificateArn != certificateARN {
		return nil, notFound(certificateARN)
	}
	return c, nil
}

func notFound(certificateARN string) error {
	account := ""
	if a, err := arn.Parse(certificateARN); err == nil {
		account = a.Account
	}
	return &acmapi.ResourceNotFoundException{Message: wire.Ptr("Could not find certificate " + certificateARN + " in account " + account + ".")}
}

func (s *Service) edit(ctx context.Context, certificateARN string, fn func(*certificate) error) error {
	return s.Store.Update(ctx, func(tx store.Tx) error {
		c, err := find(ctx, tx, certificateARN)
		if err != nil {
			return err
		}
		if err := fn(c); err != nil {
			return err
		}
		return certificates.Put(tx, c, at(ctx, idOf(certificateARN))...)
	})
}

func (s *Service) now() *time.Time {
	t := s.Clock.Now().Truncate(time.Millisecond)
	return &t
}

// IAMTargets names the certificate that a call is about.
func (s *Service) IAMTargets(ctx context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	target := wire.IAMTarget{Action: "acm:" + op.Name, Resource: "*"}
	switch in := in.(type) {
	case *acmapi.DescribeCertificateRequest:
		target.Resource = *in.CertificateArn
	case *acmapi.DeleteCertificateRequest:
		target.Resource = *in.CertificateArn
	case *acmapi.GetCertificateRequest:
		target.Resource = *in.CertificateArn
	case *acmapi.AddTagsToCertificateRequest:
		target.Resource = *in.CertificateArn
	case *acmapi.RemoveTagsFromCertificateRequest:
		target.Resource = *in.CertificateArn
	case *acmapi.ListTagsForCertificateRequest:
		target.Resource = *in.CertificateArn
	case *acmapi.UpdateCertificateOptionsRequest:
		target.Resource = *in.CertificateArn
	case *acmapi.ImportCertificateRequest:
		if in.CertificateArn != nil {
			target.Resource = *in.CertificateArn
		} else {
			target.Resource = newARN(ctx, "*")
		}
	}
	return []wire.IAMTarget{target}
}

// AddTagsToCertificate adds tags.
func (s *Service) AddTagsToCertificate(ctx context.Context, in *acmapi.AddTagsToCertificateRequest) error {
	return s.edit(ctx, *in.CertificateArn, func(c *certificate) error {
		for _, t := range in.Tags {
			c.Tags = slices.DeleteFunc(c.Tags, func(have acmapi.Tag) bool { return *have.Key == *t.Key })
			c.Tags = append(c.Tags, t)
		}
		if len(c.Tags) > 50 {
			return &acmapi.TooManyTagsException{Message: wire.Ptr("A certificate can have up to 50 tags")}
		}
		return nil
	})
}

// RemoveTagsFromCertificate removes tags by key, or by key and value if a
// value is given.
func (s *Service) RemoveTagsFromCertificate(ctx context.Context, in *acmapi.RemoveTagsFromCertificateRequest) error {
	return s.edit(ctx, *in.CertificateArn, func(c *certificate) error {
		for _, t := range in.Tags {
			c.Tags = slices.DeleteFunc(c.Tags, func(have acmapi.Tag) bool {
				return *have.Key == *t.Key && (t.Value == nil || wire.Val(have.Value) == *t.Value)
			})
		}
		return nil
	})
}

// ListTagsForCertificate lists tags.
func (s *Service) ListTagsForCertificate(ctx context.Context, in *acmapi.ListTagsForCertificateRequest) (*acmapi.ListTagsForCertificateResponse, error) {
	out := &acmapi.ListTagsForCertificateResponse{}
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		c, err := find(ctx, r, *in.CertificateArn)
		if err == nil {
			out.Tags = append([]acmapi.Tag{}, c.Tags...)
		}
		return err
	})
	return out, err
}

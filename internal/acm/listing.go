package acm

import (
	"context"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/acmapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// ListCertificates lists certificates. Unless asked otherwise ACM leaves out
// those with keys other than RSA up to 2048 bits.
func (s *Service) ListCertificates(ctx context.Context, in *acmapi.ListCertificatesRequest) (*acmapi.ListCertificatesResponse, error) {
	limit := 1000
	if in.MaxItems != nil {
		limit = int(*in.MaxItems)
	}
	var all []*certificate
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		all, err = certificates.List(r, at(ctx, "")[:2]...)
		return err
	})
	if err != nil {
		return nil, err
	}
	types := []string{acmapi.KeyAlgorithmRSA1024, acmapi.KeyAlgorithmRSA2048}
	if in.Includes != nil && len(in.Includes.KeyTypes) > 0 {
		types = in.Includes.KeyTypes
	}
	out := &acmapi.ListCertificatesResponse{CertificateSummaryList: []acmapi.CertificateSummary{}}
	for _, c := range all {
		if err := s.validate(ctx, c); err != nil {
			return nil, err
		}
		d := &c.Detail
		if in.NextToken != nil && idOf(*d.CertificateArn) <= *in.NextToken {
			continue
		}
		if !slices.Contains(types, strings.Replace(*d.KeyAlgorithm, "RSA-", "RSA_", 1)) ||
			len(in.CertificateStatuses) > 0 && !slices.Contains(in.CertificateStatuses, *d.Status) {
			continue
		}
		if len(out.CertificateSummaryList) == limit {
			last := out.CertificateSummaryList[limit-1]
			out.NextToken = wire.Ptr(idOf(*last.CertificateArn))
			break
		}
		out.CertificateSummaryList = append(out.CertificateSummaryList, summary(d))
	}
	sortSummaries(out.CertificateSummaryList, in)
	return out, nil
}

func sortSummaries(list []acmapi.CertificateSummary, in *acmapi.ListCertificatesRequest) {
	if in.SortBy == nil {
		return
	}
	slices.SortStableFunc(list, func(a, b acmapi.CertificateSummary) int {
		c := a.CreatedAt.Compare(*b.CreatedAt)
		if wire.Val(in.SortOrder) == acmapi.SortOrderDESCENDING {
			return -c
		}
		return c
	})
}

func summary(d *acmapi.CertificateDetail) acmapi.CertificateSummary {
	return acmapi.CertificateSummary{
		CertificateArn: d.CertificateArn, DomainName: d.DomainName, SubjectAlternativeNameSummaries: d.SubjectAlternativeNames,
		HasAdditionalSubjectAlternativeNames: wire.Ptr(false), Status: d.Status, Type: d.Type, KeyAlgorithm: d.KeyAlgorithm,
		InUse: wire.Ptr(false), RenewalEligibility: d.RenewalEligibility, NotBefore: d.NotBefore, NotAfter: d.NotAfter,
		CreatedAt: d.CreatedAt, IssuedAt: d.IssuedAt, ImportedAt: d.ImportedAt, KeyUsages: []string{}, ExtendedKeyUsages: []string{},
	}
}

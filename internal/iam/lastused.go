package iam

import (
	"context"
	"time"

	"github.com/butai-dev/butai/internal/api/iamapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// keyUse is the last use of an access key. It is kept for as long as the
// process lives; AWS's own record lags by hours (API Reference:
// GetAccessKeyLastUsed), so nobody may lean on it.
type keyUse struct {
	at              time.Time
	service, region string
}

// Used notes that a key has signed a request.
func (s *Service) Used(id, service, region string) {
	use := keyUse{at: s.Clock.Now().Truncate(time.Second), service: service, region: region}
	last, known := s.uses.Load(id)
	if known && last.(keyUse) == use {
		return // nothing to note: dates are of whole seconds
	}
	if known || s.issued(id) {
		s.uses.Store(id, use)
	}
}

// GetAccessKeyLastUsed says whose a key is and when it was used.
func (s *Service) GetAccessKeyLastUsed(ctx context.Context, in *iamapi.GetAccessKeyLastUsedRequest) (*iamapi.GetAccessKeyLastUsedResponse, error) {
	var k *key
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		k, err = keyring.Get(r, *in.AccessKeyId)
		return err
	})
	if err != nil {
		return nil, err
	}
	if k == nil || k.User == "" || k.Account != account(ctx) {
		return nil, &wire.Error{Code: "AccessDenied", Status: 403, Message: "User: " + wire.CallerFrom(ctx).ARN +
			" is not authorized to perform: iam:GetAccessKeyLastUsed on resource: access key " + *in.AccessKeyId}
	}
	used := &iamapi.AccessKeyLastUsed{ServiceName: wire.Ptr("N/A"), Region: wire.Ptr("N/A")}
	if u, ok := s.uses.Load(k.ID); ok {
		use := u.(keyUse)
		used = &iamapi.AccessKeyLastUsed{LastUsedDate: &use.at, ServiceName: &use.service, Region: &use.region}
	}
	return &iamapi.GetAccessKeyLastUsedResponse{UserName: &k.User, AccessKeyLastUsed: used}, nil
}

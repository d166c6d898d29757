package ecr

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxDestinations is the limit over all rules ("Amazon ECR endpoints and
// quotas").
const maxDestinations = 25

// DescribeRegistry tells where the registry's images are replicated to.
func (s *Service) DescribeRegistry(ctx context.Context, _ *ecrapi.DescribeRegistryRequest) (*ecrapi.DescribeRegistryResponse, error) {
	registry, rec, err := s.configured(ctx)
	if err != nil {
		return nil, err
	}
	rules := slices.Concat([]ecrapi.ReplicationRule{}, rec.Replication)
	return &ecrapi.DescribeRegistryResponse{RegistryId: &registry.account, ReplicationConfiguration: &ecrapi.ReplicationConfiguration{Rules: rules}}, nil
}

// PutReplicationConfiguration says where images are replicated to that are
// pushed from now on.
func (s *Service) PutReplicationConfiguration(ctx context.Context, in *ecrapi.PutReplicationConfigurationRequest) (*ecrapi.PutReplicationConfigurationResponse, error) {
	registry, distinct := placeOf(ctx, nil, nil), map[place]bool{}
	for _, rule := range in.ReplicationConfiguration.Rules {
		for _, d := range rule.Destinations {
			to := place{account: *d.RegistryId, region: *d.Region}
			if to == registry {
				return nil, invalid("Invalid parameter at 'replicationConfiguration' failed to satisfy constraint: 'a registry cannot replicate to itself'")
			}
			distinct[to] = true
		}
	}
	if len(distinct) > maxDestinations {
		return nil, invalid("Invalid parameter at 'replicationConfiguration' failed to satisfy constraint: 'at most %d unique destinations'", maxDestinations)
	}
	_, err := s.configure(ctx, func(rec *settingsRecord) error {
		rec.Replication = in.ReplicationConfiguration.Rules
		return nil
	})
	return &ecrapi.PutReplicationConfigurationResponse{ReplicationConfiguration: in.ReplicationConfiguration}, err
}

// DescribeImageReplicationStatus tells where an image has been replicated to.
func (s *Service) DescribeImageReplicationStatus(ctx context.Context, in *ecrapi.DescribeImageReplicationStatusRequest) (*ecrapi.DescribeImageReplicationStatusResponse, error) {
	p := placeOf(ctx, in.RegistryId, in.RepositoryName)
	out := &ecrapi.DescribeImageReplicationStatusResponse{RepositoryName: &p.name, ImageId: in.ImageId}
	return out, s.Store.View(ctx, func(r store.ReadTx) error {
		if _, err := open(ctx, r, p); err != nil {
			return err
		}
		list, err := named(r, p, []ecrapi.ImageIdentifier{*in.ImageId})
		if err == nil {
			out.ReplicationStatuses = slices.Concat([]ecrapi.ImageReplicationStatus{}, list[0].Replicated)
		}
		return err
	})
}

// replicate copies an image, with a tag if it has just got one, to where the
// registry's rules say, and notes what became of it. A copy is not replicated
// again.
func (s *Service) replicate(tx store.Tx, p place, rec *imageRecord, tag string) error {
	registry, err := settingsOf(tx, p)
	if err != nil {
		return err
	}
	done := map[place]bool{}
	for _, rule := range registry.Replication {
		if !concerns(rule.RepositoryFilters, p.name) {
			continue
		}
		for _, d := range rule.Destinations {
			to := place{*d.RegistryId, *d.Region, p.name}
			if done[to] {
				continue
			}
			done[to] = true
			status := ecrapi.ImageReplicationStatus{Region: d.Region, RegistryId: d.RegistryId, Status: wire.Ptr(ecrapi.ReplicationStatusCOMPLETE)}
			failure, err := s.copyTo(tx, p, to, rec, tag)
			if err != nil {
				return err
			}
			if failure != "" {
				status.Status, status.FailureCode = wire.Ptr(ecrapi.ReplicationStatusFAILED), &failure
			}
			rec.Replicated = append(slices.DeleteFunc(rec.Replicated, func(old ecrapi.ImageReplicationStatus) bool {
				return *old.Region == *d.Region && *old.RegistryId == *d.RegistryId
			}), status)
		}
	}
	if len(done) == 0 {
		return nil
	}
	return images.Put(tx, rec, p.key(rec.Digest)...)
}

// concerns tells whether a rule is about a repository: without filters it is
// about all.
func concerns(filters []ecrapi.RepositoryFilter, name string) bool {
	return len(filters) == 0 || slices.ContainsFunc(filters, func(f ecrapi.RepositoryFilter) bool {
		return *f.FilterType == ecrapi.RepositoryFilterTypePREFIXMATCH && strings.HasPrefix(name, *f.Filter)
	})
}

// copyTo puts an image into another registry, whose policy must let this one's
// account do so if it is another account's. failure says why it couldn't.
func (s *Service) copyTo(tx store.Tx, from, to place, rec *imageRecord, tag string) (failure string, err error) {
	registry, err := settingsOf(tx, to)
	if err != nil {
		return "", err
	}
	if to.account != from.account {
		source := &wire.Caller{Account: from.account, Region: to.region, Partition: "aws", ARN: arn.New("iam", "", from.account, "root").String()}
		target := wire.IAMTarget{Action: "ecr:ReplicateImage", Resource: to.arn(), Policy: registry.Policy}
		if registry.Policy == "" || s.Authorizer.Authorize(context.Background(), source, target) != "" {
			return "AccessDenied", nil
		}
	}
	repository, err := repositories.Get(tx, to.key()...)
	if err != nil {
		return "", err
	}
	if repository == nil {
		repository = &repositoryRecord{
			Account: to.account, Region: to.region, Name: to.name, Created: s.Clock.Now().UTC(), Mutability: ecrapi.ImageTagMutabilityMUTABLE,
		}
		if err := repositories.Put(tx, repository, to.key()...); err != nil {
			return "", err
		}
	}
	for _, digest := range rec.Blobs {
		l, err := layers.Get(tx, from.key(digest)...)
		if err != nil {
			return "", err
		}
		if err := layers.Put(tx, l, to.key(digest)...); err != nil {
			return "", err
		}
	}
	_, m, err := readManifest(rec.Manifest, rec.MediaType)
	if err != nil {
		return "", err
	}
	for _, d := range m.Manifests { // those that were pushed before the rule was made
		child, err := images.Get(tx, from.key(d.Digest)...)
		if err != nil {
			return "", err
		}
		if failure, err := s.copyTo(tx, from, to, child, ""); failure != "" || err != nil {
			return failure, err
		}
	}
	replica := *rec
	replica.Replicated, replica.Pulled = nil, time.Time{}
	_, err = s.keep(tx, repository, &replica, tag)
	if _, taken := errors.AsType[*ecrapi.ImageTagAlreadyExistsException](err); taken {
		return "ImageTagAlreadyExists", nil
	}
	return "", err
}

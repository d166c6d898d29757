package ecr

import (
	"context"
	"fmt"
	"path"

	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// shown is a repository as the API shows it.
func (s *Service) shown(rec *repositoryRecord) *ecrapi.Repository {
	p := rec.place()
	return &ecrapi.Repository{
		RepositoryArn: wire.Ptr(p.arn()), RegistryId: &rec.Account, RepositoryName: &rec.Name, RepositoryUri: wire.Ptr(s.uri(p)),
		CreatedAt: &rec.Created, ImageTagMutability: &rec.Mutability, ImageTagMutabilityExclusionFilters: rec.Exclusions,
		ImageScanningConfiguration: &ecrapi.ImageScanningConfiguration{ScanOnPush: &rec.ScanOnPush},
		EncryptionConfiguration:    &ecrapi.EncryptionConfiguration{EncryptionType: wire.Ptr(ecrapi.EncryptionTypeAES256)},
	}
}

// CreateRepository makes a repository.
func (s *Service) CreateRepository(ctx context.Context, in *ecrapi.CreateRepositoryRequest) (*ecrapi.CreateRepositoryResponse, error) {
	p := placeOf(ctx, nil, in.RepositoryName)
	if in.RegistryId != nil && *in.RegistryId != p.account {
		return nil, invalid("Invalid parameter at 'registryId' failed to satisfy constraint: 'repositories are created in the caller's registry'")
	}
	if e := in.EncryptionConfiguration; e != nil && wire.Val(e.EncryptionType) != ecrapi.EncryptionTypeAES256 {
		return nil, wire.NotBuilt("repositories of ECR that KMS encrypts; encryptionType must be AES256")
	}
	rec := &repositoryRecord{
		Account: p.account, Region: p.region, Name: p.name, Created: s.Clock.Now().UTC(), Mutability: ecrapi.ImageTagMutabilityMUTABLE,
		Exclusions: in.ImageTagMutabilityExclusionFilters, Tags: map[string]string{},
	}
	if in.ImageTagMutability != nil {
		rec.Mutability = *in.ImageTagMutability
	}
	if err := checkExclusions(rec); err != nil {
		return nil, err
	}
	if c := in.ImageScanningConfiguration; c != nil {
		rec.ScanOnPush = wire.Val(c.ScanOnPush)
	}
	if err := addTags(rec, in.Tags); err != nil {
		return nil, err
	}
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		have, err := repositories.Get(tx, p.key()...)
		if err != nil {
			return err
		}
		if have != nil {
			return &ecrapi.RepositoryAlreadyExistsException{Message: wire.Ptr(
				fmt.Sprintf("The repository with name '%s' already exists in the registry with id '%s'", p.name, p.account))}
		}
		return repositories.Put(tx, rec, p.key()...)
	})
	if err != nil {
		return nil, err
	}
	return &ecrapi.CreateRepositoryResponse{Repository: s.shown(rec)}, nil
}

// DescribeRepositories lists repositories by name, or those that are named.
func (s *Service) DescribeRepositories(ctx context.Context, in *ecrapi.DescribeRepositoriesRequest) (*ecrapi.DescribeRepositoriesResponse, error) {
	out := &ecrapi.DescribeRepositoriesResponse{}
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		out.Repositories = []ecrapi.Repository{}
		for _, name := range in.RepositoryNames {
			rec, err := open(ctx, r, placeOf(ctx, in.RegistryId, &name))
			if err != nil {
				return err
			}
			out.Repositories = append(out.Repositories, *s.shown(rec))
		}
		if len(in.RepositoryNames) > 0 {
			return nil
		}
		p := placeOf(ctx, in.RegistryId, nil)
		for rec, err := range repositories.All(r, p.account, p.region) {
			if err != nil {
				return err
			}
			if p.account == wire.CallerFrom(ctx).Account {
				out.Repositories = append(out.Repositories, *s.shown(rec))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.Repositories, out.NextToken, err = page(out.Repositories, in.NextToken, in.MaxResults)
	return out, err
}

// DeleteRepository deletes a repository, and its images if forced to.
func (s *Service) DeleteRepository(ctx context.Context, in *ecrapi.DeleteRepositoryRequest) (*ecrapi.DeleteRepositoryResponse, error) {
	p := placeOf(ctx, in.RegistryId, in.RepositoryName)
	out := &ecrapi.DeleteRepositoryResponse{}
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		rec, err := open(ctx, tx, p)
		if err != nil {
			return err
		}
		if !wire.Val(in.Force) {
			for _, err := range images.All(tx, p.key()...) {
				if err != nil {
					return err
				}
				return &ecrapi.RepositoryNotEmptyException{Message: wire.Ptr(fmt.Sprintf(
					"The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images", p.name, p.account))}
			}
		}
		out.Repository = s.shown(rec)
		for _, remove := range []func(store.Tx, ...string) error{images.DeleteAll, tags.DeleteAll, layers.DeleteAll, previews.Delete, repositories.Delete} {
			if err := remove(tx, p.key()...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	// AWS shows neither configuration of a repository that is gone.
	out.Repository.ImageScanningConfiguration, out.Repository.EncryptionConfiguration = nil, nil
	return out, nil
}

// PutImageTagMutability says whether tags may move.
func (s *Service) PutImageTagMutability(ctx context.Context, in *ecrapi.PutImageTagMutabilityRequest) (*ecrapi.PutImageTagMutabilityResponse, error) {
	p := placeOf(ctx, in.RegistryId, in.RepositoryName)
	err := s.edit(ctx, p, func(_ store.Tx, rec *repositoryRecord) error {
		rec.Mutability, rec.Exclusions = *in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters
		return checkExclusions(rec)
	})
	if err != nil {
		return nil, err
	}
	return &ecrapi.PutImageTagMutabilityResponse{
		RegistryId: &p.account, RepositoryName: &p.name, ImageTagMutability: in.ImageTagMutability,
		ImageTagMutabilityExclusionFilters: in.ImageTagMutabilityExclusionFilters,
	}, nil
}

// checkExclusions checks that there are exclusions just if the mutability has
// any.
func checkExclusions(rec *repositoryRecord) error {
	excludes := rec.Mutability == ecrapi.ImageTagMutabilityIMMUTABLEWITHEXCLUSION || rec.Mutability == ecrapi.ImageTagMutabilityMUTABLEWITHEXCLUSION
	if excludes != (len(rec.Exclusions) > 0) {
		return invalid("Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: 'exclusion filters go with the mutabilities that have exclusions'")
	}
	return nil
}

// fixed tells whether a tag, once given, stays where it is.
func (rec *repositoryRecord) fixed(tag string) bool {
	immutable := rec.Mutability == ecrapi.ImageTagMutabilityIMMUTABLE || rec.Mutability == ecrapi.ImageTagMutabilityIMMUTABLEWITHEXCLUSION
	for _, e := range rec.Exclusions {
		wildcard := wire.Val(e.FilterType) == ecrapi.ImageTagMutabilityExclusionFilterTypeWILDCARD
		if ok, _ := path.Match(wire.Val(e.Filter), tag); ok && wildcard { // tags have no slashes, and the model allows no other signs than *
			return !immutable
		}
	}
	return immutable
}

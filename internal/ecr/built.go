package ecr

import (
	"context"
	"reflect"

	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// The operations that Service offers; a method with another signature would
// count as not built.
var _ interface {
	ecrapi.BatchCheckLayerAvailabilityAPI
	ecrapi.BatchDeleteImageAPI
	ecrapi.BatchGetImageAPI
	ecrapi.BatchGetRepositoryScanningConfigurationAPI
	ecrapi.CompleteLayerUploadAPI
	ecrapi.CreateRepositoryAPI
	ecrapi.DeleteLifecyclePolicyAPI
	ecrapi.DeleteRegistryPolicyAPI
	ecrapi.DeleteRepositoryAPI
	ecrapi.DeleteRepositoryPolicyAPI
	ecrapi.DescribeImageReplicationStatusAPI
	ecrapi.DescribeImagesAPI
	ecrapi.DescribeRegistryAPI
	ecrapi.DescribeRepositoriesAPI
	ecrapi.GetAuthorizationTokenAPI
	ecrapi.GetDownloadUrlForLayerAPI
	ecrapi.GetLifecyclePolicyAPI
	ecrapi.GetLifecyclePolicyPreviewAPI
	ecrapi.GetRegistryPolicyAPI
	ecrapi.GetRegistryScanningConfigurationAPI
	ecrapi.GetRepositoryPolicyAPI
	ecrapi.InitiateLayerUploadAPI
	ecrapi.ListImageReferrersAPI
	ecrapi.ListImagesAPI
	ecrapi.ListTagsForResourceAPI
	ecrapi.PutImageAPI
	ecrapi.PutImageScanningConfigurationAPI
	ecrapi.PutImageTagMutabilityAPI
	ecrapi.PutLifecyclePolicyAPI
	ecrapi.PutRegistryPolicyAPI
	ecrapi.PutRegistryScanningConfigurationAPI
	ecrapi.PutReplicationConfigurationAPI
	ecrapi.SetRepositoryPolicyAPI
	ecrapi.StartLifecyclePolicyPreviewAPI
	ecrapi.TagResourceAPI
	ecrapi.UntagResourceAPI
	ecrapi.UploadLayerPartAPI
} = (*Service)(nil)

var (
	_ wire.Refuser  = (*Service)(nil)
	_ wire.IAMNamer = (*Service)(nil)
)

// Refused lists the parameters that butai can't honour.
func (*Service) Refused() []wire.Refusal {
	return []wire.Refusal{
		{Operation: "SetRepositoryPolicy", Member: "force", Reason: "policies aren't checked for whom they lock out"},
		{Operation: "CreateRepository", Member: "encryptionConfiguration.kmsKey", Reason: "images aren't encrypted with KMS keys yet"},
	}
}

// IAMTargets names the repository that a call is about, with its policy
// (Service Authorization Reference: Amazon Elastic Container Registry).
func (s *Service) IAMTargets(ctx context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	target := wire.IAMTarget{Action: "ecr:" + op.Name, Resource: "*"}
	switch in := in.(type) {
	case *ecrapi.GetAuthorizationTokenRequest:
		return []wire.IAMTarget{target}
	case *ecrapi.DescribeRepositoriesRequest:
		if len(in.RepositoryNames) == 0 {
			target.Resource = placeOf(ctx, in.RegistryId, wire.Ptr("*")).arn()
			return []wire.IAMTarget{target}
		}
		return s.targets(ctx, op, in.RegistryId, in.RepositoryNames)
	case *ecrapi.BatchGetRepositoryScanningConfigurationRequest:
		return s.targets(ctx, op, nil, in.RepositoryNames)
	}
	if !reflect.ValueOf(in).Elem().FieldByName("RepositoryName").IsValid() && member(in, "ResourceArn") == nil {
		return []wire.IAMTarget{target} // it is about the registry
	}
	if text := member(in, "ResourceArn"); text != nil {
		if p, err := placeOfARN(*text); err == nil {
			return []wire.IAMTarget{s.target(ctx, op, p)}
		}
		return []wire.IAMTarget{target} // the call itself will say what is wrong
	}
	return []wire.IAMTarget{s.target(ctx, op, placeOf(ctx, member(in, "RegistryId"), member(in, "RepositoryName")))}
}

func (s *Service) targets(ctx context.Context, op *wire.Operation, registryID *string, names []string) (targets []wire.IAMTarget) {
	for _, name := range names {
		targets = append(targets, s.target(ctx, op, placeOf(ctx, registryID, &name)))
	}
	return targets
}

func (s *Service) target(ctx context.Context, op *wire.Operation, p place) wire.IAMTarget {
	target := wire.IAMTarget{Action: "ecr:" + op.Name, Resource: p.arn()}
	_ = s.Store.View(ctx, func(r store.ReadTx) error { // a failure shows again in the call itself
		rec, err := repositories.Get(r, p.key()...)
		if err == nil && rec != nil {
			target.Policy, err = resourcePolicy(r, rec)
		}
		return err
	})
	return target
}

// member reads a string member of an input, nil if it has none or it is unset.
func member(in any, name string) *string {
	field := reflect.ValueOf(in).Elem().FieldByName(name)
	if !field.IsValid() {
		return nil
	}
	text, _ := field.Interface().(*string)
	return text
}

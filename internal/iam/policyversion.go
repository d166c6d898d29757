package iam

import (
	"context"
	"slices"
	"strconv"

	"github.com/butai-dev/butai/internal/api/iamapi"
	"github.com/butai-dev/butai/internal/iam/managed"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// CreatePolicyVersion adds a version.
func (s *Service) CreatePolicyVersion(ctx context.Context, in *iamapi.CreatePolicyVersionRequest) (*iamapi.CreatePolicyVersionResponse, error) {
	if err := checkDocument(*in.PolicyDocument, policy.Managed); err != nil {
		return nil, err
	}
	var added iamapi.PolicyVersion
	err := s.editPolicy(ctx, *in.PolicyArn, func(p *managedPolicy) error {
		if len(p.Versions) >= maxVersions {
			return &iamapi.LimitExceededException{Message: wire.Ptr("A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.")}
		}
		p.Last++
		added = iamapi.PolicyVersion{VersionId: wire.Ptr("v" + strconv.Itoa(p.Last)), IsDefaultVersion: wire.Ptr(false), Document: in.PolicyDocument, CreateDate: s.now()}
		p.Versions = append(p.Versions, added)
		if wire.Val(in.SetAsDefault) {
			added.IsDefaultVersion = wire.Ptr(true)
			return p.setDefault(*added.VersionId)
		}
		return nil
	})
	added.Document = nil
	return &iamapi.CreatePolicyVersionResponse{PolicyVersion: &added}, err
}

// editPolicy changes a customer managed policy in place.
func (s *Service) editPolicy(ctx context.Context, policyARN string, fn func(*managedPolicy) error) error {
	if _, ok := managed.Lookup(policyARN); ok {
		return &wire.Error{Code: "AccessDenied", Status: 403, Message: "Cannot change an AWS managed policy: " + policyARN}
	}
	return s.update(ctx, func(tx store.Tx) error {
		p, err := findPolicy(tx, policyARN)
		if err != nil {
			return err
		}
		if err := fn(p); err != nil {
			return err
		}
		p.Policy.UpdateDate = s.now()
		return policies.Put(tx, p, account(ctx), *p.Policy.PolicyName)
	})
}

func (p *managedPolicy) version(id string) (int, error) {
	for i, v := range p.Versions {
		if *v.VersionId == id {
			return i, nil
		}
	}
	return 0, &iamapi.NoSuchEntityException{Message: wire.Ptr("Policy " + *p.Policy.Arn + " version " + id + " does not exist or is not attachable.")}
}

func (p *managedPolicy) setDefault(id string) error {
	at, err := p.version(id)
	if err != nil {
		return err
	}
	for i := range p.Versions {
		p.Versions[i].IsDefaultVersion = wire.Ptr(i == at)
	}
	p.Policy.DefaultVersionId = wire.Ptr(id)
	return nil
}

// SetDefaultPolicyVersion makes a version the one in force.
func (s *Service) SetDefaultPolicyVersion(ctx context.Context, in *iamapi.SetDefaultPolicyVersionRequest) error {
	return s.editPolicy(ctx, *in.PolicyArn, func(p *managedPolicy) error { return p.setDefault(*in.VersionId) })
}

// DeletePolicyVersion deletes a version that is not in force.
func (s *Service) DeletePolicyVersion(ctx context.Context, in *iamapi.DeletePolicyVersionRequest) error {
	return s.editPolicy(ctx, *in.PolicyArn, func(p *managedPolicy) error {
		i, err := p.version(*in.VersionId)
		if err != nil {
			return err
		}
		if *p.Versions[i].IsDefaultVersion {
			return deleteConflict("cannot delete the default version of a policy.")
		}
		p.Versions = slices.Delete(p.Versions, i, i+1)
		return nil
	})
}

// GetPolicyVersion returns a version with its document.
func (s *Service) GetPolicyVersion(ctx context.Context, in *iamapi.GetPolicyVersionRequest) (*iamapi.GetPolicyVersionResponse, error) {
	var v iamapi.PolicyVersion
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		p, err := findPolicy(r, *in.PolicyArn)
		if err != nil {
			return err
		}
		i, err := p.version(*in.VersionId)
		if err != nil {
			return err
		}
		v = p.Versions[i]
		v.Document = escapeDocument(*v.Document)
		return nil
	})
	return &iamapi.GetPolicyVersionResponse{PolicyVersion: &v}, err
}

// ListPolicyVersions lists versions, the newest first, without documents.
func (s *Service) ListPolicyVersions(ctx context.Context, in *iamapi.ListPolicyVersionsRequest) (*iamapi.ListPolicyVersionsResponse, error) {
	var versions []iamapi.PolicyVersion
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		p, err := findPolicy(r, *in.PolicyArn)
		if err != nil {
			return err
		}
		versions = p.Versions
		slices.Reverse(versions)
		for i := range versions {
			versions[i].Document = nil
		}
		return nil
	})
	at := 0
	for i, v := range versions {
		if in.Marker != nil && *v.VersionId == *in.Marker {
			at = i + 1
		}
	}
	out, truncated, next := page(versions[at:], func(v iamapi.PolicyVersion) string { return *v.VersionId }, nil, in.MaxItems)
	return &iamapi.ListPolicyVersionsResponse{Versions: list(out), IsTruncated: truncated, Marker: next}, err
}

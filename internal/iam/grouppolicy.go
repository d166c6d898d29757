package iam

import (
	"context"

	"github.com/butai-dev/butai/internal/api/iamapi"
)

// PutGroupPolicy stores an inline policy.
func (s *Service) PutGroupPolicy(ctx context.Context, in *iamapi.PutGroupPolicyRequest) error {
	return s.putInline(ctx, groupKind, *in.GroupName, *in.PolicyName, *in.PolicyDocument)
}

// GetGroupPolicy returns an inline policy.
func (s *Service) GetGroupPolicy(ctx context.Context, in *iamapi.GetGroupPolicyRequest) (*iamapi.GetGroupPolicyResponse, error) {
	doc, err := s.getInline(ctx, groupKind, *in.GroupName, *in.PolicyName)
	return &iamapi.GetGroupPolicyResponse{GroupName: in.GroupName, PolicyName: in.PolicyName, PolicyDocument: doc}, err
}

// DeleteGroupPolicy deletes an inline policy.
func (s *Service) DeleteGroupPolicy(ctx context.Context, in *iamapi.DeleteGroupPolicyRequest) error {
	return s.deleteInline(ctx, groupKind, *in.GroupName, *in.PolicyName)
}

// ListGroupPolicies lists a group's inline policies.
func (s *Service) ListGroupPolicies(ctx context.Context, in *iamapi.ListGroupPoliciesRequest) (*iamapi.ListGroupPoliciesResponse, error) {
	names, truncated, next, err := s.listInline(ctx, groupKind, *in.GroupName, in.Marker, in.MaxItems)
	return &iamapi.ListGroupPoliciesResponse{PolicyNames: names, IsTruncated: truncated, Marker: next}, err
}

// AttachGroupPolicy attaches a managed policy.
func (s *Service) AttachGroupPolicy(ctx context.Context, in *iamapi.AttachGroupPolicyRequest) error {
	return s.attach(ctx, groupKind, *in.GroupName, *in.PolicyArn)
}

// DetachGroupPolicy detaches a managed policy.
func (s *Service) DetachGroupPolicy(ctx context.Context, in *iamapi.DetachGroupPolicyRequest) error {
	return s.detach(ctx, groupKind, *in.GroupName, *in.PolicyArn)
}

// ListAttachedGroupPolicies lists a group's managed policies.
func (s *Service) ListAttachedGroupPolicies(ctx context.Context, in *iamapi.ListAttachedGroupPoliciesRequest) (*iamapi.ListAttachedGroupPoliciesResponse, error) {
	attached, truncated, next, err := s.listAttached(ctx, groupKind, *in.GroupName, in.PathPrefix, in.Marker, in.MaxItems)
	return &iamapi.ListAttachedGroupPoliciesResponse{AttachedPolicies: attached, IsTruncated: truncated, Marker: next}, err
}

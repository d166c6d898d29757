package iam

import (
	"context"
	"strings"

	"github.com/butai-dev/butai/internal/api/iamapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// CreateRole makes a role.
func (s *Service) CreateRole(ctx context.Context, in *iamapi.CreateRoleRequest) (*iamapi.CreateRoleResponse, error) {
	if err := s.checkTrust(ctx, *in.AssumeRolePolicyDocument); err != nil {
		return nil, err
	}
	tags, err := mergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	duration := in.MaxSessionDuration
	if duration == nil {
		duration = wire.Ptr(int64(3600))
	}
	role := &iamapi.Role{
		Path: wire.Ptr(pathOr(in.Path)), RoleName: in.RoleName, RoleId: wire.Ptr("AROA" + ident.Upper(17)),
		Arn:        wire.Ptr(iamARN(account(ctx), "role", pathOr(in.Path), *in.RoleName)),
		CreateDate: s.now(), AssumeRolePolicyDocument: in.AssumeRolePolicyDocument, Description: in.Description,
		MaxSessionDuration: duration, Tags: tags,
	}
	err = s.update(ctx, func(tx store.Tx) error {
		if err := roleKind.free(tx, account(ctx), *in.RoleName); err != nil {
			return err
		}
		if in.PermissionsBoundary != nil {
			if role.PermissionsBoundary, err = setBoundary(tx, *in.PermissionsBoundary); err != nil {
				return err
			}
		}
		return roles.Put(tx, &entity{Role: role}, account(ctx), *in.RoleName)
	})
	if err != nil {
		return nil, err
	}
	answer := answerRole(role)
	answer.MaxSessionDuration, answer.Description, answer.RoleLastUsed = nil, nil, nil // CreateRole leaves them out
	if in.Description != nil {
		answer.Description = in.Description
	}
	if in.MaxSessionDuration != nil {
		answer.MaxSessionDuration = in.MaxSessionDuration
	}
	return &iamapi.CreateRoleResponse{Role: answer}, nil
}

// checkTrust checks a trust policy, and that the roles and users it names
// exist (IAM User Guide: "AWS JSON policy elements: Principal"). Of other
// accounts butai may know nothing, so theirs pass.
func (s *Service) checkTrust(ctx context.Context, text string) error {
	if err := checkDocument(text, policy.Trust); err != nil {
		return err
	}
	for _, ref := range policy.Principals([]byte(text)) {
		a, err := arn.Parse(ref.Value)
		if ref.Type == "AWS" && err == nil && a.Service == "iam" && a.Account == account(ctx) && !s.Exists(ref.Value) {
			return &iamapi.MalformedPolicyDocumentException{Message: wire.Ptr(policy.InvalidPrincipal(ref))}
		}
	}
	return nil
}

// answerRole is the role as IAM prints it: with its document encoded.
func answerRole(r *iamapi.Role) *iamapi.Role {
	out := *r
	out.AssumeRolePolicyDocument = escapeDocument(*r.AssumeRolePolicyDocument)
	return &out
}

// GetRole returns a role.
func (s *Service) GetRole(ctx context.Context, in *iamapi.GetRoleRequest) (*iamapi.GetRoleResponse, error) {
	e, err := s.view(ctx, roleKind, *in.RoleName)
	if err != nil {
		return nil, err
	}
	role := answerRole(e.Role)
	role.RoleLastUsed = &iamapi.RoleLastUsed{}
	return &iamapi.GetRoleResponse{Role: role}, nil
}

// ListRoles lists the account's roles by name; it leaves out tags and
// permissions boundaries, as IAM does.
func (s *Service) ListRoles(ctx context.Context, in *iamapi.ListRolesRequest) (*iamapi.ListRolesResponse, error) {
	var all []iamapi.Role
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		all = nil
		for e, err := range roles.All(r, account(ctx)) {
			if err != nil {
				return err
			}
			if role := answerRole(e.Role); strings.HasPrefix(*role.Path, pathOr(in.PathPrefix)) {
				role.Tags, role.PermissionsBoundary = nil, nil
				all = append(all, *role)
			}
		}
		return nil
	})
	out, truncated, next := page(all, func(r iamapi.Role) string { return *r.RoleName }, in.Marker, in.MaxItems)
	return &iamapi.ListRolesResponse{Roles: list(out), IsTruncated: truncated, Marker: next}, err
}

// UpdateRole changes a role's description and session duration.
func (s *Service) UpdateRole(ctx context.Context, in *iamapi.UpdateRoleRequest) (*iamapi.UpdateRoleResponse, error) {
	err := s.edit(ctx, roleKind, *in.RoleName, func(_ store.Tx, e *entity) error {
		if in.Description != nil {
			e.Role.Description = in.Description
		}
		if in.MaxSessionDuration != nil {
			e.Role.MaxSessionDuration = in.MaxSessionDuration
		}
		return nil
	})
	return &iamapi.UpdateRoleResponse{}, err
}

// UpdateRoleDescription changes a role's description.
func (s *Service) UpdateRoleDescription(ctx context.Context, in *iamapi.UpdateRoleDescriptionRequest) (*iamapi.UpdateRoleDescriptionResponse, error) {
	var role *iamapi.Role
	err := s.edit(ctx, roleKind, *in.RoleName, func(_ store.Tx, e *entity) error {
		e.Role.Description = in.Description
		role = answerRole(e.Role)
		return nil
	})
	return &iamapi.UpdateRoleDescriptionResponse{Role: role}, err
}

// UpdateAssumeRolePolicy replaces a role's trust policy.
func (s *Service) UpdateAssumeRolePolicy(ctx context.Context, in *iamapi.UpdateAssumeRolePolicyRequest) error {
	if err := s.checkTrust(ctx, *in.PolicyDocument); err != nil {
		return err
	}
	return s.edit(ctx, roleKind, *in.RoleName, func(_ store.Tx, e *entity) error {
		e.Role.AssumeRolePolicyDocument = in.PolicyDocument
		return nil
	})
}

// DeleteRole deletes a role without policies.
func (s *Service) DeleteRole(ctx context.Context, in *iamapi.DeleteRoleRequest) error {
	return s.update(ctx, func(tx store.Tx) error {
		e, err := roleKind.get(tx, account(ctx), *in.RoleName)
		if err != nil {
			return err
		}
		if err := e.removable(); err != nil {
			return err
		}
		return roles.Delete(tx, account(ctx), *in.RoleName)
	})
}

// PutRolePermissionsBoundary sets a role's boundary.
func (s *Service) PutRolePermissionsBoundary(ctx context.Context, in *iamapi.PutRolePermissionsBoundaryRequest) error {
	return s.edit(ctx, roleKind, *in.RoleName, func(tx store.Tx, e *entity) (err error) {
		e.Role.PermissionsBoundary, err = setBoundary(tx, *in.PermissionsBoundary)
		return err
	})
}

// DeleteRolePermissionsBoundary removes a role's boundary.
func (s *Service) DeleteRolePermissionsBoundary(ctx context.Context, in *iamapi.DeleteRolePermissionsBoundaryRequest) error {
	return s.edit(ctx, roleKind, *in.RoleName, func(_ store.Tx, e *entity) error {
		e.Role.PermissionsBoundary = nil
		return nil
	})
}

// TagRole adds tags to a role.
func (s *Service) TagRole(ctx context.Context, in *iamapi.TagRoleRequest) error {
	return s.edit(ctx, roleKind, *in.RoleName, func(_ store.Tx, e *entity) (err error) {
		e.Role.Tags, err = mergeTags(e.Role.Tags, in.Tags)
		return err
	})
}

// UntagRole removes tags from a role.
func (s *Service) UntagRole(ctx context.Context, in *iamapi.UntagRoleRequest) error {
	return s.edit(ctx, roleKind, *in.RoleName, func(_ store.Tx, e *entity) error {
		e.Role.Tags = dropTags(e.Role.Tags, in.TagKeys)
		return nil
	})
}

// ListRoleTags lists a role's tags.
func (s *Service) ListRoleTags(ctx context.Context, in *iamapi.ListRoleTagsRequest) (*iamapi.ListRoleTagsResponse, error) {
	e, err := s.view(ctx, roleKind, *in.RoleName)
	if err != nil {
		return nil, err
	}
	tags, truncated, next := page(sortedTags(e.Role.Tags), func(t iamapi.Tag) string { return *t.Key }, in.Marker, in.MaxItems)
	return &iamapi.ListRoleTagsResponse{Tags: list(tags), IsTruncated: truncated, Marker: next}, nil
}

// PutRolePolicy stores an inline policy.
func (s *Service) PutRolePolicy(ctx context.Context, in *iamapi.PutRolePolicyRequest) error {
	return s.putInline(ctx, roleKind, *in.RoleName, *in.PolicyName, *in.PolicyDocument)
}

// GetRolePolicy returns an inline policy.
func (s *Service) GetRolePolicy(ctx context.Context, in *iamapi.GetRolePolicyRequest) (*iamapi.GetRolePolicyResponse, error) {
	doc, err := s.getInline(ctx, roleKind, *in.RoleName, *in.PolicyName)
	return &iamapi.GetRolePolicyResponse{RoleName: in.RoleName, PolicyName: in.PolicyName, PolicyDocument: doc}, err
}

// DeleteRolePolicy deletes an inline policy.
func (s *Service) DeleteRolePolicy(ctx context.Context, in *iamapi.DeleteRolePolicyRequest) error {
	return s.deleteInline(ctx, roleKind, *in.RoleName, *in.PolicyName)
}

// ListRolePolicies lists a role's inline policies.
func (s *Service) ListRolePolicies(ctx context.Context, in *iamapi.ListRolePoliciesRequest) (*iamapi.ListRolePoliciesResponse, error) {
	names, truncated, next, err := s.listInline(ctx, roleKind, *in.RoleName, in.Marker, in.MaxItems)
	return &iamapi.ListRolePoliciesResponse{PolicyNames: names, IsTruncated: truncated, Marker: next}, err
}

// AttachRolePolicy attaches a managed policy.
func (s *Service) AttachRolePolicy(ctx context.Context, in *iamapi.AttachRolePolicyRequest) error {
	return s.attach(ctx, roleKind, *in.RoleName, *in.PolicyArn)
}

// DetachRolePolicy detaches a managed policy.
func (s *Service) DetachRolePolicy(ctx context.Context, in *iamapi.DetachRolePolicyRequest) error {
	return s.detach(ctx, roleKind, *in.RoleName, *in.PolicyArn)
}

// ListAttachedRolePolicies lists a role's managed policies.
func (s *Service) ListAttachedRolePolicies(ctx context.Context, in *iamapi.ListAttachedRolePoliciesRequest) (*iamapi.ListAttachedRolePoliciesResponse, error) {
	attached, truncated, next, err := s.listAttached(ctx, roleKind, *in.RoleName, in.PathPrefix, in.Marker, in.MaxItems)
	return &iamapi.ListAttachedRolePoliciesResponse{AttachedPolicies: attached, IsTruncated: truncated, Marker: next}, err
}

// ListInstanceProfilesForRole answers that there are none: instance profiles
// can't be created in butai.
func (s *Service) ListInstanceProfilesForRole(ctx context.Context, in *iamapi.ListInstanceProfilesForRoleRequest) (*iamapi.ListInstanceProfilesForRoleResponse, error) {
	if _, err := s.view(ctx, roleKind, *in.RoleName); err != nil {
		return nil, err
	}
	none, truncated, next := page([]iamapi.InstanceProfile{}, func(p iamapi.InstanceProfile) string { return *p.InstanceProfileName }, in.Marker, in.MaxItems)
	return &iamapi.ListInstanceProfilesForRoleResponse{InstanceProfiles: none, IsTruncated: truncated, Marker: next}, nil
}

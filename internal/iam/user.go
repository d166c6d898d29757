package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/iamapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// CreateUser makes a user.
func (s *Service) CreateUser(ctx context.Context, in *iamapi.CreateUserRequest) (*iamapi.CreateUserResponse, error) {
	tags, err := mergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	user := &iamapi.User{
		Path: wire.Ptr(pathOr(in.Path)), UserName: in.UserName, UserId: wire.Ptr("AIDA" + ident.Upper(17)),
		Arn:        wire.Ptr(iamARN(account(ctx), "user", pathOr(in.Path), *in.UserName)),
		CreateDate: s.now(), Tags: tags,
	}
	err = s.update(ctx, func(tx store.Tx) error {
		if err := userKind.free(tx, account(ctx), *in.UserName); err != nil {
			return err
		}
		if in.PermissionsBoundary != nil {
			if user.PermissionsBoundary, err = setBoundary(tx, *in.PermissionsBoundary); err != nil {
				return err
			}
		}
		return users.Put(tx, &entity{User: user}, account(ctx), *in.UserName)
	})
	return &iamapi.CreateUserResponse{User: user}, err
}

// userName is the user a call means: the caller's own if it names none.
func userName(ctx context.Context, name *string) (string, error) {
	if name != nil {
		return *name, nil
	}
	if own := wire.CallerFrom(ctx).UserName; own != "" {
		return own, nil
	}
	return "", wire.Errorf("ValidationError", "Must specify userName when calling with non-User credentials")
}

// GetUser returns a user; without a name the caller, who may be the root user.
func (s *Service) GetUser(ctx context.Context, in *iamapi.GetUserRequest) (*iamapi.GetUserResponse, error) {
	caller := wire.CallerFrom(ctx)
	if in.UserName == nil && strings.HasSuffix(caller.ARN, ":root") {
		return &iamapi.GetUserResponse{User: &iamapi.User{Path: wire.Ptr("/"), UserName: wire.Ptr("root"),
			UserId: wire.Ptr(caller.Account), Arn: wire.Ptr(caller.ARN), CreateDate: s.now()}}, nil
	}
	name, err := userName(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	e, err := s.view(ctx, userKind, name)
	if err != nil {
		return nil, err
	}
	return &iamapi.GetUserResponse{User: e.User}, nil
}

// ListUsers lists the account's users by name.
func (s *Service) ListUsers(ctx context.Context, in *iamapi.ListUsersRequest) (*iamapi.ListUsersResponse, error) {
	var all []iamapi.User
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		all = nil
		for e, err := range users.All(r, account(ctx)) {
			if err != nil {
				return err
			}
			if strings.HasPrefix(*e.User.Path, pathOr(in.PathPrefix)) {
				e.User.Tags, e.User.PermissionsBoundary = nil, nil
				all = append(all, *e.User)
			}
		}
		return nil
	})
	out, truncated, next := page(all, func(u iamapi.User) string { return *u.UserName }, in.Marker, in.MaxItems)
	return &iamapi.ListUsersResponse{Users: list(out), IsTruncated: truncated, Marker: next}, err
}

// UpdateUser renames a user or moves it to another path; its keys go along.
func (s *Service) UpdateUser(ctx context.Context, in *iamapi.UpdateUserRequest) error {
	acct := account(ctx)
	return s.update(ctx, func(tx store.Tx) error {
		e, err := userKind.get(tx, acct, *in.UserName)
		if err != nil {
			return err
		}
		name := *in.UserName
		if in.NewUserName != nil && *in.NewUserName != name {
			name = *in.NewUserName
			if !strings.EqualFold(name, *in.UserName) {
				if err := userKind.free(tx, acct, name); err != nil {
					return err
				}
			}
			if err := renameKeys(tx, acct, *in.UserName, name); err != nil {
				return err
			}
		}
		if in.NewPath != nil {
			e.User.Path = in.NewPath
		}
		e.User.UserName, e.User.Arn = wire.Ptr(name), wire.Ptr(iamARN(acct, "user", *e.User.Path, name))
		if err := users.Delete(tx, acct, *in.UserName); err != nil {
			return err
		}
		return users.Put(tx, e, acct, name)
	})
}

// DeleteUser deletes a user without policies, keys and groups.
func (s *Service) DeleteUser(ctx context.Context, in *iamapi.DeleteUserRequest) error {
	return s.update(ctx, func(tx store.Tx) error {
		e, err := userKind.get(tx, account(ctx), *in.UserName)
		if err != nil {
			return err
		}
		if err := e.removable(); err != nil {
			return err
		}
		owned, err := userKeys(tx, account(ctx), *in.UserName)
		if err != nil {
			return err
		}
		if len(owned) > 0 {
			return deleteConflict("must delete access keys first.")
		}
		if len(e.Groups) > 0 {
			return deleteConflict("must remove users from group first.")
		}
		return users.Delete(tx, account(ctx), *in.UserName)
	})
}

// PutUserPermissionsBoundary sets a user's boundary.
func (s *Service) PutUserPermissionsBoundary(ctx context.Context, in *iamapi.PutUserPermissionsBoundaryRequest) error {
	return s.edit(ctx, userKind, *in.UserName, func(tx store.Tx, e *entity) (err error) {
		e.User.PermissionsBoundary, err = setBoundary(tx, *in.PermissionsBoundary)
		return err
	})
}

// DeleteUserPermissionsBoundary removes a user's boundary.
func (s *Service) DeleteUserPermissionsBoundary(ctx context.Context, in *iamapi.DeleteUserPermissionsBoundaryRequest) error {
	return s.edit(ctx, userKind, *in.UserName, func(_ store.Tx, e *entity) error {
		e.User.PermissionsBoundary = nil
		return nil
	})
}

// TagUser adds tags to a user.
func (s *Service) TagUser(ctx context.Context, in *iamapi.TagUserRequest) error {
	return s.edit(ctx, userKind, *in.UserName, func(_ store.Tx, e *entity) (err error) {
		e.User.Tags, err = mergeTags(e.User.Tags, in.Tags)
		return err
	})
}

// UntagUser removes tags from a user.
func (s *Service) UntagUser(ctx context.Context, in *iamapi.UntagUserRequest) error {
	return s.edit(ctx, userKind, *in.UserName, func(_ store.Tx, e *entity) error {
		e.User.Tags = dropTags(e.User.Tags, in.TagKeys)
		return nil
	})
}

// ListUserTags lists a user's tags.
func (s *Service) ListUserTags(ctx context.Context, in *iamapi.ListUserTagsRequest) (*iamapi.ListUserTagsResponse, error) {
	e, err := s.view(ctx, userKind, *in.UserName)
	if err != nil {
		return nil, err
	}
	tags, truncated, next := page(sortedTags(e.User.Tags), func(t iamapi.Tag) string { return *t.Key }, in.Marker, in.MaxItems)
	return &iamapi.ListUserTagsResponse{Tags: list(tags), IsTruncated: truncated, Marker: next}, nil
}

func sortedTags(tags []iamapi.Tag) []iamapi.Tag {
	out := slices.Clone(tags)
	slices.SortFunc(out, func(a, b iamapi.Tag) int { return compareText(*a.Key, *b.Key) })
	return out
}

// PutUserPolicy stores an inline policy.
func (s *Service) PutUserPolicy(ctx context.Context, in *iamapi.PutUserPolicyRequest) error {
	return s.putInline(ctx, userKind, *in.UserName, *in.PolicyName, *in.PolicyDocument)
}

// GetUserPolicy returns an inline policy.
func (s *Service) GetUserPolicy(ctx context.Context, in *iamapi.GetUserPolicyRequest) (*iamapi.GetUserPolicyResponse, error) {
	doc, err := s.getInline(ctx, userKind, *in.UserName, *in.PolicyName)
	return &iamapi.GetUserPolicyResponse{UserName: in.UserName, PolicyName: in.PolicyName, PolicyDocument: doc}, err
}

// DeleteUserPolicy deletes an inline policy.
func (s *Service) DeleteUserPolicy(ctx context.Context, in *iamapi.DeleteUserPolicyRequest) error {
	return s.deleteInline(ctx, userKind, *in.UserName, *in.PolicyName)
}

// ListUserPolicies lists a user's inline policies.
func (s *Service) ListUserPolicies(ctx context.Context, in *iamapi.ListUserPoliciesRequest) (*iamapi.ListUserPoliciesResponse, error) {
	names, truncated, next, err := s.listInline(ctx, userKind, *in.UserName, in.Marker, in.MaxItems)
	return &iamapi.ListUserPoliciesResponse{PolicyNames: names, IsTruncated: truncated, Marker: next}, err
}

// AttachUserPolicy attaches a managed policy.
func (s *Service) AttachUserPolicy(ctx context.Context, in *iamapi.AttachUserPolicyRequest) error {
	return s.attach(ctx, userKind, *in.UserName, *in.PolicyArn)
}

// DetachUserPolicy detaches a managed policy.
func (s *Service) DetachUserPolicy(ctx context.Context, in *iamapi.DetachUserPolicyRequest) error {
	return s.detach(ctx, userKind, *in.UserName, *in.PolicyArn)
}

// ListAttachedUserPolicies lists a user's managed policies.
func (s *Service) ListAttachedUserPolicies(ctx context.Context, in *iamapi.ListAttachedUserPoliciesRequest) (*iamapi.ListAttachedUserPoliciesResponse, error) {
	attached, truncated, next, err := s.listAttached(ctx, userKind, *in.UserName, in.PathPrefix, in.Marker, in.MaxItems)
	return &iamapi.ListAttachedUserPoliciesResponse{AttachedPolicies: attached, IsTruncated: truncated, Marker: next}, err
}

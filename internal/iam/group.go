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

// CreateGroup makes a group.
func (s *Service) CreateGroup(ctx context.Context, in *iamapi.CreateGroupRequest) (*iamapi.CreateGroupResponse, error) {
	group := &iamapi.Group{
		Path: wire.Ptr(pathOr(in.Path)), GroupName: in.GroupName, GroupId: wire.Ptr("AGPA" + ident.Upper(17)),
		Arn: wire.Ptr(iamARN(account(ctx), groupKind.name, pathOr(in.Path), *in.GroupName)), CreateDate: s.now(),
	}
	err := s.update(ctx, func(tx store.Tx) error {
		if err := groupKind.free(tx, account(ctx), *in.GroupName); err != nil {
			return err
		}
		return groups.Put(tx, &entity{Group: group}, account(ctx), *in.GroupName)
	})
	return &iamapi.CreateGroupResponse{Group: group}, err
}

// GetGroup returns a group and the users in it, by name.
func (s *Service) GetGroup(ctx context.Context, in *iamapi.GetGroupRequest) (*iamapi.GetGroupResponse, error) {
	var group *entity
	var members []iamapi.User
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		if group, err = groupKind.get(r, account(ctx), *in.GroupName); err != nil {
			return err
		}
		all, err := membersOf(r, account(ctx), *in.GroupName)
		members = nil
		for _, e := range all {
			e.User.Tags, e.User.PermissionsBoundary = nil, nil
			members = append(members, *e.User)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	users, truncated, next := page(members, func(u iamapi.User) string { return *u.UserName }, in.Marker, in.MaxItems)
	return &iamapi.GetGroupResponse{Group: group.Group, Users: list(users), IsTruncated: truncated, Marker: next}, nil
}

// membersOf are the users in a group, by name.
func membersOf(r store.ReadTx, account, group string) (out []*entity, err error) {
	for e, err := range users.All(r, account) {
		if err != nil {
			return nil, err
		}
		if slices.Contains(e.Groups, group) {
			out = append(out, e)
		}
	}
	return out, nil
}

// ListGroups lists the account's groups by name.
func (s *Service) ListGroups(ctx context.Context, in *iamapi.ListGroupsRequest) (*iamapi.ListGroupsResponse, error) {
	var all []iamapi.Group
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		all = nil
		for e, err := range groups.All(r, account(ctx)) {
			if err != nil {
				return err
			}
			if strings.HasPrefix(*e.Group.Path, pathOr(in.PathPrefix)) {
				all = append(all, *e.Group)
			}
		}
		return nil
	})
	out, truncated, next := page(all, groupName, in.Marker, in.MaxItems)
	return &iamapi.ListGroupsResponse{Groups: list(out), IsTruncated: truncated, Marker: next}, err
}

func groupName(g iamapi.Group) string { return *g.GroupName }

// ListGroupsForUser lists the groups that a user is in, by name.
func (s *Service) ListGroupsForUser(ctx context.Context, in *iamapi.ListGroupsForUserRequest) (*iamapi.ListGroupsForUserResponse, error) {
	var all []iamapi.Group
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		all = nil
		user, err := userKind.get(r, account(ctx), *in.UserName)
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(slices.Values(user.Groups)) {
			e, err := groupKind.get(r, account(ctx), name)
			if err != nil {
				return err
			}
			all = append(all, *e.Group)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out, truncated, next := page(all, groupName, in.Marker, in.MaxItems)
	return &iamapi.ListGroupsForUserResponse{Groups: list(out), IsTruncated: truncated, Marker: next}, nil
}

// UpdateGroup renames a group or moves it to another path; its users stay in it.
func (s *Service) UpdateGroup(ctx context.Context, in *iamapi.UpdateGroupRequest) error {
	acct := account(ctx)
	return s.update(ctx, func(tx store.Tx) error {
		e, err := groupKind.get(tx, acct, *in.GroupName)
		if err != nil {
			return err
		}
		name := *in.GroupName
		if in.NewGroupName != nil && *in.NewGroupName != name {
			name = *in.NewGroupName
			if !strings.EqualFold(name, *in.GroupName) {
				if err := groupKind.free(tx, acct, name); err != nil {
					return err
				}
			}
			if err := renameMembership(tx, acct, *in.GroupName, name); err != nil {
				return err
			}
		}
		if in.NewPath != nil {
			e.Group.Path = in.NewPath
		}
		e.Group.GroupName, e.Group.Arn = &name, wire.Ptr(iamARN(acct, groupKind.name, *e.Group.Path, name))
		if err := groups.Delete(tx, acct, *in.GroupName); err != nil {
			return err
		}
		return groups.Put(tx, e, acct, name)
	})
}

func renameMembership(tx store.Tx, account, from, to string) error {
	members, err := membersOf(tx, account, from)
	if err != nil {
		return err
	}
	for _, e := range members {
		e.Groups[slices.Index(e.Groups, from)] = to
		if err := users.Put(tx, e, account, *e.User.UserName); err != nil {
			return err
		}
	}
	return nil
}

// DeleteGroup deletes a group without policies and users.
func (s *Service) DeleteGroup(ctx context.Context, in *iamapi.DeleteGroupRequest) error {
	return s.update(ctx, func(tx store.Tx) error {
		e, err := groupKind.get(tx, account(ctx), *in.GroupName)
		if err != nil {
			return err
		}
		members, err := membersOf(tx, account(ctx), *in.GroupName)
		switch {
		case err != nil:
			return err
		case len(members) > 0:
			return deleteConflict("must remove users from group first.")
		}
		if err := e.removable(); err != nil {
			return err
		}
		return groups.Delete(tx, account(ctx), *in.GroupName)
	})
}

// maxGroups is IAM's quota of groups per user.
const maxGroups = 10

// AddUserToGroup puts a user into a group, if it isn't in it.
func (s *Service) AddUserToGroup(ctx context.Context, in *iamapi.AddUserToGroupRequest) error {
	return s.editMember(ctx, *in.GroupName, *in.UserName, func(e *entity) error {
		switch {
		case slices.Contains(e.Groups, *in.GroupName):
			return nil
		case len(e.Groups) >= maxGroups:
			return &iamapi.LimitExceededException{Message: wire.Ptr("Cannot exceed quota for GroupsPerUser: 10")}
		}
		e.Groups = append(e.Groups, *in.GroupName)
		return nil
	})
}

// RemoveUserFromGroup takes a user out of a group. That it isn't in it is no
// error: the API Reference knows of missing entities alone.
func (s *Service) RemoveUserFromGroup(ctx context.Context, in *iamapi.RemoveUserFromGroupRequest) error {
	return s.editMember(ctx, *in.GroupName, *in.UserName, func(e *entity) error {
		e.Groups = slices.DeleteFunc(e.Groups, func(name string) bool { return name == *in.GroupName })
		return nil
	})
}

// editMember changes a user for the sake of a group that must exist.
func (s *Service) editMember(ctx context.Context, group, user string, fn func(*entity) error) error {
	return s.update(ctx, func(tx store.Tx) error {
		if _, err := groupKind.get(tx, account(ctx), group); err != nil {
			return err
		}
		e, err := userKind.get(tx, account(ctx), user)
		if err != nil {
			return err
		}
		if err := fn(e); err != nil {
			return err
		}
		return users.Put(tx, e, account(ctx), user)
	})
}

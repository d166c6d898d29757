package iam

import "github.com/butai-dev/butai/internal/api/iamapi"

// The operations that Service offers; a method with another signature would
// count as not built.
var _ interface {
	iamapi.AddUserToGroupAPI
	iamapi.AttachGroupPolicyAPI
	iamapi.AttachRolePolicyAPI
	iamapi.AttachUserPolicyAPI
	iamapi.CreateAccessKeyAPI
	iamapi.CreateGroupAPI
	iamapi.CreatePolicyAPI
	iamapi.CreatePolicyVersionAPI
	iamapi.CreateRoleAPI
	iamapi.CreateUserAPI
	iamapi.DeleteAccessKeyAPI
	iamapi.DeleteGroupAPI
	iamapi.DeleteGroupPolicyAPI
	iamapi.DeletePolicyAPI
	iamapi.DeletePolicyVersionAPI
	iamapi.DeleteRoleAPI
	iamapi.DeleteRolePermissionsBoundaryAPI
	iamapi.DeleteRolePolicyAPI
	iamapi.DeleteUserAPI
	iamapi.DeleteUserPermissionsBoundaryAPI
	iamapi.DeleteUserPolicyAPI
	iamapi.DetachGroupPolicyAPI
	iamapi.DetachRolePolicyAPI
	iamapi.DetachUserPolicyAPI
	iamapi.GetAccessKeyLastUsedAPI
	iamapi.GetGroupAPI
	iamapi.GetGroupPolicyAPI
	iamapi.GetPolicyAPI
	iamapi.GetPolicyVersionAPI
	iamapi.GetRoleAPI
	iamapi.GetRolePolicyAPI
	iamapi.GetUserAPI
	iamapi.GetUserPolicyAPI
	iamapi.ListAccessKeysAPI
	iamapi.ListAttachedGroupPoliciesAPI
	iamapi.ListAttachedRolePoliciesAPI
	iamapi.ListAttachedUserPoliciesAPI
	iamapi.ListEntitiesForPolicyAPI
	iamapi.ListGroupPoliciesAPI
	iamapi.ListGroupsAPI
	iamapi.ListGroupsForUserAPI
	iamapi.ListInstanceProfilesForRoleAPI
	iamapi.ListPoliciesAPI
	iamapi.ListPolicyTagsAPI
	iamapi.ListPolicyVersionsAPI
	iamapi.ListRolePoliciesAPI
	iamapi.ListRolesAPI
	iamapi.ListRoleTagsAPI
	iamapi.ListUserPoliciesAPI
	iamapi.ListUsersAPI
	iamapi.ListUserTagsAPI
	iamapi.PutGroupPolicyAPI
	iamapi.PutRolePermissionsBoundaryAPI
	iamapi.PutRolePolicyAPI
	iamapi.PutUserPermissionsBoundaryAPI
	iamapi.PutUserPolicyAPI
	iamapi.RemoveUserFromGroupAPI
	iamapi.SetDefaultPolicyVersionAPI
	iamapi.TagPolicyAPI
	iamapi.TagRoleAPI
	iamapi.TagUserAPI
	iamapi.UntagPolicyAPI
	iamapi.UntagRoleAPI
	iamapi.UntagUserAPI
	iamapi.UpdateAccessKeyAPI
	iamapi.UpdateAssumeRolePolicyAPI
	iamapi.UpdateGroupAPI
	iamapi.UpdateRoleAPI
	iamapi.UpdateRoleDescriptionAPI
	iamapi.UpdateUserAPI
} = (*Service)(nil)

package iam

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/iamapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/iam/managed"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// managedPolicy is a customer managed policy as it is stored, by name.
type managedPolicy struct {
	Policy   iamapi.Policy
	Versions []iamapi.PolicyVersion // ascending, documents as they came
	Last     int                    // highest version number ever given
}

// maxVersions is IAM's quota of versions per managed policy.
const maxVersions = 5

func compareText(a, b string) int { return strings.Compare(a, b) }

func nameOf(entityARN string) string { return entityARN[strings.LastIndexByte(entityARN, '/')+1:] }

// policyPath reports whether the policy's path starts with prefix.
func policyPath(policyARN string, prefix *string) bool {
	_, path, _ := strings.Cut(policyARN, ":policy")
	return strings.HasPrefix(path, pathOr(prefix))
}

func noSuchPolicy(policyARN string) error {
	return &iamapi.NoSuchEntityException{Message: wire.Ptr("Policy " + policyARN + " was not found.")}
}

// findPolicy returns the policy of the ARN, AWS's own included.
func findPolicy(r store.ReadTx, policyARN string) (*managedPolicy, error) {
	if p, ok := managed.Lookup(policyARN); ok {
		return awsPolicy(p), nil
	}
	a, err := arn.Parse(policyARN)
	if err != nil || a.Service != "iam" || !strings.HasPrefix(a.Resource, "policy/") {
		return nil, &iamapi.InvalidInputException{Message: wire.Ptr("ARN " + policyARN + " is not valid.")}
	}
	p, err := policies.Get(r, a.Account, nameOf(policyARN))
	if err != nil {
		return nil, err
	}
	if p == nil || *p.Policy.Arn != policyARN {
		return nil, noSuchPolicy(policyARN)
	}
	return p, nil
}

func awsPolicy(p managed.Policy) *managedPolicy {
	return &managedPolicy{
		Policy: iamapi.Policy{
			PolicyName: wire.Ptr(p.Name), PolicyId: wire.Ptr(p.ID), Arn: wire.Ptr(p.ARN), Path: wire.Ptr(p.Path),
			DefaultVersionId: wire.Ptr(p.VersionID), IsAttachable: wire.Ptr(true), PermissionsBoundaryUsageCount: wire.Ptr(int64(0)),
			CreateDate: &p.CreateDate, UpdateDate: &p.UpdateDate,
		},
		Versions: []iamapi.PolicyVersion{{VersionId: wire.Ptr(p.VersionID), IsDefaultVersion: wire.Ptr(true),
			Document: wire.Ptr(p.Document()), CreateDate: &p.UpdateDate}},
	}
}

// document returns the default version's text.
func (p *managedPolicy) document() string {
	for _, v := range p.Versions {
		if *v.IsDefaultVersion {
			return *v.Document
		}
	}
	return ""
}

// usage is how often each policy is attached, or serves as a boundary.
type usage struct {
	attached, boundary map[string]int64
}

func countUsage(r store.ReadTx, account string) (usage, error) {
	u := usage{map[string]int64{}, map[string]int64{}}
	for _, k := range kinds {
		for e, err := range k.records.All(r, account) {
			if err != nil {
				return u, err
			}
			for _, a := range e.Attached {
				u.attached[a]++
			}
			if b := e.boundary(); b != "" {
				u.boundary[b]++
			}
		}
	}
	return u, nil
}

func (u usage) stamp(p *iamapi.Policy) {
	p.AttachmentCount = wire.Ptr(u.attached[*p.Arn])
	p.PermissionsBoundaryUsageCount = wire.Ptr(u.boundary[*p.Arn])
}

// CreatePolicy makes a customer managed policy with version v1.
func (s *Service) CreatePolicy(ctx context.Context, in *iamapi.CreatePolicyRequest) (*iamapi.CreatePolicyResponse, error) {
	if err := checkDocument(*in.PolicyDocument, policy.Managed); err != nil {
		return nil, err
	}
	tags, err := mergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	now := s.now()
	p := &managedPolicy{
		Last: 1,
		Policy: iamapi.Policy{
			PolicyName: in.PolicyName, PolicyId: wire.Ptr("ANPA" + ident.Upper(17)), Path: wire.Ptr(pathOr(in.Path)),
			Arn:              wire.Ptr(iamARN(account(ctx), "policy", pathOr(in.Path), *in.PolicyName)),
			DefaultVersionId: wire.Ptr("v1"), IsAttachable: wire.Ptr(true), Description: in.Description,
			CreateDate: now, UpdateDate: now, Tags: tags,
		},
		Versions: []iamapi.PolicyVersion{{VersionId: wire.Ptr("v1"), IsDefaultVersion: wire.Ptr(true), Document: in.PolicyDocument, CreateDate: now}},
	}
	err = s.update(ctx, func(tx store.Tx) error {
		if have, err := policies.Get(tx, account(ctx), *in.PolicyName); err != nil || have != nil {
			return cmp.Or[error](err, &iamapi.EntityAlreadyExistsException{Message: wire.Ptr("A policy called " + *in.PolicyName + " already exists. Duplicate names are not allowed.")})
		}
		return policies.Put(tx, p, account(ctx), *in.PolicyName)
	})
	answer := p.Policy
	usage{}.stamp(&answer)
	answer.Description = nil // only GetPolicy tells it
	return &iamapi.CreatePolicyResponse{Policy: &answer}, err
}

// GetPolicy returns a managed policy's metadata.
func (s *Service) GetPolicy(ctx context.Context, in *iamapi.GetPolicyRequest) (*iamapi.GetPolicyResponse, error) {
	var p *managedPolicy
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		if p, err = findPolicy(r, *in.PolicyArn); err != nil {
			return err
		}
		u, err := countUsage(r, account(ctx))
		u.stamp(&p.Policy)
		return err
	})
	if err != nil {
		return nil, err
	}
	p.Policy.Tags = list(p.Policy.Tags)
	return &iamapi.GetPolicyResponse{Policy: &p.Policy}, nil
}

// ListPolicies lists managed policies: the account's, AWS's, or both.
func (s *Service) ListPolicies(ctx context.Context, in *iamapi.ListPoliciesRequest) (*iamapi.ListPoliciesResponse, error) {
	var all []iamapi.Policy
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		all = nil
		u, err := countUsage(r, account(ctx))
		if err != nil {
			return err
		}
		add := func(p iamapi.Policy) {
			u.stamp(&p)
			used := *p.AttachmentCount > 0
			if in.PolicyUsageFilter != nil && *in.PolicyUsageFilter == iamapi.PolicyUsageTypePermissionsBoundary {
				used = *p.PermissionsBoundaryUsageCount > 0
			}
			if strings.HasPrefix(*p.Path, pathOr(in.PathPrefix)) && (used || !wire.Val(in.OnlyAttached) && in.PolicyUsageFilter == nil) {
				p.Tags, p.Description = nil, nil
				all = append(all, p)
			}
		}
		if scope := wire.Val(in.Scope); scope != iamapi.PolicyScopeTypeAWS {
			for p, err := range policies.All(r, account(ctx)) {
				if err != nil {
					return err
				}
				add(p.Policy)
			}
		}
		if scope := wire.Val(in.Scope); scope != iamapi.PolicyScopeTypeLocal {
			for _, p := range managed.All() {
				add(iamapi.Policy{PolicyName: wire.Ptr(p.Name), PolicyId: wire.Ptr(p.ID), Arn: wire.Ptr(p.ARN), Path: wire.Ptr(p.Path),
					DefaultVersionId: wire.Ptr(p.VersionID), IsAttachable: wire.Ptr(true), CreateDate: &p.CreateDate, UpdateDate: &p.UpdateDate})
			}
		}
		return nil
	})
	slices.SortFunc(all, func(a, b iamapi.Policy) int { return compareText(*a.Arn, *b.Arn) })
	out, truncated, next := page(all, func(p iamapi.Policy) string { return *p.Arn }, in.Marker, in.MaxItems)
	return &iamapi.ListPoliciesResponse{Policies: list(out), IsTruncated: truncated, Marker: next}, err
}

// ListEntitiesForPolicy lists who has a policy attached or as a boundary,
// groups before roles before users.
func (s *Service) ListEntitiesForPolicy(ctx context.Context, in *iamapi.ListEntitiesForPolicyRequest) (*iamapi.ListEntitiesForPolicyResponse, error) {
	asBoundary := wire.Val(in.PolicyUsageFilter) == iamapi.PolicyUsageTypePermissionsBoundary
	uses := func(e *entity) bool {
		if asBoundary {
			return e.boundary() == *in.PolicyArn
		}
		return slices.Contains(e.Attached, *in.PolicyArn)
	}
	var found []*entity
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		found = nil
		if _, err := findPolicy(r, *in.PolicyArn); err != nil {
			return err
		}
		for _, k := range kinds {
			for e, err := range k.records.All(r, account(ctx)) {
				if err != nil {
					return err
				}
				if uses(e) && strings.HasPrefix(e.path(), pathOr(in.PathPrefix)) && wanted(in.EntityFilter, quotaName[k.name]) {
					found = append(found, e)
				}
			}
		}
		return nil
	})
	// ARNs sort groups before roles before users, and each by path and name.
	slices.SortFunc(found, func(a, b *entity) int { return compareText(a.arn(), b.arn()) })
	shown, truncated, next := page(found, (*entity).arn, in.Marker, in.MaxItems)
	out := &iamapi.ListEntitiesForPolicyResponse{PolicyGroups: []iamapi.PolicyGroup{}, PolicyRoles: []iamapi.PolicyRole{},
		PolicyUsers: []iamapi.PolicyUser{}, IsTruncated: truncated, Marker: next}
	for _, e := range shown {
		switch {
		case e.Group != nil:
			out.PolicyGroups = append(out.PolicyGroups, iamapi.PolicyGroup{GroupName: e.Group.GroupName, GroupId: e.Group.GroupId})
		case e.Role != nil:
			out.PolicyRoles = append(out.PolicyRoles, iamapi.PolicyRole{RoleName: e.Role.RoleName, RoleId: e.Role.RoleId})
		default:
			out.PolicyUsers = append(out.PolicyUsers, iamapi.PolicyUser{UserName: e.User.UserName, UserId: e.User.UserId})
		}
	}
	return out, err
}

func wanted(filter *string, kind string) bool { return filter == nil || *filter == kind }

// DeletePolicy deletes a policy that nothing uses and that has one version.
func (s *Service) DeletePolicy(ctx context.Context, in *iamapi.DeletePolicyRequest) error {
	if _, ok := managed.Lookup(*in.PolicyArn); ok {
		return &wire.Error{Code: "AccessDenied", Status: 403, Message: "Cannot delete an AWS managed policy: " + *in.PolicyArn}
	}
	return s.update(ctx, func(tx store.Tx) error {
		p, err := findPolicy(tx, *in.PolicyArn)
		if err != nil {
			return err
		}
		u, err := countUsage(tx, account(ctx))
		switch {
		case err != nil:
			return err
		case u.attached[*in.PolicyArn] > 0 || u.boundary[*in.PolicyArn] > 0:
			return &iamapi.DeleteConflictException{Message: wire.Ptr("Cannot delete a policy attached to entities.")}
		case len(p.Versions) > 1:
			return &iamapi.DeleteConflictException{Message: wire.Ptr("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")}
		}
		return policies.Delete(tx, account(ctx), *p.Policy.PolicyName)
	})
}

// TagPolicy adds tags to a policy.
func (s *Service) TagPolicy(ctx context.Context, in *iamapi.TagPolicyRequest) error {
	return s.editPolicy(ctx, *in.PolicyArn, func(p *managedPolicy) (err error) {
		p.Policy.Tags, err = mergeTags(p.Policy.Tags, in.Tags)
		return err
	})
}

// UntagPolicy removes tags from a policy.
func (s *Service) UntagPolicy(ctx context.Context, in *iamapi.UntagPolicyRequest) error {
	return s.editPolicy(ctx, *in.PolicyArn, func(p *managedPolicy) error {
		p.Policy.Tags = dropTags(p.Policy.Tags, in.TagKeys)
		return nil
	})
}

// ListPolicyTags lists a policy's tags.
func (s *Service) ListPolicyTags(ctx context.Context, in *iamapi.ListPolicyTagsRequest) (*iamapi.ListPolicyTagsResponse, error) {
	var tags []iamapi.Tag
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		p, err := findPolicy(r, *in.PolicyArn)
		if err == nil {
			tags = sortedTags(p.Policy.Tags)
		}
		return err
	})
	out, truncated, next := page(tags, func(t iamapi.Tag) string { return *t.Key }, in.Marker, in.MaxItems)
	return &iamapi.ListPolicyTagsResponse{Tags: list(out), IsTruncated: truncated, Marker: next}, err
}

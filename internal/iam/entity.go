package iam

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/iamapi"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// entity is a role, a user or a group as it is stored: who it is and which
// policies hang on it. Exactly one of Role, User and Group is set.
type entity struct {
	Role     *iamapi.Role      `json:",omitzero"`
	User     *iamapi.User      `json:",omitzero"`
	Group    *iamapi.Group     `json:",omitzero"`
	Groups   []string          `json:",omitzero"` // that a user is in, in the order of joining
	Inline   map[string]string `json:",omitzero"` // policy name to document
	Attached []string          `json:",omitzero"` // ARNs in the order of attachment
}

func (e *entity) arn() string {
	switch {
	case e.Role != nil:
		return *e.Role.Arn
	case e.Group != nil:
		return *e.Group.Arn
	}
	return *e.User.Arn
}

func (e *entity) path() string {
	switch {
	case e.Role != nil:
		return *e.Role.Path
	case e.Group != nil:
		return *e.Group.Path
	}
	return *e.User.Path
}

// boundary is the ARN of the permissions boundary, "" without; groups never have
// one.
func (e *entity) boundary() string {
	var b *iamapi.AttachedPermissionsBoundary
	switch {
	case e.Role != nil:
		b = e.Role.PermissionsBoundary
	case e.User != nil:
		b = e.User.PermissionsBoundary
	}
	if b == nil {
		return ""
	}
	return wire.Val(b.PermissionsBoundaryArn)
}

// kind is one of the sorts of entity: what differs between them.
type kind struct {
	name    string // in messages
	records record.Collection[entity]
}

var (
	roleKind  = kind{"role", roles}
	userKind  = kind{"user", users}
	groupKind = kind{"group", groups}

	kinds = []kind{roleKind, userKind, groupKind}
)

func (k kind) get(r store.ReadTx, account, name string) (*entity, error) {
	e, err := k.records.Get(r, account, name)
	if err == nil && e == nil {
		err = noSuch(k.name, name)
	}
	return e, err
}

// free refuses a name that is taken; IAM doesn't tell names apart by case
// (API Reference: CreateRole, CreateUser).
func (k kind) free(r store.ReadTx, account, name string) error {
	for e, err := range k.records.All(r, account) {
		if err != nil {
			return err
		}
		if strings.EqualFold(nameOf(e.arn()), name) {
			return alreadyExists(quotaName[k.name], name)
		}
	}
	return nil
}

// view reads one entity.
func (s *Service) view(ctx context.Context, k kind, name string) (e *entity, err error) {
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		e, err = k.get(r, account(ctx), name)
		return err
	})
	return e, err
}

// edit changes one entity in place.
func (s *Service) edit(ctx context.Context, k kind, name string, fn func(store.Tx, *entity) error) error {
	return s.update(ctx, func(tx store.Tx) error {
		e, err := k.get(tx, account(ctx), name)
		if err != nil {
			return err
		}
		if err := fn(tx, e); err != nil {
			return err
		}
		return k.records.Put(tx, e, account(ctx), name)
	})
}

func (s *Service) putInline(ctx context.Context, k kind, name, policyName, doc string) error {
	if err := checkDocument(doc, policy.Inline); err != nil {
		return err
	}
	return s.edit(ctx, k, name, func(_ store.Tx, e *entity) error {
		if e.Inline == nil {
			e.Inline = map[string]string{}
		}
		e.Inline[policyName] = doc
		return nil
	})
}

func (s *Service) getInline(ctx context.Context, k kind, name, policyName string) (*string, error) {
	e, err := s.view(ctx, k, name)
	if err != nil {
		return nil, err
	}
	doc, ok := e.Inline[policyName]
	if !ok {
		return nil, noSuch(k.name+" policy", policyName)
	}
	return escapeDocument(doc), nil
}

func (s *Service) deleteInline(ctx context.Context, k kind, name, policyName string) error {
	return s.edit(ctx, k, name, func(_ store.Tx, e *entity) error {
		if _, ok := e.Inline[policyName]; !ok {
			return noSuch(k.name+" policy", policyName)
		}
		delete(e.Inline, policyName)
		return nil
	})
}

func (s *Service) listInline(ctx context.Context, k kind, name string, marker *string, max *int64) (names []string, truncated *bool, next *string, err error) {
	e, err := s.view(ctx, k, name)
	if err != nil {
		return nil, nil, nil, err
	}
	names, truncated, next = page(slices.Sorted(maps.Keys(e.Inline)), func(n string) string { return n }, marker, max)
	return list(names), truncated, next, nil
}

func (s *Service) attach(ctx context.Context, k kind, name, policyARN string) error {
	return s.edit(ctx, k, name, func(tx store.Tx, e *entity) error {
		if _, err := findPolicy(tx, policyARN); err != nil {
			return notAttachable(policyARN, err)
		}
		if slices.Contains(e.Attached, policyARN) {
			return nil
		}
		if len(e.Attached) >= maxAttached {
			return &iamapi.LimitExceededException{Message: wire.Ptr("Cannot exceed quota for PoliciesPer" + quotaName[k.name] + ": 10")}
		}
		e.Attached = append(e.Attached, policyARN)
		return nil
	})
}

// notAttachable is how IAM words an unknown policy where one is to be used.
func notAttachable(policyARN string, err error) error {
	var missing *iamapi.NoSuchEntityException
	if errors.As(err, &missing) {
		return &iamapi.NoSuchEntityException{Message: wire.Ptr("Policy " + policyARN + " does not exist or is not attachable.")}
	}
	return err
}

// maxAttached is IAM's default quota of managed policies per role, user or group.
const maxAttached = 10

var quotaName = map[string]string{"role": "Role", "user": "User", "group": "Group"}

func (s *Service) detach(ctx context.Context, k kind, name, policyARN string) error {
	return s.edit(ctx, k, name, func(_ store.Tx, e *entity) error {
		i := slices.Index(e.Attached, policyARN)
		if i < 0 {
			return &iamapi.NoSuchEntityException{Message: wire.Ptr("Policy " + policyARN + " was not found.")}
		}
		e.Attached = slices.Delete(e.Attached, i, i+1)
		return nil
	})
}

func (s *Service) listAttached(ctx context.Context, k kind, name string, prefix, marker *string, max *int64) (out []iamapi.AttachedPolicy, truncated *bool, next *string, err error) {
	e, err := s.view(ctx, k, name)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, policyARN := range e.Attached {
		if policyPath(policyARN, prefix) {
			out = append(out, iamapi.AttachedPolicy{PolicyArn: wire.Ptr(policyARN), PolicyName: wire.Ptr(nameOf(policyARN))})
		}
	}
	slices.SortFunc(out, func(a, b iamapi.AttachedPolicy) int { return compareText(*a.PolicyName, *b.PolicyName) })
	out, truncated, next = page(out, func(p iamapi.AttachedPolicy) string { return *p.PolicyName }, marker, max)
	return list(out), truncated, next, nil
}

// removable refuses to delete an entity that still has policies.
func (e *entity) removable() error {
	if len(e.Attached) > 0 {
		return deleteConflict("must detach all policies first.")
	}
	if len(e.Inline) > 0 {
		return deleteConflict("must delete policies first.")
	}
	return nil
}

// setBoundary makes the permissions boundary of an ARN that must exist.
func setBoundary(r store.ReadTx, policyARN string) (*iamapi.AttachedPermissionsBoundary, error) {
	if _, err := findPolicy(r, policyARN); err != nil {
		return nil, notAttachable(policyARN, err)
	}
	return &iamapi.AttachedPermissionsBoundary{
		PermissionsBoundaryType: wire.Ptr("Policy"), PermissionsBoundaryArn: wire.Ptr(policyARN),
	}, nil
}

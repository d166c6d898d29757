package kms

import (
	"context"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// checkAliasName refuses names that aren't alias/something, and those that
// AWS keeps for itself.
func checkAliasName(name string) error {
	switch {
	case !strings.HasPrefix(name, "alias/") || name == "alias/":
		return invalid("Invalid identifier")
	case strings.HasPrefix(name, managedPrefix):
		return wire.Errorf("NotAuthorizedException", "")
	case strings.Contains(name, ":"):
		return invalid("%s contains invalid characters for an alias", name)
	}
	return nil
}

// aliasTarget is the key that an alias is to name.
func (s *Service) aliasTarget(ctx context.Context, r store.ReadTx, keyID string) (*key, error) {
	ref, err := parse(wire.CallerFrom(ctx), keyID)
	if err != nil {
		return nil, err
	}
	if ref.alias != "" {
		return nil, invalid("Aliases must refer to keys. Not aliases")
	}
	k, err := s.lookup(r, ref)
	if err == nil {
		err = k.deletionDue()
	}
	if err == nil && k.Account != wire.CallerFrom(ctx).Account {
		err = invalid("An alias must be in the same AWS account and region as its key")
	}
	return k, err
}

// CreateAlias names a key.
func (s *Service) CreateAlias(ctx context.Context, in *kmsapi.CreateAliasRequest) error {
	if err := checkAliasName(*in.AliasName); err != nil {
		return err
	}
	c := wire.CallerFrom(ctx)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		if err := s.bury(tx, c.Account, c.Region); err != nil {
			return err
		}
		k, err := s.aliasTarget(ctx, tx, *in.TargetKeyId)
		if err != nil {
			return err
		}
		old, err := aliases.Get(tx, c.Account, c.Region, *in.AliasName)
		if err != nil {
			return err
		}
		if old != nil {
			return &kmsapi.AlreadyExistsException{Message: wire.Ptr("An alias with the name " + aliasARN(c.Account, c.Region, *in.AliasName) + " already exists")}
		}
		a := &alias{Name: *in.AliasName, Target: k.ID, Created: s.now(), Updated: s.now()}
		return aliases.Put(tx, a, c.Account, c.Region, a.Name)
	})
}

func aliasARN(account, region, name string) string {
	return arn.New("kms", region, account, name).String()
}

// UpdateAlias lets an alias name another key of the same type and usage.
func (s *Service) UpdateAlias(ctx context.Context, in *kmsapi.UpdateAliasRequest) error {
	return s.editAlias(ctx, *in.AliasName, func(tx store.Tx, a *alias) error {
		k, err := s.aliasTarget(ctx, tx, *in.TargetKeyId)
		if err != nil {
			return err
		}
		old, err := keyring.Get(tx, k.Account, k.Region, a.Target)
		if err != nil {
			return err
		}
		if old != nil && (old.Usage != k.Usage || kind(old.Spec) != kind(k.Spec)) {
			return invalidState("Alias %s cannot be changed from a key with usage %s to %s", a.Name, old.Usage, k.Usage)
		}
		a.Target, a.Updated = k.ID, s.now()
		return aliases.Put(tx, a, k.Account, k.Region, a.Name)
	})
}

// kind is what an alias's old and new key must have in common beside their
// usage: symmetric, asymmetric or HMAC.
func kind(spec string) string {
	switch {
	case spec == symmetric:
		return spec
	case strings.HasPrefix(spec, "HMAC"):
		return "HMAC"
	}
	return "asymmetric"
}

// DeleteAlias removes a name; the key stays.
func (s *Service) DeleteAlias(ctx context.Context, in *kmsapi.DeleteAliasRequest) error {
	c := wire.CallerFrom(ctx)
	return s.editAlias(ctx, *in.AliasName, func(tx store.Tx, a *alias) error {
		return aliases.Delete(tx, c.Account, c.Region, a.Name)
	})
}

func (s *Service) editAlias(ctx context.Context, name string, fn func(store.Tx, *alias) error) error {
	if err := checkAliasName(name); err != nil {
		return err
	}
	c := wire.CallerFrom(ctx)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		a, err := aliases.Get(tx, c.Account, c.Region, name)
		if err != nil {
			return err
		}
		if a == nil {
			return notFound("Alias %s is not found.", aliasARN(c.Account, c.Region, name))
		}
		return fn(tx, a)
	})
}

// ListAliases lists the aliases of an account in a region, or of one key. Those
// that AWS keeps for its services have no key before their first use.
func (s *Service) ListAliases(ctx context.Context, in *kmsapi.ListAliasesRequest) (*kmsapi.ListAliasesResponse, error) {
	c := wire.CallerFrom(ctx)
	all := []kmsapi.AliasListEntry{}
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		only := ""
		if in.KeyId != nil {
			k, err := s.named(ctx, r, *in.KeyId)
			if err != nil {
				return err
			}
			only = k.ID
		}
		for a, err := range aliases.All(r, c.Account, c.Region) {
			if err != nil {
				return err
			}
			if only != "" && a.Target != only {
				continue
			}
			k, err := keyring.Get(r, c.Account, c.Region, a.Target)
			if err != nil {
				return err
			}
			if k == nil || k.gone(s.Clock.Now()) {
				continue
			}
			all = append(all, kmsapi.AliasListEntry{
				AliasName: &a.Name, AliasArn: wire.Ptr(aliasARN(c.Account, c.Region, a.Name)), TargetKeyId: &a.Target,
				CreationDate: &a.Created, LastUpdatedDate: &a.Updated,
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if in.KeyId == nil {
		all = withUnmade(all, c)
	}
	out := &kmsapi.ListAliasesResponse{}
	out.Aliases, out.NextMarker, out.Truncated, err = page(all, in.Marker, in.Limit, 50)
	return out, err
}

// withUnmade adds the aliases of AWS's that have no key yet, in their order.
func withUnmade(all []kmsapi.AliasListEntry, c *wire.Caller) []kmsapi.AliasListEntry {
	for service := range managedServices {
		name := managedPrefix + service
		if !slices.ContainsFunc(all, func(a kmsapi.AliasListEntry) bool { return *a.AliasName == name }) {
			all = append(all, kmsapi.AliasListEntry{AliasName: &name, AliasArn: wire.Ptr(aliasARN(c.Account, c.Region, name))})
		}
	}
	slices.SortFunc(all, func(a, b kmsapi.AliasListEntry) int { return strings.Compare(*a.AliasName, *b.AliasName) })
	return all
}

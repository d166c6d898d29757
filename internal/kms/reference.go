package kms

import (
	"context"
	"regexp"
	"strings"

	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// reference is what a request's KeyId says: a key's id or an alias, of an
// account in a region.
type reference struct {
	account, region string
	id, alias       string // one of them is ""
}

var keyIDForm = regexp.MustCompile(`^(mrk-[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$`)

func (ref reference) arn() string {
	resource := ref.alias
	if ref.id != "" {
		resource = "key/" + ref.id
	}
	return arn.New("kms", ref.region, ref.account, resource).String()
}

// parse reads a key's id, its ARN, the name of an alias or an alias's ARN.
func parse(caller *wire.Caller, keyID string) (reference, error) {
	ref := reference{account: caller.Account, region: caller.Region}
	rest := keyID
	if strings.HasPrefix(keyID, "arn:") {
		a, err := arn.Parse(keyID)
		if err != nil || a.Service != "kms" {
			return ref, notFound("Invalid arn %s", keyID)
		}
		if a.Region != caller.Region {
			return ref, notFound("Invalid arn %s", a.Region)
		}
		ref.account, rest = a.Account, a.Resource
		if id, ok := strings.CutPrefix(rest, "key/"); ok {
			rest = id
		} else if !strings.HasPrefix(rest, "alias/") {
			return ref, notFound("Invalid arn %s", keyID)
		}
	}
	switch {
	case strings.HasPrefix(rest, "alias/"):
		ref.alias = rest
	case keyIDForm.MatchString(rest):
		ref.id = rest
	default:
		return ref, notFound("Invalid keyId '%s'", rest)
	}
	return ref, nil
}

// lookup finds the key of a reference.
func (s *Service) lookup(r store.ReadTx, ref reference) (*key, error) {
	if ref.alias != "" {
		a, err := aliases.Get(r, ref.account, ref.region, ref.alias)
		if err != nil {
			return nil, err
		}
		if a == nil {
			return nil, notFound("Alias %s is not found.", ref.arn())
		}
		ref.id, ref.alias = a.Target, ""
	}
	k, err := keyring.Get(r, ref.account, ref.region, ref.id)
	if err != nil {
		return nil, err
	}
	if k == nil || k.gone(s.Clock.Now()) {
		return nil, notFound("Key '%s' does not exist", ref.arn())
	}
	return k, nil
}

// named is the key of an operation that takes no alias.
func (s *Service) named(ctx context.Context, r store.ReadTx, keyID string) (*key, error) {
	ref, err := parse(wire.CallerFrom(ctx), keyID)
	if err != nil {
		return nil, err
	}
	if ref.alias != "" {
		return nil, notFound("Invalid keyId '%s'", keyID)
	}
	return s.lookup(r, ref)
}

// find is the key that an id, ARN or alias names. The keys that AWS manages
// are made when their alias is first asked for, and those that are due for
// rotation rotate.
func (s *Service) find(ctx context.Context, caller *wire.Caller, keyID string) (*key, error) {
	ref, err := parse(caller, keyID)
	if err != nil {
		return nil, err
	}
	var k *key
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		k, err = s.lookup(r, ref)
		return err
	})
	switch service, managed := strings.CutPrefix(ref.alias, managedPrefix); {
	case err != nil && managed && ref.account == caller.Account && managedServices[service] != "":
		return s.makeManaged(ctx, ref, service)
	case err != nil:
		return nil, err
	}
	return s.rotated(ctx, k)
}

package kms

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// grant lets a principal do some operations with a key, whatever the key's
// policy says of them.
type grant struct {
	ID, Token         string
	Issuer            string // account
	Created           time.Time
	Name              string `json:",omitzero"`
	Grantee, Retiring string // principals; Retiring may be ""
	Operations        []string
	Constraints       *kmsapi.GrantConstraints `json:",omitzero"`
}

// grantAt is where a grant is that a token stands for.
type grantAt struct{ Account, Region, Key, Grant string }

// checkTokens refuses tokens that no grant has. Grants work at once here, so
// that a token adds nothing to its grant.
func (s *Service) checkTokens(ctx context.Context, given []string) error {
	if len(given) == 0 {
		return nil
	}
	return s.Store.View(ctx, func(r store.ReadTx) error {
		for _, token := range given {
			if _, err := tokenAt(r, token); err != nil {
				return err
			}
		}
		return nil
	})
}

func tokenAt(r store.ReadTx, token string) (*grantAt, error) {
	if at, err := tokens.Get(r, token[:min(len(token), maxToken)]); at != nil || err != nil {
		return at, err
	}
	return nil, &kmsapi.InvalidGrantTokenException{Message: wire.Ptr("Invalid grant token")}
}

// tokenSize is how many random bytes a token is made of, and maxToken how
// many characters it has then.
const tokenSize, maxToken = 180, 240

// CreateGrant adds a grant to a key; asked again with the same name and
// content it answers with the grant that is there.
func (s *Service) CreateGrant(ctx context.Context, in *kmsapi.CreateGrantRequest) (*kmsapi.CreateGrantResponse, error) {
	if err := s.checkTokens(ctx, in.GrantTokens); err != nil {
		return nil, err
	}
	g := &grant{
		ID: ident.Hex(32), Token: ident.Base64(tokenSize), Issuer: wire.CallerFrom(ctx).Account, Created: s.now(), Name: wire.Val(in.Name),
		Grantee: *in.GranteePrincipal, Retiring: wire.Val(in.RetiringPrincipal), Operations: in.Operations, Constraints: in.Constraints,
	}
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		k, err := s.named(ctx, tx, *in.KeyId)
		if err != nil {
			return err
		}
		if err := s.checkGrant(k, g); err != nil {
			return err
		}
		if err := dryRun(in.DryRun); err != nil {
			return err
		}
		return addGrant(tx, k, g)
	})
	if err != nil {
		return nil, err
	}
	return &kmsapi.CreateGrantResponse{GrantId: &g.ID, GrantToken: &g.Token}, nil
}

// addGrant stores g, or makes it the same one that is already there.
func addGrant(tx store.Tx, k *key, g *grant) error {
	for old, err := range grants.All(tx, k.id()...) {
		if err != nil {
			return err
		}
		same := *old
		same.ID, same.Token, same.Created = g.ID, g.Token, g.Created
		if g.Name != "" && reflect.DeepEqual(&same, g) {
			*g = *old
			return nil
		}
	}
	if err := tokens.Put(tx, &grantAt{k.Account, k.Region, k.ID, g.ID}, g.Token); err != nil {
		return err
	}
	return grants.Put(tx, g, append(k.id(), g.ID)...)
}

// operationsOf are what grants can allow with keys of a usage.
var operationsOf = map[string][]string{
	encrypts: {"Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "GetPublicKey"},
	signs:    {"Sign", "Verify", "GetPublicKey"},
	macs:     {"GenerateMac", "VerifyMac"},
	agrees:   {"DeriveSharedSecret", "GetPublicKey"},
}

// unconstrained are the operations that a grant's constraints don't narrow.
var unconstrained = []string{"CreateGrant", "RetireGrant", "DescribeKey", "GetPublicKey"}

func (s *Service) checkGrant(k *key, g *grant) error {
	if err := k.usable(); err != nil {
		return err
	}
	for _, op := range g.Operations {
		if !slices.Contains(unconstrained, op) && !slices.Contains(operationsOf[k.Usage], op) {
			return invalid("The operation %s is not valid for a key with the usage %s.", op, k.Usage)
		}
	}
	for _, principal := range []string{g.Grantee, g.Retiring} {
		if principal != "" && !s.isPrincipal(principal) {
			return &kmsapi.InvalidArnException{Message: wire.Ptr("ARN does not refer to a valid principal: " + principal)}
		}
	}
	return nil
}

// isPrincipal accepts accounts, users, roles and sessions of roles, and
// services. Those of IAM must exist.
func (s *Service) isPrincipal(principal string) bool {
	a, err := arn.Parse(principal)
	switch {
	case err != nil:
		return strings.HasSuffix(principal, ".amazonaws.com")
	case a.Service == "iam":
		return s.Authorizer.Exists(principal)
	}
	return a.Service == "sts" && (strings.HasPrefix(a.Resource, "assumed-role/") || strings.HasPrefix(a.Resource, "federated-user/"))
}

// ListGrants lists a key's grants.
func (s *Service) ListGrants(ctx context.Context, in *kmsapi.ListGrantsRequest) (*kmsapi.ListGrantsResponse, error) {
	out := &kmsapi.ListGrantsResponse{}
	err := s.read(ctx, in.KeyId, func(r store.ReadTx, k *key) error {
		all := []kmsapi.GrantListEntry{}
		for g, err := range grants.All(r, k.id()...) {
			if err != nil {
				return err
			}
			if (in.GrantId == nil || *in.GrantId == g.ID) && (in.GranteePrincipal == nil || *in.GranteePrincipal == g.Grantee) {
				all = append(all, g.entry(k.arn()))
			}
		}
		if in.GrantId != nil && len(all) == 0 {
			return notFound("Grant ID %s not found", *in.GrantId)
		}
		var err error
		out.Grants, out.NextMarker, out.Truncated, err = page(all, in.Marker, in.Limit, 50)
		return err
	})
	return out, err
}

func (g *grant) entry(keyARN string) kmsapi.GrantListEntry {
	e := kmsapi.GrantListEntry{
		KeyId: &keyARN, GrantId: &g.ID, Name: &g.Name, CreationDate: &g.Created, GranteePrincipal: &g.Grantee,
		IssuingAccount: wire.Ptr(rootOf(g.Issuer)), Operations: g.Operations, Constraints: g.Constraints,
	}
	if g.Retiring != "" {
		e.RetiringPrincipal = &g.Retiring
	}
	return e
}

// ListRetirableGrants lists the grants of the caller's account and region that
// a principal may retire.
func (s *Service) ListRetirableGrants(ctx context.Context, in *kmsapi.ListRetirableGrantsRequest) (*kmsapi.ListGrantsResponse, error) {
	c := wire.CallerFrom(ctx)
	out := &kmsapi.ListGrantsResponse{}
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		all := []kmsapi.GrantListEntry{}
		for k, err := range keyring.All(r, c.Account, c.Region) {
			if err != nil {
				return err
			}
			for g, err := range grants.All(r, k.id()...) {
				if err != nil {
					return err
				}
				if g.Retiring == *in.RetiringPrincipal && !k.gone(s.Clock.Now()) {
					all = append(all, g.entry(k.arn()))
				}
			}
		}
		var err error
		out.Grants, out.NextMarker, out.Truncated, err = page(all, in.Marker, in.Limit, 50)
		return err
	})
	return out, err
}

// RevokeGrant ends a grant.
func (s *Service) RevokeGrant(ctx context.Context, in *kmsapi.RevokeGrantRequest) error {
	return s.Store.Update(ctx, func(tx store.Tx) error {
		k, err := s.named(ctx, tx, *in.KeyId)
		if err != nil {
			return err
		}
		return removeGrant(tx, k, *in.GrantId, in.DryRun)
	})
}

// RetireGrant ends a grant that a token stands for, or an id with its key.
func (s *Service) RetireGrant(ctx context.Context, in *kmsapi.RetireGrantRequest) error {
	byToken, byID := in.GrantToken != nil, in.KeyId != nil && in.GrantId != nil
	if byToken == (in.KeyId != nil || in.GrantId != nil) || !byToken && !byID {
		return invalid("To identify the grant, specify either a grant token, or the key ID and grant ID.")
	}
	return s.Store.Update(ctx, func(tx store.Tx) error {
		k, id, err := s.retiring(ctx, tx, in)
		if err != nil {
			return err
		}
		return removeGrant(tx, k, id, in.DryRun)
	})
}

// retiring is the key and grant that a request is to retire.
func (s *Service) retiring(ctx context.Context, r store.ReadTx, in *kmsapi.RetireGrantRequest) (*key, string, error) {
	if in.GrantToken == nil {
		k, err := s.named(ctx, r, *in.KeyId)
		return k, *in.GrantId, err
	}
	at, err := tokenAt(r, *in.GrantToken)
	if err != nil {
		return nil, "", err
	}
	k, err := s.lookup(r, reference{account: at.Account, region: at.Region, id: at.Key})
	return k, at.Grant, err
}

func removeGrant(tx store.Tx, k *key, id string, dry *bool) error {
	at := append(k.id(), id)
	g, err := grants.Get(tx, at...)
	if err != nil {
		return err
	}
	if g == nil {
		return notFound("Grant ID %s not found", id)
	}
	if err := dryRun(dry); err != nil {
		return err
	}
	if err := tokens.Delete(tx, g.Token); err != nil {
		return err
	}
	return grants.Delete(tx, at...)
}

// removeGrants ends all grants of a key.
func removeGrants(tx store.Tx, k *key) error {
	for g, err := range grants.All(tx, k.id()...) {
		if err != nil {
			return err
		}
		if err := tokens.Delete(tx, g.Token); err != nil {
			return err
		}
	}
	return grants.DeleteAll(tx, k.id()...)
}

package kms

import (
	"context"
	"errors"
	"maps"

	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// Use is what another service of butai does with a key for somebody. The
// caller in the context, or the role if there is one, must be allowed to, by
// the key's policy, its grants and their own.
type Use struct {
	Service string            // such as "lambda": of kms:ViaService
	Account string            // whose key an id or alias means; "" is the caller's
	Role    string            // ARN of the role that the service has assumed, or ""
	Key     string            // id, ARN or alias; "" is the key that AWS manages for the service
	Context map[string]string // encryption context
}

// Check reports whether a symmetric key can be used for the actions, such as
// "GenerateDataKey", and returns its ARN. Errors are those that KMS gives.
func (s *Service) Check(ctx context.Context, use Use, actions ...string) (keyARN string, err error) {
	k, err := s.forService(ctx, use, actions...)
	if err != nil {
		return "", err
	}
	return k.arn(), nil
}

// Seal encrypts a text of any length and returns the ARN of the key that did.
// The principal must be allowed the action: "Encrypt", or "GenerateDataKey" for
// services that encrypt with data keys.
func (s *Service) Seal(ctx context.Context, use Use, action string, plaintext []byte) (blob []byte, keyARN string, err error) {
	k, err := s.forService(ctx, use, action)
	if err != nil {
		return nil, "", err
	}
	blob, err = k.current().seal(plaintext, use.Context)
	return blob, k.arn(), err
}

// Open decrypts what Seal made; the blob names the key, whatever use.Key says.
func (s *Service) Open(ctx context.Context, use Use, blob []byte) ([]byte, error) {
	k, err := s.sealer(ctx, blob)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return nil, notFound("Key '%s' does not exist", use.Key)
	}
	if err := s.allow(ctx, use, k, "Decrypt"); err != nil {
		return nil, err
	}
	plaintext, _, err := k.unseal(blob, use.Context)
	return plaintext, err
}

// ServiceGrant is what a service grants of a key under a use's encryption
// context, or under one that has at least its members if Subset is set.
type ServiceGrant struct {
	Name              string
	Grantee, Retiring string // principals; Retiring may be ""
	Subset            bool
	Operations        []string
}

// Grant lets a principal do operations with a key through a service's own
// grant, one of each name, principal and key, and returns the grant's id. It is
// "" for a key that AWS manages: everybody may use that through its service.
func (s *Service) Grant(ctx context.Context, use Use, of ServiceGrant) (id string, err error) {
	k, err := s.forService(ctx, use, "CreateGrant")
	if err != nil || k.Service != "" {
		return "", err
	}
	constraints := &kmsapi.GrantConstraints{EncryptionContextEquals: use.Context}
	if of.Subset {
		constraints = &kmsapi.GrantConstraints{EncryptionContextSubset: use.Context}
	}
	g := &grant{
		ID: ident.Hex(32), Token: ident.Base64(tokenSize), Issuer: k.Account, Created: s.now(), Name: of.Name,
		Grantee: of.Grantee, Retiring: of.Retiring, Operations: of.Operations, Constraints: constraints,
	}
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		if err := s.checkGrant(k, g); err != nil {
			return err
		}
		return addGrant(tx, k, g)
	})
	return g.ID, err
}

// EndGrant ends a grant, if there still is such a one.
func (s *Service) EndGrant(ctx context.Context, keyARN, id string) error {
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		k, err := s.named(ctx, tx, keyARN)
		if err != nil {
			return err
		}
		return removeGrant(tx, k, id, nil)
	})
	if _, gone := errors.AsType[*kmsapi.NotFoundException](err); gone {
		return nil
	}
	return err
}

// forService is the key of a use, which must be a symmetric one that the
// principal may use.
func (s *Service) forService(ctx context.Context, use Use, actions ...string) (*key, error) {
	id := use.Key
	if id == "" {
		id = managedPrefix + use.Service
	}
	at := *wire.CallerFrom(ctx)
	if use.Account != "" {
		at.Account = use.Account
	}
	k, err := s.find(ctx, &at, id)
	if err != nil {
		return nil, err
	}
	if err := s.allow(ctx, use, k, actions...); err != nil {
		return nil, err
	}
	if k.Spec != symmetric {
		return nil, wrongUsage("%s key spec is %s which is not valid for this operation.", k.arn(), k.Spec)
	}
	return k, nil
}

// allow refuses a use that the principal isn't allowed, or that the key's
// state doesn't allow.
func (s *Service) allow(ctx context.Context, use Use, k *key, actions ...string) error {
	c := wire.CallerFrom(ctx)
	facts := conditions{"kms:ViaService": {viaService(use.Service, k.Region)}}
	facts.encryption(use.Context)
	for _, action := range actions {
		of := maps.Clone(facts)
		if action == kmsapi.GrantOperationCreateGrant {
			of["kms:GrantIsForAWSResource"] = []string{"true"}
		}
		account := c.Account
		if c.Service != "" && c.Role == "" {
			account = "" // a service that calls for itself is of none
		}
		target := s.keyTarget(ctx, account, k, "kms:"+action, of)
		var denial string
		if use.Role != "" {
			denial = s.Authorizer.RoleMay(use.Role, use.Service+".amazonaws.com", target)
		} else {
			denial = s.Authorizer.Authorize(ctx, c, target)
		}
		if denial != "" {
			return wire.Errorf("AccessDeniedException", "%s", denial)
		}
	}
	return k.usable()
}

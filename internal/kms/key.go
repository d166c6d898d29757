package kms

import (
	"context"
	"slices"
	"time"

	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// CreateKey makes a key with its material.
func (s *Service) CreateKey(ctx context.Context, in *kmsapi.CreateKeyRequest) (*kmsapi.CreateKeyResponse, error) {
	c := wire.CallerFrom(ctx)
	k := &key{
		Account: c.Account, Region: c.Region, ID: ident.UUID(), Created: s.now(), Description: wire.Val(in.Description),
		Policy: defaultPolicy(c.Account),
	}
	if in.Origin != nil && *in.Origin != kmsapi.OriginTypeAWSKMS {
		return nil, wire.NotBuilt("KMS keys with the origin %s", *in.Origin)
	}
	var err error
	if k.Spec, k.Usage, err = kindOf(in); err != nil {
		return nil, err
	}
	if in.Policy != nil {
		if k.Policy, err = s.checkPolicy(c, k, *in.Policy, in.BypassPolicyLockoutSafetyCheck); err != nil {
			return nil, err
		}
	}
	if k.Tags, err = withTags(nil, in.Tags); err != nil {
		return nil, err
	}
	m, err := newMaterial(k.Spec) // here, since Update may run more than once and large RSA keys take a while
	if err != nil {
		return nil, err
	}
	k.Material = []material{m}
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		if err := s.bury(tx, c.Account, c.Region); err != nil {
			return err
		}
		return put(tx, k)
	})
	if err != nil {
		return nil, err
	}
	return &kmsapi.CreateKeyResponse{KeyMetadata: k.metadata()}, nil
}

// kindOf is the spec and usage that a request asks for.
func kindOf(in *kmsapi.CreateKeyRequest) (name, usage string, err error) {
	name, usage = symmetric, wire.Val(in.KeyUsage)
	switch {
	case in.KeySpec != nil && in.CustomerMasterKeySpec != nil:
		return "", "", invalid("You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.")
	case in.KeySpec != nil:
		name = *in.KeySpec
	case in.CustomerMasterKeySpec != nil:
		name = *in.CustomerMasterKeySpec
	}
	sp, err := specOf(name)
	if err != nil {
		return "", "", err
	}
	switch {
	case usage == "" && name != symmetric:
		return "", "", invalid("You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.")
	case usage == "":
		usage = encrypts
	case !slices.Contains(sp.usages, usage):
		return "", "", invalid("KeyUsage %s is not compatible with KeySpec %s", usage, name)
	}
	return name, usage, nil
}

// put stores a new key and what its ciphertexts are found by.
func put(tx store.Tx, k *key) error {
	for i := range k.Material {
		if err := materials.Put(tx, &owner{k.Account, k.Region, k.ID}, k.Material[i].ID); err != nil {
			return err
		}
	}
	return keyring.Put(tx, k, k.id()...)
}

// bury removes the keys of an account in a region whose time has come, with
// everything that names them.
func (s *Service) bury(tx store.Tx, account, region string) error {
	now := s.Clock.Now()
	for k, err := range keyring.All(tx, account, region) {
		if err != nil {
			return err
		}
		if !k.gone(now) {
			continue
		}
		for a, err := range aliases.All(tx, account, region) {
			if err != nil {
				return err
			}
			if a.Target == k.ID {
				if err := aliases.Delete(tx, account, region, a.Name); err != nil {
					return err
				}
			}
		}
		for i := range k.Material {
			if err := materials.Delete(tx, k.Material[i].ID); err != nil {
				return err
			}
		}
		if err := removeGrants(tx, k); err != nil {
			return err
		}
		if err := keyring.Delete(tx, k.id()...); err != nil {
			return err
		}
	}
	return nil
}

// metadata is what AWS tells of a key.
func (k *key) metadata() *kmsapi.KeyMetadata {
	m := &kmsapi.KeyMetadata{
		AWSAccountId: &k.Account, KeyId: &k.ID, Arn: wire.Ptr(k.arn()), CreationDate: &k.Created, Enabled: wire.Ptr(k.state() == kmsapi.KeyStateEnabled),
		Description: &k.Description, KeyUsage: &k.Usage, KeyState: wire.Ptr(k.state()), Origin: wire.Ptr(kmsapi.OriginTypeAWSKMS),
		KeyManager: wire.Ptr(kmsapi.KeyManagerTypeCUSTOMER), CustomerMasterKeySpec: &k.Spec, KeySpec: &k.Spec, MultiRegion: wire.Ptr(false),
	}
	sp := specs[k.Spec]
	switch k.Usage {
	case encrypts:
		m.EncryptionAlgorithms = sp.encryption
	case signs:
		m.SigningAlgorithms = sp.signing
	case macs:
		m.MacAlgorithms = sp.mac
	case agrees:
		m.KeyAgreementAlgorithms = sp.agreement
	}
	if k.Service != "" {
		m.KeyManager = wire.Ptr(kmsapi.KeyManagerTypeAWS)
	}
	if k.Spec == symmetric {
		m.CurrentKeyMaterialId = &k.current().ID
	}
	if !k.Deletion.IsZero() {
		m.DeletionDate = &k.Deletion
	}
	return m
}

// DescribeKey tells what a key is.
func (s *Service) DescribeKey(ctx context.Context, in *kmsapi.DescribeKeyRequest) (*kmsapi.DescribeKeyResponse, error) {
	if err := s.checkTokens(ctx, in.GrantTokens); err != nil {
		return nil, err
	}
	k, err := s.find(ctx, wire.CallerFrom(ctx), *in.KeyId)
	if err != nil {
		return nil, err
	}
	return &kmsapi.DescribeKeyResponse{KeyMetadata: k.metadata()}, nil
}

// ListKeys lists the keys of the caller's account and region.
func (s *Service) ListKeys(ctx context.Context, in *kmsapi.ListKeysRequest) (*kmsapi.ListKeysResponse, error) {
	c := wire.CallerFrom(ctx)
	all := []kmsapi.KeyListEntry{}
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		now := s.Clock.Now()
		for k, err := range keyring.All(r, c.Account, c.Region) {
			if err != nil {
				return err
			}
			if !k.gone(now) {
				all = append(all, kmsapi.KeyListEntry{KeyId: &k.ID, KeyArn: wire.Ptr(k.arn())})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &kmsapi.ListKeysResponse{}
	out.Keys, out.NextMarker, out.Truncated, err = page(all, in.Marker, in.Limit, 100)
	return out, err
}

// UpdateKeyDescription changes what a key is said to be for.
func (s *Service) UpdateKeyDescription(ctx context.Context, in *kmsapi.UpdateKeyDescriptionRequest) error {
	return s.edit(ctx, in.KeyId, func(_ store.Tx, k *key) error {
		k.Description = *in.Description
		return k.deletionDue()
	})
}

// EnableKey lets a key be used again.
func (s *Service) EnableKey(ctx context.Context, in *kmsapi.EnableKeyRequest) error {
	return s.edit(ctx, in.KeyId, func(_ store.Tx, k *key) error {
		k.Disabled = false
		return k.deletionDue()
	})
}

// DisableKey keeps a key from being used.
func (s *Service) DisableKey(ctx context.Context, in *kmsapi.DisableKeyRequest) error {
	return s.edit(ctx, in.KeyId, func(_ store.Tx, k *key) error {
		k.Disabled = true
		return k.deletionDue()
	})
}

// The days between a request to delete a key and its end.
const minWindow, maxWindow = 7, 30

// ScheduleKeyDeletion ends a key, unless it is cancelled in time.
func (s *Service) ScheduleKeyDeletion(ctx context.Context, in *kmsapi.ScheduleKeyDeletionRequest) (*kmsapi.ScheduleKeyDeletionResponse, error) {
	window := int64(maxWindow)
	if in.PendingWindowInDays != nil {
		window = *in.PendingWindowInDays
	}
	if window < minWindow || window > maxWindow {
		return nil, invalid("PendingWindowInDays must be between %d and %d", minWindow, maxWindow)
	}
	out := &kmsapi.ScheduleKeyDeletionResponse{PendingWindowInDays: &window, KeyState: wire.Ptr(kmsapi.KeyStatePendingDeletion)}
	err := s.edit(ctx, in.KeyId, func(_ store.Tx, k *key) error {
		if err := k.deletionDue(); err != nil {
			return err
		}
		k.Deletion = s.now().Add(time.Duration(window) * 24 * time.Hour)
		out.KeyId, out.DeletionDate = wire.Ptr(k.arn()), &k.Deletion
		return nil
	})
	return out, err
}

// CancelKeyDeletion keeps a key, which is disabled then.
func (s *Service) CancelKeyDeletion(ctx context.Context, in *kmsapi.CancelKeyDeletionRequest) (*kmsapi.CancelKeyDeletionResponse, error) {
	out := &kmsapi.CancelKeyDeletionResponse{}
	err := s.edit(ctx, in.KeyId, func(_ store.Tx, k *key) error {
		if k.Deletion.IsZero() {
			return invalidState("%s is not pending deletion.", k.arn())
		}
		k.Deletion, k.Disabled = time.Time{}, true
		out.KeyId = wire.Ptr(k.arn())
		return nil
	})
	return out, err
}

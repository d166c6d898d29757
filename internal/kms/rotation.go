package kms

import (
	"context"
	"slices"
	"time"

	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// rotation is when a key gets new material by itself.
type rotation struct {
	Period int64     // days; 0 if it doesn't
	Next   time.Time `json:",omitzero"`
}

// rotationRun is one past rotation, to the material of the same index in the
// key, the first one aside.
type rotationRun struct {
	Date time.Time
	Type string
}

const (
	usualPeriod   = 365 // days
	managedPeriod = 365
	maxOnDemand   = 25 // Developer Guide: "Rotate keys on demand"
)

const day = 24 * time.Hour

// due reports whether new material is due; keys that can't be used don't get
// any.
func (k *key) due(now time.Time) bool {
	return k.Rotation.Period > 0 && !now.Before(k.Rotation.Next) && k.state() == kmsapi.KeyStateEnabled
}

// rotated is k with the material that was due until now.
func (s *Service) rotated(ctx context.Context, k *key) (*key, error) {
	if !k.due(s.Clock.Now()) {
		return k, nil
	}
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		now, err := keyring.Get(tx, k.id()...)
		if err != nil || now == nil {
			return err
		}
		k = now
		for k.due(s.Clock.Now()) {
			if err := k.rotate(tx, k.Rotation.Next, kmsapi.RotationTypeAUTOMATIC); err != nil {
				return err
			}
			k.Rotation.Next = k.Rotation.Next.Add(time.Duration(k.Rotation.Period) * day)
		}
		return keyring.Put(tx, k, k.id()...)
	})
	return k, err
}

// rotate gives a key new material. What the old one made stays readable.
func (k *key) rotate(tx store.Tx, date time.Time, kind string) error {
	m, err := newMaterial(k.Spec)
	if err != nil {
		return err
	}
	k.Material = append(k.Material, m)
	k.Rotations = append(k.Rotations, rotationRun{date, kind})
	return materials.Put(tx, &owner{k.Account, k.Region, k.ID}, m.ID)
}

// rotatable refuses keys that never rotate.
func (k *key) rotatable() error {
	switch {
	case k.Spec != symmetric:
		return unsupported("%s key spec is %s which is not valid for this operation.", k.arn(), k.Spec)
	case k.Service != "":
		return unsupported("%s key manager is AWS which is not valid for this operation.", k.arn())
	}
	return k.usable()
}

// EnableKeyRotation lets a key get new material every year, or as often as
// asked for.
func (s *Service) EnableKeyRotation(ctx context.Context, in *kmsapi.EnableKeyRotationRequest) error {
	return s.edit(ctx, in.KeyId, func(_ store.Tx, k *key) error {
		k.Rotation.Period = usualPeriod
		if in.RotationPeriodInDays != nil {
			k.Rotation.Period = *in.RotationPeriodInDays
		}
		k.Rotation.Next = s.now().Add(time.Duration(k.Rotation.Period) * day)
		return k.rotatable()
	})
}

// DisableKeyRotation ends that.
func (s *Service) DisableKeyRotation(ctx context.Context, in *kmsapi.DisableKeyRotationRequest) error {
	return s.edit(ctx, in.KeyId, func(_ store.Tx, k *key) error {
		k.Rotation = rotation{}
		return k.rotatable()
	})
}

// GetKeyRotationStatus tells when a key rotates next; asymmetric keys never do.
func (s *Service) GetKeyRotationStatus(ctx context.Context, in *kmsapi.GetKeyRotationStatusRequest) (*kmsapi.GetKeyRotationStatusResponse, error) {
	k, err := s.upToDate(ctx, *in.KeyId)
	if err != nil {
		return nil, err
	}
	out := &kmsapi.GetKeyRotationStatusResponse{KeyId: &k.ID, KeyRotationEnabled: wire.Ptr(k.Rotation.Period > 0)}
	if k.Rotation.Period > 0 {
		out.RotationPeriodInDays = &k.Rotation.Period
		if k.Deletion.IsZero() {
			out.NextRotationDate = &k.Rotation.Next
		}
	}
	return out, nil
}

// upToDate is the key that an operation without aliases names, rotated.
func (s *Service) upToDate(ctx context.Context, keyID string) (*key, error) {
	var k *key
	err := s.read(ctx, &keyID, func(_ store.ReadTx, found *key) error {
		k = found
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.rotated(ctx, k)
}

// RotateKeyOnDemand gives a key new material at once.
func (s *Service) RotateKeyOnDemand(ctx context.Context, in *kmsapi.RotateKeyOnDemandRequest) (*kmsapi.RotateKeyOnDemandResponse, error) {
	out := &kmsapi.RotateKeyOnDemandResponse{}
	err := s.edit(ctx, in.KeyId, func(tx store.Tx, k *key) error {
		if err := k.rotatable(); err != nil {
			return err
		}
		asked := 0
		for _, run := range k.Rotations {
			if run.Type == kmsapi.RotationTypeONDEMAND {
				asked++
			}
		}
		if asked >= maxOnDemand {
			return &kmsapi.LimitExceededException{Message: wire.Ptr("Cannot rotate key " + k.arn() + " on demand: the limit of on-demand rotations has been reached.")}
		}
		out.KeyId = &k.ID
		return k.rotate(tx, s.now(), kmsapi.RotationTypeONDEMAND)
	})
	return out, err
}

// ListKeyRotations lists a key's rotations, newest first, and if asked the
// material that it began with too.
func (s *Service) ListKeyRotations(ctx context.Context, in *kmsapi.ListKeyRotationsRequest) (*kmsapi.ListKeyRotationsResponse, error) {
	k, err := s.upToDate(ctx, *in.KeyId)
	if err != nil {
		return nil, err
	}
	if k.Spec != symmetric {
		return nil, unsupported("%s key spec is %s which is not valid for this operation.", k.arn(), k.Spec)
	}
	all := []kmsapi.RotationsListEntry{}
	for i := range k.Material {
		e := kmsapi.RotationsListEntry{KeyId: &k.ID, KeyMaterialId: &k.Material[i].ID, KeyMaterialState: wire.Ptr(kmsapi.KeyMaterialStateNONCURRENT)}
		if i == len(k.Material)-1 {
			e.KeyMaterialState = wire.Ptr(kmsapi.KeyMaterialStateCURRENT)
		}
		if i > 0 {
			e.RotationDate, e.RotationType = &k.Rotations[i-1].Date, &k.Rotations[i-1].Type
		} else if wire.Val(in.IncludeKeyMaterial) != kmsapi.IncludeKeyMaterialALLKEYMATERIAL {
			continue
		}
		all = append(all, e)
	}
	slices.Reverse(all)
	out := &kmsapi.ListKeyRotationsResponse{}
	out.Rotations, out.NextMarker, out.Truncated, err = page(all, in.Marker, in.Limit, 100)
	return out, err
}

package secretsmanager

import (
	"context"
	"errors"
	"time"

	"github.com/butai-dev/butai/internal/api/secretsmanagerapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// The recovery window, in days.
const (
	minWindow     = 7
	maxWindow     = 30
	defaultWindow = 30
)

// DeleteSecret marks a secret for deletion, or deletes it at once.
func (s *Service) DeleteSecret(ctx context.Context, in *secretsmanagerapi.DeleteSecretRequest) (*secretsmanagerapi.DeleteSecretResponse, error) {
	force, days := wire.Val(in.ForceDeleteWithoutRecovery), int64(defaultWindow)
	if in.RecoveryWindowInDays != nil {
		if days = *in.RecoveryWindowInDays; force {
			return nil, invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
		}
		if days < minWindow || days > maxWindow {
			return nil, invalidParameter("The RecoveryWindowInDays value must be between %d and %d days (inclusive).", minWindow, maxWindow)
		}
	}
	now := s.now()
	var rec *secretRecord
	err := s.Store.Update(ctx, func(tx store.Tx) (err error) {
		if rec, err = s.get(ctx, tx, *in.SecretId); err != nil {
			return err
		}
		if force {
			rec.Gone = now
			return remove(tx, rec.place())
		}
		if !rec.Deletion.IsZero() {
			return invalidRequest("You can't perform this operation on the secret because it was already scheduled for deletion.")
		}
		rec.Deletion, rec.Gone = now, now.Add(time.Duration(days)*24*time.Hour)
		return secrets.Put(tx, rec, rec.place().key()...)
	})
	if _, missing := errors.AsType[*secretsmanagerapi.ResourceNotFoundException](err); missing && force {
		return deletedNothing(ctx, *in.SecretId, now)
	}
	if err != nil {
		return nil, err
	}
	s.wind(rec)
	return &secretsmanagerapi.DeleteSecretResponse{ARN: wire.Ptr(rec.arn()), Name: &rec.Name, DeletionDate: &rec.Gone}, nil
}

// deletedNothing is the answer to the forced deletion of a secret that there
// isn't, which is no error (API Reference: DeleteSecret).
func deletedNothing(ctx context.Context, id string, now time.Time) (*secretsmanagerapi.DeleteSecretResponse, error) {
	ref, err := parse(ctx, id)
	if err != nil {
		return nil, err
	}
	if ref.suffix == "" {
		ref.suffix = ident.Mixed(suffixLength)
	}
	full := arn.New("secretsmanager", ref.region, ref.account, secretPrefix+ref.name+"-"+ref.suffix).String()
	return &secretsmanagerapi.DeleteSecretResponse{ARN: &full, Name: &ref.name, DeletionDate: &now}, nil
}

// remove deletes a secret with its versions.
func remove(tx store.Tx, p place) error {
	return errors.Join(secrets.Delete(tx, p.key()...), versions.DeleteAll(tx, p.key()...))
}

// RestoreSecret takes back a deletion within its window.
func (s *Service) RestoreSecret(ctx context.Context, in *secretsmanagerapi.RestoreSecretRequest) (*secretsmanagerapi.RestoreSecretResponse, error) {
	var rec *secretRecord
	err := s.Store.Update(ctx, func(tx store.Tx) (err error) {
		if rec, err = s.get(ctx, tx, *in.SecretId); err != nil {
			return err
		}
		rec.Deletion, rec.Gone = time.Time{}, time.Time{}
		return secrets.Put(tx, rec, rec.place().key()...)
	})
	if err != nil {
		return nil, err
	}
	s.wind(rec)
	return &secretsmanagerapi.RestoreSecretResponse{ARN: wire.Ptr(rec.arn()), Name: &rec.Name}, nil
}

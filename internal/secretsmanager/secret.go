package secretsmanager

import (
	"context"
	"errors"

	"github.com/butai-dev/butai/internal/api/secretsmanagerapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// CreateSecret makes a secret, with a first version if it has a value.
func (s *Service) CreateSecret(ctx context.Context, in *secretsmanagerapi.CreateSecretRequest) (*secretsmanagerapi.CreateSecretResponse, error) {
	val, err := valueOf(in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	if !nameForm.MatchString(*in.Name) {
		return nil, invalidName()
	}
	if val != nil && in.ClientRequestToken == nil {
		return nil, invalidRequest(tokenMissing)
	}
	c, now := wire.CallerFrom(ctx), s.now()
	rec := &secretRecord{
		Account: c.Account, Region: c.Region, Name: *in.Name, Suffix: ident.Mixed(suffixLength), Created: now, Changed: now,
		Description: wire.Val(in.Description), Key: wire.Val(in.KmsKeyId),
	}
	if len(in.Tags) > 0 {
		if err := rec.tag(in.Tags); err != nil {
			return nil, err
		}
	}
	if same, err := s.createdBefore(ctx, rec, wire.Val(in.ClientRequestToken), val); err != nil {
		return nil, err
	} else if same != nil {
		return &secretsmanagerapi.CreateSecretResponse{ARN: wire.Ptr(same.arn()), Name: &same.Name, VersionId: in.ClientRequestToken}, nil
	}
	var first *versionRecord
	if val != nil {
		if first, err = s.seal(ctx, rec, *in.ClientRequestToken, val); err != nil {
			return nil, err
		}
	}
	if err := s.create(ctx, rec, first); err != nil {
		return nil, err
	}
	out := &secretsmanagerapi.CreateSecretResponse{ARN: wire.Ptr(rec.arn()), Name: &rec.Name}
	if first != nil {
		out.VersionId = &first.ID
	}
	return out, nil
}

// createdBefore finds the secret that an earlier try of the same request has
// made; nil if there is none.
func (s *Service) createdBefore(ctx context.Context, rec *secretRecord, token string, val *value) (*secretRecord, error) {
	if val == nil {
		return nil, nil
	}
	var have *secretRecord
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		have, err = s.find(r, reference{place: rec.place()})
		return err
	})
	if err != nil || have == nil || !have.Deletion.IsZero() {
		return nil, err
	}
	if done, err := s.repeated(ctx, have, token, val); err != nil || !done {
		return nil, err
	}
	return have, nil
}

// create stores a secret whose name must be free.
func (s *Service) create(ctx context.Context, rec *secretRecord, first *versionRecord) error {
	return s.Store.Update(ctx, func(tx store.Tx) error {
		have, err := s.find(tx, reference{place: rec.place()})
		switch {
		case err != nil:
			return err
		case have != nil && !have.Deletion.IsZero():
			return invalidRequest("You can't create this secret because a secret with this name is already scheduled for deletion.")
		case have != nil:
			return alreadyExists("The operation failed because the secret %s already exists.", rec.Name)
		}
		if err := remove(tx, rec.place()); err != nil { // of one that is gone
			return err
		}
		rec.Stages, rec.Versions = nil, 0
		if first != nil {
			if err := errors.Join(rec.add(tx, first), rec.attach(first.ID, current)); err != nil {
				return err
			}
		}
		return secrets.Put(tx, rec, rec.place().key()...)
	})
}

// UpdateSecret changes what is said of a secret, and its value if it has a new
// one. With another key, the versions in use are encrypted anew.
func (s *Service) UpdateSecret(ctx context.Context, in *secretsmanagerapi.UpdateSecretRequest) (*secretsmanagerapi.UpdateSecretResponse, error) {
	val, err := valueOf(in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	if in.ClientRequestToken == nil {
		return nil, invalidRequest(tokenMissing)
	}
	if in.KmsKeyId != nil {
		if err := s.rekey(ctx, in.SecretId, *in.KmsKeyId); err != nil {
			return nil, err
		}
	}
	describe := func(rec *secretRecord) {
		if in.Description != nil {
			rec.Description = *in.Description
		}
	}
	var rec *secretRecord
	out := &secretsmanagerapi.UpdateSecretResponse{}
	if val != nil {
		out.VersionId = in.ClientRequestToken
		rec, err = s.put(ctx, in.SecretId, *in.ClientRequestToken, val, []string{current}, describe)
	} else {
		rec, err = s.edit(ctx, in.SecretId, func(_ store.Tx, rec *secretRecord) error {
			describe(rec)
			rec.Changed = s.now()
			return nil
		})
	}
	if err != nil {
		return nil, err
	}
	out.ARN, out.Name = wire.Ptr(rec.arn()), &rec.Name
	return out, nil
}

// rekey gives a secret another key. Versions with one of Secrets Manager's own
// labels are encrypted anew (API Reference: UpdateSecret).
func (s *Service) rekey(ctx context.Context, id *string, key string) error {
	seen, err := s.read(ctx, id)
	if err != nil || seen.Key == key {
		return err
	}
	target := *seen
	target.Key = key
	var renewed []*versionRecord
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		renewed = nil
		for _, label := range []string{current, previous, pending} {
			v, err := versions.Get(r, seen.place().key(seen.Stages[label])...)
			if err != nil {
				return err
			}
			if v != nil && v.Value != nil {
				renewed = append(renewed, v)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, v := range renewed {
		val, err := s.open(ctx, seen, v)
		if err != nil {
			return err
		}
		sealed, err := s.seal(ctx, &target, v.ID, val)
		if err != nil {
			return err
		}
		sealed.Number, sealed.Created, sealed.Accessed = v.Number, v.Created, v.Accessed
		renewed[i] = sealed
	}
	_, err = s.edit(ctx, id, func(tx store.Tx, rec *secretRecord) error {
		for _, v := range renewed {
			if err := versions.Put(tx, v, rec.place().key(v.ID)...); err != nil {
				return err
			}
		}
		rec.Key, rec.Changed = key, s.now()
		return nil
	})
	return err
}

// DescribeSecret tells everything of a secret but its values.
func (s *Service) DescribeSecret(ctx context.Context, in *secretsmanagerapi.DescribeSecretRequest) (*secretsmanagerapi.DescribeSecretResponse, error) {
	out := &secretsmanagerapi.DescribeSecretResponse{}
	return out, s.Store.View(ctx, func(r store.ReadTx) error {
		rec, err := s.get(ctx, r, *in.SecretId)
		if err != nil {
			return err
		}
		e := rec.entry()
		*out = secretsmanagerapi.DescribeSecretResponse{
			ARN: e.ARN, Name: e.Name, Description: e.Description, KmsKeyId: e.KmsKeyId, RotationEnabled: e.RotationEnabled,
			RotationLambdaARN: e.RotationLambdaARN, RotationRules: e.RotationRules, LastRotatedDate: e.LastRotatedDate,
			LastChangedDate: e.LastChangedDate, LastAccessedDate: e.LastAccessedDate, DeletedDate: e.DeletedDate,
			NextRotationDate: e.NextRotationDate, Tags: e.Tags, VersionIdsToStages: e.SecretVersionsToStages, CreatedDate: e.CreatedDate,
		}
		return nil
	})
}

// entry is the secret as listings show it.
func (rec *secretRecord) entry() secretsmanagerapi.SecretListEntry {
	e := secretsmanagerapi.SecretListEntry{
		ARN: wire.Ptr(rec.arn()), Name: &rec.Name, Description: wire.TextOrNil(rec.Description), KmsKeyId: wire.TextOrNil(rec.Key),
		CreatedDate: &rec.Created, LastChangedDate: &rec.Changed, LastAccessedDate: orNil(rec.Accessed), DeletedDate: orNil(rec.Deletion),
		Tags: rec.Tags, SecretVersionsToStages: rec.versionsToStages(),
	}
	if r := rec.Rotation; r != nil {
		e.RotationEnabled, e.RotationLambdaARN = &r.Enabled, &r.Function
		e.LastRotatedDate = orNil(r.Last)
		if r.Enabled {
			e.RotationRules, e.NextRotationDate = &r.Rules, orNil(r.WindowEnd)
		}
	}
	return e
}

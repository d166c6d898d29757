package secretsmanager

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/butai-dev/butai/internal/api/secretsmanagerapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// value is what a version holds: a text or bytes.
type value struct {
	bytes  []byte
	binary bool
}

// valueOf reads the two members of which a request may set one; nil if it sets
// neither.
func valueOf(text *string, binary []byte) (*value, error) {
	switch {
	case text != nil && binary != nil:
		return nil, invalidParameter("You can't specify both a binary secret value and a string secret value in the same secret.")
	case text != nil:
		return &value{bytes: []byte(*text)}, nil
	case binary != nil:
		return &value{bytes: binary, binary: true}, nil
	}
	return nil, nil
}

// accountKey is the key of KMS that encrypts secrets which name none.
const accountKey = "alias/aws/secretsmanager"

// about is the encryption context of a version (User Guide: "Secret encryption
// and decryption").
func about(rec *secretRecord, version string) map[string]string {
	return map[string]string{"SecretARN": rec.arn(), "SecretVersionId": version}
}

// seal encrypts a value into a new version of the secret.
func (s *Service) seal(ctx context.Context, rec *secretRecord, id string, val *value) (*versionRecord, error) {
	key := rec.Key
	if key == "" {
		key = accountKey
	}
	sealed, err := s.Keys.Encrypt(ctx, key, val.bytes, about(rec, id))
	if err != nil {
		return nil, ofKMS(err, &secretsmanagerapi.EncryptionFailure{
			Message: wire.Ptr("Secrets Manager can't encrypt the protected secret text using the specified KMS key. Check that the key is available, enabled, and not in an invalid state."),
		})
	}
	return &versionRecord{ID: id, Created: s.now(), Key: rec.Key, Value: sealed, Binary: val.binary}, nil
}

func (s *Service) open(ctx context.Context, rec *secretRecord, v *versionRecord) (*value, error) {
	plain, err := s.Keys.Decrypt(ctx, v.Value, about(rec, v.ID))
	if err != nil {
		return nil, ofKMS(err, &secretsmanagerapi.DecryptionFailure{
			Message: wire.Ptr("Secrets Manager can't decrypt the protected secret text using the specified KMS key."),
		})
	}
	return &value{bytes: plain, binary: v.Binary}, nil
}

// maxVersions is how many versions are kept; beyond, those without a label go
// that are a day old ("AWS Secrets Manager quotas").
const maxVersions = 100

// add stores a new version of the secret, or the value of one that a rotation
// has made.
func (rec *secretRecord) add(tx store.Tx, v *versionRecord) error {
	have, err := versions.Get(tx, rec.place().key(v.ID)...)
	if err != nil {
		return err
	}
	if have != nil {
		v.Number = have.Number
	} else {
		rec.Versions++
		v.Number = rec.Versions
	}
	return versions.Put(tx, v, rec.place().key(v.ID)...)
}

// prune deletes deprecated versions that are too many.
func (rec *secretRecord) prune(tx store.Tx, now time.Time) error {
	if rec.Versions <= maxVersions {
		return nil
	}
	list, err := rec.versions(tx)
	if err != nil {
		return err
	}
	for i := 0; i < len(list)-maxVersions; i++ {
		if v := list[i]; rec.labels(v.ID) == nil && now.Sub(v.Created) > 24*time.Hour {
			if err := versions.Delete(tx, rec.place().key(v.ID)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// repeated looks for a version that a request with the same token has made: if
// its value is the same there is nothing to do, else the token is taken. A
// version without a value waits for one.
func (s *Service) repeated(ctx context.Context, rec *secretRecord, token string, val *value) (done bool, err error) {
	var have *versionRecord
	err = s.Store.View(ctx, func(r store.ReadTx) (err error) {
		have, err = versions.Get(r, rec.place().key(token)...)
		return err
	})
	if err != nil || have == nil || have.Value == nil {
		return false, err
	}
	old, err := s.open(ctx, rec, have)
	if err != nil {
		return false, err
	}
	if old.binary != val.binary || !bytes.Equal(old.bytes, val.bytes) {
		return false, alreadyExists("You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", token, rec.arn())
	}
	return true, nil
}

// PutSecretValue makes a version of a secret.
func (s *Service) PutSecretValue(ctx context.Context, in *secretsmanagerapi.PutSecretValueRequest) (*secretsmanagerapi.PutSecretValueResponse, error) {
	val, err := valueOf(in.SecretString, in.SecretBinary)
	switch {
	case err != nil:
		return nil, err
	case in.ClientRequestToken == nil:
		return nil, invalidRequest(tokenMissing)
	case val == nil:
		return nil, invalidRequest("You must provide either SecretString or SecretBinary.")
	}
	labels := in.VersionStages
	if labels == nil {
		labels = []string{current}
	}
	rec, err := s.put(ctx, in.SecretId, *in.ClientRequestToken, val, labels, nil)
	if err != nil {
		return nil, err
	}
	return &secretsmanagerapi.PutSecretValueResponse{
		ARN: wire.Ptr(rec.arn()), Name: &rec.Name, VersionId: in.ClientRequestToken, VersionStages: rec.labels(*in.ClientRequestToken),
	}, nil
}

// put adds a version with its labels; change, unless nil, is made with it. The
// first version gets AWSCURRENT in any case.
func (s *Service) put(ctx context.Context, id *string, token string, val *value, labels []string, change func(*secretRecord)) (*secretRecord, error) {
	rec, err := s.read(ctx, id)
	if err != nil {
		return nil, err
	}
	if change != nil {
		change(rec) // its key counts
	}
	done, err := s.repeated(ctx, rec, token, val)
	if err != nil || done {
		return rec, err
	}
	v, err := s.seal(ctx, rec, token, val)
	if err != nil {
		return nil, err
	}
	sealedFor := rec.arn()
	return s.edit(ctx, id, func(tx store.Tx, rec *secretRecord) error {
		if rec.arn() != sealedFor {
			return noSecret() // another one of its name, meanwhile
		}
		if change != nil {
			change(rec)
		}
		if err := rec.add(tx, v); err != nil {
			return err
		}
		if rec.Changed = s.now(); rec.Stages[current] == "" && rec.Stages[pending] != token {
			labels = append(labels[:len(labels):len(labels)], current)
		}
		return errors.Join(rec.attach(token, labels...), rec.prune(tx, rec.Changed))
	})
}

// GetSecretValue decrypts a version of a secret, AWSCURRENT if none is named.
func (s *Service) GetSecretValue(ctx context.Context, in *secretsmanagerapi.GetSecretValueRequest) (*secretsmanagerapi.GetSecretValueResponse, error) {
	rec, v, val, err := s.reveal(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &secretsmanagerapi.GetSecretValueResponse{
		ARN: wire.Ptr(rec.arn()), Name: &rec.Name, VersionId: &v.ID, VersionStages: rec.labels(v.ID), CreatedDate: &v.Created,
	}
	out.SecretString, out.SecretBinary = val.members()
	return out, nil
}

// members are the value as the API shows it.
func (val *value) members() (text *string, binary []byte) {
	if val.binary {
		return nil, val.bytes
	}
	return wire.Ptr(string(val.bytes)), nil
}

// reveal finds and decrypts a version, and keeps on which day that was.
func (s *Service) reveal(ctx context.Context, in *secretsmanagerapi.GetSecretValueRequest) (rec *secretRecord, v *versionRecord, val *value, err error) {
	err = s.Store.View(ctx, func(r store.ReadTx) (err error) {
		if rec, err = s.living(ctx, r, *in.SecretId); err != nil {
			return err
		}
		v, err = rec.version(r, in.VersionId, in.VersionStage)
		return err
	})
	if err != nil {
		return nil, nil, nil, err
	}
	if val, err = s.open(ctx, rec, v); err != nil {
		return nil, nil, nil, err
	}
	if today := s.today(); v.Accessed != today || rec.Accessed != today {
		err = s.touch(ctx, rec, v.ID)
	}
	return rec, v, val, err
}

// version reads the version that a request names, which must have a value.
func (rec *secretRecord) version(r store.ReadTx, id, stage *string) (*versionRecord, error) {
	label := current
	if stage != nil {
		label = *stage
	}
	wanted := rec.Stages[label]
	if id != nil {
		wanted = *id
	}
	var v *versionRecord
	if wanted != "" {
		var err error
		if v, err = versions.Get(r, rec.place().key(wanted)...); err != nil {
			return nil, err
		}
	}
	switch {
	case id != nil && (v == nil || v.Value == nil):
		return nil, notFound("secret value for VersionId: %s", *id)
	case v == nil || v.Value == nil:
		return nil, notFound("secret value for staging label: %s", label)
	case id != nil && stage != nil && rec.Stages[label] != v.ID:
		return nil, invalidRequest("You provided a VersionStage that is not associated to the provided VersionId.")
	}
	return v, nil
}

// touch keeps the day on which a version was read.
func (s *Service) touch(ctx context.Context, seen *secretRecord, version string) error {
	today := s.today()
	return s.Store.Update(ctx, func(tx store.Tx) error {
		rec, err := secrets.Get(tx, seen.place().key()...)
		if err != nil || rec == nil || rec.Suffix != seen.Suffix {
			return err
		}
		v, err := versions.Get(tx, rec.place().key(version)...)
		if err != nil || v == nil {
			return err
		}
		rec.Accessed, v.Accessed = today, today
		return errors.Join(secrets.Put(tx, rec, rec.place().key()...), versions.Put(tx, v, rec.place().key(version)...))
	})
}

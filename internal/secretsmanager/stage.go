package secretsmanager

import (
	"context"
	"slices"

	"github.com/butai-dev/butai/internal/api/secretsmanagerapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// The staging labels that Secrets Manager moves by itself.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
	pending  = "AWSPENDING"
)

// maxStages is the limit of labels per secret ("AWS Secrets Manager quotas").
const maxStages = 20

// attach moves staging labels to a version. The version that loses AWSCURRENT
// gets AWSPREVIOUS, and is no longer pending (recorded).
func (rec *secretRecord) attach(version string, labels ...string) error {
	if rec.Stages == nil {
		rec.Stages = map[string]string{}
	}
	for _, label := range labels {
		before := rec.Stages[label]
		rec.Stages[label] = version
		if label == current && before != "" && before != version {
			rec.Stages[previous] = before
			if rec.Stages[pending] == before {
				delete(rec.Stages, pending)
			}
		}
	}
	if len(rec.Stages) > maxStages {
		return &secretsmanagerapi.LimitExceededException{Message: wire.Ptr("You can't attach more than 20 staging labels to the versions of a secret.")}
	}
	return nil
}

// labels are the staging labels of a version, in order; nil if it has none.
func (rec *secretRecord) labels(version string) (labels []string) {
	for label, id := range rec.Stages {
		if id == version {
			labels = append(labels, label)
		}
	}
	slices.Sort(labels)
	return labels
}

// versionsToStages are the versions that have labels; nil if there are none.
func (rec *secretRecord) versionsToStages() map[string][]string {
	if len(rec.Stages) == 0 {
		return nil
	}
	out := map[string][]string{}
	for _, id := range rec.Stages {
		if out[id] == nil {
			out[id] = rec.labels(id)
		}
	}
	return out
}

// UpdateSecretVersionStage moves a staging label from one version to another,
// or takes it off.
func (s *Service) UpdateSecretVersionStage(ctx context.Context, in *secretsmanagerapi.UpdateSecretVersionStageRequest) (*secretsmanagerapi.UpdateSecretVersionStageResponse, error) {
	rec, err := s.edit(ctx, in.SecretId, func(tx store.Tx, rec *secretRecord) error {
		return rec.moveStage(tx, *in.VersionStage, wire.Val(in.RemoveFromVersionId), wire.Val(in.MoveToVersionId), s)
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanagerapi.UpdateSecretVersionStageResponse{ARN: wire.Ptr(rec.arn()), Name: &rec.Name}, nil
}

func (rec *secretRecord) moveStage(tx store.Tx, label, from, to string, s *Service) error {
	for _, id := range []string{from, to} {
		if id == "" {
			continue
		}
		if v, err := versions.Get(tx, rec.place().key(id)...); err != nil {
			return err
		} else if v == nil {
			return notFound("secret version: %s", id)
		}
	}
	holder := rec.Stages[label]
	switch {
	case from == "" && to == "":
		return invalidParameter("You must provide a value for either RemoveFromVersionId or MoveToVersionId.")
	case holder != "" && from == "" && holder != to:
		return invalidParameter("The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.", label, holder)
	case from != "" && holder != from:
		return invalidParameter("The parameter RemoveFromVersionId is set to version %s, but staging label %s isn't attached to that version.", from, label)
	case to == "" && label == current:
		return invalidParameter("You can't remove staging label %s from a version; you can only move it to another one.", label)
	}
	rec.Changed = s.now()
	if to == "" {
		delete(rec.Stages, label)
		return nil
	}
	return rec.attach(to, label)
}

// ListSecretVersionIds lists a secret's versions, the oldest first; those
// without a label are deprecated.
func (s *Service) ListSecretVersionIds(ctx context.Context, in *secretsmanagerapi.ListSecretVersionIdsRequest) (*secretsmanagerapi.ListSecretVersionIdsResponse, error) {
	out := &secretsmanagerapi.ListSecretVersionIdsResponse{}
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		rec, err := s.get(ctx, r, *in.SecretId)
		if err != nil {
			return err
		}
		list, err := rec.versions(r)
		if err != nil {
			return err
		}
		out.ARN, out.Name, out.Versions = wire.Ptr(rec.arn()), &rec.Name, []secretsmanagerapi.SecretVersionsListEntry{}
		for _, v := range list {
			if labels := rec.labels(v.ID); labels != nil || wire.Val(in.IncludeDeprecated) {
				out.Versions = append(out.Versions, secretsmanagerapi.SecretVersionsListEntry{
					VersionId: &v.ID, VersionStages: labels, CreatedDate: &v.Created, LastAccessedDate: orNil(v.Accessed), KmsKeyIds: []string{v.keyShown()},
				})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.Versions, out.NextToken, err = page(out.Versions, in.NextToken, in.MaxResults)
	return out, err
}

// versions are the secret's versions, the oldest first.
func (rec *secretRecord) versions(r store.ReadTx) ([]*versionRecord, error) {
	list, err := versions.List(r, rec.place().key()...)
	slices.SortFunc(list, func(a, b *versionRecord) int { return a.Number - b.Number })
	return list, err
}

// keyShown names the key that a version is encrypted with.
func (v *versionRecord) keyShown() string {
	if v.Key == "" {
		return "DefaultEncryptionKey"
	}
	return v.Key
}

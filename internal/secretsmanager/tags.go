package secretsmanager

import (
	"context"
	"slices"

	"github.com/butai-dev/butai/internal/api/secretsmanagerapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxTags is the limit per secret ("AWS Secrets Manager quotas").
const maxTags = 50

// tag adds tags, in their order; one of a key that there is replaces it.
func (rec *secretRecord) tag(tags []secretsmanagerapi.Tag) error {
	for _, t := range tags {
		if t.Key == nil {
			return invalidParameter("You must provide a key for each tag.")
		}
		t = secretsmanagerapi.Tag{Key: t.Key, Value: wire.Ptr(wire.Val(t.Value))}
		if at := slices.IndexFunc(rec.Tags, func(have secretsmanagerapi.Tag) bool { return *have.Key == *t.Key }); at >= 0 {
			rec.Tags[at] = t
		} else {
			rec.Tags = append(rec.Tags, t)
		}
	}
	if len(rec.Tags) > maxTags {
		return invalidRequest("The request failed because it would exceed the quota of %d tags for a secret.", maxTags)
	}
	return nil
}

// TagResource adds tags to a secret.
func (s *Service) TagResource(ctx context.Context, in *secretsmanagerapi.TagResourceRequest) error {
	_, err := s.edit(ctx, in.SecretId, func(_ store.Tx, rec *secretRecord) error { return rec.tag(in.Tags) })
	return err
}

// UntagResource removes tags from a secret.
func (s *Service) UntagResource(ctx context.Context, in *secretsmanagerapi.UntagResourceRequest) error {
	_, err := s.edit(ctx, in.SecretId, func(_ store.Tx, rec *secretRecord) error {
		rec.Tags = slices.DeleteFunc(rec.Tags, func(t secretsmanagerapi.Tag) bool { return slices.Contains(in.TagKeys, *t.Key) })
		return nil
	})
	return err
}

package kms

import (
	"context"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/kmsapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxTags is the limit per key (Developer Guide: "Tagging keys").
const maxTags = 50

// withTags is have with more tags, each key once.
func withTags(have, more []kmsapi.Tag) ([]kmsapi.Tag, error) {
	out := slices.Clone(have)
	for i, t := range more {
		if strings.HasPrefix(*t.TagKey, "aws:") {
			return nil, &kmsapi.TagException{Message: wire.Ptr("Tags beginning with aws: are reserved")}
		}
		if slices.ContainsFunc(more[:i], func(o kmsapi.Tag) bool { return *o.TagKey == *t.TagKey }) {
			return nil, &kmsapi.TagException{Message: wire.Ptr("Duplicate tag keys")}
		}
		at := slices.IndexFunc(out, func(o kmsapi.Tag) bool { return *o.TagKey == *t.TagKey })
		if at < 0 {
			out = append(out, t)
		} else {
			out[at] = t
		}
	}
	if len(out) > maxTags {
		return nil, &kmsapi.TagException{Message: wire.Ptr("Too many tags")}
	}
	return out, nil
}

// TagResource adds tags to a key.
func (s *Service) TagResource(ctx context.Context, in *kmsapi.TagResourceRequest) error {
	return s.edit(ctx, in.KeyId, func(_ store.Tx, k *key) (err error) {
		if k.Tags, err = withTags(k.Tags, in.Tags); err != nil {
			return err
		}
		return k.deletionDue()
	})
}

// UntagResource removes tags from a key.
func (s *Service) UntagResource(ctx context.Context, in *kmsapi.UntagResourceRequest) error {
	return s.edit(ctx, in.KeyId, func(_ store.Tx, k *key) error {
		k.Tags = slices.DeleteFunc(k.Tags, func(t kmsapi.Tag) bool { return slices.Contains(in.TagKeys, *t.TagKey) })
		return k.deletionDue()
	})
}

// ListResourceTags lists a key's tags.
func (s *Service) ListResourceTags(ctx context.Context, in *kmsapi.ListResourceTagsRequest) (*kmsapi.ListResourceTagsResponse, error) {
	out := &kmsapi.ListResourceTagsResponse{}
	err := s.read(ctx, in.KeyId, func(_ store.ReadTx, k *key) (err error) {
		all := slices.Concat([]kmsapi.Tag{}, k.Tags)
		out.Tags, out.NextMarker, out.Truncated, err = page(all, in.Marker, in.Limit, 50)
		return err
	})
	return out, err
}

package ecr

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/ecrapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxTags is the limit per repository ("Amazon ECR endpoints and quotas").
const maxTags = 50

func addTags(rec *repositoryRecord, list []ecrapi.Tag) error {
	if rec.Tags == nil {
		rec.Tags = map[string]string{}
	}
	for _, t := range list {
		rec.Tags[*t.Key] = *t.Value
	}
	if len(rec.Tags) > maxTags {
		return &ecrapi.TooManyTagsException{Message: wire.Ptr("The list of tags on the repository is over the limit. The maximum number of tags that can be applied to a repository is 50.")}
	}
	return nil
}

// placeOfARN reads a repository's ARN.
func placeOfARN(text string) (place, error) {
	a, err := arn.Parse(text)
	name, isRepository := strings.CutPrefix(a.Resource, "repository/")
	if err != nil || a.Service != "ecr" || !isRepository {
		return place{}, invalid("Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'")
	}
	return place{a.Account, a.Region, name}, nil
}

// TagResource adds tags to a repository.
func (s *Service) TagResource(ctx context.Context, in *ecrapi.TagResourceRequest) (*ecrapi.TagResourceResponse, error) {
	p, err := placeOfARN(*in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &ecrapi.TagResourceResponse{}, s.edit(ctx, p, func(_ store.Tx, rec *repositoryRecord) error { return addTags(rec, in.Tags) })
}

// UntagResource removes tags from a repository.
func (s *Service) UntagResource(ctx context.Context, in *ecrapi.UntagResourceRequest) (*ecrapi.UntagResourceResponse, error) {
	p, err := placeOfARN(*in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &ecrapi.UntagResourceResponse{}, s.edit(ctx, p, func(_ store.Tx, rec *repositoryRecord) error {
		for _, key := range in.TagKeys {
			delete(rec.Tags, key)
		}
		return nil
	})
}

// ListTagsForResource returns a repository's tags by their keys.
func (s *Service) ListTagsForResource(ctx context.Context, in *ecrapi.ListTagsForResourceRequest) (*ecrapi.ListTagsForResourceResponse, error) {
	p, err := placeOfARN(*in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &ecrapi.ListTagsForResourceResponse{}
	return out, s.Store.View(ctx, func(r store.ReadTx) error {
		rec, err := open(ctx, r, p)
		if err != nil {
			return err
		}
		out.Tags = []ecrapi.Tag{}
		for _, key := range slices.Sorted(maps.Keys(rec.Tags)) {
			out.Tags = append(out.Tags, ecrapi.Tag{Key: &key, Value: wire.Ptr(rec.Tags[key])})
		}
		return nil
	})
}

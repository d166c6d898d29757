package ssm

import (
	"context"
	"errors"
	"slices"

	"github.com/butai-dev/butai/internal/api/ssmapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxTags is the limit per parameter (API Reference: AddTagsToResource).
const maxTags = 50

// tag adds tags, in their order; one of a key that there is replaces it.
func (p *parameterRecord) tag(tags []ssmapi.Tag) error {
	for _, t := range tags {
		if at := slices.IndexFunc(p.Tags, func(have ssmapi.Tag) bool { return *have.Key == *t.Key }); at >= 0 {
			p.Tags[at] = t
		} else {
			p.Tags = append(p.Tags, t)
		}
	}
	if len(p.Tags) > maxTags {
		return &ssmapi.TooManyTagsError{}
	}
	return nil
}

// editTagged is edit for the resource of a request about tags.
func (s *Service) editTagged(ctx context.Context, kind, id string, fn func(*parameterRecord) error) error {
	if kind != ssmapi.ResourceTypeForTaggingParameter {
		return wire.NotBuilt("Systems Manager's resources of the type %s: only Parameter Store is here", kind)
	}
	err := s.edit(ctx, id, func(_ store.Tx, p *parameterRecord) error { return fn(p) })
	if _, missing := errors.AsType[*ssmapi.ParameterNotFound](err); missing {
		return &ssmapi.InvalidResourceId{Message: wire.Ptr("The resource ID " + id + " is not valid. Verify that you entered the correct ID and try again.")}
	}
	return err
}

// AddTagsToResource adds tags to a parameter.
func (s *Service) AddTagsToResource(ctx context.Context, in *ssmapi.AddTagsToResourceRequest) (*ssmapi.AddTagsToResourceResult, error) {
	return &ssmapi.AddTagsToResourceResult{}, s.editTagged(ctx, *in.ResourceType, *in.ResourceId, func(p *parameterRecord) error { return p.tag(in.Tags) })
}

// RemoveTagsFromResource removes tags from a parameter.
func (s *Service) RemoveTagsFromResource(ctx context.Context, in *ssmapi.RemoveTagsFromResourceRequest) (*ssmapi.RemoveTagsFromResourceResult, error) {
	return &ssmapi.RemoveTagsFromResourceResult{}, s.editTagged(ctx, *in.ResourceType, *in.ResourceId, func(p *parameterRecord) error {
		p.Tags = slices.DeleteFunc(p.Tags, func(t ssmapi.Tag) bool { return slices.Contains(in.TagKeys, *t.Key) })
		return nil
	})
}

// ListTagsForResource returns a parameter's tags.
func (s *Service) ListTagsForResource(ctx context.Context, in *ssmapi.ListTagsForResourceRequest) (*ssmapi.ListTagsForResourceResult, error) {
	out := &ssmapi.ListTagsForResourceResult{}
	return out, s.editTagged(ctx, *in.ResourceType, *in.ResourceId, func(p *parameterRecord) error {
		out.TagList = append([]ssmapi.Tag{}, p.Tags...)
		return nil
	})
}

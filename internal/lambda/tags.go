package lambda

import (
	"context"
	"maps"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxTags is the limit per function ("Using tags on Lambda functions").
const maxTags = 50

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return invalid("Number of tags exceeds resource tag limit.")
	}
	return nil
}

// tagged reads the ARN of a tag call, which must be a whole function's.
func tagged(ctx context.Context, resource *string) (ref, error) {
	if a, err := arn.Parse(*resource); err == nil && len(a.Resource) > 9 && a.Resource[:9] != "function:" {
		return ref{}, wire.NotBuilt("tags of Lambda resources other than functions: %s", *resource)
	}
	return unqualified(ctx, resource, "Tags on function aliases and versions are not supported. Please specify a function ARN.")
}

// TagResource adds tags to a function.
func (s *Service) TagResource(ctx context.Context, in *lambdaapi.TagResourceRequest) error {
	r, err := tagged(ctx, in.Resource)
	if err != nil {
		return err
	}
	if len(in.Tags) == 0 {
		return invalid("An error occurred and the request cannot be processed.")
	}
	return s.edit(ctx, r.id, func(_ store.Tx, f *functionRecord) error {
		if f.Tags == nil {
			f.Tags = map[string]string{}
		}
		maps.Copy(f.Tags, in.Tags)
		return checkTags(f.Tags)
	})
}

// UntagResource removes tags from a function.
func (s *Service) UntagResource(ctx context.Context, in *lambdaapi.UntagResourceRequest) error {
	r, err := tagged(ctx, in.Resource)
	if err != nil {
		return err
	}
	return s.edit(ctx, r.id, func(_ store.Tx, f *functionRecord) error {
		for _, key := range in.TagKeys {
			delete(f.Tags, key)
		}
		return nil
	})
}

// ListTags lists a function's tags.
func (s *Service) ListTags(ctx context.Context, in *lambdaapi.ListTagsRequest) (*lambdaapi.ListTagsResponse, error) {
	if _, err := tagged(ctx, in.Resource); err != nil {
		return nil, err
	}
	_, f, _, err := s.view(ctx, in.Resource, nil)
	if err != nil {
		return nil, err
	}
	out := &lambdaapi.ListTagsResponse{Tags: f.Tags}
	if out.Tags == nil {
		out.Tags = map[string]string{} // an empty map is shown
	}
	return out, nil
}

package lambda

import (
	"cmp"
	"context"
	"maps"
	"strings"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxTags is the limit per resource ("Using tags on Lambda functions").
const maxTags = 50

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return invalid("Number of tags exceeds resource tag limit.")
	}
	return nil
}

// The resources beside functions that have tags, as their ARNs call them.
const (
	mappingResource = "event-source-mapping:"
	signingResource = "code-signing-config:"
)

// editTags changes the tags of a function or of another resource with tags.
func (s *Service) editTags(ctx context.Context, resource *string, fn func(tags map[string]string) error) error {
	change := func(tags *map[string]string) error {
		if *tags == nil {
			*tags = map[string]string{}
		}
		return fn(*tags)
	}
	a, err := arn.Parse(*resource)
	if uuid, ok := strings.CutPrefix(a.Resource, mappingResource); err == nil && ok {
		return s.Store.Update(ctx, func(tx store.Tx) error {
			m, err := mappings.Get(tx, a.Account, a.Region, uuid)
			if err != nil || m == nil || a.Account != wire.CallerFrom(ctx).Account {
				return cmp.Or(err, noMapping())
			}
			if err := change(&m.Tags); err != nil {
				return err
			}
			return mappings.Put(tx, m, a.Account, a.Region, uuid)
		})
	}
	if err == nil && strings.HasPrefix(a.Resource, signingResource) {
		return s.Store.Update(ctx, func(tx store.Tx) error {
			rec, err := getSigning(ctx, tx, *resource)
			if err != nil {
				return err
			}
			if err := change(&rec.Tags); err != nil {
				return err
			}
			return signings.Put(tx, rec, signingKey(ctx, *resource)...)
		})
	}
	r, err := tagged(ctx, resource)
	if err != nil {
		return err
	}
	return s.edit(ctx, r.id, func(_ store.Tx, f *functionRecord) error { return change(&f.Tags) })
}

// tagged reads the ARN of a function in a tag call: it must be a whole one's.
func tagged(ctx context.Context, resource *string) (ref, error) {
	if a, err := arn.Parse(*resource); err == nil && !strings.HasPrefix(a.Resource, "function:") {
		return ref{}, wire.NotBuilt("tags of Lambda resources other than functions, event source mappings and code signing configurations: %s", *resource)
	}
	return unqualified(ctx, resource, "Tags on function aliases and versions are not supported. Please specify a function ARN.")
}

// TagResource adds tags to a resource.
func (s *Service) TagResource(ctx context.Context, in *lambdaapi.TagResourceRequest) error {
	if len(in.Tags) == 0 {
		if _, err := s.tags(ctx, in.Resource); err != nil {
			return err
		}
		return invalid("An error occurred and the request cannot be processed.")
	}
	return s.editTags(ctx, in.Resource, func(tags map[string]string) error {
		maps.Copy(tags, in.Tags)
		return checkTags(tags)
	})
}

// UntagResource removes tags from a resource.
func (s *Service) UntagResource(ctx context.Context, in *lambdaapi.UntagResourceRequest) error {
	return s.editTags(ctx, in.Resource, func(tags map[string]string) error {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
		return nil
	})
}

// tags are those of a resource.
func (s *Service) tags(ctx context.Context, resource *string) (map[string]string, error) {
	if a, err := arn.Parse(*resource); err == nil {
		if uuid, ok := strings.CutPrefix(a.Resource, mappingResource); ok {
			m, err := s.findMapping(ctx, uuid)
			if err != nil {
				return nil, err
			}
			return m.Tags, nil
		}
		if strings.HasPrefix(a.Resource, signingResource) {
			var rec *signingRecord
			err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
				rec, err = getSigning(ctx, r, *resource)
				return err
			})
			if err != nil {
				return nil, err
			}
			return rec.Tags, nil
		}
	}
	if _, err := tagged(ctx, resource); err != nil {
		return nil, err
	}
	_, f, _, err := s.view(ctx, resource, nil)
	if err != nil {
		return nil, err
	}
	return f.Tags, nil
}

// ListTags lists the tags of a resource.
func (s *Service) ListTags(ctx context.Context, in *lambdaapi.ListTagsRequest) (*lambdaapi.ListTagsResponse, error) {
	tags, err := s.tags(ctx, in.Resource)
	if err != nil {
		return nil, err
	}
	if tags == nil {
		tags = map[string]string{} // an empty map is shown
	}
	return &lambdaapi.ListTagsResponse{Tags: tags}, nil
}

package dynamodb

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/dynamodbapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

const maxTags = 50

// tagMap adds tags to those there are.
func tagMap(old map[string]string, tags []dynamodbapi.Tag) (map[string]string, error) {
	m := maps.Clone(old)
	if m == nil {
		m = map[string]string{}
	}
	seen := map[string]bool{}
	for _, t := range tags {
		switch {
		case seen[*t.Key]:
			return nil, validation("Duplicate tag keys are not allowed: %s", *t.Key)
		case strings.HasPrefix(*t.Key, "aws:"):
			return nil, validation("Tag keys starting with 'aws:' are reserved for system use: %s", *t.Key)
		}
		seen[*t.Key] = true
		m[*t.Key] = *t.Value
	}
	if len(m) > maxTags {
		return nil, validation("One or more parameter values were invalid: Too many tags: a resource may have %d", maxTags)
	}
	return m, nil
}

// noSuchARN words a missing table as the tag operations do.
func noSuchARN(resource *string, err error) error {
	if _, missing := err.(*dynamodbapi.ResourceNotFoundException); missing {
		return &dynamodbapi.ResourceNotFoundException{Message: wire.Ptr(fmt.Sprintf("Requested resource not found: ResourcArn: %s not found", *resource))}
	}
	return err
}

// needARN refuses a ResourceArn that is a table name.
func needARN(resource *string) error {
	if !strings.HasPrefix(wire.Val(resource), "arn:") {
		return validation("Invalid TableArn: Invalid ResourceArn provided as input %s", wire.Val(resource))
	}
	return nil
}

// TagResource adds tags to a table, in place of those of the same keys.
func (s *Service) TagResource(ctx context.Context, in *dynamodbapi.TagResourceInput) error {
	if err := needARN(in.ResourceArn); err != nil {
		return err
	}
	_, err := s.change(ctx, in.ResourceArn, func(_ store.Tx, r *tableRecord) error {
		tags, err := tagMap(r.Tags, in.Tags)
		r.Tags = tags
		return err
	})
	return noSuchARN(in.ResourceArn, err)
}

// UntagResource removes tags from a table; missing ones are no error.
func (s *Service) UntagResource(ctx context.Context, in *dynamodbapi.UntagResourceInput) error {
	if err := needARN(in.ResourceArn); err != nil {
		return err
	}
	_, err := s.change(ctx, in.ResourceArn, func(_ store.Tx, r *tableRecord) error {
		for _, key := range in.TagKeys {
			delete(r.Tags, key)
		}
		return nil
	})
	return noSuchARN(in.ResourceArn, err)
}

// ListTagsOfResource lists a table's tags. There are never more than fit one
// page.
func (s *Service) ListTagsOfResource(ctx context.Context, in *dynamodbapi.ListTagsOfResourceInput) (*dynamodbapi.ListTagsOfResourceOutput, error) {
	if err := needARN(in.ResourceArn); err != nil {
		return nil, err
	}
	r, err := s.describe(ctx, in.ResourceArn)
	if err != nil {
		return nil, noSuchARN(in.ResourceArn, err)
	}
	out := &dynamodbapi.ListTagsOfResourceOutput{Tags: []dynamodbapi.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(r.Tags)) {
		out.Tags = append(out.Tags, dynamodbapi.Tag{Key: &key, Value: wire.Ptr(r.Tags[key])})
	}
	return out, nil
}

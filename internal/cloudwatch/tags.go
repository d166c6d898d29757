package cloudwatch

import (
	"context"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/cloudwatchapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// editTags reads the tags of an alarm or a dashboard and, unless edit is nil,
// writes back what it makes of them.
func (s *Service) editTags(ctx context.Context, resource string, edit func([]cloudwatchapi.Tag) []cloudwatchapi.Tag) (tags []cloudwatchapi.Tag, err error) {
	p := placeOf(ctx)
	run := func(r store.ReadTx, tx store.Tx) error {
		if name, ok := p.isAlarm(resource); ok {
			a, err := alarms.Get(r, p.account, p.region, name)
			if err != nil || a == nil {
				return orUnknown(err, resource)
			}
			if tags = a.Tags; edit == nil {
				return nil
			}
			a.Tags = edit(a.Tags)
			return alarms.Put(tx, a, p.account, p.region, name)
		}
		a, _ := arn.Parse(resource)
		name, ok := strings.CutPrefix(a.Resource, "dashboard/")
		if !ok || a.Account != p.account {
			return orUnknown(nil, resource)
		}
		d, err := dashboards.Get(r, p.account, name)
		if err != nil || d == nil {
			return orUnknown(err, resource)
		}
		if tags = d.Tags; edit == nil {
			return nil
		}
		d.Tags = edit(d.Tags)
		return dashboards.Put(tx, d, p.account, name)
	}
	if edit == nil {
		return tags, s.Store.View(ctx, func(r store.ReadTx) error { return run(r, nil) })
	}
	return tags, s.Store.Update(ctx, func(tx store.Tx) error { return run(tx, tx) })
}

func orUnknown(err error, resource string) error {
	if err != nil {
		return err
	}
	return &cloudwatchapi.ResourceNotFoundException{
		Message: wire.Ptr("Unknown"), ResourceType: wire.Ptr("Alarm"), ResourceId: &resource,
	}
}

// ListTagsForResource returns the tags of an alarm or a dashboard.
func (s *Service) ListTagsForResource(ctx context.Context, in *cloudwatchapi.ListTagsForResourceInput) (*cloudwatchapi.ListTagsForResourceOutput, error) {
	tags, err := s.editTags(ctx, *in.ResourceARN, nil)
	if err != nil {
		return nil, err
	}
	if tags == nil {
		tags = []cloudwatchapi.Tag{}
	}
	return &cloudwatchapi.ListTagsForResourceOutput{Tags: tags}, nil
}

// TagResource adds tags, or changes their values.
func (s *Service) TagResource(ctx context.Context, in *cloudwatchapi.TagResourceInput) (*cloudwatchapi.TagResourceOutput, error) {
	_, err := s.editTags(ctx, *in.ResourceARN, func(tags []cloudwatchapi.Tag) []cloudwatchapi.Tag {
		for _, tag := range in.Tags {
			tags = append(withoutKeys(tags, []string{*tag.Key}), cloudwatchapi.Tag{Key: tag.Key, Value: tag.Value})
		}
		return tags
	})
	return &cloudwatchapi.TagResourceOutput{}, err
}

// UntagResource removes tags.
func (s *Service) UntagResource(ctx context.Context, in *cloudwatchapi.UntagResourceInput) (*cloudwatchapi.UntagResourceOutput, error) {
	_, err := s.editTags(ctx, *in.ResourceARN, func(tags []cloudwatchapi.Tag) []cloudwatchapi.Tag { return withoutKeys(tags, in.TagKeys) })
	return &cloudwatchapi.UntagResourceOutput{}, err
}

func withoutKeys(tags []cloudwatchapi.Tag, keys []string) []cloudwatchapi.Tag {
	return slices.DeleteFunc(slices.Clone(tags), func(t cloudwatchapi.Tag) bool { return slices.Contains(keys, *t.Key) })
}

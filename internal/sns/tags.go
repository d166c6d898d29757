package sns

import (
	"context"
	"slices"

	"github.com/butai-dev/butai/internal/api/snsapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxTags is the limit per topic (API Reference: TagResource).
const maxTags = 50

// tag adds tags to the topic, in their order.
func (t *topicRecord) tag(tags []snsapi.Tag) error {
	for i, tag := range tags {
		if slices.ContainsFunc(tags[:i], func(other snsapi.Tag) bool { return *other.Key == *tag.Key }) {
			return invalid("Duplicated keys are not allowed.")
		}
		at := slices.IndexFunc(t.Tags, func(have snsapi.Tag) bool { return *have.Key == *tag.Key })
		if at < 0 {
			t.Tags = append(t.Tags, tag)
		} else {
			t.Tags[at] = tag
		}
	}
	if len(t.Tags) > maxTags {
		return &snsapi.TagLimitExceededException{Message: wire.Ptr("Could not complete request: tag quota of per resource exceeded")}
	}
	return nil
}

// missingResource rewords what tagging says of a topic that isn't there.
func missingResource(err error) error {
	if _, missing := err.(*snsapi.NotFoundException); missing {
		return &snsapi.ResourceNotFoundException{Message: wire.Ptr("Resource does not exist")}
	}
	return err
}

// TagResource adds tags to a topic.
func (s *Service) TagResource(ctx context.Context, in *snsapi.TagResourceRequest) (*snsapi.TagResourceResponse, error) {
	err := s.edit(ctx, "ResourceArn", in.ResourceArn, func(t *topicRecord) error { return t.tag(in.Tags) })
	return &snsapi.TagResourceResponse{}, missingResource(err)
}

// UntagResource removes tags from a topic.
func (s *Service) UntagResource(ctx context.Context, in *snsapi.UntagResourceRequest) (*snsapi.UntagResourceResponse, error) {
	err := s.edit(ctx, "ResourceArn", in.ResourceArn, func(t *topicRecord) error {
		t.Tags = slices.DeleteFunc(t.Tags, func(tag snsapi.Tag) bool { return slices.Contains(in.TagKeys, *tag.Key) })
		return nil
	})
	return &snsapi.UntagResourceResponse{}, missingResource(err)
}

// ListTagsForResource returns a topic's tags.
func (s *Service) ListTagsForResource(ctx context.Context, in *snsapi.ListTagsForResourceRequest) (*snsapi.ListTagsForResourceResponse, error) {
	p, err := parseTopic("ResourceArn", in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &snsapi.ListTagsForResourceResponse{Tags: []snsapi.Tag{}}
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		t, err := getTopic(r, p)
		if err == nil && t.Tags != nil {
			out.Tags = t.Tags
		}
		return err
	})
	return out, missingResource(err)
}

package sqs

import (
	"context"
	"maps"

	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/store"
)

// maxTags is the limit per queue (Developer Guide: "Amazon SQS cost allocation tags").
const maxTags = 50

// TagQueue adds tags to a queue.
func (s *Service) TagQueue(ctx context.Context, in *sqsapi.TagQueueRequest) error {
	return s.edit(ctx, in.QueueUrl, func(_ store.Tx, q *queueRecord) error {
		if q.Tags == nil {
			q.Tags = map[string]string{}
		}
		maps.Copy(q.Tags, in.Tags)
		if len(q.Tags) > maxTags {
			return invalidParameter("Too many tags added for queue %s.", q.Name)
		}
		return nil
	})
}

// UntagQueue removes tags from a queue.
func (s *Service) UntagQueue(ctx context.Context, in *sqsapi.UntagQueueRequest) error {
	return s.edit(ctx, in.QueueUrl, func(_ store.Tx, q *queueRecord) error {
		for _, key := range in.TagKeys {
			delete(q.Tags, key)
		}
		return nil
	})
}

// ListQueueTags returns a queue's tags; the member is left out if there are none.
func (s *Service) ListQueueTags(ctx context.Context, in *sqsapi.ListQueueTagsRequest) (*sqsapi.ListQueueTagsResult, error) {
	q, err := s.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	out := &sqsapi.ListQueueTagsResult{}
	if len(q.Tags) > 0 {
		out.Tags = q.Tags
	}
	return out, nil
}

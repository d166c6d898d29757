package logs

import (
	"context"
	"errors"

	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// taggedGroup reads the ARN of a group. Other resources of CloudWatch Logs
// that have tags, such as destinations, can't be made here.
func taggedGroup(resource string) (string, error) {
	a, err := arn.Parse(resource)
	if err != nil || a.Service != "logs" || groupName(resource) == resource {
		return "", invalid("Invalid resource ARN: " + resource)
	}
	return groupName(resource), nil
}

// asResource words a missing group the way the operations on ARNs do.
func asResource(err error) error {
	if missing, ok := errors.AsType[*logsapi.ResourceNotFoundException](err); ok {
		missing.Message = wire.Ptr("The specified resource does not exist.")
	}
	return err
}

func (s *Service) groupTags(ctx context.Context, name string) (map[string]string, error) {
	tags := map[string]string{}
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		g, err := getGroup(r, placeOf(ctx), name)
		if err == nil && g.Tags != nil {
			tags = g.Tags
		}
		return err
	})
	return tags, err
}

func (s *Service) tagGroup(ctx context.Context, name string, add map[string]string) error {
	return s.editGroup(ctx, name, func(g *group) (err error) {
		g.Tags, err = mergeTags(g.Tags, add)
		return err
	})
}

func (s *Service) untagGroup(ctx context.Context, name string, keys []string) error {
	return s.editGroup(ctx, name, func(g *group) error {
		for _, key := range keys {
			delete(g.Tags, key)
		}
		return nil
	})
}

// ListTagsForResource returns a group's tags.
func (s *Service) ListTagsForResource(ctx context.Context, in *logsapi.ListTagsForResourceRequest) (*logsapi.ListTagsForResourceResponse, error) {
	name, err := taggedGroup(*in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags, err := s.groupTags(ctx, name)
	return &logsapi.ListTagsForResourceResponse{Tags: tags}, asResource(err)
}

// TagResource adds tags to a group.
func (s *Service) TagResource(ctx context.Context, in *logsapi.TagResourceRequest) error {
	name, err := taggedGroup(*in.ResourceArn)
	if err != nil {
		return err
	}
	return asResource(s.tagGroup(ctx, name, in.Tags))
}

// UntagResource removes tags from a group.
func (s *Service) UntagResource(ctx context.Context, in *logsapi.UntagResourceRequest) error {
	name, err := taggedGroup(*in.ResourceArn)
	if err != nil {
		return err
	}
	return asResource(s.untagGroup(ctx, name, in.TagKeys))
}

// ListTagsLogGroup is ListTagsForResource by name, from before ARNs.
func (s *Service) ListTagsLogGroup(ctx context.Context, in *logsapi.ListTagsLogGroupRequest) (*logsapi.ListTagsLogGroupResponse, error) {
	tags, err := s.groupTags(ctx, *in.LogGroupName)
	return &logsapi.ListTagsLogGroupResponse{Tags: tags}, err
}

// TagLogGroup is TagResource by name, from before ARNs.
func (s *Service) TagLogGroup(ctx context.Context, in *logsapi.TagLogGroupRequest) error {
	return s.tagGroup(ctx, *in.LogGroupName, in.Tags)
}

// UntagLogGroup is UntagResource by name, from before ARNs.
func (s *Service) UntagLogGroup(ctx context.Context, in *logsapi.UntagLogGroupRequest) error {
	return s.untagGroup(ctx, *in.LogGroupName, in.Tags)
}

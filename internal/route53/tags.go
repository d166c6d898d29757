package route53

import (
	"context"
	"slices"

	"github.com/butai-dev/butai/internal/api/route53api"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// noHealthCheck answers for the other resource with tags: none can be made.
func noHealthCheck(id string) error {
	return &route53api.NoSuchHealthCheck{Message: wire.Ptr("A health check with the id " + id + " does not exist.")}
}

// ListTagsForResource lists a zone's tags.
func (s *Service) ListTagsForResource(ctx context.Context, in *route53api.ListTagsForResourceRequest) (*route53api.ListTagsForResourceResponse, error) {
	out := &route53api.ResourceTagSet{ResourceType: in.ResourceType, ResourceId: in.ResourceId, Tags: []route53api.Tag{}}
	if *in.ResourceType != route53api.TagResourceTypeHostedzone {
		return nil, noHealthCheck(*in.ResourceId)
	}
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		z, err := getZone(ctx, r, *in.ResourceId)
		if err == nil {
			out.Tags = append([]route53api.Tag{}, z.Tags...)
		}
		return err
	})
	return &route53api.ListTagsForResourceResponse{ResourceTagSet: out}, err
}

// ChangeTagsForResource adds and removes tags of a zone.
func (s *Service) ChangeTagsForResource(ctx context.Context, in *route53api.ChangeTagsForResourceRequest) (*route53api.ChangeTagsForResourceResponse, error) {
	if *in.ResourceType != route53api.TagResourceTypeHostedzone {
		return nil, noHealthCheck(*in.ResourceId)
	}
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		z, err := getZone(ctx, tx, *in.ResourceId)
		if err != nil {
			return err
		}
		gone := append([]string(nil), in.RemoveTagKeys...)
		for _, t := range in.AddTags {
			gone = append(gone, wire.Val(t.Key))
		}
		z.Tags = slices.DeleteFunc(z.Tags, func(t route53api.Tag) bool { return slices.Contains(gone, wire.Val(t.Key)) })
		z.Tags = append(z.Tags, in.AddTags...)
		return zones.Put(tx, z, account(ctx), z.ID)
	})
	return &route53api.ChangeTagsForResourceResponse{}, err
}

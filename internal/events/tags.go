package events

import (
	"context"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
)

// maxTags is the limit per resource (General Reference: tag limits).
const maxTags = 50

// mergeTags adds tags in their order.
func mergeTags(have, add []eventsapi.Tag) ([]eventsapi.Tag, error) {
	out := slices.Clone(have)
	for i, tag := range add {
		if slices.ContainsFunc(add[:i], func(other eventsapi.Tag) bool { return *other.Key == *tag.Key }) {
			return nil, invalid("Invalid parameter: Duplicated keys are not allowed.")
		}
		at := slices.IndexFunc(out, func(have eventsapi.Tag) bool { return *have.Key == *tag.Key })
		if at < 0 {
			out = append(out, tag)
		} else {
			out[at] = tag
		}
	}
	if len(out) > maxTags {
		return nil, tooMany()
	}
	return out, nil
}

// tagged is what a tag operation is about: a rule, or a bus.
func tagged(resource string) (p place, rule *rulePlace, err error) {
	a, err := arn.Parse(resource)
	if err != nil || a.Service != "events" {
		return place{}, nil, badARN(resource)
	}
	kind, name, ok := strings.Cut(a.Resource, "/")
	p = place{a.Account, a.Region, name}
	switch {
	case ok && kind == "event-bus":
		return p, nil, nil
	case ok && kind == "rule":
		p.Name = defaultBus
		if at := strings.LastIndexByte(name, '/'); at >= 0 {
			p.Name, name = name[:at], name[at+1:]
		}
		return p, &rulePlace{p, name}, nil
	}
	return place{}, nil, badARN(resource)
}

// editTags changes a resource's tags.
func (s *Service) editTags(ctx context.Context, resource string, fn func([]eventsapi.Tag) ([]eventsapi.Tag, error)) error {
	bus, rule, err := tagged(resource)
	if err != nil {
		return err
	}
	if rule != nil {
		return s.editRule(ctx, *rule, func(_ store.Tx, r *ruleRecord) (err error) {
			r.Tags, err = fn(r.Tags)
			return err
		})
	}
	return s.editBus(ctx, bus, func(b *busRecord) (err error) {
		b.Tags, err = fn(b.Tags)
		return err
	})
}

// TagResource adds tags to a rule or bus.
func (s *Service) TagResource(ctx context.Context, in *eventsapi.TagResourceRequest) (*eventsapi.TagResourceResponse, error) {
	err := s.editTags(ctx, *in.ResourceARN, func(have []eventsapi.Tag) ([]eventsapi.Tag, error) { return mergeTags(have, in.Tags) })
	return &eventsapi.TagResourceResponse{}, err
}

// UntagResource removes tags from a rule or bus.
func (s *Service) UntagResource(ctx context.Context, in *eventsapi.UntagResourceRequest) (*eventsapi.UntagResourceResponse, error) {
	err := s.editTags(ctx, *in.ResourceARN, func(have []eventsapi.Tag) ([]eventsapi.Tag, error) {
		return slices.DeleteFunc(have, func(tag eventsapi.Tag) bool { return slices.Contains(in.TagKeys, *tag.Key) }), nil
	})
	return &eventsapi.UntagResourceResponse{}, err
}

// ListTagsForResource returns the tags of a rule or bus.
func (s *Service) ListTagsForResource(ctx context.Context, in *eventsapi.ListTagsForResourceRequest) (*eventsapi.ListTagsForResourceResponse, error) {
	bus, rule, err := tagged(*in.ResourceARN)
	if err != nil {
		return nil, err
	}
	out := &eventsapi.ListTagsForResourceResponse{Tags: []eventsapi.Tag{}}
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		var tags []eventsapi.Tag
		if rule != nil {
			found, err := getRule(r, *rule)
			if err != nil {
				return err
			}
			tags = found.Tags
		} else {
			found, err := getBus(r, bus)
			if err != nil {
				return err
			}
			tags = found.Tags
		}
		out.Tags = append(out.Tags[:0], tags...)
		return nil
	})
	return out, err
}

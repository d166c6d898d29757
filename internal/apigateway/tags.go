package apigateway

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxTags is the quota per resource ("Tagging your API Gateway resources").
const maxTags = 50

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return badRequest("Number of tags exceeds the limit of %d tags per resource", maxTags)
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if key == "" || len(key) > 128 || len(tags[key]) > 256 || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return badRequest("Invalid tag specified: %s", key)
		}
	}
	return nil
}

// tagged is a resource that has tags: where its tags are, and how it is stored.
type tagged struct {
	tags *map[string]string
	save func(store.Tx) error
}

// findTagged resolves the ARN of a resource with tags, such as
// arn:aws:apigateway:us-east-1::/restapis/a1b2c3/stages/prod. It has no
// account: the caller's is meant.
func findTagged(r store.ReadTx, sc scope, resourceARN string) (*tagged, error) {
	a, err := arn.Parse(resourceARN)
	if err != nil || a.Service != "apigateway" || a.Region != sc.Region {
		return nil, badRequest("Invalid ARN specified in the request: %s", resourceARN)
	}
	parts := strings.Split(strings.TrimPrefix(a.Resource, "/"), "/")
	switch {
	case len(parts) == 2 && parts[0] == "restapis":
		api, err := getAPI(r, sc, parts[1])
		if err != nil {
			return nil, err
		}
		return &tagged{&api.Tags, func(tx store.Tx) error { return apis.Put(tx, api, sc.id(parts[1])...) }}, nil
	case len(parts) == 4 && parts[0] == "restapis" && parts[2] == "stages":
		st, err := getStage(r, sc, parts[1], parts[3])
		if err != nil {
			return nil, err
		}
		return &tagged{&st.Stage.Tags, func(tx store.Tx) error { return stages.Put(tx, st, sc.id(parts[1], parts[3])...) }}, nil
	case len(parts) == 2 && parts[0] == "vpclinks":
		link, err := find(r, vpcLinks, noVPCLink(), sc.id(parts[1]))
		if err != nil {
			return nil, err
		}
		return &tagged{&link.Tags, func(tx store.Tx) error { return vpcLinks.Put(tx, link, sc.id(parts[1])...) }}, nil
	case len(parts) == 2 && parts[0] == "clientcertificates":
		c, err := find(r, clientCertificates, noCertificate(), sc.id(parts[1]))
		if err != nil {
			return nil, err
		}
		return &tagged{&c.Certificate.Tags, func(tx store.Tx) error { return clientCertificates.Put(tx, c, sc.id(parts[1])...) }}, nil
	case len(parts) == 2 && parts[0] == "domainnames":
		d, err := getDomain(r, sc, parts[1])
		if err != nil {
			return nil, err
		}
		return &tagged{&d.Domain.Tags, func(tx store.Tx) error { return domains.Put(tx, d, sc.id(*d.Domain.DomainName)...) }}, nil
	}
	return nil, wire.NotBuilt("tags of %s", a.Resource)
}

// editTags changes the tags of a resource.
func (s *Service) editTags(ctx context.Context, resourceARN string, edit func(map[string]string)) error {
	sc := scopeOf(ctx)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		t, err := findTagged(tx, sc, resourceARN)
		if err != nil {
			return err
		}
		if *t.tags == nil {
			*t.tags = map[string]string{}
		}
		edit(*t.tags)
		if err := checkTags(*t.tags); err != nil {
			return err
		}
		*t.tags = nonEmptyMap(*t.tags)
		return t.save(tx)
	})
}

// TagResource adds tags, or replaces those of the same keys.
func (s *Service) TagResource(ctx context.Context, in *apigatewayapi.TagResourceRequest) error {
	return s.editTags(ctx, *in.ResourceArn, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

// UntagResource removes tags.
func (s *Service) UntagResource(ctx context.Context, in *apigatewayapi.UntagResourceRequest) error {
	return s.editTags(ctx, *in.ResourceArn, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
}

// GetTags returns the tags of a resource, all on one page.
func (s *Service) GetTags(ctx context.Context, in *apigatewayapi.GetTagsRequest) (*apigatewayapi.Tags, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.Tags, error) {
		t, err := findTagged(r, sc, *in.ResourceArn)
		if err != nil {
			return nil, err
		}
		out := &apigatewayapi.Tags{Tags: map[string]string{}}
		maps.Copy(out.Tags, *t.tags)
		return out, nil
	})
}

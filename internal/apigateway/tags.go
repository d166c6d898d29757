package apigateway

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/api/apigatewayv2api"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
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

// taggable is a kind of resource with tags. {} in the path stands for an id;
// find gets the ids.
type taggable struct {
	path string
	find func(r store.ReadTx, sc scope, ids []string) (*tagged, error)
}

var taggables = []taggable{
	{"restapis/{}", func(r store.ReadTx, sc scope, ids []string) (*tagged, error) {
		return tagsOf(getAPI(r, sc, ids[0]))(apis, sc.id(ids...), func(v *apigatewayapi.RestApi) *map[string]string { return &v.Tags })
	}},
	{"restapis/{}/stages/{}", func(r store.ReadTx, sc scope, ids []string) (*tagged, error) {
		return tagsOf(getStage(r, sc, ids[0], ids[1]))(stages, sc.id(ids...), func(v *stage) *map[string]string { return &v.Stage.Tags })
	}},
	{"domainnames/{}", func(r store.ReadTx, sc scope, ids []string) (*tagged, error) {
		name, id := splitPrivateName(ids[0])
		return tagsOf(getDomain(r, sc, name, id))(domains, sc.id(strings.ToLower(name)), func(v *domain) *map[string]string { return &v.Domain.Tags })
	}},
	{"domainnameaccessassociations/domainname/{}/vpcesource/{}", func(r store.ReadTx, sc scope, ids []string) (*tagged, error) {
		a, id, err := getAssociation(r, sc, ids[0], ids[1])
		return tagsOf(a, err)(accessAssociations, id, func(v *apigatewayapi.DomainNameAccessAssociation) *map[string]string { return &v.Tags })
	}},
	{"vpclinks/{}", func(r store.ReadTx, sc scope, ids []string) (*tagged, error) { // of either API
		if l, err := vpcLinksV2.Get(r, sc.id(ids...)...); err != nil || l != nil {
			if err != nil {
				return nil, err
			}
			return &tagged{&l.Tags, func(tx store.Tx) error {
				if l.Tags == nil {
					l.Tags = map[string]string{} // this API shows that there are none
				}
				return vpcLinksV2.Put(tx, l, sc.id(ids...)...)
			}}, nil
		}
		return tagsOf(find(r, vpcLinks, noVPCLink(), sc.id(ids...)))(vpcLinks, sc.id(ids...), func(v *apigatewayapi.VpcLink) *map[string]string { return &v.Tags })
	}},
	{"clientcertificates/{}", func(r store.ReadTx, sc scope, ids []string) (*tagged, error) {
		return tagsOf(find(r, clientCertificates, noCertificate(), sc.id(ids...)))(clientCertificates, sc.id(ids...),
			func(v *clientCertificate) *map[string]string { return &v.Certificate.Tags })
	}},
	{"apikeys/{}", func(r store.ReadTx, sc scope, ids []string) (*tagged, error) {
		return tagsOf(getKey(r, sc, ids[0]))(apiKeys, sc.id(ids...), func(v *apigatewayapi.ApiKey) *map[string]string { return &v.Tags })
	}},
	{"usageplans/{}", func(r store.ReadTx, sc scope, ids []string) (*tagged, error) {
		return tagsOf(getPlan(r, sc, ids[0]))(usagePlans, sc.id(ids...), func(v *usagePlan) *map[string]string { return &v.Plan.Tags })
	}},
}

// tagsOf makes a tagged of a record that was looked up.
func tagsOf[T any](v *T, err error) func(c record.Collection[T], id []string, tags func(*T) *map[string]string) (*tagged, error) {
	return func(c record.Collection[T], id []string, tags func(*T) *map[string]string) (*tagged, error) {
		if err != nil {
			return nil, err
		}
		return &tagged{tags(v), func(tx store.Tx) error { return c.Put(tx, v, id...) }}, nil
	}
}

// match returns the ids in the path of a resource.
func (t *taggable) match(path string) (ids []string, ok bool) {
	want, have := strings.Split(t.path, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return nil, false
	}
	for i := range want {
		switch {
		case want[i] == "{}" && have[i] != "":
			ids = append(ids, have[i])
		case want[i] != have[i]:
			return nil, false
		}
	}
	return ids, true
}

// findTagged resolves the ARN of a resource with tags, such as
// arn:aws:apigateway:us-east-1::/restapis/a1b2c3/stages/prod. Most have no
// account: the caller's is meant.
func findTagged(r store.ReadTx, sc scope, resourceARN string) (*tagged, error) {
	a, err := arn.Parse(resourceARN)
	if err != nil || a.Service != "apigateway" || a.Region != sc.Region || a.Account != "" && a.Account != sc.Account {
		return nil, badRequest("Invalid ARN specified in the request: %s", resourceARN)
	}
	path := strings.TrimPrefix(a.Resource, "/")
	for i := range taggables {
		if ids, ok := taggables[i].match(path); ok {
			return taggables[i].find(r, sc, ids)
		}
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

// TagResource adds tags, or replaces those of the same keys.
func (v *V2) TagResource(ctx context.Context, in *apigatewayv2api.TagResourceRequest) (*apigatewayv2api.TagResourceResponse, error) {
	return &apigatewayv2api.TagResourceResponse{}, v.rest.TagResource(ctx, &apigatewayapi.TagResourceRequest{ResourceArn: in.ResourceArn, Tags: in.Tags})
}

// UntagResource removes tags.
func (v *V2) UntagResource(ctx context.Context, in *apigatewayv2api.UntagResourceRequest) error {
	return v.rest.UntagResource(ctx, (*apigatewayapi.UntagResourceRequest)(in))
}

// GetTags returns the tags of a resource.
func (v *V2) GetTags(ctx context.Context, in *apigatewayv2api.GetTagsRequest) (*apigatewayv2api.GetTagsResponse, error) {
	out, err := v.rest.GetTags(ctx, &apigatewayapi.GetTagsRequest{ResourceArn: in.ResourceArn})
	if err != nil {
		return nil, err
	}
	return &apigatewayv2api.GetTagsResponse{Tags: out.Tags}, nil
}

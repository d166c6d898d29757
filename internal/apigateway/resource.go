package apigateway

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxResources is the default quota ("Amazon API Gateway quotas").
const maxResources = 300

var pathPartPattern = regexp.MustCompile(`^([a-zA-Z0-9._:,-]+|\{[a-zA-Z0-9._-]+\+?\})$`)

// tree is an API's resources by id.
type tree map[string]*apigatewayapi.Resource

func loadTree(r store.ReadTx, sc scope, apiID string) (tree, error) {
	t := tree{}
	for res, err := range resources.All(r, sc.id(apiID)...) {
		if err != nil {
			return nil, err
		}
		t[*res.Id] = res
	}
	return t, nil
}

// place checks that res may stand below its parent under its path part.
func (t tree) place(res *apigatewayapi.Resource) error {
	parent, part := t[*res.ParentId], *res.PathPart
	switch {
	case parent == nil:
		return noResource()
	case !pathPartPattern.MatchString(part):
		return badRequest("Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.")
	case strings.HasSuffix(wire.Val(parent.PathPart), "+}"):
		return badRequest("Cannot create a child of a resource with a greedy path variable: %s", *parent.PathPart)
	}
	variable := ""
	for id, other := range t {
		if id == *res.Id || wire.Val(other.ParentId) != *parent.Id {
			continue
		}
		if *other.PathPart == part {
			return conflict("Another resource with the same parent already has this name: %s", part)
		}
		if strings.HasPrefix(*other.PathPart, "{") {
			variable = *other.PathPart
		}
	}
	if variable != "" && strings.HasPrefix(part, "{") {
		return badRequest("A sibling (%s) of this resource already has a variable path part -- only one is allowed", variable)
	}
	return nil
}

// below reports whether id is the resource top or below it.
func (t tree) below(id, top string) bool {
	for t[id] != nil {
		if id == top {
			return true
		}
		id = wire.Val(t[id].ParentId)
	}
	return false
}

// path spells out where a resource is.
func (t tree) path(res *apigatewayapi.Resource) string {
	parent := t[wire.Val(res.ParentId)]
	if parent == nil {
		return "/"
	}
	return strings.TrimSuffix(t.path(parent), "/") + "/" + *res.PathPart
}

// CreateResource makes a resource below another.
func (s *Service) CreateResource(ctx context.Context, in *apigatewayapi.CreateResourceRequest) (*apigatewayapi.Resource, error) {
	sc := scopeOf(ctx)
	id := ident.Lower(6)
	return update(ctx, s, func(tx store.Tx) (*apigatewayapi.Resource, error) {
		t, err := loadTree(tx, sc, *in.RestApiId)
		if err != nil {
			return nil, err
		}
		res := &apigatewayapi.Resource{Id: &id, ParentId: in.ParentId, PathPart: in.PathPart}
		if err := t.place(res); err != nil {
			return nil, err
		}
		if len(t) >= maxResources {
			return nil, limitExceeded("Maximum number of resources for this API has been reached. Please contact AWS if you need additional resources.")
		}
		res.Path = wire.Ptr(t.path(res))
		return res, resources.Put(tx, res, sc.id(*in.RestApiId, id)...)
	})
}

// GetResource returns a resource; its methods in full only if embedded.
func (s *Service) GetResource(ctx context.Context, in *apigatewayapi.GetResourceRequest) (*apigatewayapi.Resource, error) {
	sc := scopeOf(ctx)
	res, err := view(ctx, s, func(r store.ReadTx) (*apigatewayapi.Resource, error) {
		return getResource(r, sc, *in.RestApiId, *in.ResourceId)
	})
	if err != nil {
		return nil, err
	}
	return answerResource(res, in.Embed), nil
}

func getResource(r store.ReadTx, sc scope, apiID, id string) (*apigatewayapi.Resource, error) {
	return find(r, resources, noResource(), sc.id(apiID, id))
}

func answerResource(res *apigatewayapi.Resource, embed []string) *apigatewayapi.Resource {
	out := *res
	if slices.Contains(embed, "methods") || len(res.ResourceMethods) == 0 {
		return &out
	}
	out.ResourceMethods = map[string]apigatewayapi.Method{}
	for verb := range res.ResourceMethods {
		out.ResourceMethods[verb] = apigatewayapi.Method{}
	}
	return &out
}

// GetResources lists an API's resources.
func (s *Service) GetResources(ctx context.Context, in *apigatewayapi.GetResourcesRequest) (*apigatewayapi.Resources, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.Resources, error) {
		if _, err := getAPI(r, sc, *in.RestApiId); err != nil {
			return nil, err
		}
		items, next, err := page(r, resources, in.Position, in.Limit, func(v *apigatewayapi.Resource) string { return *v.Id }, sc.id(*in.RestApiId))
		if err != nil {
			return nil, err
		}
		for i, res := range items {
			items[i] = answerResource(res, in.Embed)
		}
		return &apigatewayapi.Resources{Position: next, Items: values(items)}, nil
	})
}

// resourceEdit is a resource under PATCH, amid its tree.
type resourceEdit struct {
	tree tree
	*apigatewayapi.Resource
}

var resourcePatch = patchTable[resourceEdit]{picky: true, rows: []patchRow[resourceEdit]{
	{"/parentId", replaceOnly, func(e *resourceEdit, op patchOp) error {
		switch {
		case e.ParentId == nil:
			return badRequest("Root resource cannot update its parentId.")
		case e.tree.below(op.text(), *e.Id):
			return badRequest("Resources cannot be cyclical.")
		}
		e.ParentId = wire.Ptr(op.text())
		return e.tree.place(e.Resource)
	}},
	{"/pathPart", replaceOnly, func(e *resourceEdit, op patchOp) error {
		if e.ParentId == nil {
			return badRequest("Root resource cannot update its pathPart.")
		}
		e.PathPart = wire.Ptr(op.text())
		return e.tree.place(e.Resource)
	}},
}}

// UpdateResource moves or renames a resource with all that is below it.
func (s *Service) UpdateResource(ctx context.Context, in *apigatewayapi.UpdateResourceRequest) (*apigatewayapi.Resource, error) {
	sc := scopeOf(ctx)
	res, err := update(ctx, s, func(tx store.Tx) (*apigatewayapi.Resource, error) {
		t, err := loadTree(tx, sc, *in.RestApiId)
		if err != nil {
			return nil, err
		}
		res := t[*in.ResourceId]
		if res == nil {
			return nil, noResource()
		}
		if err := resourcePatch.apply(&resourceEdit{t, res}, in.PatchOperations); err != nil {
			return nil, err
		}
		for id, moved := range t {
			if !t.below(id, *res.Id) {
				continue
			}
			moved.Path = wire.Ptr(t.path(moved))
			if err := resources.Put(tx, moved, sc.id(*in.RestApiId, id)...); err != nil {
				return nil, err
			}
		}
		return res, nil
	})
	if err != nil {
		return nil, err
	}
	return answerResource(res, nil), nil
}

// DeleteResource deletes a resource with all that is below it.
func (s *Service) DeleteResource(ctx context.Context, in *apigatewayapi.DeleteResourceRequest) error {
	sc := scopeOf(ctx)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		t, err := loadTree(tx, sc, *in.RestApiId)
		if err != nil {
			return err
		}
		switch res := t[*in.ResourceId]; {
		case res == nil:
			return noResource()
		case res.ParentId == nil:
			return badRequest("Root resource cannot be deleted.")
		}
		for id := range t {
			if !t.below(id, *in.ResourceId) {
				continue
			}
			if err := resources.Delete(tx, sc.id(*in.RestApiId, id)...); err != nil {
				return err
			}
		}
		return nil
	})
}

package apigateway

import (
	"cmp"
	"errors"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// cloneAPI fills a new API with what another one has: attributes that the call
// leaves out, and records under ids of their own. Deployments, stages and
// documentation versions are not cloned.
func cloneAPI(tx store.Tx, sc scope, api *apigatewayapi.RestApi, from string) error {
	original, err := apis.Get(tx, sc.id(from)...)
	if err != nil || original == nil {
		return cmp.Or(err, badRequest("Invalid REST API identifier specified"))
	}
	if api.Description == nil {
		api.Description = original.Description
	}
	if api.BinaryMediaTypes == nil {
		api.BinaryMediaTypes = original.BinaryMediaTypes
	}
	if api.MinimumCompressionSize == nil {
		api.MinimumCompressionSize = original.MinimumCompressionSize
	}
	if p := wire.Val(original.Policy); p != "" && api.Policy == nil {
		api.Policy = wire.Ptr(strings.ReplaceAll(p, ":"+from+"/", ":"+*api.Id+"/"))
	}
	if err := apis.Put(tx, api, sc.id(*api.Id)...); err != nil {
		return err
	}
	c := &cloner{scope: sc, tx: tx, from: from, to: *api.Id, ids: map[string]string{"": "", wire.Val(original.RootResourceId): *api.RootResourceId}}
	return errors.Join(
		copyAll(c, models, c.model), copyAll(c, authorizers, c.authorizer), copyAll(c, requestValidators, c.validator),
		copyAll(c, gatewayResponses, func(g *apigatewayapi.GatewayResponse) string { return *g.ResponseType }),
		copyAll(c, documentationParts, c.part), copyAll(c, resources, c.resource),
	)
}

// cloner copies records from one API to another.
type cloner struct {
	scope
	tx       store.Tx
	from, to string
	ids      map[string]string // new ones by old ones
}

// newID is the id that stands for an old one in the clone.
func (c *cloner) newID(old *string) *string {
	if old == nil {
		return nil
	}
	id, ok := c.ids[*old]
	if !ok {
		id = ident.Lower(6)
		c.ids[*old] = id
	}
	return &id
}

// copyAll copies the records of a collection; edit makes each one the clone's
// and returns the last part of its id.
func copyAll[T any](c *cloner, all record.Collection[T], edit func(*T) string) error {
	records, err := all.List(c.tx, c.id(c.from)...)
	if err != nil {
		return err
	}
	for _, r := range records {
		if err := all.Put(c.tx, r, c.id(c.to, edit(r))...); err != nil {
			return err
		}
	}
	return nil
}

func (c *cloner) model(m *apigatewayapi.Model) string {
	m.Id = wire.Ptr(ident.Lower(6))
	m.Schema = wire.Ptr(strings.ReplaceAll(wire.Val(m.Schema), "/restapis/"+c.from+"/models/", "/restapis/"+c.to+"/models/"))
	return *m.Name
}

func (c *cloner) authorizer(a *apigatewayapi.Authorizer) string {
	a.Id = c.newID(a.Id)
	return *a.Id
}

func (c *cloner) validator(v *apigatewayapi.RequestValidator) string {
	v.Id = c.newID(v.Id)
	return *v.Id
}

func (c *cloner) part(p *apigatewayapi.DocumentationPart) string {
	p.Id = wire.Ptr(ident.Lower(6))
	return *p.Id
}

// resource moves a resource. A method's cache namespace that is its resource's
// id becomes the new one's.
func (c *cloner) resource(res *apigatewayapi.Resource) string {
	old := *res.Id
	res.Id, res.ParentId = c.newID(res.Id), c.newID(res.ParentId)
	for verb, m := range res.ResourceMethods {
		m.AuthorizerId, m.RequestValidatorId = c.newID(m.AuthorizerId), c.newID(m.RequestValidatorId)
		if i := m.MethodIntegration; i != nil && wire.Val(i.CacheNamespace) == old {
			i.CacheNamespace = res.Id
		}
		res.ResourceMethods[verb] = m
	}
	return *res.Id
}

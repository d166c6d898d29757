package apigateway

import (
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// cloneAPI fills a new API with what another one has: attributes that the call
// leaves out, and records under ids of their own. Deployments, stages and
// documentation versions are not cloned.
func cloneAPI(tx store.Tx, sc scope, api *apigatewayapi.RestApi, from string) error {
	original, err := apis.Get(tx, sc.id(from)...)
	if err != nil || original == nil {
		return orElse(err, badRequest("Invalid REST API identifier specified"))
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
	for _, step := range []func() error{c.models, c.authorizers, c.validators, c.answers, c.documentation, c.resources} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
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

func (c *cloner) models() error {
	all, err := models.List(c.tx, c.id(c.from)...)
	if err != nil {
		return err
	}
	for _, m := range all {
		m.Id = wire.Ptr(ident.Lower(6))
		m.Schema = wire.Ptr(strings.ReplaceAll(wire.Val(m.Schema), "/restapis/"+c.from+"/models/", "/restapis/"+c.to+"/models/"))
		if err := models.Put(c.tx, m, c.id(c.to, *m.Name)...); err != nil {
			return err
		}
	}
	return nil
}

func (c *cloner) authorizers() error {
	all, err := authorizers.List(c.tx, c.id(c.from)...)
	if err != nil {
		return err
	}
	for _, a := range all {
		a.Id = c.newID(a.Id)
		if err := authorizers.Put(c.tx, a, c.id(c.to, *a.Id)...); err != nil {
			return err
		}
	}
	return nil
}

func (c *cloner) validators() error {
	all, err := requestValidators.List(c.tx, c.id(c.from)...)
	if err != nil {
		return err
	}
	for _, v := range all {
		v.Id = c.newID(v.Id)
		if err := requestValidators.Put(c.tx, v, c.id(c.to, *v.Id)...); err != nil {
			return err
		}
	}
	return nil
}

func (c *cloner) answers() error {
	all, err := gatewayResponses.List(c.tx, c.id(c.from)...)
	if err != nil {
		return err
	}
	for _, g := range all {
		if err := gatewayResponses.Put(c.tx, g, c.id(c.to, *g.ResponseType)...); err != nil {
			return err
		}
	}
	return nil
}

func (c *cloner) documentation() error {
	all, err := documentationParts.List(c.tx, c.id(c.from)...)
	if err != nil {
		return err
	}
	for _, p := range all {
		p.Id = wire.Ptr(ident.Lower(6))
		if err := documentationParts.Put(c.tx, p, c.id(c.to, *p.Id)...); err != nil {
			return err
		}
	}
	return nil
}

// resources copies the tree. A method's cache namespace that is its resource's
// id becomes the new one's.
func (c *cloner) resources() error {
	all, err := resources.List(c.tx, c.id(c.from)...)
	if err != nil {
		return err
	}
	for _, res := range all {
		old := *res.Id
		res.Id, res.ParentId = c.newID(res.Id), c.newID(res.ParentId)
		for verb, m := range res.ResourceMethods {
			m.AuthorizerId, m.RequestValidatorId = c.newID(m.AuthorizerId), c.newID(m.RequestValidatorId)
			if i := m.MethodIntegration; i != nil && wire.Val(i.CacheNamespace) == old {
				i.CacheNamespace = res.Id
			}
			res.ResourceMethods[verb] = m
		}
		if err := resources.Put(c.tx, res, c.id(c.to, *res.Id)...); err != nil {
			return err
		}
	}
	return nil
}

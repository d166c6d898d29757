package apigateway

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// noBasePath is how an empty base path is stored, shown and asked for.
const noBasePath = "(none)"

var basePathPattern = pattern{regexp.MustCompile(`^[A-Za-z0-9$_.+!*'(){}|~-]+$`), 300}

// basePathOf is the stored form of a base path.
func basePathOf(p *string) (string, error) {
	path := wire.Val(p)
	switch {
	case path == "" || path == noBasePath:
		return noBasePath, nil
	case strings.Contains(path, "/"):
		return "", badRequest("API Gateway V1 doesn't support the slash character (/) in base path mappings. To create a multi-level base path mapping, use API Gateway V2.")
	case !basePathPattern.matches(path) || path == "ping" || path == "sping":
		return "", badRequest("Invalid base path: %s", path)
	}
	return path, nil
}

// CreateBasePathMapping maps a path of a custom domain to an API, or to one of
// its stages.
func (s *Service) CreateBasePathMapping(ctx context.Context, in *apigatewayapi.CreateBasePathMappingRequest) (*apigatewayapi.BasePathMapping, error) {
	sc, name := scopeOf(ctx), strings.ToLower(*in.DomainName)
	path, err := basePathOf(in.BasePath)
	if err != nil {
		return nil, err
	}
	m := &apigatewayapi.BasePathMapping{BasePath: &path, RestApiId: in.RestApiId, Stage: nonEmpty(in.Stage)}
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		d, err := getDomain(tx, sc, name, in.DomainNameId)
		if err != nil {
			return err
		}
		if !byMappings(d) {
			return badRequest("Base path mappings can't be created while the routing mode of the domain name is %s.", wire.Val(d.Domain.RoutingMode))
		}
		if have, err := mappings.Get(tx, sc.id(name, path)...); err != nil || have != nil {
			return cmp.Or(err, conflict("Base path already exists for this domain name"))
		}
		if err := checkMapping(tx, d, m); err != nil {
			return err
		}
		return mappings.Put(tx, m, sc.id(name, path)...)
	})
	if err != nil {
		return nil, err
	}
	return m, s.publishDomain(ctx, sc, name)
}

// checkMapping holds the target of a mapping, or of a routing rule, against
// the store. Domains lead to APIs of their own kind, public or private ones.
func checkMapping(r store.ReadTx, d *domain, m *apigatewayapi.BasePathMapping) error {
	api, err := apis.Get(r, d.id(wire.Val(m.RestApiId))...)
	if err != nil || api == nil {
		return cmp.Or(err, badRequest("Invalid REST API identifier specified"))
	}
	if isPrivate(api.EndpointConfiguration) != isPrivate(d.Domain.EndpointConfiguration) {
		return badRequest("Private APIs can only be associated with private custom domain names, and public APIs with public ones.")
	}
	if m.Stage == nil {
		return nil
	}
	if st, err := stages.Get(r, d.id(*m.RestApiId, *m.Stage)...); err != nil || st == nil {
		return cmp.Or(err, badRequest("Invalid stage identifier specified"))
	}
	return nil
}

// mappedDomains lists the domains that mappings lead from to an API, or to one
// stage of it.
func mappedDomains(r store.ReadTx, sc scope, apiID, stageName string) ([]string, error) {
	var names []string
	for d, err := range domains.All(r, sc.id()...) {
		if err != nil {
			return nil, err
		}
		routes, err := mappings.List(r, sc.id(*d.Domain.DomainName)...)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(routes, func(m *apigatewayapi.BasePathMapping) bool {
			return *m.RestApiId == apiID && (stageName == "" || wire.Val(m.Stage) == stageName)
		}) {
			names = append(names, *d.Domain.DomainName)
		}
	}
	return names, nil
}

// getMapping reads a mapping by its path as a request spells it.
func getMapping(r store.ReadTx, sc scope, domainName string, id, path *string) (*apigatewayapi.BasePathMapping, error) {
	key, err := basePathOf(path)
	if err != nil {
		return nil, noMapping()
	}
	if _, err := getDomain(r, sc, domainName, id); err != nil {
		return nil, err
	}
	return find(r, mappings, noMapping(), sc.id(strings.ToLower(domainName), key))
}

// GetBasePathMapping returns a mapping.
func (s *Service) GetBasePathMapping(ctx context.Context, in *apigatewayapi.GetBasePathMappingRequest) (*apigatewayapi.BasePathMapping, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.BasePathMapping, error) {
		return getMapping(r, sc, *in.DomainName, in.DomainNameId, in.BasePath)
	})
}

// GetBasePathMappings lists a domain's mappings.
func (s *Service) GetBasePathMappings(ctx context.Context, in *apigatewayapi.GetBasePathMappingsRequest) (*apigatewayapi.BasePathMappings, error) {
	sc, name := scopeOf(ctx), strings.ToLower(*in.DomainName)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.BasePathMappings, error) {
		if _, err := getDomain(r, sc, name, in.DomainNameId); err != nil {
			return nil, err
		}
		items, next, err := page(r, mappings, in.Position, in.Limit, func(m *apigatewayapi.BasePathMapping) string { return *m.BasePath }, sc.id(name))
		return &apigatewayapi.BasePathMappings{Position: next, Items: values(items)}, err
	})
}

var mappingPatch = patchTable[apigatewayapi.BasePathMapping]{picky: true, rows: []patchRow[apigatewayapi.BasePathMapping]{
	{"/basePath", replaceOnly, func(m *apigatewayapi.BasePathMapping, op patchOp) error {
		path, err := basePathOf(op.value)
		m.BasePath = &path
		return err
	}},
	textRow("/stage", func(m *apigatewayapi.BasePathMapping) **string { return &m.Stage }),
	{"/restapiId", replaceOnly, func(m *apigatewayapi.BasePathMapping, op patchOp) error {
		m.RestApiId = wire.Ptr(op.text())
		return nil
	}},
}}

// UpdateBasePathMapping changes a mapping. The API Reference writes the path of
// the base path in lower case, Terraform doesn't.
func (s *Service) UpdateBasePathMapping(ctx context.Context, in *apigatewayapi.UpdateBasePathMappingRequest) (*apigatewayapi.BasePathMapping, error) {
	sc, name := scopeOf(ctx), strings.ToLower(*in.DomainName)
	m, err := update(ctx, s, func(tx store.Tx) (*apigatewayapi.BasePathMapping, error) {
		m, err := getMapping(tx, sc, name, in.DomainNameId, in.BasePath)
		if err != nil {
			return nil, err
		}
		d, err := getDomain(tx, sc, name, in.DomainNameId)
		if err != nil {
			return nil, err
		}
		for i := range in.PatchOperations {
			if p := &in.PatchOperations[i]; wire.Val(p.Path) == "/basepath" {
				p.Path = wire.Ptr("/basePath")
			}
		}
		old := *m.BasePath
		if err := mappingPatch.apply(m, in.PatchOperations); err != nil {
			return nil, err
		}
		if err := checkMapping(tx, d, m); err != nil {
			return nil, err
		}
		if *m.BasePath != old {
			if have, err := mappings.Get(tx, sc.id(name, *m.BasePath)...); err != nil || have != nil {
				return nil, cmp.Or(err, conflict("Base path already exists for this domain name"))
			}
			if err := mappings.Delete(tx, sc.id(name, old)...); err != nil {
				return nil, err
			}
		}
		return m, mappings.Put(tx, m, sc.id(name, *m.BasePath)...)
	})
	if err != nil {
		return nil, err
	}
	return m, s.publishDomain(ctx, sc, name)
}

// DeleteBasePathMapping deletes a mapping.
func (s *Service) DeleteBasePathMapping(ctx context.Context, in *apigatewayapi.DeleteBasePathMappingRequest) error {
	sc, name := scopeOf(ctx), strings.ToLower(*in.DomainName)
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		m, err := getMapping(tx, sc, name, in.DomainNameId, in.BasePath)
		if err != nil {
			return err
		}
		return mappings.Delete(tx, sc.id(name, *m.BasePath)...)
	})
	if err != nil {
		return err
	}
	return s.publishDomain(ctx, sc, name)
}

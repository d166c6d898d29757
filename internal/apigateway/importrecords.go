package apigateway

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/apigateway/openapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/wire"
)

// models adds the document's models, in place of those of the same names.
func (im *importer) models() error {
	for i := range im.doc.Models {
		m := &im.doc.Models[i]
		have, err := models.Get(im.tx, im.id(*m.Name)...)
		if err != nil {
			return err
		}
		m.Id = wire.Ptr(ident.Lower(6))
		if have != nil {
			m.Id = have.Id
		}
		if err := checkSchema(*im.api.Id, m); err != nil {
			if err := im.fault("Unable to create model for '"+*m.Name+"': ", err); err != nil {
				return err
			}
			continue
		}
		if err := models.Put(im.tx, m, im.id(*m.Name)...); err != nil {
			return err
		}
	}
	return nil
}

// authorizers adds the document's authorizers, in place of those of the same
// names.
func (im *importer) authorizers() error {
	have, err := authorizers.List(im.tx, im.id()...)
	if err != nil {
		return err
	}
	im.authorizerIDs = map[string]string{}
	for _, a := range have {
		im.authorizerIDs[*a.Name] = *a.Id
	}
	for i := range im.doc.Authorizers {
		a := &im.doc.Authorizers[i]
		if im.authorizerIDs[*a.Name] == "" {
			im.authorizerIDs[*a.Name] = ident.Lower(6)
		}
		a.Id = wire.Ptr(im.authorizerIDs[*a.Name])
		if err := checkAuthorizer(a); err != nil {
			if err := im.fault("Unable to create authorizer '"+*a.Name+"': ", err); err != nil {
				return err
			}
			continue
		}
		if err := authorizers.Put(im.tx, a, im.id(*a.Id)...); err != nil {
			return err
		}
	}
	return nil
}

// validators adds the document's request validators likewise.
func (im *importer) validators() error {
	have, err := requestValidators.List(im.tx, im.id()...)
	if err != nil {
		return err
	}
	im.validatorIDs = map[string]string{}
	for _, v := range have {
		im.validatorIDs[*v.Name] = *v.Id
	}
	for i := range im.doc.RequestValidators {
		v := &im.doc.RequestValidators[i]
		if im.validatorIDs[*v.Name] == "" {
			im.validatorIDs[*v.Name] = ident.Lower(6)
		}
		v.Id = wire.Ptr(im.validatorIDs[*v.Name])
		if err := requestValidators.Put(im.tx, v, im.id(*v.Id)...); err != nil {
			return err
		}
	}
	return nil
}

func (im *importer) gatewayResponses() error {
	for i := range im.doc.GatewayResponses {
		g := &im.doc.GatewayResponses[i]
		what := "Unable to put gateway response '" + *g.ResponseType + "': "
		err := checkGatewayResponse(g)
		if _, known := catalogue[*g.ResponseType]; !known {
			err = badRequest("Invalid response type specified: %s", *g.ResponseType)
		}
		if g.StatusCode != nil && !statusCodeForm.MatchString(*g.StatusCode) {
			err = badRequest("Invalid status code specified: %s", *g.StatusCode)
		}
		if err != nil {
			if err := im.fault(what, err); err != nil {
				return err
			}
			continue
		}
		if err := gatewayResponses.Put(im.tx, g, im.id(*g.ResponseType)...); err != nil {
			return err
		}
	}
	return nil
}

// documentation merges the document's parts into the API's.
func (im *importer) documentation() error {
	_, err := im.mergeDocumentation(im.doc.DocumentationParts)
	return err
}

// mergeDocumentation stores parts, in place of those of the same locations,
// and returns their ids in order. Attributes that an earlier part has alone
// stay (developer guide, "Import API documentation").
func (im *importer) mergeDocumentation(parts []apigatewayapi.DocumentationPart) ([]string, error) {
	have, err := partsByPlace(im.tx, im.scope, *im.api.Id)
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for i := range parts {
		part := &parts[i]
		if _, known := locationFields[wire.Val(part.Location.Type)]; !known {
			if err := im.fault("Unable to create documentation part: ", badRequest("Invalid location type specified: %s", wire.Val(part.Location.Type))); err != nil {
				return nil, err
			}
			continue
		}
		location, err := completeLocation(part.Location)
		if err == nil {
			err = checkProperties(*part.Properties)
		}
		if err != nil {
			if err := im.fault("Unable to create documentation part: ", err); err != nil {
				return nil, err
			}
			continue
		}
		part.Location, part.Id = location, wire.Ptr(ident.Lower(6))
		if old := have[placeOf(location)]; old != nil {
			part.Id = old.Id
			part.Properties = wire.Ptr(mergeObjects(*old.Properties, *part.Properties))
		}
		have[placeOf(location)] = part
		ids = append(ids, *part.Id)
		if err := documentationParts.Put(im.tx, part, im.id(*part.Id)...); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// resources adds the document's resources with their methods, which replace
// those of the same verbs.
func (im *importer) resources() (err error) {
	if im.tree, err = loadTree(im.tx, im.scope, *im.api.Id); err != nil {
		return err
	}
	im.paths = make(map[string]*apigatewayapi.Resource, len(im.tree))
	for _, res := range im.tree {
		im.paths[*res.Path] = res
	}
	for i := range im.doc.Resources {
		if err := im.resource(&im.doc.Resources[i]); err != nil {
			return err
		}
	}
	if len(im.authorizerIDs) > maxAuthorizers {
		return limitExceeded("Maximum number of authorizers for this API has been reached. Please contact AWS if you need additional authorizers.")
	}
	if len(im.tree) > maxResources {
		return limitExceeded("Maximum number of resources for this API has been reached. Please contact AWS if you need additional resources.")
	}
	return nil
}

func (im *importer) resource(r *openapi.Resource) error {
	res, err := im.resourceAt(r.Path)
	if err != nil {
		return im.fault("Unable to create resource at path '"+r.Path+"': ", err)
	}
	for i := range r.Methods {
		m, err := im.method(res, &r.Methods[i])
		if err != nil {
			return err
		}
		if res.ResourceMethods == nil {
			res.ResourceMethods = map[string]apigatewayapi.Method{}
		}
		res.ResourceMethods[*m.HttpMethod] = *m
	}
	return resources.Put(im.tx, res, im.id(*res.Id)...)
}

// resourceAt is the resource at a path, made with those above it if need be.
func (im *importer) resourceAt(path string) (*apigatewayapi.Resource, error) {
	if res := im.paths[path]; res != nil {
		return res, nil
	}
	cut := strings.LastIndexByte(path, '/')
	above := path[:cut]
	if above == "" {
		above = "/"
	}
	parent, err := im.resourceAt(above)
	if err != nil {
		return nil, err
	}
	res := &apigatewayapi.Resource{Id: wire.Ptr(ident.Lower(6)), ParentId: parent.Id, PathPart: wire.Ptr(path[cut+1:])}
	if err := im.tree.place(res); err != nil {
		return nil, err
	}
	res.Path = &path
	im.tree[*res.Id], im.paths[path] = res, res
	return res, resources.Put(im.tx, res, im.id(*res.Id)...)
}

// method checks a method as the calls that put its parts do.
func (im *importer) method(res *apigatewayapi.Resource, in *openapi.Method) (*apigatewayapi.Method, error) {
	m, verb := in.Method, *in.HttpMethod
	at := methodID{im.scope, *im.api.Id, *res.Id, verb}
	m.AuthorizerId = nonEmpty(wire.Ptr(im.authorizerIDs[in.Authorizer]))
	m.RequestValidatorId = nonEmpty(wire.Ptr(im.validatorIDs[in.Validator]))
	err := checkMethod(im.tx, at, &m)
	if err == nil && in.Validator != "" && m.RequestValidatorId == nil {
		err = badRequest("Invalid Request Validator identifier specified")
	}
	where := "resource at path '" + *res.Path + "': "
	if err := im.fault("Unable to put method '"+verb+"' on "+where, err); err != nil {
		return nil, err
	}
	i := m.MethodIntegration
	if i == nil {
		return &m, nil
	}
	integrationDefaults(i, res.Id)
	if err = checkIntegrationType(i.Type); err == nil {
		err = cmp.Or(im.svc.checkIntegration(im.tx, im.scope, i), checkForwarding(&m))
	}
	if err := im.fault("Unable to put integration on '"+verb+"' for "+where, err); err != nil {
		return nil, err
	}
	for _, code := range slices.Sorted(maps.Keys(i.IntegrationResponses)) {
		r := i.IntegrationResponses[code]
		if err := im.fault("Unable to put integration response on '"+verb+"' for "+where, checkIntegrationResponse(&m, &r)); err != nil {
			return nil, err
		}
	}
	return &m, nil
}

// checkIntegrationType checks what the model checks of a call's input.
func checkIntegrationType(kind *string) error {
	if kind == nil {
		return badRequest("Enumeration value for Type must be non-empty")
	}
	return oneOf("IntegrationType", *kind, apigatewayapi.IntegrationTypeHTTP, apigatewayapi.IntegrationTypeAWS,
		apigatewayapi.IntegrationTypeMOCK, apigatewayapi.IntegrationTypeHTTPPROXY, apigatewayapi.IntegrationTypeAWSPROXY)
}

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
		err = cmp.Or(im.svc.checkIntegration(im.tx, im.scope, i), checkForwarding(&m), checkSources(&m), checkCacheKeys(&m))
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

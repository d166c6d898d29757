package apigateway

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// The authorization types of methods.
const (
	authNone    = "NONE"
	authIAM     = "AWS_IAM"
	authCustom  = "CUSTOM"
	authCognito = "COGNITO_USER_POOLS"
)

var verbs = []string{"GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY"}

func checkVerb(verb string) error { return oneOf("HttpMethod", verb, verbs...) }

// methodID is where a method lives.
type methodID struct {
	scope
	api, resource, verb string
}

// methodAt is the address that the calls below a method share.
func methodAt(ctx context.Context, api, resource, verb *string) methodID {
	return methodID{scopeOf(ctx), *api, *resource, *verb}
}

func (m methodID) record() []string { return m.id(m.api, m.resource) }

// getMethod reads a method. A missing API reads as a missing resource
// (recorded).
func getMethod(r store.ReadTx, at methodID) (*apigatewayapi.Method, error) {
	res, err := getResource(r, at.scope, at.api, at.resource)
	if err != nil {
		return nil, err
	}
	m, ok := res.ResourceMethods[at.verb]
	if !ok {
		return nil, noMethod()
	}
	return &m, nil
}

// editMethod changes a method in a transaction of its own and returns it.
func (s *Service) editMethod(ctx context.Context, at methodID, edit func(store.ReadTx, *apigatewayapi.Method) error) (*apigatewayapi.Method, error) {
	return update(ctx, s, func(tx store.Tx) (*apigatewayapi.Method, error) {
		res, err := getResource(tx, at.scope, at.api, at.resource)
		if err != nil {
			return nil, err
		}
		m, ok := res.ResourceMethods[at.verb]
		if !ok {
			return nil, noMethod()
		}
		if err := edit(tx, &m); err != nil {
			return nil, err
		}
		res.ResourceMethods[at.verb] = m
		return &m, resources.Put(tx, res, at.record()...)
	})
}

// PutMethod adds a method to a resource.
func (s *Service) PutMethod(ctx context.Context, in *apigatewayapi.PutMethodRequest) (*apigatewayapi.Method, error) {
	at := methodAt(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	m := apigatewayapi.Method{
		HttpMethod: in.HttpMethod, AuthorizationType: in.AuthorizationType, ApiKeyRequired: wire.Ptr(wire.Val(in.ApiKeyRequired)),
		OperationName: nonEmpty(in.OperationName), AuthorizerId: nonEmpty(in.AuthorizerId), RequestValidatorId: in.RequestValidatorId,
	}
	if len(in.AuthorizationScopes) > 0 {
		m.AuthorizationScopes = in.AuthorizationScopes
	}
	if len(in.RequestParameters) > 0 {
		m.RequestParameters = in.RequestParameters
	}
	if len(in.RequestModels) > 0 {
		m.RequestModels = in.RequestModels
	}
	return update(ctx, s, func(tx store.Tx) (*apigatewayapi.Method, error) {
		res, err := getResource(tx, at.scope, at.api, at.resource)
		if err != nil {
			return nil, err
		}
		if err := checkMethod(tx, at, &m); err != nil {
			return nil, err
		}
		if _, ok := res.ResourceMethods[at.verb]; ok {
			return nil, conflict("Method already exists for this resource")
		}
		if res.ResourceMethods == nil {
			res.ResourceMethods = map[string]apigatewayapi.Method{}
		}
		res.ResourceMethods[at.verb] = m
		return &m, resources.Put(tx, res, at.record()...)
	})
}

func checkMethod(r store.ReadTx, at methodID, m *apigatewayapi.Method) error {
	if err := checkVerb(at.verb); err != nil {
		return err
	}
	if err := checkAuthorization(r, at, m); err != nil {
		return err
	}
	if err := checkRequestParameters(m.RequestParameters); err != nil {
		return err
	}
	if err := checkValidator(r, at, m); err != nil {
		return err
	}
	return checkModels(r, at.scope, at.api, m.RequestModels)
}

// checkAuthorization checks a method's authorization type, whose case doesn't
// matter (recorded), and the authorizer that two of them need. With the others,
// one that was given is dropped.
func checkAuthorization(r store.ReadTx, at methodID, m *apigatewayapi.Method) error {
	m.AuthorizationType = wire.Ptr(strings.ToUpper(wire.Val(m.AuthorizationType)))
	switch *m.AuthorizationType {
	case authNone, authIAM:
		m.AuthorizerId = nil
		return nil
	case authCustom, authCognito:
		a, err := authorizers.Get(r, at.id(at.api, wire.Val(m.AuthorizerId))...)
		if err != nil {
			return err
		}
		if a == nil || (*a.Type == authCognito) != (*m.AuthorizationType == authCognito) {
			return badRequest("Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.")
		}
		return nil
	}
	return badRequest("Invalid authorization type specified. Valid options are NONE,AWS_IAM,CUSTOM,COGNITO_USER_POOLS")
}

var requestParameter = regexp.MustCompile(`^method\.request\.(querystring|path|header)\.(.+)$`)

// parameterName is what API Gateway takes for a name, and names when it
// doesn't (measured).
var parameterName = regexp.MustCompile(`^[a-zA-Z0-9._$-]+$`)

func checkRequestParameters(params map[string]bool) error {
	seen := map[string]bool{}
	for _, p := range slices.Sorted(maps.Keys(params)) {
		match := requestParameter.FindStringSubmatch(p)
		if match == nil {
			return invalidMapping("Invalid mapping expression specified: " + p)
		}
		if !parameterName.MatchString(match[2]) {
			return invalidMapping("Parameter name should match the following regular expression: " + parameterName.String())
		}
		if seen[match[2]] {
			return badRequest("Parameter names must be unique across querystring, header and path")
		}
		seen[match[2]] = true
	}
	return nil
}

// GetMethod returns a method with its integration and responses.
func (s *Service) GetMethod(ctx context.Context, in *apigatewayapi.GetMethodRequest) (*apigatewayapi.Method, error) {
	at := methodAt(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.Method, error) { return getMethod(r, at) })
}

var methodPatch = patchTable[apigatewayapi.Method]{rows: []patchRow[apigatewayapi.Method]{
	{"/authorizationType", replaceOnly, func(m *apigatewayapi.Method, op patchOp) error {
		m.AuthorizationType = op.value
		return nil
	}},
	textRow("/authorizerId", func(m *apigatewayapi.Method) **string { return &m.AuthorizerId }),
	{"/apiKeyRequired", replaceOnly, func(m *apigatewayapi.Method, op patchOp) error {
		m.ApiKeyRequired = wire.Ptr(op.isTrue())
		return nil
	}},
	textRow("/operationName", func(m *apigatewayapi.Method) **string { return &m.OperationName }),
	textRow("/requestValidatorId", func(m *apigatewayapi.Method) **string { return &m.RequestValidatorId }),
	mapRow("/requestParameters", func(m *apigatewayapi.Method) *map[string]bool { return &m.RequestParameters },
		"Invalid parameter name specified", func(_ *apigatewayapi.Method, _ string, op patchOp) (bool, error) { return op.isTrue(), nil }),
	mapRow("/requestModels", func(m *apigatewayapi.Method) *map[string]string { return &m.RequestModels },
		"Content-Type specified was not found", patchText[apigatewayapi.Method]),
	{"/authorizationScopes", addRemove, func(m *apigatewayapi.Method, op patchOp) error {
		m.AuthorizationScopes = slices.DeleteFunc(slices.Clone(m.AuthorizationScopes), func(s string) bool { return s == op.text() })
		if op.op == "add" {
			m.AuthorizationScopes = append(m.AuthorizationScopes, op.text())
		}
		if len(m.AuthorizationScopes) == 0 {
			m.AuthorizationScopes = nil
		}
		return nil
	}},
}}

// patchText is the parser of map entries that are any text.
func patchText[T any](_ *T, _ string, op patchOp) (string, error) { return op.text(), nil }

// UpdateMethod changes a method.
func (s *Service) UpdateMethod(ctx context.Context, in *apigatewayapi.UpdateMethodRequest) (*apigatewayapi.Method, error) {
	at := methodAt(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	return s.editMethod(ctx, at, func(r store.ReadTx, m *apigatewayapi.Method) error {
		if err := methodPatch.apply(m, in.PatchOperations); err != nil {
			return err
		}
		return checkMethod(r, at, m)
	})
}

// DeleteMethod deletes a method with its integration and responses.
func (s *Service) DeleteMethod(ctx context.Context, in *apigatewayapi.DeleteMethodRequest) error {
	at := methodAt(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		res, err := getResource(tx, at.scope, at.api, at.resource)
		if err != nil {
			return err
		}
		if _, ok := res.ResourceMethods[at.verb]; !ok {
			return noMethod()
		}
		delete(res.ResourceMethods, at.verb)
		if len(res.ResourceMethods) == 0 {
			res.ResourceMethods = nil
		}
		return resources.Put(tx, res, at.record()...)
	})
}

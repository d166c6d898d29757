package apigateway

import (
	"context"
	"maps"
	"slices"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/store"
)

// PutIntegrationResponse says how a result of the integration becomes the
// method's answer with a status code. It replaces an earlier one.
func (s *Service) PutIntegrationResponse(ctx context.Context, in *apigatewayapi.PutIntegrationResponseRequest) (*apigatewayapi.IntegrationResponse, error) {
	at := methodAt(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	res := apigatewayapi.IntegrationResponse{
		StatusCode: in.StatusCode, SelectionPattern: in.SelectionPattern, ContentHandling: in.ContentHandling,
		ResponseParameters: in.ResponseParameters, ResponseTemplates: in.ResponseTemplates,
	}
	_, err := s.editIntegration(ctx, at, func(_ store.ReadTx, m *apigatewayapi.Method) error {
		i := m.MethodIntegration
		if err := checkIntegrationResponse(m, &res); err != nil {
			return err
		}
		if i.IntegrationResponses == nil {
			i.IntegrationResponses = map[string]apigatewayapi.IntegrationResponse{}
		}
		i.IntegrationResponses[*in.StatusCode] = res
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &res, nil
}

// checkIntegrationResponse holds mapped headers against what the method
// response declares; the method response itself may be missing (recorded).
func checkIntegrationResponse(m *apigatewayapi.Method, res *apigatewayapi.IntegrationResponse) error {
	if err := checkContentHandling(res.ContentHandling); err != nil {
		return err
	}
	if err := checkMappings(responseSide, res.ResponseParameters); err != nil {
		return err
	}
	declared := m.MethodResponses[*res.StatusCode].ResponseParameters
	for _, header := range slices.Sorted(maps.Keys(res.ResponseParameters)) {
		if _, ok := declared[header]; !ok {
			return invalidMapping("Invalid mapping expression parameter specified: " + header)
		}
	}
	return checkContentTypes(res.ResponseTemplates)
}

// GetIntegrationResponse returns an integration response.
func (s *Service) GetIntegrationResponse(ctx context.Context, in *apigatewayapi.GetIntegrationResponseRequest) (*apigatewayapi.IntegrationResponse, error) {
	at := methodAt(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.IntegrationResponse, error) {
		i, err := getIntegration(r, at)
		if err != nil {
			return nil, err
		}
		res, ok := i.IntegrationResponses[*in.StatusCode]
		if !ok {
			return nil, noResponse()
		}
		return &res, nil
	})
}

var integrationResponsePatch = patchTable[apigatewayapi.IntegrationResponse]{rows: []patchRow[apigatewayapi.IntegrationResponse]{
	{"/selectionPattern", replaceOnly, func(r *apigatewayapi.IntegrationResponse, op patchOp) error {
		r.SelectionPattern = op.value
		return nil
	}},
	textRow("/contentHandling", func(r *apigatewayapi.IntegrationResponse) **string { return &r.ContentHandling }),
	mapRow("/responseTemplates", func(r *apigatewayapi.IntegrationResponse) *map[string]string { return &r.ResponseTemplates },
		"Content-Type specified was not found",
		patchFilled[apigatewayapi.IntegrationResponse]("responseTemplates")),
	mapRow("/responseParameters", func(r *apigatewayapi.IntegrationResponse) *map[string]string { return &r.ResponseParameters },
		"Invalid parameter name specified", patchText[apigatewayapi.IntegrationResponse]),
}}

// UpdateIntegrationResponse changes an integration response.
func (s *Service) UpdateIntegrationResponse(ctx context.Context, in *apigatewayapi.UpdateIntegrationResponseRequest) (*apigatewayapi.IntegrationResponse, error) {
	at := methodAt(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	i, err := s.editIntegration(ctx, at, func(_ store.ReadTx, m *apigatewayapi.Method) error {
		i := m.MethodIntegration
		res, ok := i.IntegrationResponses[*in.StatusCode]
		if !ok {
			return noResponse()
		}
		if err := integrationResponsePatch.apply(&res, in.PatchOperations); err != nil {
			return err
		}
		i.IntegrationResponses[*in.StatusCode] = res
		return checkIntegrationResponse(m, &res)
	})
	if err != nil {
		return nil, err
	}
	res := i.IntegrationResponses[*in.StatusCode]
	return &res, nil
}

// DeleteIntegrationResponse deletes an integration response. Unlike the other
// calls it finds a missing method's integration missing (recorded).
func (s *Service) DeleteIntegrationResponse(ctx context.Context, in *apigatewayapi.DeleteIntegrationResponseRequest) error {
	at := methodAt(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		res, err := getResource(tx, at.scope, at.api, at.resource)
		if err != nil {
			return err
		}
		i := res.ResourceMethods[at.verb].MethodIntegration
		if i == nil {
			return noIntegration()
		}
		if _, ok := i.IntegrationResponses[*in.StatusCode]; !ok {
			return noResponse()
		}
		delete(i.IntegrationResponses, *in.StatusCode)
		if len(i.IntegrationResponses) == 0 {
			i.IntegrationResponses = nil
		}
		return resources.Put(tx, res, at.record()...)
	})
}

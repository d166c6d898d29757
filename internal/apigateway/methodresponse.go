package apigateway

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/store"
)

const responseHeader = "method.response.header."

// PutMethodResponse declares a status code that a method may answer with.
func (s *Service) PutMethodResponse(ctx context.Context, in *apigatewayapi.PutMethodResponseRequest) (*apigatewayapi.MethodResponse, error) {
	at := methodAt(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	res := apigatewayapi.MethodResponse{StatusCode: in.StatusCode, ResponseParameters: in.ResponseParameters, ResponseModels: in.ResponseModels}
	_, err := s.editMethod(ctx, at, func(r store.ReadTx, m *apigatewayapi.Method) error {
		if _, ok := m.MethodResponses[*in.StatusCode]; ok {
			return conflict("Response already exists for this resource")
		}
		if err := checkMethodResponse(r, at, &res); err != nil {
			return err
		}
		if m.MethodResponses == nil {
			m.MethodResponses = map[string]apigatewayapi.MethodResponse{}
		}
		m.MethodResponses[*in.StatusCode] = res
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &res, nil
}

func checkMethodResponse(r store.ReadTx, at methodID, res *apigatewayapi.MethodResponse) error {
	for _, p := range slices.Sorted(maps.Keys(res.ResponseParameters)) {
		if name, ok := strings.CutPrefix(p, responseHeader); !ok || name == "" {
			return invalidMapping("Invalid mapping expression parameter specified: " + p)
		}
	}
	return checkModels(r, at.scope, at.api, res.ResponseModels)
}

// GetMethodResponse returns a method response.
func (s *Service) GetMethodResponse(ctx context.Context, in *apigatewayapi.GetMethodResponseRequest) (*apigatewayapi.MethodResponse, error) {
	at := methodAt(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.MethodResponse, error) {
		m, err := getMethod(r, at)
		if err != nil {
			return nil, err
		}
		res, ok := m.MethodResponses[*in.StatusCode]
		if !ok {
			return nil, noResponse()
		}
		return &res, nil
	})
}

var methodResponsePatch = patchTable[apigatewayapi.MethodResponse]{rows: []patchRow[apigatewayapi.MethodResponse]{
	mapRow("/responseParameters", func(r *apigatewayapi.MethodResponse) *map[string]bool { return &r.ResponseParameters },
		"Invalid parameter name specified",
		func(_ *apigatewayapi.MethodResponse, _ string, op patchOp) (bool, error) { return op.isTrue(), nil }),
	mapRow("/responseModels", func(r *apigatewayapi.MethodResponse) *map[string]string { return &r.ResponseModels },
		"Content-Type specified was not found", patchText[apigatewayapi.MethodResponse]),
}}

// UpdateMethodResponse changes a method response.
func (s *Service) UpdateMethodResponse(ctx context.Context, in *apigatewayapi.UpdateMethodResponseRequest) (*apigatewayapi.MethodResponse, error) {
	at := methodAt(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	m, err := s.editMethod(ctx, at, func(r store.ReadTx, m *apigatewayapi.Method) error {
		res, ok := m.MethodResponses[*in.StatusCode]
		if !ok {
			return noResponse()
		}
		if err := methodResponsePatch.apply(&res, in.PatchOperations); err != nil {
			return err
		}
		m.MethodResponses[*in.StatusCode] = res
		return checkMethodResponse(r, at, &res)
	})
	if err != nil {
		return nil, err
	}
	res := m.MethodResponses[*in.StatusCode]
	return &res, nil
}

// DeleteMethodResponse deletes a method response.
func (s *Service) DeleteMethodResponse(ctx context.Context, in *apigatewayapi.DeleteMethodResponseRequest) error {
	_, err := s.editMethod(ctx, methodAt(ctx, in.RestApiId, in.ResourceId, in.HttpMethod), func(_ store.ReadTx, m *apigatewayapi.Method) error {
		if _, ok := m.MethodResponses[*in.StatusCode]; !ok {
			return noResponse()
		}
		delete(m.MethodResponses, *in.StatusCode)
		if len(m.MethodResponses) == 0 {
			m.MethodResponses = nil
		}
		return nil
	})
	return err
}

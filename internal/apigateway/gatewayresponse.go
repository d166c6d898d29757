package apigateway

import (
	"context"
	"maps"
	"regexp"
	"slices"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// catalogue has the status codes of the answers that API Gateway gives by
// itself, by type (developer guide, "Gateway response types"). The two that
// stand for a class have none.
var catalogue = map[string]string{
	"ACCESS_DENIED": "403", "API_CONFIGURATION_ERROR": "500", "AUTHORIZER_CONFIGURATION_ERROR": "500",
	"AUTHORIZER_FAILURE": "500", "BAD_REQUEST_BODY": "400", "BAD_REQUEST_PARAMETERS": "400", default4XX: "", default5XX: "",
	"EXPIRED_TOKEN": "403", "INTEGRATION_FAILURE": "504", "INTEGRATION_TIMEOUT": "504", "INVALID_API_KEY": "403",
	"INVALID_SIGNATURE": "403", "MISSING_AUTHENTICATION_TOKEN": "403", "QUOTA_EXCEEDED": "429", "REQUEST_TOO_LARGE": "413",
	"RESOURCE_NOT_FOUND": "404", "THROTTLED": "429", "UNAUTHORIZED": "401", "UNSUPPORTED_MEDIA_TYPE": "415", "WAF_FILTERED": "403",
}

// A customised response of these types holds for all of its class that have
// no customised one of their own.
const (
	default4XX = apigatewayapi.GatewayResponseTypeDEFAULT4XX
	default5XX = apigatewayapi.GatewayResponseTypeDEFAULT5XX
)

var gatewayResponseSide = side{
	target: regexp.MustCompile(`^gatewayresponse\.header\..+$`),
	source: regexp.MustCompile(`(?s)^(` + anySource + `|method\.request\.(path|querystring|header)\..+)$`),
}

// customResponses are an API's customised responses, by type. The records hold
// what was set alone.
func customResponses(r store.ReadTx, sc scope, apiID string) (map[string]apigatewayapi.GatewayResponse, error) {
	if _, err := getAPI(r, sc, apiID); err != nil {
		return nil, err
	}
	all, err := gatewayResponses.List(r, sc.id(apiID)...)
	out := make(map[string]apigatewayapi.GatewayResponse, len(all))
	for _, g := range all {
		out[*g.ResponseType] = *g
	}
	return out, err
}

// defined is what holds for a type: its own definition, or that of its class,
// or none, with what calls print of either.
func defined(custom map[string]apigatewayapi.GatewayResponse, kind string) *apigatewayapi.GatewayResponse {
	g, own := custom[kind]
	if code := catalogue[kind]; !own && code != "" {
		class := default4XX
		if code >= "500" {
			class = default5XX
		}
		g = custom[class]
	}
	g.ResponseType, g.DefaultResponse = &kind, wire.Ptr(!own)
	g.ResponseParameters, g.ResponseTemplates = maps.Clone(g.ResponseParameters), maps.Clone(g.ResponseTemplates)
	if g.ResponseParameters == nil {
		g.ResponseParameters = map[string]string{}
	}
	if len(g.ResponseTemplates) == 0 {
		g.ResponseTemplates = map[string]string{"application/json": `{"message":$context.error.messageString}`}
	}
	return &g
}

// gatewayResponse is a type's response as calls print it: with the
// catalogue's status code if none was set (recorded). Such a code isn't
// stored: failures keep their own, which the catalogue has not always right.
func gatewayResponse(custom map[string]apigatewayapi.GatewayResponse, kind string) *apigatewayapi.GatewayResponse {
	g := defined(custom, kind)
	if g.StatusCode == nil {
		g.StatusCode = nonEmpty(wire.Ptr(catalogue[kind]))
	}
	return g
}

func checkGatewayResponse(g *apigatewayapi.GatewayResponse) error {
	if err := checkMappings(gatewayResponseSide, g.ResponseParameters); err != nil {
		return err
	}
	return checkContentTypes(g.ResponseTemplates)
}

// PutGatewayResponse customises the answers of a type. It replaces an earlier
// customisation.
func (s *Service) PutGatewayResponse(ctx context.Context, in *apigatewayapi.PutGatewayResponseRequest) (*apigatewayapi.GatewayResponse, error) {
	sc := scopeOf(ctx)
	g := &apigatewayapi.GatewayResponse{
		ResponseType: in.ResponseType, StatusCode: nonEmpty(in.StatusCode),
		ResponseParameters: in.ResponseParameters, ResponseTemplates: in.ResponseTemplates,
	}
	if err := checkGatewayResponse(g); err != nil {
		return nil, err
	}
	return update(ctx, s, func(tx store.Tx) (*apigatewayapi.GatewayResponse, error) {
		custom, err := customResponses(tx, sc, *in.RestApiId)
		if err != nil {
			return nil, err
		}
		custom[*in.ResponseType] = *g
		return gatewayResponse(custom, *in.ResponseType), gatewayResponses.Put(tx, g, sc.id(*in.RestApiId, *in.ResponseType)...)
	})
}

// GetGatewayResponse returns what the answers of a type look like.
func (s *Service) GetGatewayResponse(ctx context.Context, in *apigatewayapi.GetGatewayResponseRequest) (*apigatewayapi.GatewayResponse, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.GatewayResponse, error) {
		custom, err := customResponses(r, sc, *in.RestApiId)
		if err != nil {
			return nil, err
		}
		return gatewayResponse(custom, *in.ResponseType), nil
	})
}

// GetGatewayResponses lists every type, customised or not.
func (s *Service) GetGatewayResponses(ctx context.Context, in *apigatewayapi.GetGatewayResponsesRequest) (*apigatewayapi.GatewayResponses, error) {
	sc := scopeOf(ctx)
	after, err := readPosition(in.Position)
	if err != nil {
		return nil, err
	}
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.GatewayResponses, error) {
		custom, err := customResponses(r, sc, *in.RestApiId)
		if err != nil {
			return nil, err
		}
		out := &apigatewayapi.GatewayResponses{Items: []apigatewayapi.GatewayResponse{}}
		size := pageSize(in.Limit)
		last := after
		for _, kind := range slices.Sorted(maps.Keys(catalogue)) {
			if kind <= after {
				continue
			}
			if len(out.Items) == size {
				out.Position = paging.Token(last)
				break
			}
			out.Items = append(out.Items, *gatewayResponse(custom, kind))
			last = kind
		}
		return out, nil
	})
}

var gatewayResponsePatch = patchTable[apigatewayapi.GatewayResponse]{rows: []patchRow[apigatewayapi.GatewayResponse]{
	{"/statusCode", anyEdit, func(g *apigatewayapi.GatewayResponse, op patchOp) error {
		if op.op != "replace" {
			return badRequest("Invalid patch path %s", op.path)
		}
		if !statusCodeForm.MatchString(op.text()) {
			return badRequest("Invalid status code specified: %s", op.text())
		}
		g.StatusCode = op.value
		return nil
	}},
	mapRow("/responseParameters", func(g *apigatewayapi.GatewayResponse) *map[string]string { return &g.ResponseParameters },
		"Invalid parameter name specified", patchFilled[apigatewayapi.GatewayResponse]("responseParameters")),
	mapRow("/responseTemplates", func(g *apigatewayapi.GatewayResponse) *map[string]string { return &g.ResponseTemplates },
		"Content-Type specified was not found", patchFilled[apigatewayapi.GatewayResponse]("responseTemplates")),
}}

var statusCodeForm = regexp.MustCompile(`^[1-5]\d\d$`)

// patchFilled reads the value of an entry of the map field, which must not be
// empty.
func patchFilled[T any](field string) func(*T, string, patchOp) (string, error) {
	return func(_ *T, _ string, op patchOp) (string, error) {
		if op.text() == "" {
			return "", badRequest("Invalid null or empty value in %s", field)
		}
		return op.text(), nil
	}
}

// UpdateGatewayResponse changes the answers of a type, which are customised
// from then on.
func (s *Service) UpdateGatewayResponse(ctx context.Context, in *apigatewayapi.UpdateGatewayResponseRequest) (*apigatewayapi.GatewayResponse, error) {
	sc := scopeOf(ctx)
	return update(ctx, s, func(tx store.Tx) (*apigatewayapi.GatewayResponse, error) {
		custom, err := customResponses(tx, sc, *in.RestApiId)
		if err != nil {
			return nil, err
		}
		if len(in.PatchOperations) == 0 {
			return gatewayResponse(custom, *in.ResponseType), nil
		}
		g := defined(custom, *in.ResponseType)
		if err := gatewayResponsePatch.apply(g, in.PatchOperations); err != nil {
			return nil, err
		}
		if err := checkGatewayResponse(g); err != nil {
			return nil, err
		}
		g.DefaultResponse = nil
		custom[*in.ResponseType] = *g
		return gatewayResponse(custom, *in.ResponseType), gatewayResponses.Put(tx, g, sc.id(*in.RestApiId, *in.ResponseType)...)
	})
}

// DeleteGatewayResponse takes a customisation back.
func (s *Service) DeleteGatewayResponse(ctx context.Context, in *apigatewayapi.DeleteGatewayResponseRequest) error {
	sc := scopeOf(ctx)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		custom, err := customResponses(tx, sc, *in.RestApiId)
		if err != nil {
			return err
		}
		if _, ok := custom[*in.ResponseType]; !ok {
			return notFound("Gateway response type not defined on api")
		}
		return gatewayResponses.Delete(tx, sc.id(*in.RestApiId, *in.ResponseType)...)
	})
}

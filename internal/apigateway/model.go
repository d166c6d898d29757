package apigateway

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/gateway"
	"github.com/butai-dev/butai/internal/gateway/schema"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// defaultModels are the models that every new API has (recorded).
func defaultModels() []apigatewayapi.Model {
	contentType := wire.Ptr("application/json")
	return []apigatewayapi.Model{
		{
			Id: wire.Ptr(ident.Lower(6)), Name: wire.Ptr("Empty"), ContentType: contentType,
			Description: wire.Ptr("This is a default empty schema model"),
			Schema: wire.Ptr(`{
  "$schema": "http://json-schema.org/draft-04/schema#",
  "title" : "Empty Schema",
  "type" : "object"
}`),
		},
		{
			Id: wire.Ptr(ident.Lower(6)), Name: wire.Ptr("Error"), ContentType: contentType,
			Description: wire.Ptr("This is a default error schema model"),
			Schema: wire.Ptr(`{
  "$schema" : "http://json-schema.org/draft-04/schema#",
  "title" : "Error Schema",
  "type" : "object",
  "properties" : {
    "message" : { "type" : "string" }
  }
}`),
		},
	}
}

// GetModel returns a model; flattened, with the models that its schema refers
// to among the schema's definitions.
func (s *Service) GetModel(ctx context.Context, in *apigatewayapi.GetModelRequest) (*apigatewayapi.Model, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.Model, error) {
		m, err := find(r, models, noModel(*in.ModelName), sc.id(*in.RestApiId, *in.ModelName))
		if err != nil || !wire.Val(in.Flatten) {
			return m, err
		}
		flat, err := schema.Flatten(wire.Val(m.Schema), gateway.ModelURLs(*in.RestApiId), func(name string) (string, bool) {
			other, err := models.Get(r, sc.id(*in.RestApiId, name)...)
			if err != nil || other == nil {
				return "", false
			}
			return wire.Val(other.Schema), true
		})
		m.Schema = &flat
		return m, err
	})
}

// GetModels lists an API's models.
func (s *Service) GetModels(ctx context.Context, in *apigatewayapi.GetModelsRequest) (*apigatewayapi.Models, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.Models, error) {
		if _, err := getAPI(r, sc, *in.RestApiId); err != nil {
			return nil, err
		}
		items, next, err := page(r, models, in.Position, in.Limit, func(m *apigatewayapi.Model) string { return *m.Name }, sc.id(*in.RestApiId))
		return &apigatewayapi.Models{Position: next, Items: values(items)}, err
	})
}

// checkModels refuses names of models that the API doesn't have.
func checkModels(r store.ReadTx, sc scope, apiID string, byType map[string]string) error {
	for _, contentType := range slices.Sorted(maps.Keys(byType)) {
		name := byType[contentType]
		if m, err := models.Get(r, sc.id(apiID, name)...); err != nil || m == nil {
			return cmp.Or(err, badRequest("Invalid model identifier specified: %s", name))
		}
	}
	return nil
}

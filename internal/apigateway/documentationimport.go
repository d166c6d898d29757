package apigateway

import (
	"context"
	"encoding/json"
	"maps"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/apigateway/openapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// ImportDocumentationParts takes the documentation parts out of an OpenAPI
// document, and nothing else.
func (s *Service) ImportDocumentationParts(ctx context.Context, in *apigatewayapi.ImportDocumentationPartsRequest) (*apigatewayapi.DocumentationPartIds, error) {
	sc := scopeOf(ctx)
	parts, err := openapi.Documentation(in.Body)
	if err != nil {
		return nil, badRequest("Unable to build importer with provided input.")
	}
	return update(ctx, s, func(tx store.Tx) (*apigatewayapi.DocumentationPartIds, error) {
		api, err := getAPI(tx, sc, *in.RestApiId)
		if err != nil {
			return nil, err
		}
		if wire.Val(in.Mode) == apigatewayapi.PutModeOverwrite {
			if err := documentationParts.DeleteAll(tx, sc.id(*api.Id)...); err != nil {
				return nil, err
			}
		}
		im := &importer{svc: s, tx: tx, scope: sc, api: api}
		ids, err := im.mergeDocumentation(parts)
		switch {
		case err != nil:
			return nil, err
		case len(im.faults) > 0 && wire.Val(in.FailOnWarnings):
			return nil, badRequest("Warnings found during import:\n\t%s", strings.Join(im.faults, "\n\t"))
		}
		return &apigatewayapi.DocumentationPartIds{Ids: ids, Warnings: im.faults}, nil
	})
}

// mergeObjects puts the members of one JSON object over those of another.
// Both were checked before they were stored.
func mergeObjects(old, over string) string {
	var base, top map[string]json.RawMessage
	if json.Unmarshal([]byte(old), &base) != nil || json.Unmarshal([]byte(over), &top) != nil {
		return over
	}
	maps.Copy(base, top)
	for name := range base {
		if _, again := top[name]; !again {
			merged, err := json.Marshal(base)
			if err != nil {
				return over
			}
			return string(merged)
		}
	}
	return over // nothing of the old one stays: keep the order as it was sent
}

package apigateway

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// documentationParts are an API's parts by id.
var documentationParts = record.New[apigatewayapi.DocumentationPart]("apigateway", "documentationpart")

func noDocumentationPart() error {
	return notFound("Invalid Documentation part identifier specified")
}

// CreateDocumentationPart documents an entity of an API that has no
// documentation yet.
func (s *Service) CreateDocumentationPart(ctx context.Context, in *apigatewayapi.CreateDocumentationPartRequest) (*apigatewayapi.DocumentationPart, error) {
	sc := scopeOf(ctx)
	part := &apigatewayapi.DocumentationPart{Id: wire.Ptr(ident.Lower(6)), Properties: in.Properties}
	return update(ctx, s, func(tx store.Tx) (*apigatewayapi.DocumentationPart, error) {
		have, err := partsByPlace(tx, sc, *in.RestApiId)
		if err != nil {
			return nil, err
		}
		if part.Location, err = completeLocation(in.Location); err != nil {
			return nil, err
		}
		if err := checkProperties(*in.Properties); err != nil {
			return nil, err
		}
		if have[placeOf(part.Location)] != nil {
			return nil, conflict("Documentation part already exists for the specified location: %s.", describeLocation(part.Location))
		}
		return part, documentationParts.Put(tx, part, sc.id(*in.RestApiId, *part.Id)...)
	})
}

// checkProperties accepts any JSON object; what it says is the reader's affair.
func checkProperties(text string) error {
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &object) != nil || object == nil {
		return badRequest("Documentation part properties must be a valid JSON object")
	}
	return nil
}

// partsByPlace are an API's parts by location.
func partsByPlace(r store.ReadTx, sc scope, apiID string) (map[place]*apigatewayapi.DocumentationPart, error) {
	if _, err := getAPI(r, sc, apiID); err != nil {
		return nil, err
	}
	parts, err := documentationParts.List(r, sc.id(apiID)...)
	out := make(map[place]*apigatewayapi.DocumentationPart, len(parts))
	for _, p := range parts {
		out[placeOf(p.Location)] = p
	}
	return out, err
}

func getDocumentationPart(r store.ReadTx, sc scope, apiID, id string) (*apigatewayapi.DocumentationPart, error) {
	return find(r, documentationParts, noDocumentationPart(), sc.id(apiID, id))
}

// GetDocumentationPart returns a part. A missing API reads as a missing part
// (recorded).
func (s *Service) GetDocumentationPart(ctx context.Context, in *apigatewayapi.GetDocumentationPartRequest) (*apigatewayapi.DocumentationPart, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.DocumentationPart, error) {
		return getDocumentationPart(r, sc, *in.RestApiId, *in.DocumentationPartId)
	})
}

// GetDocumentationParts lists the parts that pass every filter, or with
// locationStatus UNDOCUMENTED the locations that could have one.
func (s *Service) GetDocumentationParts(ctx context.Context, in *apigatewayapi.GetDocumentationPartsRequest) (*apigatewayapi.DocumentationParts, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.DocumentationParts, error) {
		if _, err := getAPI(r, sc, *in.RestApiId); err != nil {
			return nil, err
		}
		parts, err := documentationParts.List(r, sc.id(*in.RestApiId)...)
		if err != nil {
			return nil, err
		}
		if wire.Val(in.LocationStatus) == apigatewayapi.LocationStatusTypeUNDOCUMENTED {
			if parts, err = undocumented(r, sc, *in.RestApiId, parts); err != nil {
				return nil, err
			}
		}
		var passed []*apigatewayapi.DocumentationPart
		for _, p := range parts {
			if passesFilters(in, p.Location) {
				passed = append(passed, p)
			}
		}
		items, next, err := pageOf(passed, in.Position, in.Limit)
		return &apigatewayapi.DocumentationParts{Position: next, Items: values(items)}, err
	})
}

// passesFilters: names and paths are looked for as parts of the location's.
func passesFilters(in *apigatewayapi.GetDocumentationPartsRequest, l *apigatewayapi.DocumentationPartLocation) bool {
	return (wire.Val(in.Type) == "" || *in.Type == *l.Type) &&
		strings.Contains(wire.Val(l.Name), wire.Val(in.NameQuery)) &&
		strings.Contains(wire.Val(l.Path), wire.Val(in.Path))
}

var documentationPartPatch = patchTable[apigatewayapi.DocumentationPart]{picky: true, rows: []patchRow[apigatewayapi.DocumentationPart]{
	{"/properties", replaceOnly, func(p *apigatewayapi.DocumentationPart, op patchOp) error {
		p.Properties = wire.Ptr(op.text())
		return checkProperties(op.text())
	}},
}}

// UpdateDocumentationPart changes what a part says.
func (s *Service) UpdateDocumentationPart(ctx context.Context, in *apigatewayapi.UpdateDocumentationPartRequest) (*apigatewayapi.DocumentationPart, error) {
	sc := scopeOf(ctx)
	return update(ctx, s, func(tx store.Tx) (*apigatewayapi.DocumentationPart, error) {
		part, err := getDocumentationPart(tx, sc, *in.RestApiId, *in.DocumentationPartId)
		if err != nil {
			return nil, err
		}
		if err := documentationPartPatch.apply(part, in.PatchOperations); err != nil {
			return nil, err
		}
		return part, documentationParts.Put(tx, part, sc.id(*in.RestApiId, *part.Id)...)
	})
}

// DeleteDocumentationPart deletes a part; versions that have it keep it.
func (s *Service) DeleteDocumentationPart(ctx context.Context, in *apigatewayapi.DeleteDocumentationPartRequest) error {
	sc := scopeOf(ctx)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := getAPI(tx, sc, *in.RestApiId); err != nil {
			return err
		}
		if _, err := getDocumentationPart(tx, sc, *in.RestApiId, *in.DocumentationPartId); err != nil {
			return err
		}
		return documentationParts.Delete(tx, sc.id(*in.RestApiId, *in.DocumentationPartId)...)
	})
}

package apigateway

import (
	"cmp"
	"context"
	"slices"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// documentationVersion is a frozen copy of an API's documentation parts.
type documentationVersion struct {
	Version apigatewayapi.DocumentationVersion
	Parts   []apigatewayapi.DocumentationPart
}

var documentationVersions = record.New[documentationVersion]("apigateway", "documentationversion")

func noDocumentationVersion() error { return notFound("Invalid Documentation version specified") }

// CreateDocumentationVersion freezes the documentation as it is now and, if
// asked to, gives it to a stage.
func (s *Service) CreateDocumentationVersion(ctx context.Context, in *apigatewayapi.CreateDocumentationVersionRequest) (*apigatewayapi.DocumentationVersion, error) {
	sc, api, name := scopeOf(ctx), *in.RestApiId, *in.DocumentationVersion
	if name == "" {
		return nil, badRequest("Documentation version cannot be empty")
	}
	v, err := update(ctx, s, func(tx store.Tx) (*documentationVersion, error) {
		if _, err := getAPI(tx, sc, api); err != nil {
			return nil, err
		}
		v, err := s.freezeDocumentation(tx, sc, api, name, in.Description)
		if err != nil || wire.Val(in.StageName) == "" {
			return v, err
		}
		st, err := getStage(tx, sc, api, *in.StageName)
		if err != nil {
			return nil, err
		}
		st.Stage.DocumentationVersion, st.Stage.LastUpdatedDate = &name, s.now()
		return v, stages.Put(tx, st, sc.id(api, *in.StageName)...)
	})
	if err != nil {
		return nil, err
	}
	return &v.Version, nil
}

// freezeDocumentation stores the version name of an API's documentation.
func (s *Service) freezeDocumentation(tx store.Tx, sc scope, api, name string, description *string) (*documentationVersion, error) {
	if have, err := documentationVersions.Get(tx, sc.id(api, name)...); err != nil || have != nil {
		return nil, cmp.Or(err, conflict("Documentation version already exists"))
	}
	parts, err := documentationParts.List(tx, sc.id(api)...)
	if err != nil {
		return nil, err
	}
	v := &documentationVersion{
		Version: apigatewayapi.DocumentationVersion{Version: &name, CreatedDate: s.now(), Description: nonEmpty(description)},
		Parts:   values(parts),
	}
	return v, documentationVersions.Put(tx, v, sc.id(api, name)...)
}

func getDocumentationVersion(r store.ReadTx, sc scope, api, name string) (*documentationVersion, error) {
	if _, err := getAPI(r, sc, api); err != nil {
		return nil, err
	}
	return find(r, documentationVersions, noDocumentationVersion(), sc.id(api, name))
}

// checkDocumentationVersion refuses a version that the API doesn't have.
func checkDocumentationVersion(r store.ReadTx, sc scope, api string, name *string) error {
	if wire.Val(name) == "" {
		return nil
	}
	v, err := documentationVersions.Get(r, sc.id(api, *name)...)
	if err == nil && v == nil {
		err = noDocumentationVersion()
	}
	return err
}

// GetDocumentationVersion returns a version, without its parts.
func (s *Service) GetDocumentationVersion(ctx context.Context, in *apigatewayapi.GetDocumentationVersionRequest) (*apigatewayapi.DocumentationVersion, error) {
	sc := scopeOf(ctx)
	v, err := view(ctx, s, func(r store.ReadTx) (*documentationVersion, error) {
		return getDocumentationVersion(r, sc, *in.RestApiId, *in.DocumentationVersion)
	})
	if err != nil {
		return nil, err
	}
	return &v.Version, nil
}

// GetDocumentationVersions lists an API's versions.
func (s *Service) GetDocumentationVersions(ctx context.Context, in *apigatewayapi.GetDocumentationVersionsRequest) (*apigatewayapi.DocumentationVersions, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.DocumentationVersions, error) {
		if _, err := getAPI(r, sc, *in.RestApiId); err != nil {
			return nil, err
		}
		items, next, err := page(r, documentationVersions, in.Position, in.Limit,
			func(v *documentationVersion) string { return *v.Version.Version }, sc.id(*in.RestApiId))
		out := &apigatewayapi.DocumentationVersions{Position: next, Items: []apigatewayapi.DocumentationVersion{}}
		for _, v := range items {
			out.Items = append(out.Items, v.Version)
		}
		return out, err
	})
}

var documentationVersionPatch = patchTable[apigatewayapi.DocumentationVersion]{picky: true, rows: []patchRow[apigatewayapi.DocumentationVersion]{
	textRow("/description", func(v *apigatewayapi.DocumentationVersion) **string { return &v.Description }),
}}

// UpdateDocumentationVersion changes a version's description.
func (s *Service) UpdateDocumentationVersion(ctx context.Context, in *apigatewayapi.UpdateDocumentationVersionRequest) (*apigatewayapi.DocumentationVersion, error) {
	sc := scopeOf(ctx)
	return update(ctx, s, func(tx store.Tx) (*apigatewayapi.DocumentationVersion, error) {
		v, err := getDocumentationVersion(tx, sc, *in.RestApiId, *in.DocumentationVersion)
		if err != nil {
			return nil, err
		}
		if err := documentationVersionPatch.apply(&v.Version, in.PatchOperations); err != nil {
			return nil, err
		}
		return &v.Version, documentationVersions.Put(tx, v, sc.id(*in.RestApiId, *v.Version.Version)...)
	})
}

// DeleteDocumentationVersion deletes a version that no stage has.
func (s *Service) DeleteDocumentationVersion(ctx context.Context, in *apigatewayapi.DeleteDocumentationVersionRequest) error {
	sc, api, name := scopeOf(ctx), *in.RestApiId, *in.DocumentationVersion
	return s.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := getDocumentationVersion(tx, sc, api, name); err != nil {
			return err
		}
		served, err := stages.List(tx, sc.id(api)...)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(served, func(st *stage) bool { return wire.Val(st.Stage.DocumentationVersion) == name }) {
			return badRequest("Active stages pointing to this documentation version must be moved or deleted")
		}
		return documentationVersions.Delete(tx, sc.id(api, name)...)
	})
}

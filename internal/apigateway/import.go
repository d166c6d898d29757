package apigateway

import (
	"context"
	"errors"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/apigateway/openapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxDocument is the largest OpenAPI document ("Amazon API Gateway quotas").
const maxDocument = 6 << 20

// ImportRestApi makes an API of an OpenAPI document.
func (s *Service) ImportRestApi(ctx context.Context, in *apigatewayapi.ImportRestApiRequest) (*apigatewayapi.RestApi, error) {
	sc, id := scopeOf(ctx), ident.Lower(10)
	doc, err := readDocument(sc, id, in.Body, in.Parameters)
	if err != nil {
		return nil, err
	}
	if wire.Val(doc.Name) == "" {
		return nil, badRequest("%s", openapi.ErrInvalid)
	}
	api, err := s.newAPI(sc, &apigatewayapi.CreateRestApiRequest{Name: doc.Name})
	if err != nil {
		return nil, err
	}
	api.Id = &id
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		root := &apigatewayapi.Resource{Id: api.RootResourceId, Path: wire.Ptr("/")}
		if err := resources.Put(tx, root, sc.id(id, *root.Id)...); err != nil {
			return err
		}
		return s.importInto(tx, sc, api, doc, in.FailOnWarnings)
	})
	if err != nil {
		return nil, err
	}
	return answerImport(api, doc, false), nil
}

// PutRestApi merges an OpenAPI document into an API, or replaces the API by it.
func (s *Service) PutRestApi(ctx context.Context, in *apigatewayapi.PutRestApiRequest) (*apigatewayapi.RestApi, error) {
	sc, id := scopeOf(ctx), *in.RestApiId
	doc, err := readDocument(sc, id, in.Body, in.Parameters)
	if err != nil {
		return nil, err
	}
	api, err := update(ctx, s, func(tx store.Tx) (*apigatewayapi.RestApi, error) {
		api, err := getAPI(tx, sc, id)
		if err != nil {
			return nil, err
		}
		if wire.Val(in.Mode) == apigatewayapi.PutModeOverwrite {
			if err := clearAPI(tx, sc, api, doc); err != nil {
				return nil, err
			}
		}
		return api, s.importInto(tx, sc, api, doc, in.FailOnWarnings)
	})
	if err != nil {
		return nil, err
	}
	return answerImport(api, doc, true), nil
}

func answerImport(api *apigatewayapi.RestApi, doc *openapi.API, emptyTags bool) *apigatewayapi.RestApi {
	out := answerAPI(api, emptyTags)
	out.Warnings = doc.Warnings
	return out
}

// readDocument reads a document and what the call's parameters say of it
// (API Reference, ImportRestApi, "parameters"). Both calls pass their query
// string on whole, so that parameters of others are no fault.
func readDocument(sc scope, apiID string, body []byte, parameters map[string]string) (*openapi.API, error) {
	if len(body) > maxDocument {
		return nil, badRequest("API definition exceeds the maximum size of 6291456 bytes")
	}
	o := openapi.Options{APIID: apiID, Account: sc.Account, Region: sc.Region, BasePath: strings.ToLower(parameters["basepath"])}
	switch o.BasePath {
	case "", "ignore", "prepend", "split":
	default:
		return nil, badRequest("Invalid basepath parameter specified. Valid options are ignore,prepend,split")
	}
	doc, err := openapi.Import(body, o)
	if err != nil {
		return nil, badRequest("%s", err)
	}
	if parameters["ignore"] == "documentation" {
		doc.DocumentationParts = nil
	}
	if kinds := parameters["endpointConfigurationTypes"]; kinds != "" {
		if doc.EndpointConfiguration == nil {
			doc.EndpointConfiguration = &apigatewayapi.EndpointConfiguration{}
		}
		doc.EndpointConfiguration.Types = strings.Split(kinds, ",")
	}
	return doc, nil
}

// clearAPI removes what overwriting replaces. Resources that the document has
// again keep their ids (recorded); the rest is importInto's work.
func clearAPI(tx store.Tx, sc scope, api *apigatewayapi.RestApi, doc *openapi.API) error {
	api.Description, api.Version, api.BinaryMediaTypes, api.MinimumCompressionSize, api.Policy = nil, nil, nil, nil, nil
	api.ApiKeySource = wire.Ptr(apigatewayapi.ApiKeySourceTypeHEADER)
	api.DisableExecuteApiEndpoint = wire.Ptr(false)
	for _, remove := range []func(store.Tx, ...string) error{
		models.DeleteAll, authorizers.DeleteAll, requestValidators.DeleteAll, gatewayResponses.DeleteAll,
	} {
		if err := remove(tx, sc.id(*api.Id)...); err != nil {
			return err
		}
	}
	if doc.DocumentationParts != nil {
		if err := documentationParts.DeleteAll(tx, sc.id(*api.Id)...); err != nil {
			return err
		}
	}
	t, err := loadTree(tx, sc, *api.Id)
	if err != nil {
		return err
	}
	keep := map[string]bool{"/": true}
	for _, res := range doc.Resources {
		for path := res.Path; path != ""; path = path[:strings.LastIndexByte(path, '/')] {
			keep[path] = true
		}
	}
	for id, res := range t {
		if !keep[*res.Path] {
			if err := resources.Delete(tx, sc.id(*api.Id, id)...); err != nil {
				return err
			}
			continue
		}
		res.ResourceMethods = nil
		if err := resources.Put(tx, res, sc.id(*api.Id, id)...); err != nil {
			return err
		}
	}
	return nil
}

// importInto writes a document's records into an API. Every fault of the
// document is reported in one error; then nothing changes.
func (s *Service) importInto(tx store.Tx, sc scope, api *apigatewayapi.RestApi, doc *openapi.API, failOnWarnings *bool) error {
	im := &importer{svc: s, tx: tx, scope: sc, api: api, doc: doc}
	im.faults = append(im.faults, doc.Errors...)
	for _, step := range []func() error{
		im.attributes, im.models, im.authorizers, im.validators, im.gatewayResponses, im.documentation, im.resources,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	if len(im.faults) > 0 {
		return badRequest("Errors found during import:\n\t%s", strings.Join(im.faults, "\n\t"))
	}
	if wire.Val(failOnWarnings) && len(doc.Warnings) > 0 {
		return badRequest("Warnings found during import:\n\t%s", strings.Join(doc.Warnings, "\n\t"))
	}
	return nil
}

// importer is an import on its way into the store.
type importer struct {
	scope
	svc    *Service
	tx     store.Tx
	api    *apigatewayapi.RestApi
	doc    *openapi.API
	faults []string

	authorizerIDs, validatorIDs map[string]string // by name
	tree                        tree
	paths                       map[string]*apigatewayapi.Resource
}

func (im *importer) id(parts ...string) []string {
	return im.scope.id(append([]string{*im.api.Id}, parts...)...)
}

// fault notes what API Gateway refuses, in its words; what else went wrong
// ends the import.
func (im *importer) fault(what string, err error) error {
	if err == nil {
		return nil
	}
	var refused *apigatewayapi.BadRequestException
	var missing *apigatewayapi.NotFoundException
	var clash *apigatewayapi.ConflictException
	switch {
	case errors.As(err, &refused):
		im.faults = append(im.faults, what+wire.Val(refused.Message))
	case errors.As(err, &missing):
		im.faults = append(im.faults, what+wire.Val(missing.Message))
	case errors.As(err, &clash):
		im.faults = append(im.faults, what+wire.Val(clash.Message))
	default:
		return err
	}
	return nil
}

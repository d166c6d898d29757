package apigateway

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

const maxCompressionSize = 10_485_760

// CreateRestApi makes an API with its root resource and default models.
func (s *Service) CreateRestApi(ctx context.Context, in *apigatewayapi.CreateRestApiRequest) (*apigatewayapi.RestApi, error) {
	sc := scopeOf(ctx)
	api, err := s.newAPI(sc, in)
	if err != nil {
		return nil, err
	}
	id := *api.Id
	defaults := defaultModels()
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		if wire.Val(in.CloneFrom) != "" {
			return cloneAPI(tx, sc, api, *in.CloneFrom)
		}
		if err := apis.Put(tx, api, sc.id(id)...); err != nil {
			return err
		}
		for i := range defaults {
			if err := models.Put(tx, &defaults[i], sc.id(id, *defaults[i].Name)...); err != nil {
				return err
			}
		}
		root := &apigatewayapi.Resource{Id: api.RootResourceId, Path: wire.Ptr("/")}
		return resources.Put(tx, root, sc.id(id, *root.Id)...)
	})
	if err != nil {
		return nil, err
	}
	return answerAPI(api, false), nil
}

func (s *Service) newAPI(sc scope, in *apigatewayapi.CreateRestApiRequest) (*apigatewayapi.RestApi, error) {
	if *in.Name == "" {
		return nil, badRequest("Name cannot be empty")
	}
	if in.Description != nil && *in.Description == "" {
		return nil, badRequest("Description cannot be an empty string")
	}
	endpoint, err := defaultEndpoint(in.EndpointConfiguration)
	if err != nil {
		return nil, err
	}
	if n := wire.Val(in.MinimumCompressionSize); n < 0 || n > maxCompressionSize {
		return nil, badCompressionSize()
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	api := &apigatewayapi.RestApi{
		Id: wire.Ptr(ident.Lower(10)), Name: in.Name, Description: in.Description, CreatedDate: s.now(),
		Version: nonEmpty(in.Version), MinimumCompressionSize: in.MinimumCompressionSize,
		ApiKeySource: in.ApiKeySource, EndpointConfiguration: endpoint, Tags: in.Tags,
		DisableExecuteApiEndpoint: wire.Ptr(wire.Val(in.DisableExecuteApiEndpoint)), RootResourceId: wire.Ptr(ident.Lower(10)),
	}
	if len(in.BinaryMediaTypes) > 0 {
		api.BinaryMediaTypes = in.BinaryMediaTypes
	}
	if api.ApiKeySource == nil {
		api.ApiKeySource = wire.Ptr(apigatewayapi.ApiKeySourceTypeHEADER)
	}
	if err := setSecurity(api, nonEmpty(in.SecurityPolicy), nonEmpty(in.EndpointAccessMode)); err != nil {
		return nil, err
	}
	api.Policy, err = storePolicy(sc, *api.Id, in.Policy, s.Principals)
	return api, err
}

func badCompressionSize() error {
	return badRequest("Invalid minimum compression size, must be between 0 and 10485760")
}

// answerAPI is an API as a call prints it. Reading or updating one API shows
// an empty tags member, creating and listing leave it out (recorded).
func answerAPI(api *apigatewayapi.RestApi, emptyTags bool) *apigatewayapi.RestApi {
	out := *api
	out.Policy = answerPolicy(api.Policy)
	if len(out.Tags) == 0 {
		out.Tags = nil
		if emptyTags {
			out.Tags = map[string]string{}
		}
	}
	return &out
}

// GetRestApi returns an API.
func (s *Service) GetRestApi(ctx context.Context, in *apigatewayapi.GetRestApiRequest) (*apigatewayapi.RestApi, error) {
	sc := scopeOf(ctx)
	api, err := view(ctx, s, func(r store.ReadTx) (*apigatewayapi.RestApi, error) { return getAPI(r, sc, *in.RestApiId) })
	if err != nil {
		return nil, err
	}
	return answerAPI(api, true), nil
}

func getAPI(r store.ReadTx, sc scope, id string) (*apigatewayapi.RestApi, error) {
	return find(r, apis, noAPI(sc, id), sc.id(id))
}

// GetRestApis lists the APIs of the account's region.
func (s *Service) GetRestApis(ctx context.Context, in *apigatewayapi.GetRestApisRequest) (*apigatewayapi.RestApis, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.RestApis, error) {
		items, next, err := page(r, apis, in.Position, in.Limit, func(v *apigatewayapi.RestApi) string { return *v.Id }, sc.id())
		if err != nil {
			return nil, err
		}
		out := &apigatewayapi.RestApis{Position: next, Items: []apigatewayapi.RestApi{}}
		for _, api := range items {
			out.Items = append(out.Items, *answerAPI(api, false))
		}
		return out, nil
	})
}

// UpdateRestApi changes an API. What clients see of it changes with the next
// deployment.
func (s *Service) UpdateRestApi(ctx context.Context, in *apigatewayapi.UpdateRestApiRequest) (*apigatewayapi.RestApi, error) {
	sc := scopeOf(ctx)
	api, err := update(ctx, s, func(tx store.Tx) (*apigatewayapi.RestApi, error) {
		api, err := getAPI(tx, sc, *in.RestApiId)
		if err != nil {
			return nil, err
		}
		edit, private := &apiEdit{scope: sc, RestApi: api, principals: s.Principals}, isPrivate(api.EndpointConfiguration)
		types := api.EndpointConfiguration.Types
		if err := apiPatch.apply(edit, in.PatchOperations); err != nil {
			return nil, err
		}
		if err := checkAPISecurity(api, types, in.PatchOperations); err != nil {
			return nil, err
		}
		if isPrivate(api.EndpointConfiguration) != private {
			if err := checkUnmapped(tx, sc, *api.Id); err != nil {
				return nil, err
			}
		}
		return api, apis.Put(tx, api, sc.id(*api.Id)...)
	})
	if err != nil {
		return nil, err
	}
	return answerAPI(api, true), nil
}

// checkUnmapped keeps APIs that custom domains lead to from becoming private,
// or public, as their domains are (developer guide, "Custom domain names for
// private APIs in API Gateway").
func checkUnmapped(r store.ReadTx, sc scope, id string) error {
	mapped, err := mappedDomains(r, sc, id, "")
	if err == nil && len(mapped) > 0 {
		err = badRequest("The endpoint type can't be changed while the RestApi is mapped to custom domain names: %s", strings.Join(mapped, ", "))
	}
	return err
}

// apiEdit is an API under PATCH.
type apiEdit struct {
	scope
	*apigatewayapi.RestApi
	principals Principals
}

var apiPatch = patchTable[apiEdit]{rows: []patchRow[apiEdit]{
	{"/name", replaceOnly, func(e *apiEdit, op patchOp) error {
		if op.text() == "" {
			return badRequest("Name cannot be empty")
		}
		e.Name = op.value
		return nil
	}},
	optionalRow("/description", func(e *apiEdit) **string { return &e.Description }),
	{"/policy", replaceOnly, func(e *apiEdit, op patchOp) (err error) {
		e.Policy, err = storePolicy(e.scope, *e.Id, op.value, e.principals)
		return err
	}},
	{"/apiKeySource", replaceOnly, func(e *apiEdit, op patchOp) error {
		e.ApiKeySource = op.value
		return oneOf("ApiKeySource", op.text(), apigatewayapi.ApiKeySourceTypeHEADER, apigatewayapi.ApiKeySourceTypeAUTHORIZER)
	}},
	{"/disableExecuteApiEndpoint", replaceOnly, func(e *apiEdit, op patchOp) error {
		e.DisableExecuteApiEndpoint = wire.Ptr(op.isTrue())
		return nil
	}},
	{"/minimumCompressionSize", replaceOnly, func(e *apiEdit, op patchOp) error {
		e.MinimumCompressionSize = nil
		if op.text() == "" {
			return nil
		}
		n, err := strconv.ParseInt(op.text(), 10, 64)
		if err != nil || n < 0 || n > maxCompressionSize {
			return badCompressionSize()
		}
		e.MinimumCompressionSize = &n
		return nil
	}},
	{"/binaryMediaTypes/{}", anyEdit, patchBinaryType},
	{"/endpointConfiguration/types/{}", anyEdit, func(e *apiEdit, op patchOp) error {
		return patchEndpointType(e.EndpointConfiguration, op)
	}},
	{"/endpointConfiguration/ipAddressType", replaceOnly, func(e *apiEdit, op patchOp) error {
		return patchIPAddressType(e.EndpointConfiguration, op)
	}},
	{"/endpointConfiguration/vpcEndpointIds", addRemove, func(e *apiEdit, op patchOp) error {
		return patchVPCEndpoint(e.EndpointConfiguration, op)
	}},
	{"/securityPolicy", replaceOnly, func(e *apiEdit, op patchOp) error { return patchSecurityPolicy(&e.SecurityPolicy, op) }},
	{"/endpointAccessMode", replaceOnly, func(e *apiEdit, op patchOp) error { return patchAccessMode(&e.EndpointAccessMode, op) }},
}}

// patchBinaryType edits a list as if it were a set of names: the entry is in
// the path, and a replaced one moves to the end (recorded).
func patchBinaryType(e *apiEdit, op patchOp) error {
	types := slices.DeleteFunc(slices.Clone(e.BinaryMediaTypes), func(t string) bool { return t == op.key })
	switch op.op {
	case "add":
		types = append(types, op.key)
	case "replace":
		types = append(types, op.text())
	}
	if len(types) == 0 {
		types = nil
	}
	e.BinaryMediaTypes = types
	return nil
}

// DeleteRestApi deletes an API with everything below it.
func (s *Service) DeleteRestApi(ctx context.Context, in *apigatewayapi.DeleteRestApiRequest) error {
	sc, id := scopeOf(ctx), *in.RestApiId
	served, err := update(ctx, s, func(tx store.Tx) ([]string, error) {
		if _, err := getAPI(tx, sc, id); err != nil {
			return nil, err
		}
		mapped, err := mappedDomains(tx, sc, id, "")
		if err != nil {
			return nil, err
		}
		if len(mapped) > 0 {
			return nil, badRequest("Deleting RestApi %s failed. Please remove all base path mappings related to the RestApi in your domains: %s",
				id, strings.Join(mapped, ", "))
		}
		return deleteAPI(tx, sc, id)
	})
	if err != nil {
		return err
	}
	return errors.Join(s.publishStages(ctx, sc, id, served...), s.publishPlans(ctx, sc))
}

// deleteAPI removes an API's records and returns the names of its stages.
func deleteAPI(tx store.Tx, sc scope, id string) ([]string, error) {
	var names []string
	for st, err := range stages.All(tx, sc.id(id)...) {
		if err != nil {
			return nil, err
		}
		names = append(names, *st.Stage.StageName)
	}
	if err := leavePlans(tx, sc, id, ""); err != nil {
		return nil, err
	}
	for _, remove := range []func(store.Tx, ...string) error{
		apis.DeleteAll, resources.DeleteAll, models.DeleteAll, deployments.DeleteAll, snapshots.DeleteAll, stages.DeleteAll,
		gatewayResponses.DeleteAll, documentationParts.DeleteAll, documentationVersions.DeleteAll, authorizers.DeleteAll, requestValidators.DeleteAll,
	} {
		if err := remove(tx, sc.id(id)...); err != nil {
			return nil, err
		}
	}
	return names, nil
}

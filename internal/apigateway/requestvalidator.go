package apigateway

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

func noValidator() error { return notFound("Invalid Request Validator identifier specified") }

// CreateRequestValidator makes a validator, which methods may refer to.
func (s *Service) CreateRequestValidator(ctx context.Context, in *apigatewayapi.CreateRequestValidatorRequest) (*apigatewayapi.RequestValidator, error) {
	sc := scopeOf(ctx)
	v := &apigatewayapi.RequestValidator{
		Id: wire.Ptr(ident.Lower(6)), Name: nonEmpty(in.Name),
		ValidateRequestBody: wire.Ptr(wire.Val(in.ValidateRequestBody)), ValidateRequestParameters: wire.Ptr(wire.Val(in.ValidateRequestParameters)),
	}
	return update(ctx, s, func(tx store.Tx) (*apigatewayapi.RequestValidator, error) {
		// A missing API is a bad request to this call alone (recorded).
		if _, err := find(tx, apis, badRequest("Invalid REST API identifier specified"), sc.id(*in.RestApiId)); err != nil {
			return nil, err
		}
		return v, requestValidators.Put(tx, v, sc.id(*in.RestApiId, *v.Id)...)
	})
}

// GetRequestValidator returns a validator.
func (s *Service) GetRequestValidator(ctx context.Context, in *apigatewayapi.GetRequestValidatorRequest) (*apigatewayapi.RequestValidator, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.RequestValidator, error) {
		return find(r, requestValidators, noValidator(), sc.id(*in.RestApiId, *in.RequestValidatorId))
	})
}

// GetRequestValidators lists an API's validators.
func (s *Service) GetRequestValidators(ctx context.Context, in *apigatewayapi.GetRequestValidatorsRequest) (*apigatewayapi.RequestValidators, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.RequestValidators, error) {
		if _, err := getAPI(r, sc, *in.RestApiId); err != nil {
			return nil, err
		}
		items, next, err := page(r, requestValidators, in.Position, in.Limit, func(v *apigatewayapi.RequestValidator) string { return *v.Id }, sc.id(*in.RestApiId))
		return &apigatewayapi.RequestValidators{Position: next, Items: values(items)}, err
	})
}

var validatorPatch = patchTable[apigatewayapi.RequestValidator]{picky: true, rows: []patchRow[apigatewayapi.RequestValidator]{
	{"/name", replaceOnly, func(v *apigatewayapi.RequestValidator, op patchOp) error {
		if op.text() == "" {
			return badRequest("Request Validator name cannot be blank")
		}
		v.Name = op.value
		return nil
	}},
	{"/validateRequestParameters", replaceOnly, func(v *apigatewayapi.RequestValidator, op patchOp) error {
		v.ValidateRequestParameters = wire.Ptr(op.isTrue())
		return nil
	}},
	{"/validateRequestBody", replaceOnly, func(v *apigatewayapi.RequestValidator, op patchOp) error {
		v.ValidateRequestBody = wire.Ptr(op.isTrue())
		return nil
	}},
}}

// UpdateRequestValidator changes a validator. Clients see it with the next
// deployment.
func (s *Service) UpdateRequestValidator(ctx context.Context, in *apigatewayapi.UpdateRequestValidatorRequest) (*apigatewayapi.RequestValidator, error) {
	sc := scopeOf(ctx)
	return update(ctx, s, func(tx store.Tx) (*apigatewayapi.RequestValidator, error) {
		v, err := find(tx, requestValidators, noValidator(), sc.id(*in.RestApiId, *in.RequestValidatorId))
		if err != nil {
			return nil, err
		}
		if err := validatorPatch.apply(v, in.PatchOperations); err != nil {
			return nil, err
		}
		return v, requestValidators.Put(tx, v, sc.id(*in.RestApiId, *v.Id)...)
	})
}

// DeleteRequestValidator deletes a validator that no method refers to.
func (s *Service) DeleteRequestValidator(ctx context.Context, in *apigatewayapi.DeleteRequestValidatorRequest) error {
	sc := scopeOf(ctx)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := find(tx, requestValidators, noValidator(), sc.id(*in.RestApiId, *in.RequestValidatorId)); err != nil {
			return err
		}
		user, err := findMethod(tx, sc, *in.RestApiId, func(m *apigatewayapi.Method) bool {
			return wire.Val(m.RequestValidatorId) == *in.RequestValidatorId
		})
		if err != nil {
			return err
		}
		if user != "" { // worded as for models; not recorded
			return conflict("Cannot delete request validator '%s', is referenced in method request: %s", *in.RequestValidatorId, user)
		}
		return requestValidators.Delete(tx, sc.id(*in.RestApiId, *in.RequestValidatorId)...)
	})
}

// findMethod names a method of an API that wanted holds for, as conflicts do:
// /pets/GET, and //GET at the root; "" if there is none.
func findMethod(r store.ReadTx, sc scope, apiID string, wanted func(*apigatewayapi.Method) bool) (string, error) {
	for res, err := range resources.All(r, sc.id(apiID)...) {
		if err != nil {
			return "", fmt.Errorf("look for a method: %w", err)
		}
		for _, verb := range slices.Sorted(maps.Keys(res.ResourceMethods)) {
			if m := res.ResourceMethods[verb]; wanted(&m) {
				return *res.Path + "/" + verb, nil
			}
		}
	}
	return "", nil
}

// checkValidator refuses an id that the API doesn't have.
func checkValidator(r store.ReadTx, at methodID, m *apigatewayapi.Method) error {
	if wire.Val(m.RequestValidatorId) == "" {
		m.RequestValidatorId = nil
		return nil
	}
	_, err := find(r, requestValidators, badRequest("Invalid Request Validator identifier specified"), at.id(at.api, *m.RequestValidatorId))
	return err
}

package apigateway

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/gateway"
	"github.com/butai-dev/butai/internal/gateway/schema"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// modelName is what models may be called (seen in CloudFormation's events).
var modelName = regexp.MustCompile(`^[a-zA-Z0-9]+$`)

// CreateModel makes a model: a JSON schema of draft 4 that requests may be
// validated against.
func (s *Service) CreateModel(ctx context.Context, in *apigatewayapi.CreateModelRequest) (*apigatewayapi.Model, error) {
	sc := scopeOf(ctx)
	m := &apigatewayapi.Model{
		Id: wire.Ptr(ident.Lower(6)), Name: in.Name, ContentType: in.ContentType, Description: nonEmpty(in.Description), Schema: in.Schema,
	}
	return update(ctx, s, func(tx store.Tx) (*apigatewayapi.Model, error) {
		if _, err := getAPI(tx, sc, *in.RestApiId); err != nil {
			return nil, err
		}
		switch {
		case *in.Name == "":
			return nil, badRequest("Model name must be non-empty")
		case !modelName.MatchString(*in.Name):
			return nil, badRequest("Model name must be alphanumeric: %s", *in.Name)
		case !isContentType(*in.ContentType):
			return nil, badRequest("Invalid content type specified: %s", *in.ContentType)
		}
		if err := checkModel(tx, sc, *in.RestApiId, m); err != nil {
			return nil, err
		}
		if taken, err := models.Get(tx, sc.id(*in.RestApiId, *in.Name)...); err != nil || taken != nil {
			return nil, cmp.Or(err, conflict("Model name already exists for this REST API"))
		}
		return m, models.Put(tx, m, sc.id(*in.RestApiId, *in.Name)...)
	})
}

// checkModel refuses what isn't a model's schema, and references to models
// that the API doesn't have, but for the model itself.
func checkModel(r store.ReadTx, sc scope, apiID string, m *apigatewayapi.Model) error {
	if err := checkSchema(apiID, m); err != nil {
		return err
	}
	var missing []string
	for _, name := range schema.References(*m.Schema, gateway.ModelURLs(apiID)) {
		other, err := models.Get(r, sc.id(apiID, name)...)
		if err != nil {
			return err
		}
		if other == nil && name != *m.Name {
			missing = append(missing, "Invalid model specified: "+name)
		}
	}
	if missing != nil {
		return invalidModel(strings.Join(missing, ", "))
	}
	return nil
}

// checkSchema refuses what isn't a model's schema.
func checkSchema(apiID string, m *apigatewayapi.Model) error {
	if wire.Val(m.Schema) == "" {
		return badRequest("Model schema must have at least 1 property or array items defined")
	}
	if err := schema.Check(*m.Schema, gateway.ModelURLs(apiID)); err != nil {
		return invalidModel(err.Error())
	}
	return nil
}

func invalidModel(faults string) error {
	return badRequest("Invalid model specified: Validation Result: warnings : [], errors : [%s]", faults)
}

var modelPatch = patchTable[apigatewayapi.Model]{picky: true, rows: []patchRow[apigatewayapi.Model]{
	textRow("/description", func(m *apigatewayapi.Model) **string { return &m.Description }),
	textRow("/schema", func(m *apigatewayapi.Model) **string { return &m.Schema }),
}}

// UpdateModel changes a model. Clients see it with the next deployment.
func (s *Service) UpdateModel(ctx context.Context, in *apigatewayapi.UpdateModelRequest) (*apigatewayapi.Model, error) {
	sc := scopeOf(ctx)
	return update(ctx, s, func(tx store.Tx) (*apigatewayapi.Model, error) {
		m, err := find(tx, models, noModel(*in.ModelName), sc.id(*in.RestApiId, *in.ModelName))
		if err != nil {
			return nil, err
		}
		if err := modelPatch.apply(m, in.PatchOperations); err != nil {
			return nil, err
		}
		if err := checkModel(tx, sc, *in.RestApiId, m); err != nil {
			return nil, err
		}
		return m, models.Put(tx, m, sc.id(*in.RestApiId, *m.Name)...)
	})
}

// DeleteModel deletes a model that nothing refers to.
func (s *Service) DeleteModel(ctx context.Context, in *apigatewayapi.DeleteModelRequest) error {
	sc, name := scopeOf(ctx), *in.ModelName
	return s.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := find(tx, models, noModel(name), sc.id(*in.RestApiId, name)); err != nil {
			return err
		}
		user, err := findMethod(tx, sc, *in.RestApiId, func(m *apigatewayapi.Method) bool { return refersTo(m.RequestModels, name) })
		if err != nil {
			return err
		}
		if user != "" {
			return conflict("Cannot delete model '%s', is referenced in method request: %s", name, user)
		}
		user, err = findMethod(tx, sc, *in.RestApiId, func(m *apigatewayapi.Method) bool {
			for _, r := range m.MethodResponses {
				if refersTo(r.ResponseModels, name) {
					return true
				}
			}
			return false
		})
		if err != nil {
			return err
		}
		if user != "" {
			return conflict("Cannot delete model '%s', is referenced in method response: %s", name, user)
		}
		for other, err := range models.All(tx, sc.id(*in.RestApiId)...) {
			if err != nil {
				return err
			}
			refs := schema.References(wire.Val(other.Schema), gateway.ModelURLs(*in.RestApiId))
			if *other.Name != name && slices.Contains(refs, name) { // wording is ours
				return conflict("Cannot delete model '%s', is referenced in model: %s", name, *other.Name)
			}
		}
		return models.Delete(tx, sc.id(*in.RestApiId, name)...)
	})
}

func refersTo(byType map[string]string, name string) bool {
	for _, model := range byType {
		if model == name {
			return true
		}
	}
	return false
}

// GetModelTemplate returns a mapping template that makes a sample of what a
// model describes.
func (s *Service) GetModelTemplate(ctx context.Context, in *apigatewayapi.GetModelTemplateRequest) (*apigatewayapi.Template, error) {
	m, err := s.GetModel(ctx, &apigatewayapi.GetModelRequest{RestApiId: in.RestApiId, ModelName: in.ModelName})
	if err != nil {
		return nil, err
	}
	return &apigatewayapi.Template{Value: wire.Ptr(schema.Template(wire.Val(m.Schema)))}, nil
}

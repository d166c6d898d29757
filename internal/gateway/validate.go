package gateway

import (
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/gateway/schema"
	"github.com/butai-dev/butai/internal/wire"
)

// validation is what a method's request validator asks of requests.
type validation struct {
	required []requiredParam
	// bodies are the models that bodies must conform to, by media type; nil if
	// bodies aren't validated.
	bodies map[string]*bodyModel
}

// requiredParam is a request parameter that must be there.
type requiredParam struct {
	location, name string // location is path, querystring or header
}

// bodyModel is a model's schema.
type bodyModel struct {
	contentType string // as the method names it
	schema      *schema.Schema
	problem     error // why there is no schema; requests that need it fail
}

// deployedModels are the schemas of a deployment, compiled when a method asks.
type deployedModels struct {
	apiID    string
	models   []apigatewayapi.Model
	log      *slog.Logger
	set      *schema.Models // nil until a method asks
	compiled map[string]*bodyModel
}

// ModelURLs is how the URLs begin by which the models of an API refer to each
// other; a model's name follows (developer guide, "Data models for REST APIs").
func ModelURLs(apiID string) string {
	return "https://apigateway.amazonaws.com/restapis/" + apiID + "/models/"
}

func (d *deployedModels) get(contentType, name string) *bodyModel {
	if d.set == nil {
		d.add()
	}
	key := contentType + " " + name
	m := d.compiled[key]
	if m == nil {
		m = &bodyModel{contentType: contentType}
		m.schema, m.problem = d.set.Compile(ModelURLs(d.apiID) + name)
		d.compiled[key] = m
	}
	return m
}

// add reads the models, which may refer to each other.
func (d *deployedModels) add() {
	d.set, d.compiled = schema.NewModels(), map[string]*bodyModel{}
	for i := range d.models {
		name := wire.Val(d.models[i].Name)
		if err := d.set.Add(ModelURLs(d.apiID)+name, wire.Val(d.models[i].Schema)); err != nil {
			d.log.Warn("model of a published stage has no usable schema", "api", d.apiID, "model", name, "err", err)
		}
	}
}

// compileValidation reads what the method's validator asks for.
func compileValidation(d *Deployment, models *deployedModels, config *apigatewayapi.Method) validation {
	var v validation
	asked := validatorOf(d, config)
	if asked == nil {
		return v
	}
	if wire.Val(asked.ValidateRequestParameters) {
		v.required = requiredParams(config)
	}
	if wire.Val(asked.ValidateRequestBody) && len(config.RequestModels) > 0 {
		v.bodies = map[string]*bodyModel{}
		for contentType, name := range config.RequestModels {
			v.bodies[strings.ToLower(contentType)] = models.get(contentType, name)
		}
	}
	return v
}

func validatorOf(d *Deployment, config *apigatewayapi.Method) *apigatewayapi.RequestValidator {
	id := wire.Val(config.RequestValidatorId)
	for i := range d.RequestValidators {
		if v := &d.RequestValidators[i]; id != "" && wire.Val(v.Id) == id {
			return v
		}
	}
	return nil
}

// requiredParams lists them in the order in which API Gateway reports missing
// ones: header, path, querystring (recorded).
func requiredParams(config *apigatewayapi.Method) []requiredParam {
	var params []requiredParam
	for _, key := range slices.Sorted(maps.Keys(config.RequestParameters)) {
		location, name, ok := strings.Cut(strings.TrimPrefix(key, "method.request."), ".")
		if ok && config.RequestParameters[key] {
			params = append(params, requiredParam{location, name})
		}
	}
	return params
}

// validate stops requests that the method's validator refuses: for their
// parameters or else for their body (recorded).
func (x *exchange) validate() *failure {
	x.at("validate")
	if fail := x.validateParameters(); fail != nil {
		return fail
	}
	return x.validateBody()
}

// validateParameters looks for the required ones; a blank one counts as
// missing.
func (x *exchange) validateParameters() *failure {
	var missing []string
	for _, p := range x.m.validation.required {
		var values []string
		switch p.location {
		case "header":
			values = x.headers().get(p.name)
		case "querystring":
			values = x.query().exact(p.name)
		case "path":
			if v, ok := x.pathParam(p.name); ok {
				values = []string{v}
			}
		}
		if len(values) == 0 || values[len(values)-1] == "" {
			missing = append(missing, p.name)
		}
	}
	if missing == nil {
		return nil
	}
	text := "Missing required request parameters: [" + strings.Join(missing, ", ") + "]"
	return badRequestParameters(text).because(text)
}

// validateBody checks the body against the model for its content type. There
// being none for it, anything goes; an empty body conforms to no model
// (recorded).
func (x *exchange) validateBody() *failure {
	bodies := x.m.validation.bodies
	if bodies == nil {
		return nil
	}
	contentType := mediaType(one(x.r.Header, "Content-Type"))
	if contentType == "" {
		contentType = applicationJSON
	}
	model := bodies[contentType]
	if model == nil {
		if model = bodies["$default"]; model == nil {
			return nil
		}
	}
	problem := model.problem
	if problem == nil {
		var wrong []string
		wrong, problem = model.schema.Validate(x.body)
		switch {
		case errors.Is(problem, schema.ErrUnparsed):
			wrong = []string{"Unknown error parsing request body"}
		case problem == nil && wrong == nil:
			x.log.validated(model.contentType)
			return nil
		}
		if wrong != nil {
			return invalidBody(model.contentType, "["+strings.Join(wrong, ", ")+"]")
		}
	}
	return configurationError("Unable to validate the request body against the model: " + problem.Error())
}

// invalidBody is the answer to a body that conforms to no model; detail says
// why, to gateway responses and logs alone.
func invalidBody(contentType, detail string) *failure {
	fail := badRequestBody("Invalid request body").because("Request body does not match model schema for content type " + contentType + ": " + detail)
	fail.detail = detail
	return fail
}

package apigateway_test

import (
	"net/url"
	"strings"
	"testing"
)

const petSchema = `{"title": "Calc output", "type": "object", "properties": {"a": {"type": "number"}, "op": {"description": "operation", "type": "string"}, "on": {"type": "boolean"}, "list": {"type": "array", "items": {"type": "integer"}}}, "required": ["a", "op"]}`

// TestModels has the recorded life of a model, and its recorded refusals.
func TestModels(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, method := h.newMock()
	path := "/restapis/" + api + "/models"
	created := h.must(201, "POST", path, object{"name": "Calc", "contentType": "application/json", "description": "Calc output model", "schema": petSchema})
	if got := created["schema"]; got != petSchema || len(created["id"].(string)) != 6 {
		t.Errorf("created %v", created)
	}
	const shown = `{"id": "*", "name": "Calc", "contentType": "application/json", "description": "Calc output model", "schema": "*"}`
	h.same("get", h.must(200, "GET", path+"/Calc", nil), shown)
	if got := len(h.must(200, "GET", path, nil)["item"].([]any)); got != 3 {
		t.Errorf("%d models listed, want those that every API has and one more", got)
	}
	h.same("template", h.must(200, "GET", path+"/Calc/default_template", nil), `{"value": "#set($inputRoot = $input.path('$'))\n{\n  \"a\" : 42,\n  \"op\" : \"foo\",\n  \"on\" : true,\n  \"list\" : [\n  #foreach($elem in $inputRoot.list)\n    42#if($foreach.hasNext),#end\n\n  #end\n  ]\n}"}`)
	h.same("template of the empty one", h.must(200, "GET", path+"/Empty/default_template", nil), `{"value": "#set($inputRoot = $input.path('$'))\n{ }"}`)

	canonical := "https://apigateway.amazonaws.com/restapis/" + api + "/models/"
	list := `{"type": "array", "items": {"$ref": "` + canonical + `Calc"}}`
	h.must(201, "POST", path, object{"name": "List", "contentType": "application/json", "schema": list})
	if got := h.must(200, "GET", path+"/List?flatten=true", nil)["schema"].(string); !strings.Contains(got, `"$ref":"#/definitions/Calc"`) || !strings.Contains(got, `"definitions":{"Calc":{`) {
		t.Errorf("flattened: %s", got)
	}
	if got := h.must(200, "GET", path+"/List", nil)["schema"]; got != list {
		t.Errorf("not flattened: %s", got)
	}
	h.must(200, "PATCH", method, patch("add /requestModels/application~1json Calc"))

	const noSchema = "Model schema must have at least 1 property or array items defined"
	const invalid = "Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified"
	with := func(schema string) object {
		return object{"name": "New", "contentType": "application/json", "schema": schema}
	}
	for _, c := range []struct {
		kind, message, method, path string
		body                        object
	}{
		{"NotFoundException", "Invalid API identifier specified 111111111111:abcde0", "POST", "/restapis/abcde0/models", with(petSchema)},
		{"NotFoundException", "Invalid API identifier specified 111111111111:abcde0", "GET", "/restapis/abcde0/models", nil},
		{"NotFoundException", "Invalid model name specified: MySchema", "GET", "/restapis/abcde0/models/MySchema", nil},
		{"NotFoundException", "Invalid model name specified: MySchema", "DELETE", path + "/MySchema", nil},
		{"NotFoundException", "Invalid model name specified: MySchema", "PATCH", path + "/MySchema", patch("replace /schema {}")},
		{"ConflictException", "Model name already exists for this REST API", "POST", path, object{"name": "Calc", "contentType": "application/json", "schema": petSchema}},
		{"BadRequestException", "Model name must be non-empty", "POST", path, object{"name": "", "contentType": "application/json", "schema": petSchema}},
		{"BadRequestException", "Model name must be alphanumeric: my-model", "POST", path, object{"name": "my-model", "contentType": "application/json", "schema": petSchema}},
		{"BadRequestException", "Invalid content type specified: json", "POST", path, object{"name": "New", "contentType": "json", "schema": petSchema}},
		{"BadRequestException", noSchema, "POST", path, with("")},
		{"BadRequestException", noSchema, "POST", path, object{"name": "New", "contentType": "application/json"}},
		{"BadRequestException", noSchema, "POST", path, object{"name": "New", "contentType": "application/xml"}},
		{"BadRequestException", invalid + "]", "POST", path, with("no JSON")},
		{"BadRequestException", invalid + "]", "POST", path, with(`{"type": "String"}`)},
		{"BadRequestException", invalid + "]", "POST", path, with(`{"type": "object", "required": []}`)},
		{"BadRequestException", invalid + "]", "POST", path, with(`{"pattern": "("}`)},
		{"BadRequestException", invalid + `. Unsupported keyword(s): ["$id"]]`, "POST", path, with(`{"$id": "http://example.com/my_schema.json", "properties": {"id": {}}}`)},
		{"BadRequestException", invalid + `. Unsupported keyword(s): ["dependentRequired","example"]]`, "POST", path,
			with(`{"dependentRequired": {}, "definitions": {"x": {"items": [{"not": {"example": 1}}]}}, "default": {"anything": 1}}`)},
		{"BadRequestException", "Invalid model specified: Validation Result: warnings : [], errors : [Model reference must be in canonical form]",
			"POST", path, with(`{"items": {"$ref": "https://example.com/schema.json"}}`)},
		{"BadRequestException", "Invalid model specified: Validation Result: warnings : [], errors : [Invalid model specified: None]",
			"POST", path, with(`{"items": [{"$ref": "` + canonical + `None"}, {"$ref": "` + canonical + `New"}]}`)},
		{"BadRequestException", "Invalid patch path  '/wrong-path' specified for op 'add'. Please choose supported operations", "PATCH", path + "/Calc", patch("add /wrong-path x")},
		{"BadRequestException", "Invalid patch path  '/name' specified for op 'replace'. Must be one of: [/description, /schema]", "PATCH", path + "/Calc", patch("replace /name x")},
		{"BadRequestException", noSchema, "PATCH", path + "/Calc", patch("replace /schema ")},
		{"ConflictException", "Cannot delete model 'Calc', is referenced in method request: //GET", "DELETE", path + "/Calc", nil},
	} {
		h.fails(c.kind, c.message, c.method, c.path, c.body)
	}
	h.must(200, "PATCH", method, patch("remove /requestModels/application~1json"))
	h.fails("ConflictException", "Cannot delete model 'Calc', is referenced in model: List", "DELETE", path+"/Calc", nil)
	h.must(202, "DELETE", path+"/List", nil)
	h.must(201, "PUT", method+"/responses/200", object{"responseModels": object{"application/json": "Calc"}})
	h.fails("ConflictException", "Cannot delete model 'Calc', is referenced in method response: //GET", "DELETE", path+"/Calc", nil)
	h.must(204, "DELETE", method+"/responses/200", nil)
	h.must(200, "PATCH", path+"/Calc", patch(`replace /schema {"title": "Updated schema", "type": "object"}`))
	h.must(202, "DELETE", path+"/Calc", nil)
	h.must(202, "DELETE", path+"/"+url.PathEscape("Error"), nil)
}

// TestRequestValidators has the recorded life of a validator, and its
// recorded refusals.
func TestRequestValidators(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, method := h.newMock()
	path := "/restapis/" + api + "/requestvalidators"
	created := h.must(201, "POST", path, object{"name": "v"})
	const fresh = `{"id": "*", "name": "v", "validateRequestBody": false, "validateRequestParameters": false}`
	h.same("create", created, fresh)
	at := path + "/" + created["id"].(string)
	h.same("get", h.must(200, "GET", at, nil), fresh)
	h.same("list", h.must(200, "GET", path, nil), `{"item": [`+fresh+`]}`)
	h.same("with a value", h.must(200, "PATCH", at, patch("replace /validateRequestBody true")),
		`{"id": "*", "name": "v", "validateRequestBody": true, "validateRequestParameters": false}`)
	h.same("without a value", h.must(200, "PATCH", at, patch("replace /validateRequestBody")), fresh)
	set := "replace /requestValidatorId " + created["id"].(string)
	if got := h.must(200, "PATCH", method, patch(set))["requestValidatorId"]; got != created["id"] {
		t.Errorf("the method's validator is %v", got)
	}
	for _, c := range []struct {
		kind, message, method, path string
		body                        object
	}{
		{"BadRequestException", "Invalid REST API identifier specified", "POST", "/restapis/test-fake-rest-id/requestvalidators", object{"name": "v"}},
		{"NotFoundException", "Invalid API identifier specified 111111111111:test-fake-rest-id", "GET", "/restapis/test-fake-rest-id/requestvalidators", nil},
		{"NotFoundException", "Invalid Request Validator identifier specified", "GET", "/restapis/nope/requestvalidators/" + created["id"].(string), nil},
		{"NotFoundException", "Invalid Request Validator identifier specified", "GET", path + "/nope", nil},
		{"NotFoundException", "Invalid Request Validator identifier specified", "DELETE", path + "/nope", nil},
		{"BadRequestException", "Invalid patch path  '/validateRequestBody' specified for op 'add'. Please choose supported operations", "PATCH", at, patch("add /validateRequestBody true")},
		{"BadRequestException", "Invalid patch path  '/validateRequestBody' specified for op 'remove'. Please choose supported operations", "PATCH", at, patch("remove /validateRequestBody true")},
		{"BadRequestException", "Invalid patch path  '/invalidPath' specified for op 'replace'. Must be one of: [/name, /validateRequestParameters, /validateRequestBody]",
			"PATCH", at, patch("replace /invalidPath true")},
		{"BadRequestException", "Request Validator name cannot be blank", "PATCH", at, patch("replace /name ")},
		{"ConflictException", "Cannot delete request validator '" + created["id"].(string) + "', is referenced in method request: //GET", "DELETE", at, nil},
		{"BadRequestException", "Invalid Request Validator identifier specified", "PATCH", method, patch("replace /requestValidatorId nope")},
	} {
		h.fails(c.kind, c.message, c.method, c.path, c.body)
	}
	if got, ok := h.must(200, "PATCH", method, patch("replace /requestValidatorId "))["requestValidatorId"]; ok {
		t.Errorf("the method still has validator %v", got)
	}
	h.must(202, "DELETE", at, nil)
	h.same("none left", h.must(200, "GET", path, nil), `{"item": []}`)
}

// TestModelsAndValidatorsAreFrozen: what a deployment took along doesn't
// change with what it was taken from.
func TestModelsAndValidatorsAreFrozen(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, _ := h.newMock()
	models, validators := "/restapis/"+api+"/models", "/restapis/"+api+"/requestvalidators"
	h.must(201, "POST", models, object{"name": "M", "contentType": "application/json", "schema": `{"type": "object"}`})
	v := h.must(201, "POST", validators, object{"name": "v", "validateRequestBody": true})["id"].(string)
	h.must(201, "POST", "/restapis/"+api+"/deployments", object{"stageName": "s"})
	h.must(200, "PATCH", models+"/M", patch(`replace /schema {"type": "array"}`))
	h.must(202, "DELETE", validators+"/"+v, nil)
	h.must(200, "PATCH", "/restapis/"+api+"/stages/s", patch("replace /description published-again"))
	d := h.plane.stage(api + "/s").Deployment
	if len(d.RequestValidators) != 1 || !*d.RequestValidators[0].ValidateRequestBody {
		t.Errorf("validators %v", d.RequestValidators)
	}
	for _, m := range d.Models {
		if *m.Name == "M" && *m.Schema != `{"type": "object"}` {
			t.Errorf("schema %s", *m.Schema)
		}
	}
}

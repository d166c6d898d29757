package apigateway_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
)

// deployed imports a document, deploys it to the stage local and returns the
// API's path.
func (h *harness) deployed(document string) string {
	h.t.Helper()
	id := h.send(201, "POST", "/restapis?mode=import", document)["id"].(string)
	h.must(201, "POST", "/restapis/"+id+"/deployments", object{"stageName": "local"})
	return "/restapis/" + id
}

func (h *harness) export(path, accept string) *httptest.ResponseRecorder {
	h.t.Helper()
	req := h.request("GET", path, nil)
	req.Header.Set("Accept", accept)
	res := httptest.NewRecorder()
	h.http.ServeHTTP(res, req)
	if res.Code != 200 {
		h.t.Fatalf("GET %s: %d %s", path, res.Code, res.Body)
	}
	return res
}

const pets = `{
	"swagger": "2.0",
	"info": {"title": "Pets", "description": "Many pets.", "version": "1.0.0"},
	"paths": {
		"/": {"get": {"produces": ["text/html"],
			"responses": {"200": {"description": "x", "headers": {"Content-Type": {"type": "string"}}}},
			"x-amazon-apigateway-integration": {"type": "mock", "passthroughBehavior": "when_no_match",
				"requestTemplates": {"application/json": "{\"statusCode\": 200}"},
				"responses": {"default": {"statusCode": "200", "responseParameters": {"method.response.header.Content-Type": "'text/html'"},
					"responseTemplates": {"text/html": "<p>Hi</p>"}}}}}},
		"/pets": {
			"get": {"parameters": [{"name": "type", "in": "query", "required": false, "type": "string"}],
				"responses": {"200": {"description": "x", "schema": {"$ref": "#/definitions/Pets"}}},
				"x-amazon-apigateway-integration": {"type": "mock", "responses": {"default": {"statusCode": "200"}}}},
			"post": {"operationId": "CreatePet",
				"parameters": [{"in": "body", "name": "NewPet", "required": true, "schema": {"$ref": "#/definitions/Pet"}}],
				"responses": {},
				"x-amazon-apigateway-integration": {"type": "mock"}}},
		"/pets/{petId}": {"x-amazon-apigateway-any-method": {
			"responses": {"200": {"description": "x"}},
			"x-amazon-apigateway-integration": {"type": "mock", "timeoutInMillis": 1000, "responses": {"4\\d{2}": {"statusCode": "200"}}}}}
	},
	"definitions": {
		"Pets": {"type": "array", "items": {"$ref": "#/definitions/Pet"}},
		"Pet": {"type": "object", "properties": {"id": {"type": "integer"}}},
		"Unused": {"type": "object"}
	}
}`

// TestExportSwagger has the shape that AWS's exports of such an API have
// (recorded).
func TestExportSwagger(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	path := h.deployed(pets)
	id := strings.TrimPrefix(path, "/restapis/")
	res := h.export(path+"/stages/local/exports/swagger", "application/json")
	if got, want := res.Header().Get("Content-Disposition"), `attachment; filename="swagger_1.0.0.json"`; got != want {
		t.Errorf("Content-Disposition %q, want %q", got, want)
	}
	if got := res.Header().Get("Content-Type"); got != "application/octet-stream" {
		t.Errorf("Content-Type %q", got)
	}
	if want := "{\n  \"swagger\" : \"2.0\",\n  \"info\" : {\n    \"description\" : \"Many pets.\",\n    \"version\" : \"1.0.0\",\n    \"title\" : \"Pets\"\n  },\n  \"host\" : "; !strings.HasPrefix(res.Body.String(), want) {
		t.Errorf("the export begins %.200q", res.Body)
	}
	h.same("swagger", decode(t, res), `{
		"swagger": "2.0", "info": {"title": "Pets", "description": "Many pets.", "version": "1.0.0"},
		"host": "`+id+`.execute-api.us-east-1.amazonaws.com", "basePath": "/local", "schemes": ["https"],
		"paths": {
			"/": {"get": {"consumes": ["application/json"], "produces": ["text/html"],
				"responses": {"200": {"description": "200 response", "headers": {"Content-Type": {"type": "string"}}}}}},
			"/pets": {
				"get": {"produces": ["application/json"], "parameters": [{"name": "type", "in": "query", "required": false, "type": "string"}],
					"responses": {"200": {"description": "200 response", "schema": {"$ref": "#/definitions/Pets"}}}},
				"post": {"operationId": "CreatePet", "consumes": ["application/json"],
					"parameters": [{"in": "body", "name": "Pet", "required": true, "schema": {"$ref": "#/definitions/Pet"}}], "responses": {}}},
			"/pets/{petId}": {"x-amazon-apigateway-any-method": {
				"parameters": [{"name": "petId", "in": "path", "required": true, "type": "string"}],
				"responses": {"200": {"description": "200 response"}}}}
		},
		"definitions": {
			"Pets": {"type": "array", "items": {"$ref": "#/definitions/Pet"}},
			"Pet": {"type": "object", "properties": {"id": {"type": "integer"}}}
		}
	}`)
	with := decode(t, h.export(path+"/stages/local/exports/swagger?extensions=integrations", "application/json"))["paths"].(object)
	h.same("integration", with["/"].(object)["get"].(object)["x-amazon-apigateway-integration"].(object), `{
		"type": "mock", "passthroughBehavior": "when_no_match", "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
		"responses": {"default": {"statusCode": "200", "responseParameters": {"method.response.header.Content-Type": "'text/html'"},
			"responseTemplates": {"text/html": "<p>Hi</p>"}}}
	}`)
}

// TestExportOAS30 likewise.
func TestExportOAS30(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	path := h.deployed(pets)
	id := strings.TrimPrefix(path, "/restapis/")
	got := decode(t, h.export(path+"/stages/local/exports/oas30", "application/json"))
	h.same("servers", object{"servers": got["servers"]}, `{"servers": [
		{"url": "https://`+id+`.execute-api.us-east-1.amazonaws.com/{basePath}", "variables": {"basePath": {"default": "local"}}}]}`)
	h.same("paths", got["paths"].(object), `{
		"/": {"get": {"responses": {"200": {"description": "200 response", "headers": {"Content-Type": {"schema": {"type": "string"}}}, "content": {}}}}},
		"/pets": {
			"get": {"parameters": [{"name": "type", "in": "query", "schema": {"type": "string"}}],
				"responses": {"200": {"description": "200 response", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pets"}}}}}},
			"post": {"operationId": "CreatePet",
				"requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}}, "responses": {}}},
		"/pets/{petId}": {"x-amazon-apigateway-any-method": {
			"parameters": [{"name": "petId", "in": "path", "required": true, "schema": {"type": "string"}}],
			"responses": {"200": {"description": "200 response", "content": {}}}}}
	}`)
	h.same("components", got["components"].(object), `{"schemas": {
		"Pets": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}}, "Pet": {"type": "object", "properties": {"id": {"type": "integer"}}}}}`)
}

// TestExportRoundTrip: what is exported with all extensions imports as the
// same API, in each form and language.
func TestExportRoundTrip(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, name := range []string{"people.oas30.json", "shop.swagger.yaml", "guarded.oas30.json"} {
		document := h.document(name)
		if strings.HasPrefix(name, "people") { // one method has no integration
			document = strings.Replace(document, `"operationId"`, `"x-amazon-apigateway-integration": {"type": "mock"}, "operationId"`, 1)
		}
		first := h.deployed(document)
		h.must(201, "POST", first+"/documentation/versions", object{"documentationVersion": "1", "stageName": "local"})
		for _, kind := range []string{"swagger", "oas30"} {
			for _, accept := range []string{"application/json", "application/yaml"} {
				query := "/stages/local/exports/" + kind + "?extensions=apigateway"
				once := h.export(first+query, accept).Body.String()
				second := h.deployed(once)
				h.must(201, "POST", second+"/documentation/versions", object{"documentationVersion": "1", "stageName": "local"})
				again := h.export(second+query, accept).Body.String()
				id := func(path string) string { return strings.TrimPrefix(path, "/restapis/") }
				if again = strings.ReplaceAll(again, id(second), id(first)); again != once {
					t.Errorf("%s as %s, %s:\n%s\nbecame\n%s", name, kind, accept, once, again)
				}
			}
		}
	}
}

// TestExportIsFrozen: an export shows the stage's deployment, not the API.
func TestExportIsFrozen(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	path := h.deployed(pets)
	before := h.export(path+"/stages/local/exports/oas30", "").Body.String()
	h.must(200, "PATCH", path, patch("replace /name other"))
	h.send(200, "PUT", path+"?mode=overwrite", h.document("people.oas30.json"))
	if after := h.export(path+"/stages/local/exports/oas30", "").Body.String(); after != before {
		t.Errorf("edits of the API changed the export to %s", after)
	}
	h.fails("NotFoundException", "Invalid stage identifier specified", "GET", path+"/stages/none/exports/oas30", nil)
	h.fails("BadRequestException", "Invalid export type specified: wsdl", "GET", path+"/stages/local/exports/wsdl", nil)
}

// TestExportDocumentation merges the documentation into the document.
func TestExportDocumentation(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	path := h.deployed(pets)
	for location, properties := range map[string]string{
		`{"type": "API"}`: `{"info": {"description": "Documented."}}`,
		`{"type": "METHOD", "path": "/", "method": "*"}`:                              `{"description": "any method"}`,
		`{"type": "METHOD", "path": "/pets", "method": "GET"}`:                        `{"summary": "lists"}`,
		`{"type": "QUERY_PARAMETER", "path": "/pets", "method": "*", "name": "type"}`: `{"description": "which"}`,
		`{"type": "RESPONSE", "statusCode": "200"}`:                                   `{"description": "fine"}`,
	} {
		var at object
		if err := json.Unmarshal([]byte(location), &at); err != nil {
			t.Fatal(err)
		}
		h.must(201, "POST", path+"/documentation/parts", object{"location": at, "properties": properties})
	}
	h.must(201, "POST", path+"/documentation/versions", object{"documentationVersion": "1.1", "stageName": "local"})
	got := decode(t, h.export(path+"/stages/local/exports/swagger?extensions=documentation", ""))
	if info := got["info"].(object); info["description"] != "Documented." {
		t.Errorf("info %v", info)
	}
	h.same("get", got["paths"].(object)["/pets"].(object)["get"].(object), `{
		"summary": "lists", "produces": ["application/json"],
		"parameters": [{"name": "type", "in": "query", "description": "which", "required": false, "type": "string"}],
		"responses": {"200": {"description": "fine", "schema": {"$ref": "#/definitions/Pets"}}}}`)
	if d := got["x-amazon-apigateway-documentation"].(object); d["version"] != "1.1" || len(d["documentationParts"].([]any)) != 5 {
		t.Errorf("documentation %v", d)
	}
}

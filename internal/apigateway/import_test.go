package apigateway_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
)

// raw makes a request with a body that is no JSON of ours.
func (h *harness) raw(method, path, body string) *httptest.ResponseRecorder {
	h.t.Helper()
	req := h.request(method, path, []byte(body))
	res := httptest.NewRecorder()
	h.http.ServeHTTP(res, req)
	return res
}

func decode(t *testing.T, res *httptest.ResponseRecorder) (out object) {
	t.Helper()
	if err := json.Unmarshal(res.Body.Bytes(), &out); err != nil {
		t.Fatalf("%s: %v", res.Body, err)
	}
	return out
}

func (h *harness) document(name string) string {
	h.t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

// send imports a document and expects a status.
func (h *harness) send(status int, method, path, body string) object {
	h.t.Helper()
	res := h.raw(method, path, body)
	if res.Code != status {
		h.t.Fatalf("%s %s: status %d %s, want %d", method, path, res.Code, res.Body, status)
	}
	return decode(h.t, res)
}

// resources are an API's resources by path.
func (h *harness) resources(api string) map[string]object {
	h.t.Helper()
	out := map[string]object{}
	for _, item := range h.must(200, "GET", "/restapis/"+api+"/resources?embed=methods&limit=500", nil)["item"].([]any) {
		res := item.(object)
		out[res["path"].(string)] = res
	}
	return out
}

// TestImportOpenAPI holds what an import makes against what AWS made of
// documents with the same constructs (recorded).
func TestImportOpenAPI(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api := h.send(201, "POST", "/restapis?mode=import", h.document("people.oas30.json"))
	h.same("import", api, `{
		"id": "*", "name": "People", "version": "1.0", "createdDate": "*", "apiKeySource": "HEADER", "binaryMediaTypes": ["image/png", "image/jpg"],
		"disableExecuteApiEndpoint": false, "endpointConfiguration": {"ipAddressType": "ipv4", "types": ["EDGE"]}, "rootResourceId": "*",
		"warnings": ["Invalid format for 'requestParameters'. Expected type string for property 'integration.request.header.X-Odd' of resource '/person/{id}' and method 'ANY' but got 'true'"]
	}`)
	id := api["id"].(string)
	h.wantPaths(id, "/", "/person", "/person/{id}")
	person := h.resources(id)["/person/{id}"]
	h.same("any", person["resourceMethods"].(object)["ANY"].(object), `{
		"httpMethod": "ANY", "authorizationType": "NONE", "apiKeyRequired": false, "requestValidatorId": "*",
		"requestParameters": {"method.request.path.id": true, "method.request.querystring.page": true},
		"methodResponses": {"200": {"statusCode": "200", "responseModels": {"application/json": "Empty"},
			"responseParameters": {"method.response.header.X-Who": false}}},
		"methodIntegration": {
			"type": "MOCK", "passthroughBehavior": "WHEN_NO_TEMPLATES", "timeoutInMillis": 29000, "cacheKeyParameters": [], "cacheNamespace": "`+person["id"].(string)+`",
			"requestParameters": {"integration.request.header.X-Even": "'True'"},
			"requestTemplates": {"application/json": "{\"statusCode\": 200}"},
			"integrationResponses": {"200": {"statusCode": "200", "selectionPattern": "2\\d{2}",
				"responseParameters": {"method.response.header.X-Who": "'me'"},
				"responseTemplates": {"application/json": "{\"echo\": $input.json('$')}"}}}
		}
	}`)
	h.same("post", h.resources(id)["/person"]["resourceMethods"].(object)["POST"].(object), `{
		"httpMethod": "POST", "authorizationType": "NONE", "apiKeyRequired": false, "requestValidatorId": "*", "operationName": "CreatePerson",
		"requestModels": {"application/json": "Person"}
	}`)
	// Only the document's models are there; keywords come in AWS's order.
	h.same("models", h.must(200, "GET", "/restapis/"+id+"/models", nil), `{"item": [
		{"id": "*", "name": "Empty", "contentType": "application/json", "schema": "{\n  \"title\" : \"Empty Schema\",\n  \"type\" : \"object\"\n}"},
		{"id": "*", "name": "House", "contentType": "application/json", "schema": "{\n  \"type\" : \"object\",\n  \"properties\" : {\n    \"contains\" : {\n      \"minItems\" : 1,\n      \"type\" : \"array\",\n      \"description\" : \"Who lives there\",\n      \"items\" : {\n        \"$ref\" : \"https://apigateway.amazonaws.com/restapis/`+id+`/models/Person\"\n      }\n    }\n  }\n}"},
		{"id": "*", "name": "Person", "contentType": "application/json", "description": "Somebody.", "schema": "{\n  \"required\" : [ \"name\" ],\n  \"type\" : \"object\",\n  \"properties\" : {\n    \"name\" : {\n      \"type\" : \"string\",\n      \"description\" : \"What to say\"\n    },\n    \"house\" : {\n      \"$ref\" : \"https://apigateway.amazonaws.com/restapis/`+id+`/models/House\"\n    }\n  },\n  \"description\" : \"Somebody.\"\n}"}
	]}`)
	answer := h.must(200, "GET", "/restapis/"+id+"/gatewayresponses/DEFAULT_4XX", nil)
	if answer["defaultResponse"] != false {
		t.Errorf("the document's gateway response reads %v", answer)
	}
}

// TestImportSwagger reads YAML with anchors, a policy with a date and inline
// schemas.
func TestImportSwagger(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api := h.send(201, "POST", "/restapis?mode=import&failonwarnings=true&endpointConfigurationTypes=REGIONAL&basepath=prepend", h.document("shop.swagger.yaml"))
	id := api["id"].(string)
	h.same("import", api, `{
		"id": "*", "name": "Shop", "description": "Sells things.", "version": "2", "createdDate": "*", "apiKeySource": "AUTHORIZER",
		"minimumCompressionSize": 10, "disableExecuteApiEndpoint": false, "rootResourceId": "*",
		"endpointConfiguration": {"ipAddressType": "ipv4", "types": ["REGIONAL"]},
		"policy": "{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[{\\\"Effect\\\":\\\"Allow\\\",\\\"Principal\\\":\\\"*\\\",\\\"Action\\\":\\\"execute-api:Invoke\\\",\\\"Resource\\\":\\\"arn:aws:execute-api:us-east-1:111111111111:`+id+`\\/*\\\"}]}"
	}`)
	methods := h.resources(id)["/base/things"]["resourceMethods"].(object)
	h.same("get", methods["GET"].(object)["methodResponses"].(object), `{"200": {"statusCode": "200",
		"responseModels": {"application/json": "Things", "text/html": "Things"}, "responseParameters": {"method.response.header.X-Total": false}}}`)
	post := methods["POST"].(object)
	h.same("post", post["requestParameters"].(object), `{"method.request.querystring.kind": false, "method.request.header.X-Trace": true}`)
	model := post["requestModels"].(object)["application/json"].(string)
	if !strings.HasPrefix(model, "MODEL") || len(model) != len("MODEL")+6 {
		t.Errorf("the model of an inline schema is called %q", model)
	}
	h.must(200, "GET", "/restapis/"+id+"/models/"+model, nil)
	h.same("documentation", h.must(200, "GET", "/restapis/"+id+"/documentation/parts?type=METHOD", nil),
		`{"item": [{"id": "*", "location": {"type": "METHOD", "method": "GET", "path": "/"}, "properties": "{\"description\":\"Method description.\"}"}]}`)
}

// TestImportBasePath: a base path is ignored, prepended, or prepended but for
// its first segment (recorded).
func TestImportBasePath(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for mode, want := range map[string][]string{
		"ignore":  {"/", "/person", "/person/{id}"},
		"prepend": {"/", "/base", "/base/part", "/base/part/person", "/base/part/person/{id}"},
		"split":   {"/", "/part", "/part/person", "/part/person/{id}"},
	} {
		api := h.send(201, "POST", "/restapis?mode=import&basepath="+mode, h.document("people.oas30.json"))
		h.wantPaths(api["id"].(string), want...)
	}
}

// TestPutRestApi merges and overwrites (recorded: binary media types, ids of
// resources, the tags member).
func TestPutRestApi(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api := h.must(201, "POST", "/restapis", object{"name": "old", "description": "gone", "binaryMediaTypes": []string{"image/heif"}})
	path, root := "/restapis/"+api["id"].(string), api["rootResourceId"].(string)
	person := h.must(201, "POST", path+"/resources/"+root, object{"pathPart": "person"})
	h.must(201, "PUT", path+"/resources/"+person["id"].(string)+"/methods/GET", object{"authorizationType": "NONE"})
	h.must(201, "POST", path+"/resources/"+root, object{"pathPart": "other"})

	merged := h.send(200, "PUT", path+"?mode=merge", h.document("people.oas30.json"))
	if got := merged["binaryMediaTypes"]; !slices.Equal(got.([]any), []any{"image/heif", "image/png", "image/jpg"}) {
		t.Errorf("merged types are %v", got)
	}
	if merged["name"] != "People" || merged["description"] != "gone" || merged["tags"] == nil {
		t.Errorf("merged API is %v", merged)
	}
	methods := h.resources(api["id"].(string))["/person"]["resourceMethods"].(object)
	if methods["GET"] == nil || methods["POST"] == nil {
		t.Errorf("after merging, /person has %v", methods)
	}

	written := h.send(200, "PUT", path+"?mode=overwrite", h.document("people.oas30.json"))
	if got := written["binaryMediaTypes"]; !slices.Equal(got.([]any), []any{"image/png", "image/jpg"}) {
		t.Errorf("overwritten types are %v", got)
	}
	if written["description"] != nil || written["rootResourceId"] != root {
		t.Errorf("overwritten API is %v", written)
	}
	after := h.resources(api["id"].(string))
	if after["/person"]["id"] != person["id"] {
		t.Errorf("overwriting gave /person a new id")
	}
	if after["/person"]["resourceMethods"].(object)["GET"] != nil || after["/other"] != nil {
		t.Errorf("overwriting left %v", after)
	}
	h.fails("NotFoundException", "Invalid model name specified: Error", "GET", path+"/models/Error", nil)
}

// TestImportFaults: a document with faults changes nothing and is told all.
func TestImportFaults(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, c := range []struct{ name, body, want string }{
		{"no document", `{"a": 1}`, "Invalid OpenAPI input."},
		{"OpenAPI 3.1", `{"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": {}}`, "Invalid OpenAPI input."}, // reported from AWS
		{"no YAML", "\t: [", "Invalid OpenAPI input."},
		{"nothing", "", "Invalid OpenAPI input."},
		{"wrong integration", `{"openapi": "3.0.1", "info": {"title": "x"}, "paths": {
			"/a": {"get": {"x-amazon-apigateway-integration": {"type": "aws", "httpMethod": "POST", "uri": "nowhere"}}},
			"/b": {"get": {"x-amazon-apigateway-integration": {"type": "aws"}}}}}`,
			"Errors found during import:\n\tUnable to put integration on 'GET' for resource at path '/a': Invalid ARN specified in the request\n" +
				"\tUnable to put integration on 'GET' for resource at path '/b': Enumeration value for HttpMethod must be non-empty"},
		{"wrong names", `{"openapi": "3.0.1", "info": {"title": "x"}, "paths": {"/a": {"get": {"parameters": [{"name": "page[size]", "in": "query"}]}}},
			"components": {"schemas": {"a_b": {"type": "object"}, "C": {"$ref": "#/components/schemas/None"}}}}`,
			"Errors found during import:\n\tUnable to create model for 'a_b': Model name must be alphanumeric: a_b\n" +
				"\tUnable to create model for 'C': Invalid model specified: Validation Result: warnings : [], errors : [Invalid model specified: None]\n" +
				"\tUnable to put method 'GET' on resource at path '/a': Invalid mapping expression specified: Validation Result: warnings : [], errors : " +
				"[Parameter name should match the following regular expression: ^[a-zA-Z0-9._$-]+$]"},
		{"warnings", `{"openapi": "3.0.1", "info": {"title": "x"}, "paths": {}, "components": {"securitySchemes": {"login": {"type": "oauth2"}}}}`,
			"Warnings found during import:\n\tUnsupported security definition type 'oauth2' for 'login'. Ignoring."},
	} {
		res := h.raw("POST", "/restapis?mode=import&failonwarnings=true", c.body)
		if got := decode(t, res)["message"]; res.Code != http.StatusBadRequest || got != c.want {
			t.Errorf("%s: %d %q,\nwant %q", c.name, res.Code, got, c.want)
		}
	}
	if left := h.must(200, "GET", "/restapis", nil)["item"].([]any); len(left) != 0 {
		t.Errorf("failed imports left %v", left)
	}
}

// TestImportDocumentationParts takes the parts alone (recorded).
func TestImportDocumentationParts(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id, _ := h.newAPI()
	parts := "/restapis/" + id + "/documentation/parts"
	first := h.send(200, "PUT", parts+"?mode=merge", h.document("shop.swagger.yaml"))["ids"].([]any)
	again := h.send(200, "PUT", parts+"?mode=merge", h.document("shop.swagger.yaml"))["ids"].([]any)
	if len(first) != 3 || !slices.Equal(first, again) {
		t.Errorf("merging twice made %v, then %v", first, again)
	}
	over := h.send(200, "PUT", parts+"?mode=overwrite", h.document("shop.swagger.yaml"))["ids"].([]any)
	if all := h.must(200, "GET", parts, nil)["item"].([]any); len(over) != 3 || slices.Equal(first, over) || len(all) != 3 {
		t.Errorf("overwriting %v made %v, %d parts", first, over, len(all))
	}
	if got := decode(t, h.raw("PUT", parts, `{"openapi": "3.0.0"}`))["message"]; got != "Unable to build importer with provided input." {
		t.Errorf("a document without documentation: %q", got)
	}
	h.wantPaths(id, "/")
}

// TestImportSecurity: schemes become authorizers, used or not, and the
// document's own requirements hold for methods that have none (recorded).
func TestImportSecurity(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api := h.send(201, "POST", "/restapis?mode=import&failonwarnings=true", h.document("guarded.oas30.json"))["id"].(string)
	ids := map[string]any{}
	for _, item := range h.must(200, "GET", "/restapis/"+api+"/authorizers", nil)["item"].([]any) {
		a := item.(object)
		ids[a["name"].(string)] = a["id"]
		h.same(a["name"].(string), a, map[string]string{
			"GatewayAuthorizer": `{"id": "*", "name": "GatewayAuthorizer", "type": "REQUEST", "authType": "custom", "authorizerUri": "*",
				"identitySource": "method.request.header.Custom-Authorization", "authorizerResultTtlInSeconds": 300}`,
			"token": `{"id": "*", "name": "token", "type": "TOKEN", "authType": "oauth2", "authorizerUri": "*",
				"identitySource": "method.request.header.Authorization", "identityValidationExpression": "^x-[a-z]+"}`,
			"pool": `{"id": "*", "name": "pool", "type": "COGNITO_USER_POOLS", "authType": "cognito_user_pools", "identitySource": "method.request.header.TestHeaderAuth",
				"providerARNs": ["arn:aws:cognito-idp:us-east-1:111111111111:userpool/us-east-1_ABC123"]}`,
			"unused": `{"id": "*", "name": "unused", "type": "TOKEN", "authType": "custom", "authorizerUri": "*", "identitySource": "method.request.header.Other"}`,
		}[a["name"].(string)])
	}
	if len(ids) != 4 {
		t.Errorf("authorizers %v", ids)
	}
	for path, want := range map[string]object{
		"/default": {"authorizationType": "CUSTOM", "authorizerId": ids["GatewayAuthorizer"], "apiKeyRequired": false},
		"/scoped":  {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": ids["pool"], "authorizationScopes": []any{"email", "openid"}, "apiKeyRequired": false},
		"/token":   {"authorizationType": "CUSTOM", "authorizerId": ids["token"], "apiKeyRequired": true},
		"/signed":  {"authorizationType": "AWS_IAM", "apiKeyRequired": false},
		"/open":    {"authorizationType": "NONE", "apiKeyRequired": false},
		"/forced":  {"authorizationType": "NONE", "apiKeyRequired": false},
	} {
		got := h.resources(api)[path]["resourceMethods"].(object)["GET"].(object)
		delete(got, "methodIntegration")
		delete(got, "httpMethod")
		if diff := difference(got, want, path); diff != "" {
			t.Error(diff)
		}
	}
	res := h.raw("POST", "/restapis?mode=import", `{"openapi": "3.0.1", "info": {"title": "x"}, "paths": {}, "components": {"securitySchemes": {
		"a": {"type": "apiKey", "x-amazon-apigateway-authorizer": {"type": "token", "authorizerUri": "nowhere"}}}}}`)
	if got, want := decode(t, res)["message"], "Errors found during import:\n\tUnable to create authorizer 'a': Invalid request input"; got != want {
		t.Errorf("a wrong authorizer: %q, want %q", got, want)
	}
}

package apigateway_test

import (
	"testing"
)

// TestDocumentationParts holds parts against what AWS answered (recorded).
func TestDocumentationParts(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.fails("NotFoundException", "Invalid API identifier specified 111111111111:fake", "POST", "/restapis/fake/documentation/parts",
		object{"location": object{"type": "API"}, "properties": "{}"})
	h.fails("NotFoundException", "Invalid API identifier specified 111111111111:fake", "GET", "/restapis/fake/documentation/parts", nil)
	h.fails("NotFoundException", "Invalid API identifier specified 111111111111:fake", "DELETE", "/restapis/fake/documentation/parts/x", nil)
	h.fails("NotFoundException", "Invalid Documentation part identifier specified", "GET", "/restapis/fake/documentation/parts/x", nil)
	api, _ := h.newMock()
	parts := "/restapis/" + api + "/documentation/parts"
	h.fails("ValidationException", "1 validation error detected: Value 'INVALID' at 'createDocumentationPartInput.location.type' failed to satisfy constraint: "+
		"Member must satisfy enum value set: [RESPONSE_BODY, RESPONSE, METHOD, MODEL, AUTHORIZER, RESPONSE_HEADER, RESOURCE, PATH_PARAMETER, REQUEST_BODY, QUERY_PARAMETER, API, REQUEST_HEADER]",
		"POST", parts, object{"location": object{"type": "INVALID"}, "properties": "{}"})

	part := h.must(201, "POST", parts, object{"location": object{"type": "API"}, "properties": `{"description": "one"}`})
	h.same("create", part, `{"id": "*", "location": {"type": "API"}, "properties": "{\"description\": \"one\"}"}`)
	one := parts + "/" + part["id"].(string)
	h.fails("ConflictException", "Documentation part already exists for the specified location: type 'API'.", "POST", parts,
		object{"location": object{"type": "API"}, "properties": "{}"})
	h.fails("BadRequestException", "Invalid patch path  '/properties' specified for op 'add'. Please choose supported operations",
		"PATCH", one, patch("add /properties {}"))
	h.fails("BadRequestException", "Invalid patch path  '/invalidPath' specified for op 'replace'. Must be one of: [/properties]",
		"PATCH", one, patch("replace /invalidPath {}"))
	h.same("update", h.must(200, "PATCH", one, patch(`replace /properties {"description":"two"}`)),
		`{"id": "*", "location": {"type": "API"}, "properties": "{\"description\":\"two\"}"}`)

	// Terraform sends what a location hasn't as empty text; paths and methods have defaults.
	method := h.must(201, "POST", parts, object{"properties": "{}",
		"location": object{"type": "RESPONSE", "method": "GET", "path": "", "name": "", "statusCode": ""}})
	h.same("defaults", method, `{"id": "*", "location": {"type": "RESPONSE", "method": "GET", "path": "/", "statusCode": "*"}, "properties": "{}"}`)
	found := h.must(200, "GET", parts+"?type=RESPONSE", nil)
	h.same("filter", found, `{"item": [{"id": "*", "location": {"type": "RESPONSE", "method": "GET", "path": "/", "statusCode": "*"}, "properties": "{}"}]}`)
	missing := h.must(200, "GET", parts+"?locationStatus=UNDOCUMENTED&type=METHOD", nil)
	h.same("undocumented", missing, `{"item": [{"location": {"type": "METHOD", "method": "GET", "path": "/"}}]}`)

	h.must(202, "DELETE", one, nil)
	h.fails("NotFoundException", "Invalid Documentation part identifier specified", "DELETE", one, nil)
}

// TestDocumentationVersions freezes documentation and gives it to a stage.
func TestDocumentationVersions(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, _ := h.newMock()
	versions := "/restapis/" + api + "/documentation/versions"
	h.must(201, "POST", "/restapis/"+api+"/documentation/parts", object{"location": object{"type": "API"}, "properties": "{}"})
	h.same("create", h.must(201, "POST", versions, object{"documentationVersion": "1.0", "description": "first"}),
		`{"version": "1.0", "createdDate": "*", "description": "first"}`)
	h.fails("ConflictException", "Documentation version already exists", "POST", versions, object{"documentationVersion": "1.0"})
	h.fails("NotFoundException", "Invalid Documentation version specified", "GET", versions+"/2.0", nil)
	h.same("update", h.must(200, "PATCH", versions+"/1.0", patch("replace /description better")),
		`{"version": "1.0", "createdDate": "*", "description": "better"}`)

	stage := h.must(201, "POST", "/restapis/"+api+"/stages", object{"stageName": "dev", "deploymentId": h.deploy(api), "documentationVersion": "1.0"})
	if stage["documentationVersion"] != "1.0" {
		t.Errorf("the new stage has documentation %v, want 1.0", stage["documentationVersion"])
	}
	h.must(201, "POST", versions, object{"documentationVersion": "2.0", "stageName": "dev"})
	stage = h.must(200, "GET", "/restapis/"+api+"/stages/dev", nil)
	if stage["documentationVersion"] != "2.0" {
		t.Errorf("the stage has documentation %v, want 2.0", stage["documentationVersion"])
	}
	h.must(202, "DELETE", versions+"/1.0", nil)
	h.fails("BadRequestException", "Active stages pointing to this documentation version must be moved or deleted", "DELETE", versions+"/2.0", nil)
	h.fails("NotFoundException", "Invalid Documentation version specified", "PATCH", "/restapis/"+api+"/stages/dev", patch("replace /documentationVersion 9"))
	h.must(200, "PATCH", "/restapis/"+api+"/stages/dev", patch("replace /documentationVersion "))
	h.must(202, "DELETE", versions+"/2.0", nil)
}

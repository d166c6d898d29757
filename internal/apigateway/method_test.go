package apigateway_test

import "testing"

func TestMethodLifecycle(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, root := h.newAPI()
	resource := "/restapis/" + api + "/resources/" + root
	path := resource + "/methods/ANY"
	const bare = `"httpMethod": "ANY", "authorizationType": "NONE", "apiKeyRequired": false`
	h.same("put", h.must(201, "PUT", path, object{"authorizationType": "NONE", "requestParameters": object{}}), `{`+bare+`}`)
	h.same("get", h.must(200, "GET", path, nil), `{`+bare+`}`)
	h.same("resource", h.must(200, "GET", resource, nil), `{"id": "*", "path": "/", "resourceMethods": {"ANY": {}}}`)
	h.same("embedded", h.must(200, "GET", resource+"?embed=methods", nil), `{"id": "*", "path": "/", "resourceMethods": {"ANY": {`+bare+`}}}`)
	h.same("add", h.must(200, "PATCH", path, patch("add /requestParameters/method.request.querystring.q true", "add /requestModels/application~1json Empty")),
		`{`+bare+`, "requestParameters": {"method.request.querystring.q": true}, "requestModels": {"application/json": "Empty"}}`)
	h.same("replace", h.must(200, "PATCH", path, patch("replace /requestParameters/method.request.querystring.q false", "replace /operationName Op", "replace /apiKeyRequired whatever")),
		`{`+bare+`, "operationName": "Op", "requestParameters": {"method.request.querystring.q": false}, "requestModels": {"application/json": "Empty"}}`)
	h.same("remove", h.must(200, "PATCH", path, patch("remove /requestParameters/method.request.querystring.q", "remove /requestModels/application~1json", "replace /authorizerId abc123")),
		`{`+bare+`, "operationName": "Op"}`)
	h.must(204, "DELETE", path, nil)
	h.fails("NotFoundException", "Invalid Method identifier specified", "GET", path, nil)
	h.fails("NotFoundException", "Invalid Method identifier specified", "DELETE", path, nil)
	h.same("resource without methods", h.must(200, "GET", resource, nil), `{"id": "*", "path": "/"}`)
}

func TestMethodRefusals(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, root := h.newAPI()
	resource := "/restapis/" + api + "/resources/" + root
	path := resource + "/methods/GET"
	h.must(201, "PUT", path, object{"authorizationType": "NONE"})
	none := object{"authorizationType": "NONE"}
	with := func(member string, v any) object { return object{"authorizationType": "NONE", member: v} }
	for _, c := range []struct {
		kind, message, method, path string
		body                        object
	}{
		{"NotFoundException", "Invalid Resource identifier specified", "PUT", "/restapis/nope/resources/" + root + "/methods/GET", none},
		{"NotFoundException", "Invalid Resource identifier specified", "PUT", "/restapis/" + api + "/resources/nope/methods/GET", none},
		{"ConflictException", "Method already exists for this resource", "PUT", path, none},
		{"BadRequestException", "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY", "PUT", resource + "/methods/wrong", none},
		{"BadRequestException", "Invalid model identifier specified: petModel", "PUT", resource + "/methods/PUT", with("requestModels", object{"application/json": "petModel"})},
		{"BadRequestException", "Parameter names must be unique across querystring, header and path", "PUT", resource + "/methods/PUT",
			with("requestParameters", object{"method.request.querystring.x": true, "method.request.header.x": false})},
		{"BadRequestException", "Invalid Request Validator identifier specified", "PUT", resource + "/methods/PUT", with("requestValidatorId", "abc")},
		{"BadRequestException", "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.",
			"PUT", resource + "/methods/PUT", object{"authorizationType": "CUSTOM"}},
		{"BadRequestException", "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.",
			"PUT", resource + "/methods/PUT", object{"authorizationType": "COGNITO_USER_POOLS", "authorizerId": "nope12"}},
		{"BadRequestException", "Invalid authorization type specified. Valid options are NONE,AWS_IAM,CUSTOM,COGNITO_USER_POOLS",
			"PUT", resource + "/methods/PUT", object{"authorizationType": "SOME"}},
		{"BadRequestException", "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.",
			"PATCH", path, patch("replace /authorizationType CUSTOM")},
		{"BadRequestException", "Invalid patch operation specified. Must be one of: [replace]", "PATCH", path, patch("add /operationName x")},
		{"BadRequestException", "Invalid patch operation specified. Must be one of: [replace]", "PATCH", path, patch("add /requestValidatorId x")},
		{"BadRequestException", "Invalid patch path /httpMethod", "PATCH", path, patch("add /httpMethod PUT")},
		{"BadRequestException", "Invalid patch path /requestParameters", "PATCH", path, patch("replace /requestParameters x")},
		{"BadRequestException", "Invalid patch path /requestModels/application/json", "PATCH", path, patch("add /requestModels/application/json Empty")},
		{"BadRequestException", "Invalid model identifier specified: Nope", "PATCH", path, patch("add /requestModels/application~1json Nope")},
		{"NotFoundException", "Invalid Method identifier specified", "PATCH", resource + "/methods/PUT", patch("replace /operationName x")},
	} {
		h.fails(c.kind, c.message, c.method, c.path, c.body)
	}
	h.same("untouched", h.must(200, "GET", resource, nil), `{"id": "*", "path": "/", "resourceMethods": {"GET": {}}}`)
}

func TestMethodResponses(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	_, method := h.newMock()
	path := method + "/responses/200"
	h.same("put", h.must(201, "PUT", path, object{"responseModels": object{}, "responseParameters": object{}}),
		`{"statusCode": "200", "responseModels": {}, "responseParameters": {}}`)
	const full = `{"statusCode": "200", "responseModels": {"application/json": "Empty"}, "responseParameters": {"method.response.header.my-header": true}}`
	h.same("update", h.must(201, "PATCH", path, patch("add /responseModels/application~1json Empty", "add /responseParameters/method.response.header.my-header true")), full)
	h.same("get", h.must(200, "GET", path, nil), full)
	h.same("remove", h.must(201, "PATCH", path, patch("remove /responseModels/application~1json", "remove /responseParameters/method.response.header.my-header")), `{"statusCode": "200"}`)
	for _, c := range []struct {
		kind, message, method, path string
		body                        object
	}{
		{"ConflictException", "Response already exists for this resource", "PUT", path, object{}},
		{"NotFoundException", "Invalid parameter name specified", "PATCH", path, patch("remove /responseParameters/method.response.header.x")},
		{"NotFoundException", "Content-Type specified was not found", "PATCH", path, patch("replace /responseModels/text~1css Empty")},
		{"NotFoundException", "Invalid Response status code specified", "PATCH", method + "/responses/201", patch("add /responseModels/text~1css Empty")},
		{"NotFoundException", "Invalid Response status code specified", "GET", method + "/responses/201", nil},
		{"BadRequestException", "Invalid patch path /wrong/method.response.header.my-header", "PATCH", path, patch("add /wrong/method.response.header.my-header true")},
		{"BadRequestException", "Invalid model identifier specified: Nope", "PUT", method + "/responses/404", object{"responseModels": object{"application/json": "Nope"}}},
		{"ValidationException", `1 validation error detected: Value 'wrong' at 'statusCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [1-5]\d\d`,
			"GET", method + "/responses/wrong", nil},
	} {
		h.fails(c.kind, c.message, c.method, c.path, c.body)
	}
	h.must(204, "DELETE", path, nil)
	h.fails("NotFoundException", "Invalid Response status code specified", "DELETE", path, nil)
}

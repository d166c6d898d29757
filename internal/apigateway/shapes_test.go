package apigateway_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// answer is a call that AWS was recorded answering, in the order of the
// recording, and what it said; see refusal. "*" in want matches anything.
type answer struct {
	fact   string
	call   string
	in     object
	status int
	want   string
}

// answers makes the calls of a recording.
func (s *shop) answers(rows []answer) {
	s.t.Helper()
	for _, a := range rows {
		method, path, _ := strings.Cut(s.fill(a.call), " ")
		var in any
		if a.in != nil {
			text, err := json.Marshal(a.in)
			if err != nil {
				s.t.Fatal(err)
			}
			in = json.RawMessage(s.fill(string(text)))
		}
		got := s.must(a.status, method, path, in)
		if a.want == "" {
			if len(got) > 0 {
				s.t.Errorf("%s: got %v, want no body", a.fact, got)
			}
			continue
		}
		s.same(a.fact, got, s.fill(a.want))
	}
}

// TestShapesOfAPIs has create_rest_api_verify_defaults,
// create_rest_api_with_*, update_rest_api_*.
func TestShapesOfAPIs(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	api := func(more string) string {
		return `{"id": "*", "name": "a", "createdDate": "*", "apiKeySource": "HEADER", "disableExecuteApiEndpoint": false, "rootResourceId": "*"` + more + `}`
	}
	endpoint := func(kind, address string) string {
		return `, "endpointConfiguration": {"types": ["` + kind + `"], "ipAddressType": "` + address + `"}`
	}
	of := func(member string, v any) object { return object{"name": "a", member: v} }
	edge := endpoint("EDGE", "ipv4")
	patched := func(more string) string {
		return strings.Replace(strings.Replace(api(edge+`, "tags": {}`+more), `"name": "a"`, `"name": "test"`, 1), `"*"`, `"{api}"`, 1)
	}
	s.answers([]answer{
		{"create-only-name", "POST /restapis", object{"name": "a"}, 201, api(edge)},
		{"create-with-version", "POST /restapis", of("version", "v1"), 201, api(edge + `, "version": "v1"`)},
		{"create-with-empty-binary-media", "POST /restapis", of("binaryMediaTypes", []string{}), 201, api(edge)},
		{"create-with-binary-media", "POST /restapis", of("binaryMediaTypes", []string{"image/png"}), 201, api(edge + `, "binaryMediaTypes": ["image/png"]`)},
		{"create-rest-api-w-tags", "POST /restapis", of("tags", object{"k": "v"}), 201, api(edge + `, "tags": {"k": "v"}`)},
		{"create-with-edge-default", "POST /restapis", of("endpointConfiguration", object{"types": []string{"EDGE"}}), 201, api(edge)},
		{"create-with-regional-default", "POST /restapis", of("endpointConfiguration", object{"types": []string{"REGIONAL"}}), 201, api(endpoint("REGIONAL", "ipv4"))},
		{"create-with-private-default", "POST /restapis", of("endpointConfiguration", object{"types": []string{"PRIVATE"}}), 201, api(endpoint("PRIVATE", "dualstack"))},
		{"create-with-empty-default", "POST /restapis", of("endpointConfiguration", object{}), 201, api(edge)},
		{"create-with-endpoint-config-dualstack", "POST /restapis", of("endpointConfiguration", object{"ipAddressType": "dualstack"}), 201, api(endpoint("EDGE", "dualstack"))},
		{"update-rest-api-add", "PATCH /restapis/{api}", patch("add /binaryMediaTypes/image~1png", "add /binaryMediaTypes/image~1jpeg"), 200,
			patched(`, "binaryMediaTypes": ["image/png", "image/jpeg"]`)},
		{"update-rest-api-replace", "PATCH /restapis/{api}", patch("replace /binaryMediaTypes/image~1png image/gif"), 200, patched(`, "binaryMediaTypes": ["image/jpeg", "image/gif"]`)},
		{"update-rest-api-remove", "PATCH /restapis/{api}", patch("remove /binaryMediaTypes/image~1gif", "remove /description"), 200, patched(`, "binaryMediaTypes": ["image/jpeg"]`)},
		{"update-rest-api-array", "PATCH /restapis/{api}", patch("remove /binaryMediaTypes/image~1jpeg", "add /binaryMediaTypes/- image/png"), 200, patched(`, "binaryMediaTypes": ["-"]`)},
		{"enable-compression", "PATCH /restapis/{api}", patch("remove /binaryMediaTypes/-", "replace /minimumCompressionSize 10"), 200, patched(`, "minimumCompressionSize": 10`)},
		{"disable-compression", "PATCH /restapis/{api}", patch("replace /minimumCompressionSize "), 200, patched("")},
		{"set-compression-zero", "PATCH /restapis/{api}", patch("replace /minimumCompressionSize 0"), 200, patched(`, "minimumCompressionSize": 0`)},
		{"disable-compression without value", "PATCH /restapis/{api}", patch("replace /minimumCompressionSize"), 200, patched("")},
	})
}

// TestShapesOfMethods has what becomes of a method: method_lifecycle,
// update_method*, put_integration*, lifecycle_*_response.
func TestShapesOfMethods(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.name("authorizer", s.must(201, "POST", s.fill("/restapis/{api}/authorizers"), tokenAuthorizer("a"))["id"].(string))
	const (
		mock   = `"type": "MOCK", "passthroughBehavior": "WHEN_NO_MATCH", "timeoutInMillis": 29000, "cacheNamespace": "{root}", "cacheKeyParameters": []`
		http   = `{"httpMethod": "POST", "uri": "http://example.com", "connectionType": "INTERNET", "passthroughBehavior": "WHEN_NO_MATCH", "timeoutInMillis": 29000, "cacheNamespace": "{root}", "cacheKeyParameters": [], "type": `
		bare   = `{"httpMethod": "ANY", "authorizationType": "NONE", "apiKeyRequired": false}`
		lambda = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:111111111111:function:MyLambda/invocations"
		full   = `"responseModels": {"application/json": "Empty"}, "responseParameters": {"method.response.header.my-header": true}`
	)
	aws := func(kind string) string {
		return `{"type": "` + kind + `", "httpMethod": "POST", "uri": "` + lambda + `", "passthroughBehavior": "WHEN_NO_MATCH", "timeoutInMillis": 29000, "cacheNamespace": "{root}", "cacheKeyParameters": []}`
	}
	replaced := `"httpMethod": "ANY", "apiKeyRequired": true, "operationName": "ReplacedOperationName"`
	guarded := `"authorizationType": "CUSTOM", "authorizerId": "{authorizer}"`
	models := `"requestModels": {"application/json": "Empty"}, "requestParameters": {"method.request.querystring.optional": false}`
	s.answers([]answer{
		{"put-base-method-response", "PUT {rootM}/ANY", object{"authorizationType": "NONE"}, 201, bare},
		{"get-base-method-response", "GET {rootM}/ANY", nil, 200, bare},
		{"update-method-add", "PATCH {rootM}/ANY", patch("add /requestParameters/method.request.querystring.optional true", "add /requestModels/application~1json Empty"), 200,
			`{"httpMethod": "ANY", "authorizationType": "NONE", "apiKeyRequired": false, "requestModels": {"application/json": "Empty"}, "requestParameters": {"method.request.querystring.optional": true}}`},
		{"update-method-replace", "PATCH {rootM}/ANY", patch("replace /operationName ReplacedOperationName", "replace /apiKeyRequired true", "replace /authorizationType AWS_IAM",
			"replace /requestParameters/method.request.querystring.optional false"), 200, `{"authorizationType": "AWS_IAM", ` + replaced + `, ` + models + `}`},
		{"update-method-replace-authorizer", "PATCH {rootM}/ANY", patch("replace /authorizerId {authorizer}", "replace /authorizationType CUSTOM"), 200, `{` + guarded + `, ` + replaced + `, ` + models + `}`},
		{"update-method-remove", "PATCH {rootM}/ANY", patch("remove /requestParameters/method.request.querystring.optional true", "remove /requestModels/application~1json Empty"), 200,
			`{` + guarded + `, ` + replaced + `}`},
		{"wrong-value-type", "PATCH {rootM}/ANY", patch("replace /apiKeyRequired whatever", "replace /authorizationType NONE", "replace /operationName "), 200, bare},
		{"skip-auth-id-with-wrong-type", "PATCH {rootM}/ANY", patch("replace /authorizerId abc123"), 200, bare},
		{"del-base-method-response", "DELETE {rootM}/ANY", nil, 204, ""},
		{"put-method-put: the case of the type doesn't matter", "PUT {rootM}/PUT", object{"authorizationType": "none"}, 201, `{"httpMethod": "PUT", "authorizationType": "NONE", "apiKeyRequired": false}`},
		{"put-method-response-put", "PUT {rootM}/PUT/responses/200", object{}, 201, `{"statusCode": "200"}`},
		{"not-required-integration-method-MOCK: its uri is forgotten", "PUT {rootM}/PUT/integration", object{"type": "MOCK", "uri": "http://example.com"}, 201, `{` + mock + `}`},
		{"http-method-HTTP", "PUT {rootM}/PUT/integration", object{"type": "HTTP", "uri": "http://example.com", "httpMethod": "POST"}, 201, http + `"HTTP"}`},
		{"http-method-HTTP_PROXY", "PUT {rootM}/PUT/integration", object{"type": "HTTP_PROXY", "uri": "http://example.com", "httpMethod": "POST"}, 201, http + `"HTTP_PROXY"}`},
		{"aws-integration-type-AWS", "PUT {rootM}/PUT/integration", object{"type": "AWS", "uri": lambda, "httpMethod": "POST"}, 201, aws("AWS")},
		{"aws-integration-type-AWS_PROXY", "PUT {rootM}/PUT/integration", object{"type": "AWS_PROXY", "uri": lambda, "httpMethod": "POST"}, 201, aws("AWS_PROXY")},
		{"put-integration-vpc-link", "PUT {rootM}/PUT/integration", object{"type": "HTTP_PROXY", "httpMethod": "POST", "uri": "http://example.com", "connectionType": "VPC_LINK",
			"connectionId": "${stageVariables.link}"}, 201, strings.Replace(http, "INTERNET", `VPC_LINK", "connectionId": "${stageVariables.link}`, 1) + `"HTTP_PROXY"}`},
		{"update-integration-vpc-link", "PATCH {rootM}/PUT/integration", patch("replace /connectionId ${stageVariables.beta}"), 200,
			strings.Replace(http, "INTERNET", `VPC_LINK", "connectionId": "${stageVariables.beta}`, 1) + `"HTTP_PROXY"}`},
		{"put-integration-response-get", "PUT {rootM}/PUT/integration/responses/200", object{"selectionPattern": `2\d{2}`, "responseTemplates": object{}}, 201,
			`{"statusCode": "200", "selectionPattern": "2\\d{2}", "responseTemplates": {}}`},
		{"get-method-get", "GET {rootM}/PUT/integration/responses/200", nil, 200, `{"statusCode": "200", "selectionPattern": "2\\d{2}", "responseTemplates": {}}`},
		{"put-integration-response-put", "PUT {rootM}/PUT/integration/responses/200", object{"selectionPattern": `2\d{2}`, "contentHandling": "CONVERT_TO_BINARY"}, 201,
			`{"statusCode": "200", "selectionPattern": "2\\d{2}", "contentHandling": "CONVERT_TO_BINARY"}`},
		{"put-integration-response-template-none", "PUT {get}/integration/responses/200", object{"selectionPattern": "", "responseTemplates": object{"application/json": nil}}, 201,
			`{"statusCode": "200", "selectionPattern": "", "responseTemplates": {"application/json": null}}`},
		{"put-integration-response-template-empty", "PUT {get}/integration/responses/200", object{"selectionPattern": "", "responseTemplates": object{"application/json": ""}}, 201,
			`{"statusCode": "200", "selectionPattern": "", "responseTemplates": {"application/json": null}}`},
		{"put-integration-no-response-template", "PUT {get}/integration/responses/200", object{"selectionPattern": ""}, 201, `{"statusCode": "200", "selectionPattern": ""}`},
		{"update-integration-response", "PATCH {get}/integration/responses/200", patch("replace /selectionPattern updated-pattern"), 200, `{"statusCode": "200", "selectionPattern": "updated-pattern"}`},
		{"delete-integration-response", "DELETE {get}/integration/responses/200", nil, 204, ""},
		{"remove-update-method-response", "PATCH {get}/responses/200", patch("remove /responseParameters/method.response.header.my-header true", "remove /responseModels/application~1json Empty"), 201,
			`{"statusCode": "200"}`},
		{"add-update-method-response", "PATCH {get}/responses/200", patch("add /responseParameters/method.response.header.my-header true", "add /responseModels/application~1json Empty"), 201,
			`{"statusCode": "200", ` + full + `}`},
		{"update-method-responses", "PATCH {get}/responses/200", patch("replace /responseParameters/method.response.header.my-header true", "replace /responseModels/application~1json Empty"), 201,
			`{"statusCode": "200", ` + full + `}`},
		{"get-method", "GET {get}", nil, 200, `{"httpMethod": "GET", "authorizationType": "NONE", "apiKeyRequired": false, "requestModels": {"application/json": "MySchema"},
			"methodIntegration": {` + mock + `, "requestTemplates": {"application/json": "{\"statusCode\": 200}"}}, "methodResponses": {"200": {"statusCode": "200", ` + full + `}}}`},
		{"delete-method-response", "DELETE {get}/responses/200", nil, 204, ""},
		{"put-method-response: empty maps are kept", "PUT {get}/responses/200", object{"responseParameters": object{}, "responseModels": object{}}, 201,
			`{"statusCode": "200", "responseModels": {}, "responseParameters": {}}`},
		{"get-integration-response", "GET {get}/responses/200", nil, 200, `{"statusCode": "200", "responseModels": {}, "responseParameters": {}}`},
	})
	s.refuse([]refusal{{"measured: what an integration maps must be declared", "PUT {bare}/integration", object{"type": "MOCK",
		"requestParameters": object{"integration.request.path.id": "method.request.path.proxy"}}, bad, mapping + "[Invalid mapping expression parameter specified: method.request.path.proxy]"}})
}

package apigateway_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// refusal is a call that AWS was recorded refusing, and its words. {names}
// stand for what the shop's are.
type refusal struct {
	fact string // the recording: its test and the answer's key there
	call string // method and path
	in   object
	kind string
	text string
}

// shop is an API with one of everything that refusals are about, by name.
type shop struct {
	*harness
	names []string // name, value, name, value, ...
}

func (s *shop) name(name, value string) string {
	s.names = append(s.names, "{"+name+"}", value)
	return value
}

// fill puts what they stand for in the place of names.
func (s *shop) fill(text string) string { return strings.NewReplacer(s.names...).Replace(text) }

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{harness: newHarness(t)}
	api, root := s.newAPI()
	base := "/restapis/" + s.name("api", api)
	s.name("root", root)
	pets := s.name("pets", s.child(api, root, "pets"))
	sub := s.name("sub", s.child(api, pets, "sub"))
	s.name("twin", s.child(api, sub, "pets"))
	s.name("proxy", s.child(api, root, "{proxy+}"))
	s.name("rootM", base+"/resources/"+root+"/methods")
	get := s.name("get", base+"/resources/"+root+"/methods/GET") // complete
	bare := s.name("bare", base+"/resources/"+root+"/methods/POST")
	s.must(201, "POST", base+"/models", object{"name": "MySchema", "contentType": "application/json", "schema": `{"title": "MySchema", "type": "object"}`})
	s.must(201, "PUT", get, object{"authorizationType": "NONE", "requestModels": object{"application/json": "MySchema"}})
	s.must(201, "PUT", get+"/responses/200", object{"responseParameters": object{"method.response.header.my-header": false}, "responseModels": object{"application/json": "Empty"}})
	s.must(201, "PUT", get+"/integration", object{"type": "MOCK", "requestTemplates": object{"application/json": `{"statusCode": 200}`}})
	s.must(201, "PUT", get+"/integration/responses/200", object{"selectionPattern": "", "responseTemplates": object{"application/json": `"created"`}})
	s.name("deployment", s.deploy(api))
	s.must(201, "POST", base+"/stages", object{"stageName": "dev", "deploymentId": s.fill("{deployment}")})
	s.must(201, "PUT", bare, object{"authorizationType": "NONE"})
	s.name("validator", s.must(201, "POST", base+"/requestvalidators", object{"name": "v"})["id"].(string))
	s.name("part", s.must(201, "POST", base+"/documentation/parts", object{"location": object{"type": "API"}, "properties": `{"description": "Sample"}`})["id"].(string))
	s.name("plan", s.must(201, "POST", "/usageplans", object{"name": "p", "apiStages": []object{{"apiId": api, "stage": "dev"}}})["id"].(string))
	return s
}

// refuse makes the calls of refusals and holds the answers against them.
func (s *shop) refuse(rows []refusal) {
	s.t.Helper()
	for _, r := range rows {
		method, path, _ := strings.Cut(s.fill(r.call), " ")
		var in any
		if r.in != nil {
			text, err := json.Marshal(r.in)
			if err != nil {
				s.t.Fatal(err)
			}
			in = json.RawMessage(s.fill(string(text)))
		}
		s.t.Log(r.fact)
		s.fails(r.kind, s.fill(r.text), method, path, in)
	}
}

const (
	bad      = "BadRequestException"
	missing  = "NotFoundException"
	clash    = "ConflictException"
	invalid  = "ValidationException"
	unread   = "SerializationException"
	noAPI    = "Invalid API identifier specified 111111111111:nope"
	noRes    = "Invalid Resource identifier specified"
	noMethod = "Invalid Method identifier specified"
	noInt    = "Invalid Integration identifier specified"
	noStatus = "Invalid Response status code specified"
	mapping  = "Invalid mapping expression specified: Validation Result: warnings : [], errors : "
)

// mockOf is an integration of type MOCK.
func mockOf() object { return object{"type": "MOCK", "httpMethod": "GET"} }

// TestErrorTextsOfWhatIsNotThere: AWS looks for a method's API and resource in
// one go, for most else first for the API, and for some only for the thing.
func TestErrorTextsOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	const validator, part, link, plan = "Invalid Request Validator identifier specified", "Invalid Documentation part identifier specified",
		"Invalid Vpc Link identifier specified", "Invalid Usage Plan ID specified"
	statusCode := object{"statusCode": "200"}
	newShop(t).refuse([]refusal{
		{"update_rest_api_invalid_api_id", "PATCH /restapis/nope", patch("replace /apiKeySource AUTHORIZER"), missing, noAPI},
		{"create_resource_parent_invalid", "POST /restapis/{api}/resources/nope", object{"pathPart": "sub"}, missing, noRes},
		{"update_resource_behaviour nonexistent-resource", "PATCH /restapis/{api}/resources/nope", patch("replace /pathPart dogs"), missing, noRes},
		{"update_resource_behaviour invalid-parent-id", "PATCH /restapis/{api}/resources/{pets}", patch("replace /parentId nope"), missing, noRes},
		{"delete_resource delete-subresource", "DELETE /restapis/{api}/resources/nope", nil, missing, noRes},
		{"put_method_validation wrong-api", "PUT /restapis/nope/resources/{root}/methods/WRONG", object{"authorizationType": "NONE"}, missing, noRes},
		{"put_method_validation wrong-resource", "PUT /restapis/{api}/resources/nope/methods/WRONG", object{"authorizationType": "NONE"}, missing, noRes},
		{"method_lifecycle get-deleted-method-response", "GET {rootM}/ANY", nil, missing, noMethod},
		{"method_lifecycle delete-deleted-method-response", "DELETE {rootM}/ANY", nil, missing, noMethod},
		{"update_method_validation wrong-rest-api", "PATCH /restapis/nope/resources/{root}/methods/ANY", patch(), missing, noRes},
		{"update_method_validation wrong-resource-id", "PATCH /restapis/{api}/resources/nope/methods/ANY", patch(), missing, noRes},
		{"update_method_validation method-does-not-exist", "PATCH {rootM}/PUT", patch("replace /operationName methodDoesNotExist"), missing, noMethod},
		{"update_method_response_negative wrong-statuscode", "PATCH {get}/responses/201", patch("replace /responseParameters/method.response.header.my-header true"), missing, noStatus},
		{"update_method_response_negative wrong-resource", "PATCH /restapis/{api}/resources/nope/methods/GET/responses/200", patch("replace /responseModels/a~1b Empty"), missing, noRes},
		{"update_method_response_negative wrong-method", "PATCH {rootM}/PUT/responses/200", patch("replace /responseModels/a~1b Empty"), missing, noMethod},
		{"put_integration_response_validation put-integration-wrong-method", "PUT {rootM}/PUT/integration", mockOf(), missing, noMethod},
		{"put_integration_response_validation put-integration-wrong-resource", "PUT /restapis/{api}/resources/nope/methods/GET/integration", mockOf(), missing, noRes},
		{"get_integration_non_existent no-api", "GET /restapis/nope/resources/{root}/methods/GET/integration", nil, missing, noRes},
		{"get_integration_non_existent no-resource", "GET /restapis/{api}/resources/nope/methods/GET/integration", nil, missing, noRes},
		{"get_integration_non_existent no-method", "GET {rootM}/PUT/integration", nil, missing, noMethod},
		{"get_integration_non_existent no-integration", "GET {bare}/integration", nil, missing, noInt},
		{"put_integration_response_validation put-integration-response-wrong-method", "PUT {rootM}/PUT/integration/responses/200", object{}, missing, noMethod},
		{"integration_response_wrong_api put", "PUT /restapis/nope/resources/x/methods/GET/integration/responses/200", statusCode, missing, noRes},
		{"integration_response_wrong_api get", "GET /restapis/nope/resources/x/methods/GET/integration/responses/200", nil, missing, noRes},
		{"integration_response_wrong_resource put", "PUT /restapis/{api}/resources/nope/methods/GET/integration/responses/200", object{}, missing, noRes},
		{"integration_response_wrong_resource get", "GET /restapis/{api}/resources/nope/methods/GET/integration/responses/200", nil, missing, noRes},
		{"integration_response_wrong_method put", "PUT {rootM}/wrong-method/integration/responses/200", object{}, missing, noMethod},
		{"integration_response_wrong_method get", "GET {rootM}/wrong-method/integration/responses/200", nil, missing, noMethod},
		{"integration_response_invalid_integration", "GET {bare}/integration/responses/200", nil, missing, noInt},
		{"integration_response_wrong_status_code", "GET {get}/integration/responses/201", nil, missing, noStatus},
		{"delete_integration_response_errors non-existent-resource", "DELETE /restapis/{api}/resources/nope/methods/GET/integration/responses/200", nil, missing, noRes},
		{"delete_integration_response_errors non-existent-api-id", "DELETE /restapis/nope/resources/{root}/methods/GET/integration/responses/200", nil, missing, noRes},
		{"delete_integration_response_errors non-existent-method", "DELETE {rootM}/PUT/integration/responses/200", nil, missing, noInt},
		{"delete_integration_response_errors bad-method", "DELETE {rootM}/METHOD/integration/responses/200", nil, missing, noInt},
		{"delete_integration_response_errors non-existent-status-code", "DELETE {get}/integration/responses/201", nil, missing, noStatus},
		{"invoke_test_method resource-method-not-found", "POST {rootM}/PUT", object{}, missing, noMethod},
		{"invoke_test_method resource-id-not-found", "POST /restapis/{api}/resources/nope/methods/GET", object{}, missing, noRes},
		{"invoke_test_method rest-api-not-found", "POST /restapis/nope/resources/{root}/methods/GET", object{}, missing, noRes},
		{"model_validation create-model-wrong-id", "POST /restapis/nope/models", object{"name": "M", "contentType": "application/json", "schema": "{}"}, missing, noAPI},
		{"model_validation get-models-wrong-id", "GET /restapis/nope/models", nil, missing, noAPI},
		{"model_validation get-model-wrong-id", "GET /restapis/nope/models/MySchema", nil, missing, "Invalid model name specified: MySchema"},
		{"model_validation del-model-wrong-id", "DELETE /restapis/nope/models/MySchema", nil, missing, "Invalid model name specified: MySchema"},
		{"update_model update-model-wrong-id", "PATCH /restapis/nope/models/mySchema", patch("replace /description "), missing, "Invalid model name specified: mySchema"},
		{"validators_crud_no_api create", "POST /restapis/nope/requestvalidators", object{"name": "v", "validateRequestBody": true}, bad, "Invalid REST API identifier specified"},
		{"validators_crud_no_api list", "GET /restapis/nope/requestvalidators", nil, missing, noAPI},
		{"invalid_get_request_validator api", "GET /restapis/nope/requestvalidators/{validator}", nil, missing, validator},
		{"invalid_get_request_validator id", "GET /restapis/{api}/requestvalidators/nope", nil, missing, validator},
		{"invalid_delete_request_validator api", "DELETE /restapis/nope/requestvalidators/{validator}", nil, missing, validator},
		{"invalid_delete_request_validator id", "DELETE /restapis/{api}/requestvalidators/nope", nil, missing, validator},
		{"doc_parts_crud_no_api create", "POST /restapis/nope/documentation/parts", object{"location": object{"type": "API"}, "properties": "{}"}, missing, noAPI},
		{"doc_parts_crud_no_api list", "GET /restapis/nope/documentation/parts", nil, missing, noAPI},
		{"invalid_get_documentation_part api", "GET /restapis/nope/documentation/parts/{part}", nil, missing, part},
		{"invalid_get_documentation_part id", "GET /restapis/{api}/documentation/parts/nope", nil, missing, part},
		{"invalid_update_documentation_part api", "PATCH /restapis/nope/documentation/parts/{part}", patch("replace /properties {}"), missing, part},
		{"invalid_delete_documentation_part api", "DELETE /restapis/nope/documentation/parts/{part}", nil, missing, noAPI},
		{"invalid_delete_documentation_part id", "DELETE /restapis/{api}/documentation/parts/nope", nil, missing, part},
		{"authorizer_crud_no_api create", "POST /restapis/nope/authorizers", tokenAuthorizer("a"), clash,
			"Unable to complete operation due to concurrent modification. Please try again later."},
		{"authorizer_crud_no_api list", "GET /restapis/nope/authorizers", nil, missing, noAPI},
		{"gateway_response_validation list-no-api", "GET /restapis/nope/gatewayresponses", nil, missing, noAPI},
		{"gateway_response_validation get-no-api", "GET /restapis/nope/gatewayresponses/DEFAULT_4XX", nil, missing, noAPI},
		{"gateway_response_validation delete-no-api", "DELETE /restapis/nope/gatewayresponses/DEFAULT_4XX", nil, missing, noAPI},
		{"gateway_response_validation update-no-api", "PATCH /restapis/nope/gatewayresponses/DEFAULT_4XX", patch(), missing, noAPI},
		{"gateway_response_validation delete-not-set", "DELETE /restapis/{api}/gatewayresponses/DEFAULT_4XX", nil, missing, "Gateway response type not defined on api"},
		{"get_vpc_link_invalid_id", "GET /vpclinks/invalid-id", nil, missing, link},
		{"delete_vpc_link_invalid_id", "DELETE /vpclinks/invalid-id", nil, missing, link},
		{"update_vpc_link_invalid_id", "PATCH /vpclinks/invalid-id", patch("replace /name n"), missing, link},
		{"usage_plan_crud update-wrong-id", "PATCH /usageplans/nope", patch("replace /throttle/burstLimit 100"), missing, plan},
		{"usage_plan_crud update-wrong-api-stages-wrong-api", "PATCH /usageplans/{plan}", patch("remove /apiStages {api}b:dev"), missing,
			"Invalid API Stage {api: {api}b, stage: dev} specified for usageplan {plan}"},
		{"usage_plan_crud update-wrong-api-stages-wrong-stage", "PATCH /usageplans/{plan}", patch("remove /apiStages {api}:fake"), missing,
			"Invalid API Stage {api: {api}, stage: fake} specified for usageplan {plan}"},
	})
}

// TestErrorTextsOfBadInput has the refusals of calls that create and put.
func TestErrorTextsOfBadInput(t *testing.T) {
	t.Parallel()
	const (
		compression = "Invalid minimum compression size, must be between 0 and 10485760"
		authorizer  = "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer."
		schema      = "Model schema must have at least 1 property or array items defined"
		noEndpoint  = "Invalid HTTP endpoint specified for URI"
		noVerb      = "Enumeration value for HttpMethod must be non-empty"
		s3          = "arn:aws:apigateway:us-east-1:s3:path/b/k"
		role        = "arn:aws:iam::111111111111:role/service-role/f"
	)
	method := func(members ...any) object { return pairs(append(members, "authorizationType", "NONE")...) }
	api := func(members ...any) object { return pairs(append(members, "name", "a")...) }
	model := func(members ...any) object {
		return pairs(append([]any{"contentType", "application/json"}, members...)...)
	}
	newShop(t).refuse([]refusal{
		{"create_rest_api_with_optional_params create-empty-desc", "POST /restapis", api("description", ""), bad, "Description cannot be an empty string"},
		{"create_rest_api_with_optional_params string-compression-size", "POST /restapis", api("minimumCompressionSize", -1), bad, compression},
		{"create_rest_api_with_endpoint_configuration empty-types", "POST /restapis", api("endpointConfiguration", object{"types": []string{}}), bad,
			"REGIONAL Configuration and EDGE Configuration cannot be both DISABLED."},
		{"create_rest_api_with_endpoint_configuration two-types", "POST /restapis", api("endpointConfiguration", object{"types": []string{"EDGE", "REGIONAL"}}), bad,
			"Cannot create an api with multiple Endpoint Types."},
		{"create_rest_api_with_endpoint_configuration multiple-errors-2", "POST /restapis", api("description", "", "endpointConfiguration", object{"types": []string{"EDGE", "REGIONAL"}}), bad,
			"Description cannot be an empty string"},
		{"create_rest_api_private_type ipv4", "POST /restapis", api("endpointConfiguration", object{"types": []string{"PRIVATE"}, "ipAddressType": "ipv4"}), bad,
			"Only dualstack ipAddressType is supported for Private APIs."},
		{"create_rest_api_private_type ipv4-and-empty-description", "POST /restapis", api("description", "", "endpointConfiguration", object{"types": []string{"PRIVATE"}, "ipAddressType": "ipv4"}), bad,
			"Description cannot be an empty string"},
		{"create_proxy_resource_validation dynamic-sibling", "POST /restapis/{api}/resources/{root}", object{"pathPart": "{dynamic}"}, bad,
			"A sibling ({proxy+}) of this resource already has a variable path part -- only one is allowed"},
		{"create_proxy_resource_validation static-child", "POST /restapis/{api}/resources/{proxy}", object{"pathPart": "child"}, bad,
			"Cannot create a child of a resource with a greedy path variable: {proxy+}"},
		{"create_proxy_resource_validation dynamic-child", "POST /restapis/{api}/resources/{proxy}", object{"pathPart": "{child}"}, bad,
			"Cannot create a child of a resource with a greedy path variable: {proxy+}"},
		{"put_method_validation wrong-method", "PUT {rootM}/WRONG", method(), bad, "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY"},
		{"put_method_validation missing-authorizer-id", "PUT {rootM}/ANY", object{"authorizationType": "CUSTOM"}, bad, authorizer},
		{"put_method_validation invalid-request-validator", "PUT {rootM}/ANY", method("requestValidatorId", "nope"), bad, "Invalid Request Validator identifier specified"},
		{"put_method_validation invalid-model-name", "PUT {rootM}/ANY", method("requestModels", object{"application/json": "petModel"}), bad, "Invalid model identifier specified: petModel"},
		{"method_request_parameters same-name", "PUT {rootM}/ANY", method("requestParameters", object{"method.request.querystring.optional": false, "method.request.header.optional": false}), bad,
			"Parameter names must be unique across querystring, header and path"},
		{"put_integration_request_parameter_bool_type put-method", "PUT {rootM}/ANY", method("requestParameters", object{"method.request.path.testPath": true, "true": true}), bad,
			mapping + "[Invalid mapping expression specified: true]"},
		{"put_integration_request_parameter_bool_type put-integration", "PUT {get}/integration", object{"type": "HTTP_PROXY", "requestParameters": object{"true": true}}, unread,
			"class java.lang.Boolean can not be converted to an String"},
		{"put_integration_request_parameter_bool_type bool-value", "PUT {get}/integration", object{"type": "HTTP_PROXY", "requestParameters": object{"integration.request.path.testPath": true}}, unread,
			"class java.lang.Boolean can not be converted to an String"},
		{"integration_response_invalid_responsetemplates 1", "PUT {get}/integration/responses/200", object{"responseTemplates": object{"application/json": 123}}, unread,
			"class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String"},
		{"integration_response_invalid_responsetemplates 2", "PUT {get}/integration/responses/200", object{"responseTemplates": object{"123": "{}"}}, bad,
			"Validation Result: warnings : [], errors : [Invalid content type specified: 123]"},
		{"put_integration_validation required-method-HTTP", "PUT {get}/integration", object{"type": "HTTP", "uri": "http://example.com"}, bad, noVerb},
		{"put_integration_validation required-method-HTTP_PROXY", "PUT {get}/integration", object{"type": "HTTP_PROXY", "uri": "http://example.com"}, bad, noVerb},
		{"put_integration_validation required-method-AWS", "PUT {get}/integration", object{"type": "AWS", "uri": "http://example.com"}, bad, noVerb},
		{"put_integration_validation no-s3-support-AWS_PROXY", "PUT {get}/integration", object{"type": "AWS_PROXY", "httpMethod": "POST", "uri": s3, "credentials": role}, bad,
			"Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations."},
		{"put_integration_validation invalid-uri-HTTP", "PUT {get}/integration", object{"type": "HTTP", "httpMethod": "POST", "uri": "non-valid-http"}, bad, noEndpoint},
		{"put_integration_validation invalid-uri-HTTP_PROXY", "PUT {get}/integration", object{"type": "HTTP_PROXY", "httpMethod": "POST", "uri": "non-valid-http"}, bad, noEndpoint},
		{"put_integration_validation invalid-uri-not-an-arn", "PUT {get}/integration", object{"type": "AWS", "httpMethod": "POST", "uri": "non-valid-arn"}, bad, "Invalid ARN specified in the request"},
		{"put_integration_validation invalid-uri-invalid-arn", "PUT {get}/integration", object{"type": "AWS", "httpMethod": "POST", "uri": "arn:aws:iam::0000000000:role/service-role/asdf"}, bad,
			"AWS ARN for integration must contain path or action"},
		{"model_validation already-exists", "POST /restapis/{api}/models", model("name", "MySchema", "schema", `{"type": "object"}`), clash, "Model name already exists for this REST API"},
		{"model_validation empty-name", "POST /restapis/{api}/models", model("name", "", "schema", `{"type": "object"}`), bad, "Model name must be non-empty"},
		{"model_validation empty-schema", "POST /restapis/{api}/models", model("name", "M", "schema", ""), bad, schema},
		{"model_validation no-schema-json", "POST /restapis/{api}/models", model("name", "M"), bad, schema},
		{"model_validation no-schema-xml", "POST /restapis/{api}/models", model("name", "M", "contentType", "application/xml"), bad, schema},
		{"put_method_model delete-model-used", "DELETE /restapis/{api}/models/MySchema", nil, clash, "Cannot delete model 'MySchema', is referenced in method request: //GET"},
		{"create_vpc_link_invalid_target_arn", "POST /vpclinks", object{"name": "n", "targetArns": []string{"invalid-arn"}}, bad, "Invalid ARN. ARN is not well formed invalid-arn"},
		{"create_vpc_link_empty_name", "POST /vpclinks", object{"name": "", "targetArns": []string{"arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/net/n/1"}}, bad, "Name cannot be empty"},
		{"create_canary_deployment bad-canary-deployment-id", "POST /restapis/{api}/stages", object{"stageName": "x", "deploymentId": "{deployment}", "canarySettings": object{"deploymentId": "deploy"}}, bad,
			"Deployment id does not exist"},
		{"create_canary_deployment_validation no-stage", "POST /restapis/{api}/deployments", object{"canarySettings": object{"percentTraffic": 50}}, bad,
			"Invalid deployment content specified.Non null and non empty stageName must be provided for canary deployment. Provided value is null"},
		{"create_canary_deployment_validation empty-stage", "POST /restapis/{api}/deployments", object{"stageName": "", "canarySettings": object{"percentTraffic": 50}}, bad,
			"Invalid deployment content specified.Non null and non empty stageName must be provided for canary deployment. Provided value is "},
		{"create_canary_deployment_validation non-existing-stage", "POST /restapis/{api}/deployments", object{"stageName": "non-existing", "canarySettings": object{"percentTraffic": 50}}, bad,
			"Invalid deployment content specified.Stage non-existing must already be created before making a canary release deployment"},
		{"create_update_deployments delete-deployment-error", "DELETE /restapis/{api}/deployments/{deployment}", nil, bad, "Active stages pointing to this deployment must be moved or deleted"},
		{"key value too short", "POST /apikeys", object{"name": "k", "value": "0123456789012345678"}, bad, "API Key value should be at least 20 characters"},
	})
}

// pairs is an object of names and values, of which the last of a name holds.
func pairs(members ...any) object {
	out := object{}
	for i := 0; i < len(members); i += 2 {
		out[members[i].(string)] = members[i+1]
	}
	return out
}

// TestErrorTextsOfValidation has what the model refuses, with the values of
// enumerations in AWS's order.
func TestErrorTextsOfValidation(t *testing.T) {
	t.Parallel()
	const (
		one     = "1 validation error detected: "
		two     = "2 validation errors detected: "
		fails   = " failed to satisfy constraint: Member must satisfy "
		ops     = fails + "enum value set: [add, remove, move, test, replace, copy]"
		code    = "Value 'wrong' at 'statusCode'" + fails + `regular expression pattern: [1-5]\d\d`
		types   = "Value '[wrong]' at 'createRestApiInput.endpointConfiguration.types'" + fails + "constraint: [Member must satisfy enum value set: [PRIVATE, EDGE, REGIONAL]]"
		address = "Value 'wrong' at 'createRestApiInput.endpointConfiguration.ipAddressType'" + fails + "enum value set: [ipv4, dualstack]"
		answer  = one + "Value 'FAKE' at 'responseType'" + fails + "enum value set: " + responseTypes
	)
	wrongOp := func(of, n string) string {
		return "Value 'wrong_op' at '" + of + "Input.patchOperations." + n + ".member.op'" + ops
	}
	endpoint := func(members ...any) object { return object{"name": "a", "endpointConfiguration": pairs(members...)} }
	const response, operation = "updateMethodResponse", "wrong_op /responseModels/application~1json Empty"
	newShop(t).refuse([]refusal{
		{"invalid-ip-address-type", "POST /restapis", endpoint("ipAddressType", "wrong"), invalid, one + address},
		{"invalid-types", "POST /restapis", endpoint("types", []string{"wrong"}), invalid, one + types},
		{"invalid-types-and-ip-address-type", "POST /restapis", endpoint("ipAddressType", "wrong", "types", []string{"wrong"}), invalid, two + types + "; " + address},
		{"private-type-and-wrong-ip-address-type", "POST /restapis", endpoint("ipAddressType", "wrong", "types", []string{"PRIVATE"}), invalid, one + address},
		{"concatenation_of_errors 2", "PATCH /restapis/{api}", patch("wrong_op /a", "wrong_op /b"), invalid, two + wrongOp("updateRestApi", "1") + "; " + wrongOp("updateRestApi", "2")},
		{"concatenation_of_errors 3", "PATCH /restapis/{api}", patch("wrong_op /a", "wrong_op /b", "wrong_op /c"), invalid,
			"3 validation errors detected: " + wrongOp("updateRestApi", "1") + "; " + wrongOp("updateRestApi", "2") + "; " + wrongOp("updateRestApi", "3")},
		{"put_integration_wrong_type", "PUT {get}/integration", object{"type": "HTTPS_PROXY"}, invalid,
			one + "Value 'HTTPS_PROXY' at 'putIntegrationInput.type'" + fails + "enum value set: [HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]"},
		{"integration_response_invalid_statuscode put", "PUT {get}/integration/responses/wrong", object{"selectionPattern": ""}, invalid, one + code},
		{"integration_response_invalid_statuscode get", "GET {get}/integration/responses/wrong", nil, invalid, one + code},
		{"wrong_operations 1", "PATCH {get}/responses/200", patch(operation), invalid, one + wrongOp(response, "1")},
		{"wrong_operations 3", "PATCH {get}/responses/200", patch(operation, operation), invalid, two + wrongOp(response, "1") + "; " + wrongOp(response, "2")},
		{"wrong_operations 5", "PATCH {get}/responses/200", patch(operation, "remove /responseModels/application~1json Empty", operation), invalid,
			two + wrongOp(response, "1") + "; " + wrongOp(response, "3")},
		{"negative_tests invalid-statuscode", "PATCH {get}/responses/wrong", patch("replace /responseParameters/method.response.header.my-header true"), invalid, one + code},
		{"negative_tests invalid-statuscode-and-wrong-op", "PATCH {get}/responses/wrong", patch(operation), invalid, two + wrongOp(response, "1") + "; " + code},
		{"documentation_part_invalid_location_type", "POST /restapis/{api}/documentation/parts", object{"location": object{"type": "INVALID"}, "properties": "{}"}, invalid,
			one + "Value 'INVALID' at 'createDocumentationPartInput.location.type'" + fails + "enum value set: [RESPONSE_BODY, RESPONSE, METHOD, MODEL, AUTHORIZER, " +
				"RESPONSE_HEADER, RESOURCE, PATH_PARAMETER, REQUEST_BODY, QUERY_PARAMETER, API, REQUEST_HEADER]"},
		{"gateway_response_validation get", "GET /restapis/{api}/gatewayresponses/FAKE", nil, invalid, answer},
		{"gateway_response_validation delete", "DELETE /restapis/{api}/gatewayresponses/FAKE", nil, invalid, answer},
		{"gateway_response_validation update", "PATCH /restapis/{api}/gatewayresponses/FAKE", patch(), invalid, answer},
		{"gateway_response_validation put", "PUT /restapis/{api}/gatewayresponses/FAKE", object{"statusCode": "404", "responseParameters": object{}, "responseTemplates": object{}}, invalid, answer},
	})
}

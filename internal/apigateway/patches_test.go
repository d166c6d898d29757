package apigateway_test

import (
	"strings"
	"testing"
)

// patchable is a path of a resource and which of the operations add, replace
// and remove the API Reference, "Patch Operations", says it supports.
type patchable struct {
	path, ops, value string
}

// patches tries add, replace and remove on every path, in this order: those
// that are supported succeed, the others change nothing. Nothing can be copied.
func (s *shop) patches(status int, at string, rows []patchable) {
	s.t.Helper()
	at = s.fill(at)
	for _, r := range rows {
		for _, op := range []string{"add", "replace", "remove", "copy"} {
			call := op + " " + s.fill(r.path)
			if op != "remove" || r.value != "" {
				call += " " + s.fill(r.value)
			}
			got, kind, out := s.call("PATCH", at, patch(call))
			switch supported := strings.Contains(r.ops, op); {
			case supported && got != status:
				s.t.Errorf("%s: %q: %d %s %v", at, call, got, kind, out["message"])
			case !supported && (got != 400 || kind != bad):
				s.t.Errorf("%s: %q isn't supported, got %d %s %v", at, call, got, kind, out["message"])
			}
		}
	}
}

const (
	replace = "replace"
	ends    = "add remove"
	all     = "add replace remove"
	none    = ""
)

// TestPatchOperations has the API Reference's table, a row a path.
func TestPatchOperations(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.must(200, "PATCH", "/account", patch("replace /cloudwatchRoleArn arn:aws:iam::111111111111:role/logs"))
	s.must(201, "POST", s.fill("/restapis/{api}/stages"), object{"stageName": "other", "deploymentId": s.fill("{deployment}")})
	s.name("key", s.must(201, "POST", "/apikeys", object{"name": "k"})["id"].(string))
	s.must(201, "POST", s.fill("/usageplans/{plan}/keys"), object{"keyId": s.fill("{key}"), "keyType": "API_KEY"})
	s.patches(200, "/account", []patchable{
		{"/cloudwatchRoleArn", replace, "arn:aws:iam::111111111111:role/logs"},
		{"/features", "add", "UsagePlans"}, // and can't be removed
	})
	s.patches(200, "/apikeys/{key}", []patchable{
		{"/customerId", replace, "c"}, {"/description", replace, "d"}, {"/enabled", replace, "true"}, {"/labels", ends, "l"}, {"/name", replace, "n"},
		{"/stages", ends, "{api}/dev"},
	})
	s.patches(200, "/usageplans/{plan}", []patchable{
		{"/apiStages", ends, "{api}:other"},
		{"/apiStages/{api}:dev/throttle", all, `{"/pets/GET": {"rateLimit": 10, "burstLimit": 5}}`},
		{"/apiStages/{api}:dev/throttle/~1pets/GET/rateLimit", "add replace", "1"},
		{"/apiStages/{api}:dev/throttle/~1pets/GET/burstLimit", "add replace", "1"},
		{"/apiStages/{api}:dev/throttle/~1pets/GET", "remove", ""},
		{"/description", replace, "d"}, {"/name", replace, "n"}, {"/productCode", all, "p"},
		{"/throttle", "remove", ""}, {"/throttle/burstLimit", "add replace", "1"}, {"/throttle/rateLimit", "add replace", "1"},
	})
	s.must(200, "PATCH", s.fill("/usageplans/{plan}"), patch("add /quota/limit 10", "add /quota/period DAY"))
	s.patches(200, "/usageplans/{plan}/keys/{key}/usage", []patchable{{"/remaining", replace, "5"}})
	s.patches(200, "/usageplans/{plan}", []patchable{
		{"/quota/limit", "add replace", "5"}, {"/quota/offset", "add replace", "0"}, {"/quota/period", "add replace", "DAY"}, {"/quota", "remove", ""},
	})
	s.name("certificate", s.must(201, "POST", "/clientcertificates", object{})["clientCertificateId"].(string))
	s.patches(200, "/clientcertificates/{certificate}", []patchable{{"/description", replace, "d"}})
	s.name("link", s.must(202, "POST", "/vpclinks", object{"name": "l", "targetArns": []string{"arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/net/n/1"}})["id"].(string))
	s.patches(200, "/vpclinks/{link}", []patchable{{"/name", replace, "n"}, {"/description", replace, "d"}})
	s.must(201, "POST", "/domainnames", object{"domainName": "a.example.com", "certificateArn": certificate})
	s.patches(200, "/domainnames/a.example.com", []patchable{ // see TestDomainNameLifecycle for the types of endpoint and certificates
		{"/certificateName", all, "n"}, {"/regionalCertificateName", all, "n"}, {"/regionalCertificateArn", all, certificate}, {"/ownershipVerificationCertificateArn", all, certificate},
		{"/endpointConfiguration/ipAddressType", replace, "dualstack"}, {"/routingMode", replace, "ROUTING_RULE_THEN_BASE_PATH_MAPPING"}, {"/securityPolicy", replace, "TLS_1_0"},
		{"/tags/a", none, "b"}, {"/domainName", none, "b.example.com"},
	})
	s.must(201, "POST", "/domainnames/a.example.com/basepathmappings", object{"restApiId": s.fill("{api}"), "stage": "dev", "basePath": "v1"})
	s.patches(200, "/domainnames/a.example.com/basepathmappings/v1", []patchable{{"/restapiId", replace, "{api}"}, {"/stage", replace, "dev"}, {"/basepath", replace, "v1"}})
}

// TestPatchOperationsOfAPIs goes on with what belongs to an API.
func TestPatchOperationsOfAPIs(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.patches(200, "/restapis/{api}", []patchable{
		{"/apiKeySource", replace, "AUTHORIZER"}, {"/binaryMediaTypes/image~1png", all, "image/png"}, {"/description", all, "d"},
		{"/disableExecuteApiEndpoint", replace, "true"}, {"/endpointConfiguration/types/EDGE", replace, "REGIONAL"},
		{"/endpointConfiguration/vpcEndpointIds", "remove", "vpce-1"}, // may be added to a private API alone
		{"/endpointConfiguration/ipAddressType", replace, "dualstack"}, {"/minimumCompressionSize", replace, "10"}, {"/name", replace, "n"},
		{"/policy", replace, ""}, {"/version", none, "v"}, {"/tags/a", none, "b"},
	})
	s.must(200, "PATCH", s.fill("/restapis/{api}"), patch("replace /endpointConfiguration/types/REGIONAL PRIVATE"))
	s.patches(200, "/restapis/{api}", []patchable{{"/endpointConfiguration/vpcEndpointIds", ends, "vpce-1"}})
	s.refuse([]refusal{{"measured", "POST /restapis", object{"name": "a", "endpointConfiguration": object{"types": []string{"REGIONAL"}, "vpcEndpointIds": []string{"vpce-1"}}},
		bad, "VPCEndpoints can only be specified with PRIVATE apis."}})

	s.patches(200, "/restapis/{api}/resources/{sub}", []patchable{{"/pathPart", replace, "part"}, {"/parentId", replace, "{root}"}})
	s.patches(200, "/restapis/{api}/models/MySchema", []patchable{{"/description", replace, "d"}, {"/schema", replace, `{"type":"object"}`}, {"/name", none, "n"}, {"/contentType", none, "a/b"}})
	s.patches(200, "/restapis/{api}/requestvalidators/{validator}", []patchable{
		{"/name", replace, "n"}, {"/validateRequestBody", replace, "true"}, {"/validateRequestParameters", replace, "true"},
	})
	s.patches(200, "/restapis/{api}/documentation/parts/{part}", []patchable{{"/properties", replace, "{}"}, {"/location", none, "{}"}})
	s.must(201, "POST", s.fill("/restapis/{api}/documentation/versions"), object{"documentationVersion": "1"})
	s.patches(200, "/restapis/{api}/documentation/versions/1", []patchable{{"/description", replace, "d"}})
	s.patches(200, "/restapis/{api}/deployments/{deployment}", []patchable{{"/description", replace, "d"}})
	s.patches(200, "/restapis/{api}/gatewayresponses/THROTTLED", []patchable{
		{"/statusCode", replace, "430"}, {"/responseParameters/gatewayresponse.header.A", all, "'a'"}, {"/responseTemplates/text~1plain", all, "a"},
	})
	request := tokenAuthorizer("a")
	request["type"], request["authorizerResultTtlInSeconds"] = "REQUEST", 0
	s.name("authorizer", s.must(201, "POST", s.fill("/restapis/{api}/authorizers"), request)["id"].(string))
	s.patches(200, "/restapis/{api}/authorizers/{authorizer}", []patchable{
		{"/authorizerUri", replace, guardURI}, {"/authorizerCredentials", replace, "arn:aws:iam::111111111111:role/r"}, {"/authorizerResultTtlInSeconds", replace, "0"},
		{"/authType", replace, "custom"}, {"/identitySource", all, "method.request.header.B"}, {"/identityValidationExpression", replace, ".*"},
		{"/name", replace, "n"}, {"/type", replace, "REQUEST"},
	})
	pool := s.must(201, "POST", s.fill("/restapis/{api}/authorizers"), object{"name": "p", "type": "COGNITO_USER_POOLS", "providerARNs": []string{poolARN}})["id"].(string)
	s.patches(200, "/restapis/{api}/authorizers/"+pool, []patchable{{"/providerARNs", ends, poolARN + "2"}})
}

// TestPatchOperationsOfMethods goes on with what belongs to a method.
func TestPatchOperationsOfMethods(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.patches(200, "{get}", []patchable{
		{"/authorizationScopes", ends, "s"}, {"/authorizationType", replace, "AWS_IAM"}, {"/authorizerId", replace, ""}, {"/apiKeyRequired", replace, "true"},
		{"/operationName", replace, "o"}, {"/requestParameters/method.request.header.A", all, "true"}, {"/requestModels/text~1plain", all, "Empty"},
		{"/requestValidatorId", replace, "{validator}"}, {"/httpMethod", none, "PUT"},
	})
	s.patches(201, "{get}/responses/200", []patchable{
		{"/responseModels/text~1plain", all, "Empty"}, {"/responseParameters/method.response.header.A", all, "true"}, {"/statusCode", none, "201"},
	})
	s.patches(200, "{get}/integration/responses/200", []patchable{
		{"/contentHandling", replace, "CONVERT_TO_TEXT"}, {"/responseParameters/method.response.header.my-header", all, "'a'"},
		{"/responseTemplates/text~1plain", all, "a"}, {"/selectionPattern", replace, "4.."}, {"/statusCode", none, "201"},
	})
	s.patches(200, "{get}/integration", []patchable{{"/uri", none, "http://example.com"}, {"/httpMethod", none, "POST"}}) // of MOCK
	s.must(200, "PATCH", s.fill("{get}"), patch("add /requestParameters/method.request.header.A true"))
	s.must(201, "PUT", s.fill("{get}/integration"), object{"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "http://example.com", "cacheKeyParameters": []string{"method.request.header.A"}})
	s.patches(200, "{get}/integration", []patchable{
		{"/cacheKeyParameters/method.request.header.A", all, "method.request.header.A"}, {"/cacheNamespace", replace, "n"},
		{"/connectionId", replace, ""}, {"/connectionType", replace, "INTERNET"}, {"/contentHandling", replace, "CONVERT_TO_TEXT"}, {"/httpMethod", replace, "POST"},
		{"/integrationTarget", replace, ""}, {"/passthroughBehavior", replace, "NEVER"}, {"/requestParameters/integration.request.header.A", all, "method.request.header.A"},
		{"/requestTemplates/text~1plain", all, "a"}, {"/responseTransferMode", replace, "STREAM"}, {"/timeoutInMillis", replace, "50"},
		{"/tlsConfig/insecureSkipVerification", replace, "true"}, {"/type", none, "MOCK"}, {"/uri", replace, "http://example.org"},
	})
}

// TestPatchOperationsOfStages goes on with stages, of which a canary can be
// copied to its stage as well.
func TestPatchOperationsOfStages(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.must(200, "PATCH", "/account", patch("replace /cloudwatchRoleArn arn:aws:iam::111111111111:role/logs"))
	s.must(201, "POST", s.fill("/restapis/{api}/documentation/versions"), object{"documentationVersion": "1"})
	const group = "arn:aws:logs:us-east-1:111111111111:log-group:g"
	s.patches(200, "/restapis/{api}/stages/dev", []patchable{
		{"/accessLogSettings/destinationArn", all, group}, {"/accessLogSettings/format", all, "$context.requestId"}, {"/accessLogSettings", "remove", "x"},
		{"/accessLogSettings/x", none, "x"}, {"/cacheClusterSize", replace, "0.5"}, {"/cacheClusterEnabled", replace, "false"},
		{"/canarySettings/deploymentId", replace, "{deployment}"}, {"/canarySettings/percentTraffic", replace, "10"},
		{"/canarySettings/stageVariableOverrides/v", "replace remove", "1"}, {"/canarySettings/useStageCache", replace, "true"}, {"/canarySettings", "remove", "x"},
		{"/canarySettings/x", none, "x"}, {"/clientCertificateId", replace, ""}, {"/deploymentId", replace, "{deployment}"}, {"/description", replace, "d"},
		{"/documentationVersion", replace, "1"}, {"/variables/v", "replace remove", "1"}, {"/variables", "remove", "v"}, {"/tracingEnabled", replace, "true"},
		{"/tags/a", none, "b"}, {"/stageName", none, "x"},
	})
	settings := []patchable{
		{"/metrics/enabled", replace, "true"}, {"/logging/dataTrace", replace, "true"}, {"/logging/loglevel", replace, "INFO"}, {"/throttling/burstLimit", replace, "1"},
		{"/throttling/rateLimit", replace, "1"}, {"/caching/enabled", replace, "true"}, {"/caching/dataEncrypted", replace, "true"}, {"/caching/ttlInSeconds", replace, "1"},
		{"/caching/requireAuthorizationForCacheControl", replace, "true"}, {"/caching/unauthorizedCacheControlHeaderStrategy", replace, "FAIL_WITH_403"},
	}
	for _, method := range []string{"/*/*", "/pets/GET", "/~1pets~1sub/GET"} {
		rows := []patchable{}
		for _, r := range settings {
			rows = append(rows, patchable{method + r.path, r.ops, r.value})
		}
		s.patches(200, "/restapis/{api}/stages/dev", append(rows, patchable{method, "remove", ""}))
	}
}

package apigateway_test

import (
	"slices"
	"testing"
)

const (
	defaultTemplates = `{"application/json": "{\"message\":$context.error.messageString}"}`
	responseTypes    = "[REQUEST_TOO_LARGE, RESOURCE_NOT_FOUND, AUTHORIZER_CONFIGURATION_ERROR, MISSING_AUTHENTICATION_TOKEN, BAD_REQUEST_BODY, " +
		"INVALID_SIGNATURE, INVALID_API_KEY, BAD_REQUEST_PARAMETERS, AUTHORIZER_FAILURE, UNAUTHORIZED, INTEGRATION_TIMEOUT, ACCESS_DENIED, " +
		"DEFAULT_4XX, DEFAULT_5XX, WAF_FILTERED, QUOTA_EXCEEDED, THROTTLED, API_CONFIGURATION_ERROR, UNSUPPORTED_MEDIA_TYPE, INTEGRATION_FAILURE, EXPIRED_TOKEN]"
)

func TestGatewayResponseLifecycle(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, _ := h.newAPI()
	path := "/restapis/" + api + "/gatewayresponses/MISSING_AUTHENTICATION_TOKEN"
	const standard = `{"responseType": "MISSING_AUTHENTICATION_TOKEN", "statusCode": "403", "defaultResponse": true, "responseParameters": {}, "responseTemplates": ` + defaultTemplates + `}`
	h.same("default", h.must(200, "GET", path, nil), standard)
	const custom = `{"responseType": "MISSING_AUTHENTICATION_TOKEN", "statusCode": "404", "defaultResponse": false,
		"responseParameters": {"gatewayresponse.header.x-path": "method.request.path.petId"}, "responseTemplates": {"application/json": "$context.stage"}}`
	h.same("put", h.must(201, "PUT", path, object{
		"statusCode": "404", "responseParameters": object{"gatewayresponse.header.x-path": "method.request.path.petId"},
		"responseTemplates": object{"application/json": "$context.stage"},
	}), custom)
	h.start() // what was set outlives a restart
	h.same("get", h.must(200, "GET", path, nil), custom)
	h.same("overwrite", h.must(201, "PUT", path, object{"responseParameters": object{"gatewayresponse.header.foo": "'bar'"}}),
		`{"responseType": "MISSING_AUTHENTICATION_TOKEN", "statusCode": "403", "defaultResponse": false,
		"responseParameters": {"gatewayresponse.header.foo": "'bar'"}, "responseTemplates": `+defaultTemplates+`}`)
	h.must(202, "DELETE", path, nil)
	h.same("deleted", h.must(200, "GET", path, nil), standard)
}

func TestGatewayResponsePatch(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, _ := h.newAPI()
	path := "/restapis/" + api + "/gatewayresponses/"
	h.same("no operations", h.must(200, "PATCH", path+"THROTTLED", patch()),
		`{"responseType": "THROTTLED", "statusCode": "429", "defaultResponse": true, "responseParameters": {}, "responseTemplates": `+defaultTemplates+`}`)
	h.same("not set", h.must(200, "PATCH", path+"DEFAULT_4XX", patch("replace /statusCode 444")),
		`{"responseType": "DEFAULT_4XX", "statusCode": "444", "defaultResponse": false, "responseParameters": {}, "responseTemplates": `+defaultTemplates+`}`)
	h.same("more", h.must(200, "PATCH", path+"DEFAULT_4XX", patch(
		"add /responseParameters/gatewayresponse.header.A 'a'", "replace /responseParameters/gatewayresponse.header.A 'b'",
		"add /responseTemplates/application~1xml <x/>", "remove /responseTemplates/application~1json")),
		`{"responseType": "DEFAULT_4XX", "statusCode": "444", "defaultResponse": false,
		"responseParameters": {"gatewayresponse.header.A": "'b'"}, "responseTemplates": {"application/xml": "<x/>"}}`)
	for _, c := range []struct{ kind, message, op string }{
		{"BadRequestException", "Invalid patch path /statusCode", "add /statusCode 444"},
		{"BadRequestException", "Invalid patch path /statusCode", "remove /statusCode"},
		{"BadRequestException", "Invalid patch path /wrongPath", "add /wrongPath 'x'"},
		{"NotFoundException", "Invalid parameter name specified", "replace /responseParameters/gatewayresponse.header.B 'x'"},
		{"BadRequestException", "Invalid null or empty value in responseTemplates", "replace /responseTemplates/application~1xml"},
		{"BadRequestException", "Invalid null or empty value in responseParameters", "replace /responseParameters/gatewayresponse.header.A"},
		{"ValidationException", "1 validation error detected: Value 'wrong-op' at 'updateGatewayResponseInput.patchOperations.1.member.op' " +
			"failed to satisfy constraint: Member must satisfy enum value set: [add, remove, move, test, replace, copy]", "wrong-op /statusCode 444"},
	} {
		h.fails(c.kind, c.message, "PATCH", path+"DEFAULT_4XX", patch(c.op))
	}
}

func TestGatewayResponseRefusals(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, _ := h.newAPI()
	h.fails("NotFoundException", "Gateway response type not defined on api", "DELETE", "/restapis/"+api+"/gatewayresponses/DEFAULT_4XX", nil)
	h.fails("NotFoundException", "Invalid API identifier specified 111111111111:nope", "GET", "/restapis/nope/gatewayresponses", nil)
	for _, method := range []string{"GET", "PUT", "PATCH", "DELETE"} {
		var in any
		if method != "GET" && method != "DELETE" {
			in = object{}
		}
		h.fails("NotFoundException", "Invalid API identifier specified 111111111111:nope", method, "/restapis/nope/gatewayresponses/DEFAULT_4XX", in)
		h.fails("ValidationException", "1 validation error detected: Value 'FAKE' at 'responseType' failed to satisfy constraint: "+
			"Member must satisfy enum value set: "+responseTypes, method, "/restapis/"+api+"/gatewayresponses/FAKE", in)
	}
	h.fails("BadRequestException", "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: bar]",
		"PUT", "/restapis/"+api+"/gatewayresponses/DEFAULT_4XX", object{"responseParameters": object{"gatewayresponse.header.foo": "bar"}})
}

// A response for a class shows with every type of it that has none of its own.
func TestGatewayResponseClasses(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, method := h.newMock()
	h.must(201, "PUT", "/restapis/"+api+"/gatewayresponses/DEFAULT_5XX", object{"statusCode": "599", "responseParameters": object{"gatewayresponse.header.a": "'b'"}})
	h.must(201, "PUT", "/restapis/"+api+"/gatewayresponses/AUTHORIZER_FAILURE", object{"responseTemplates": object{"application/json": "x"}})
	var types []string
	for page := h.must(200, "GET", "/restapis/"+api+"/gatewayresponses?limit=8", nil); ; {
		for _, item := range page["item"].([]any) {
			g := item.(object)
			kind := g["responseType"].(string)
			types = append(types, kind)
			inherits := slices.Contains([]string{"API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT"}, kind)
			own := kind == "DEFAULT_5XX" || kind == "AUTHORIZER_FAILURE"
			if (g["statusCode"] == "599") != (inherits || kind == "DEFAULT_5XX") || g["defaultResponse"] != !own {
				t.Errorf("%v", g)
			}
		}
		next, _ := page["position"].(string)
		if next == "" {
			break
		}
		page = h.must(200, "GET", "/restapis/"+api+"/gatewayresponses?limit=8&position="+next, nil)
	}
	if len(types) != 21 || !slices.IsSorted(types) {
		t.Errorf("listed %v", types)
	}

	h.must(201, "PUT", method+"/integration", object{"type": "MOCK"})
	h.must(201, "POST", "/restapis/"+api+"/deployments", object{"stageName": "s"})
	h.must(202, "DELETE", "/restapis/"+api+"/gatewayresponses/DEFAULT_5XX", nil)
	var served []string
	for _, g := range h.plane.stage(api + "/s").Deployment.GatewayResponses {
		served = append(served, *g.ResponseType)
	}
	if !slices.Equal(served, []string{"AUTHORIZER_FAILURE", "DEFAULT_5XX"}) {
		t.Errorf("the deployment froze %v", served)
	}
}

package apigateway_test

import "testing"

// TestSecurityPolicies has the developer guide's examples, "How to change a
// security policy".
func TestSecurityPolicies(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	const policy, mode = "SecurityPolicy_TLS13_1_3_2025_09", "STRICT"
	regional := object{"types": []string{"REGIONAL"}, "ipAddressType": "dualstack"}
	shape := func(more string) string {
		return `{"id": "*", "name": "a", "createdDate": "*", "apiKeySource": "HEADER", "disableExecuteApiEndpoint": false, "rootResourceId": "*",
			"endpointConfiguration": {"types": ["REGIONAL"], "ipAddressType": "dualstack"}` + more + `}`
	}
	made := s.must(201, "POST", "/restapis", object{"name": "a", "endpointConfiguration": regional})
	s.same("default", made, shape(""))
	at := "PATCH /restapis/" + made["id"].(string)
	s.answers([]answer{
		{"an enhanced one", at, patch("replace /securityPolicy "+policy, "replace /endpointAccessMode "+mode), 200,
			shape(`, "tags": {}, "securityPolicy": "` + policy + `", "endpointAccessMode": "STRICT", "apiStatus": "AVAILABLE"`)},
		{"a legacy one again", at, patch("replace /securityPolicy TLS_1_0", "replace /endpointAccessMode "), 200, shape(`, "tags": {}, "securityPolicy": "TLS_1_0", "apiStatus": "AVAILABLE"`)},
		{"at once", "POST /restapis", object{"name": "a", "endpointConfiguration": regional, "securityPolicy": policy, "endpointAccessMode": mode}, 201,
			shape(`, "securityPolicy": "` + policy + `", "endpointAccessMode": "STRICT", "apiStatus": "AVAILABLE"`)},
	})
	s.name("regional", made["id"].(string))
	s.must(200, "PATCH", s.fill("/restapis/{regional}"), patch("replace /securityPolicy "+policy, "replace /endpointAccessMode BASIC"))
	with := func(policy, mode string, types ...string) object {
		in := object{"name": "a", "securityPolicy": policy, "endpointConfiguration": object{"types": types}}
		if mode != "" {
			in["endpointAccessMode"] = mode
		}
		return in
	}
	s.refuse([]refusal{
		{"measured", "POST /restapis", with(policy, "", "REGIONAL"), bad, "Endpoint access mode is required for the specified security policy"},
		{"measured", "PATCH /restapis/{regional}", patch("replace /endpointConfiguration/types/REGIONAL EDGE"), bad, "Unable to update EndpointType. SecurityPolicy is required for EndpointType update."},
		{"guide", "POST /restapis", with("TLS_1_2", mode, "REGIONAL"), bad, "Endpoint access mode is not supported for the specified security policy"},
		{"guide", "POST /restapis", with(policy, mode, "EDGE"), bad, "Security policy " + policy + " is not supported for endpoint type EDGE"},
		{"guide", "POST /restapis", with("SecurityPolicy_TLS13_2025_EDGE", mode, "REGIONAL"), bad, "Security policy SecurityPolicy_TLS13_2025_EDGE is not supported for endpoint type REGIONAL"},
		{"guide", "POST /restapis", with("TLS_1_0", "", "PRIVATE"), bad, "Security policy TLS_1_0 is not supported for endpoint type PRIVATE"},
		{"reference", "PATCH /restapis/{regional}", patch("add /securityPolicy TLS_1_2"), bad, "Invalid patch operation specified. Must be one of: [replace]"},
		{"reference", "PATCH /restapis/{regional}", patch("replace /endpointAccessMode LOOSE"), bad, "Invalid EndpointAccessMode specified. Valid options are BASIC,STRICT"},
	})

	domain := object{"domainName": "api.example.com", "regionalCertificateArn": "arn:aws:acm:us-east-1:111111111111:certificate/a", "endpointConfiguration": object{"types": []string{"REGIONAL"}},
		"securityPolicy": policy, "endpointAccessMode": "STRICT"}
	if got := s.must(201, "POST", "/domainnames", domain)["endpointAccessMode"]; got != "STRICT" {
		t.Errorf("the domain's mode is %v", got)
	}
	if !s.plane.domains["api.example.com"].Strict {
		t.Error("the gateway doesn't know that the domain is strict")
	}
	s.refuse([]refusal{{"guide", "PATCH /domainnames/api.example.com", patch("replace /endpointAccessMode "), bad, "Endpoint access mode is required for the specified security policy"}})
	s.must(200, "PATCH", "/domainnames/api.example.com", patch("replace /securityPolicy TLS_1_2", "replace /endpointAccessMode "))
}

// TestSecurityPolicyOfDocuments goes into an API by its extensions, and out.
func TestSecurityPolicyOfDocuments(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	document := `{"openapi": "3.0.1", "info": {"title": "a"}, "paths": {"/": {"get": {"x-amazon-apigateway-integration": {"type": "mock"}}}},
		"x-amazon-apigateway-security-policy": "SecurityPolicy_TLS13_2025_EDGE", "x-amazon-apigateway-endpoint-access-mode": "STRICT"}`
	api := h.send(201, "POST", "/restapis?mode=import", document)
	if api["securityPolicy"] != "SecurityPolicy_TLS13_2025_EDGE" || api["endpointAccessMode"] != "STRICT" {
		t.Errorf("imported %v", api)
	}
	id := api["id"].(string)
	h.must(201, "POST", "/restapis/"+id+"/deployments", object{"stageName": "dev"})
	out := h.must(200, "GET", "/restapis/"+id+"/stages/dev/exports/oas30?extensions=apigateway", nil)
	if out["x-amazon-apigateway-security-policy"] != "SecurityPolicy_TLS13_2025_EDGE" || out["x-amazon-apigateway-endpoint-access-mode"] != "STRICT" {
		t.Errorf("exported %v", out)
	}
	h.send(400, "POST", "/restapis?mode=import&failonwarnings=true", `{"openapi": "3.0.1", "info": {"title": "a"}, "paths": {}, "x-amazon-apigateway-security-policy": "TLS_9"}`)
}

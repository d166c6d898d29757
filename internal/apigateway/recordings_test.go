package apigateway_test

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"
	"testing"
)

// TestShapesOfGatewayResponses has gateway_response_put and _crud: every type
// with its own status, and what takes that of its class.
func TestShapesOfGatewayResponses(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	const (
		token  = "PUT /restapis/{api}/gatewayresponses/MISSING_AUTHENTICATION_TOKEN"
		header = `{"gatewayresponse.header.x-request-header": "method.request.header.Accept"}`
		body   = `{"application/json": "{\"type\": \"$context.error.responseType\"}"}`
	)
	shape := func(kind, status, parameters, templates string, standard bool) string {
		code := `"statusCode": "` + status + `", `
		if status == "" {
			code = ""
		}
		return `{` + code + `"responseType": "` + kind + `", "defaultResponse": ` + strconv.FormatBool(standard) +
			`, "responseParameters": ` + parameters + `, "responseTemplates": ` + templates + `}`
	}
	own := func(status, parameters, templates string) string {
		return shape("MISSING_AUTHENTICATION_TOKEN", status, parameters, templates, false)
	}
	list := func(class5, parameters, templates string, custom map[string]string) string {
		var items []string
		for _, row := range []string{"ACCESS_DENIED 403", "API_CONFIGURATION_ERROR 500", "AUTHORIZER_CONFIGURATION_ERROR 500", "AUTHORIZER_FAILURE 500",
			"BAD_REQUEST_BODY 400", "BAD_REQUEST_PARAMETERS 400", "DEFAULT_4XX ", "DEFAULT_5XX ", "EXPIRED_TOKEN 403", "INTEGRATION_FAILURE 504",
			"INTEGRATION_TIMEOUT 504", "INVALID_API_KEY 403", "INVALID_SIGNATURE 403", "MISSING_AUTHENTICATION_TOKEN 403", "QUOTA_EXCEEDED 429",
			"REQUEST_TOO_LARGE 413", "RESOURCE_NOT_FOUND 404", "THROTTLED 429", "UNAUTHORIZED 401", "UNSUPPORTED_MEDIA_TYPE 415", "WAF_FILTERED 403"} {
			kind, status, _ := strings.Cut(row, " ")
			switch {
			case custom[kind] != "":
				items = append(items, custom[kind])
			case class5 != "" && strings.HasPrefix(status, "5"):
				items = append(items, shape(kind, class5, parameters, templates, true))
			default:
				items = append(items, shape(kind, status, "{}", defaultTemplates, true))
			}
		}
		return `{"item": [` + strings.Join(items, ", ") + `]}`
	}
	in := func(status, parameters, templates string) object {
		out := object{}
		if status != "" {
			out["statusCode"] = status
		}
		if parameters != "" {
			out["responseParameters"] = json.RawMessage(parameters)
		}
		if templates != "" {
			out["responseTemplates"] = json.RawMessage(templates)
		}
		return out
	}
	custom := map[string]string{
		"DEFAULT_5XX":                  shape("DEFAULT_5XX", "599", header, body, false),
		"AUTHORIZER_FAILURE":           shape("AUTHORIZER_FAILURE", "500", `{"gatewayresponse.header.foo": "'bar'"}`, defaultTemplates, false),
		"MISSING_AUTHENTICATION_TOKEN": own("403", "{}", body),
	}
	without := maps.Clone(custom)
	delete(without, "DEFAULT_5XX")
	s.answers([]answer{
		{"get-gateway-responses of a new API", "GET /restapis/{api}/gatewayresponses", nil, 200, list("", "", "", nil)},
		{"put-gateway-response-all-value", token, in("404", header, body), 201, own("404", header, body)},
		{"put-gateway-response-only-status-code", token, in("404", "", ""), 201, own("404", "{}", defaultTemplates)},
		{"put-gateway-response-only-response-params", token, in("", header, ""), 201, own("403", header, defaultTemplates)},
		{"put-gateway-response-only-response-templates", token, in("", "", body), 201, own("403", "{}", body)},
		{"put-gateway-response-default-5xx", "PUT /restapis/{api}/gatewayresponses/DEFAULT_5XX", in("599", header, body), 201, custom["DEFAULT_5XX"]},
		{"put-gateway-response-default-ignored", "PUT /restapis/{api}/gatewayresponses/AUTHORIZER_FAILURE", in("", `{"gatewayresponse.header.foo": "'bar'"}`, ""), 201, custom["AUTHORIZER_FAILURE"]},
		{"get-gateway-responses", "GET /restapis/{api}/gatewayresponses", nil, 200, list("599", header, body, custom)},
		{"get of one that takes its class's", "GET /restapis/{api}/gatewayresponses/INTEGRATION_TIMEOUT", nil, 200, shape("INTEGRATION_TIMEOUT", "599", header, body, true)},
		{"delete", "DELETE /restapis/{api}/gatewayresponses/DEFAULT_5XX", nil, 202, ""},
		{"get-deleted", "GET /restapis/{api}/gatewayresponses", nil, 200, list("", "", "", without)},
	})
}

// TestShapesOfStages has create_update_stages and the canary recordings.
func TestShapesOfStages(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.must(204, "DELETE", s.fill("{bare}"), nil) // it couldn't be deployed
	for _, name := range []string{"first", "second"} {
		s.name(name, s.deploy(s.fill("{api}")))
	}
	stage := func(name, more string) string {
		return `{"stageName": "` + name + `", "deploymentId": "{first}", "cacheClusterEnabled": false, "cacheClusterStatus": "NOT_AVAILABLE", "createdDate": "*", "lastUpdatedDate": "*"` + more + `}`
	}
	const (
		plain = `, "methodSettings": {}, "tracingEnabled": false`
		vars  = plain + `, "description": "dev stage", "variables": {"testVar": "default"}`
	)
	canary := func(deployment, percent, variable string) string {
		if variable != "" {
			variable = `"stageVariableOverrides": {"testVar": "` + variable + `"}, `
		}
		return vars + `, "canarySettings": {"deploymentId": "{` + deployment + `}", "percentTraffic": ` + percent + `, ` + variable + `"useStageCache": false}`
	}
	made := func(name string, canary object) object {
		out := object{"stageName": name, "deploymentId": "{first}", "description": "dev stage", "variables": object{"testVar": "default"}}
		if canary != nil {
			out["canarySettings"] = canary
		}
		return out
	}
	split := func(deployment string, percent float64, variable string) object {
		return object{"deploymentId": deployment, "percentTraffic": percent, "stageVariableOverrides": object{"testVar": variable}}
	}
	const dev = "PATCH /restapis/{api}/stages/d1"
	s.must(201, "POST", s.fill("/restapis/{api}/documentation/versions"), object{"documentationVersion": "v123"})
	updated := `, "description": "my stage new", "variables": {"var1": "test", "var2": "test2"}, "documentationVersion": "v123", "tracingEnabled": true, "methodSettings": {"*/*": ` +
		settings("123", "") + `, "test/GET": ` + settings("124", "") + `}`
	s.answers([]answer{
		{"create-stage", "POST /restapis/{api}/stages", object{"stageName": "s1", "deploymentId": "{first}", "description": "my stage", "documentationVersion": "v123"}, 201,
			stage("s1", plain+`, "description": "my stage", "documentationVersion": "v123"`)},
		{"update-stage", "PATCH /restapis/{api}/stages/s1", patch("replace /description my stage new", "replace /variables/var1 test", "replace /variables/var2 test2",
			"replace /*/*/throttling/burstLimit 123", "replace /*/*/caching/enabled true", "replace /tracingEnabled true", "replace /test/GET/throttling/burstLimit 124"), 200, stage("s1", updated)},
		{"get-stage", "GET /restapis/{api}/stages/s1", nil, 200, stage("s1", updated)},
		{"update_stage_remove_wildcard", "PATCH /restapis/{api}/stages/s1", patch("remove /*/*"), 200,
			stage("s1", strings.Replace(updated, `"*/*": `+settings("123", "")+`, `, "", 1))},
		{"create-stage with a canary", "POST /restapis/{api}/stages", made("d1", split("{second}", 50, "canary")), 201, stage("d1", canary("second", "50", "canary"))},
		{"update-stage-canary-settings-overrides", dev, patch("replace /canarySettings/stageVariableOverrides/testVar updated"), 200, stage("d1", canary("second", "50", "updated"))},
		{"update-stage-remove-canary-settings", dev, patch("remove /canarySettings"), 200, stage("d1", vars)},
		{"get-stage-after-remove", "GET /restapis/{api}/stages/d1", nil, 200, stage("d1", vars)},
		{"update-stage-with-deployment", dev, patch("replace /canarySettings/deploymentId {second}"), 200, stage("d1", canary("second", "0", ""))},
		{"remove-stage-canary", dev, patch("remove /canarySettings"), 200, stage("d1", vars)},
		{"update-stage-with-percent", dev, patch("replace /canarySettings/percentTraffic 50"), 200, stage("d1", canary("first", "50", ""))},
		{"create-canary-deployment over a canary", "POST /restapis/{api}/deployments", object{"stageName": "d1", "canarySettings": object{"percentTraffic": 50, "stageVariableOverrides": object{"testVar": "canary2"}}}, 201,
			`{"id": "*", "createdDate": "*"}`},
		{"create-stage-2", "POST /restapis/{api}/stages", made("d2", split("{second}", 60, "canary-overridden")), 201, stage("d2", canary("second", "60", "canary-overridden"))},
		{"get_stages of a deployment", "GET /restapis/{api}/stages?deploymentId={deployment}", nil, 200,
			`{"item": [` + strings.Replace(stage("dev", plain), "{first}", "{deployment}", 1) + `]}`},
	})
	paths := func(all string) string {
		return strings.Join([]string{all + "/metrics/enabled", all + "/logging/dataTrace", all + "/logging/loglevel"}, ", ")
	}
	caching := func(all string) string {
		return strings.Join([]string{all + "/caching/enabled", all + "/caching/dataEncrypted", all + "/caching/requireAuthorizationForCacheControl",
			all + "/caching/unauthorizedCacheControlHeaderStrategy"}, ", ")
	}
	const own, any = "/{resourcePath}/{httpMethod}", "/*/*"
	one := func(path string) string { // with the separators as AWS has them
		return "Invalid method setting path: " + path + ". Must be one of: [/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, " +
			"/accessLogSettings, /accessLogSettings/destinationArn, /accessLogSettings/format, " +
			paths(own) + ", " + own + "/throttling/burstLimit" + own + "/throttling/rateLimit" + own + "/caching/ttlInSeconds, " + caching(own) + ", " +
			paths(any) + ", " + any + "/throttling/burstLimit " + any + "/throttling/rateLimit " + any + "/caching/ttlInSeconds, " + caching(any) + ", /variables/{variable_name}, /tracingEnabled]"
	}
	s.refuse([]refusal{
		{"error-update-doc-version", "PATCH /restapis/{api}/stages/s1", patch("replace /documentation_version v124"), bad, one("/documentation_version")},
		{"error-update-tags", "PATCH /restapis/{api}/stages/s1", patch("replace /tags/tag1 value1"), bad, one("/tags/tag1")},
		{"update-stage-canary-settings-replace-bad-path", dev, patch("replace /canarySettings/badPath badPath"), bad, one("/canarySettings/badPath")},
		{"update-stage-canary-settings-bad-path", dev, patch("remove /canarySettings/badPath"), bad, "Cannot remove method setting canarySettings/badPath because there is no method setting for this method "},
	})
}

// TestConventions has what the status of each kind of call is, and how long
// the ids are that AWS makes: each row makes, changes and deletes a resource.
func TestConventions(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.must(204, "DELETE", s.fill("{bare}"), nil) // it couldn't be deployed
	described := patch("replace /description d")
	for _, c := range []struct {
		fact, make string
		in         object
		made       int
		id         string // the member with the id, which is part of the path
		length     int
		patch      object
		patched    int
		deleted    int
	}{
		{"a REST API", "POST /restapis", object{"name": "a"}, 201, "id", 10, described, 200, 202},
		{"a resource", "POST /restapis/{api}/resources/{root}", object{"pathPart": "made"}, 201, "id", 6, patch("replace /pathPart b"), 200, 202},
		{"a deployment", "POST /restapis/{api}/deployments", object{}, 201, "id", 6, described, 200, 202},
		{"a stage", "POST /restapis/{api}/stages", object{"stageName": "made", "deploymentId": "{deployment}"}, 201, "stageName", 0, described, 200, 202},
		{"an authorizer", "POST /restapis/{api}/authorizers", tokenAuthorizer("a"), 201, "id", 6, patch("replace /name b"), 200, 202},
		{"a validator", "POST /restapis/{api}/requestvalidators", object{"name": "b"}, 201, "id", 6, patch("replace /name c"), 200, 202},
		{"a model", "POST /restapis/{api}/models", object{"name": "Made", "contentType": "application/json", "schema": "{}"}, 201, "name", 0, described, 200, 202},
		{"a documentation part", "POST /restapis/{api}/documentation/parts", object{"location": object{"type": "RESOURCE", "path": "/"}, "properties": "{}"}, 201, "id", 6, patch("replace /properties {}"), 200, 202},
		{"a documentation version", "POST /restapis/{api}/documentation/versions", object{"documentationVersion": "made"}, 201, "version", 0, described, 200, 202},
		{"an API key", "POST /apikeys", object{"name": "a"}, 201, "id", 10, described, 200, 202},
		{"a usage plan", "POST /usageplans", object{"name": "a"}, 201, "id", 6, described, 200, 202},
		{"a VPC link", "POST /vpclinks", object{"name": "a", "targetArns": []string{balancer}}, 202, "id", 6, described, 200, 202},
		{"a client certificate", "POST /clientcertificates", object{}, 201, "clientCertificateId", 6, described, 200, 202},
		{"a domain name", "POST /domainnames", object{"domainName": "made.example.com", "certificateArn": certificate}, 201, "domainName", 0, patch("replace /securityPolicy TLS_1_2"), 200, 202},
		{"a gateway response", "PUT /restapis/{api}/gatewayresponses/THROTTLED", object{}, 201, "", 0, patch("replace /statusCode 418"), 200, 202},
		{"a method", "PUT {rootM}/PATCH", object{"authorizationType": "NONE"}, 201, "", 0, patch("replace /operationName n"), 200, 0},
		{"a method response", "PUT {rootM}/PATCH/responses/200", object{}, 201, "", 0, patch("add /responseModels/a~1b Empty"), 201, 204},
		{"an integration", "PUT {rootM}/PATCH/integration", object{"type": "MOCK"}, 201, "", 0, patch("replace /timeoutInMillis 100"), 200, 0},
		{"an integration response", "PUT {rootM}/PATCH/integration/responses/200", object{}, 201, "", 0, patch("replace /selectionPattern x"), 200, 204},
		{"an integration, then", "PUT {rootM}/PATCH/integration", object{"type": "MOCK"}, 201, "", 0, nil, 0, 204},
		{"a method, then", "PUT {rootM}/OPTIONS", object{"authorizationType": "NONE"}, 201, "", 0, nil, 0, 204},
	} {
		t.Log(c.fact)
		method, path, _ := strings.Cut(s.fill(c.make), " ")
		in, err := json.Marshal(c.in)
		if err != nil {
			t.Fatal(err)
		}
		made := s.must(c.made, method, path, json.RawMessage(s.fill(string(in))))
		if c.id != "" {
			id := made[c.id].(string)
			if c.length > 0 && (len(id) != c.length || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789") != "") {
				t.Errorf("id %s, want %d small letters and digits", id, c.length)
			}
			if date, ok := made["createdDate"]; ok && date != 1751371200.0 {
				t.Errorf("date %v, want epoch seconds", date)
			}
			path = strings.TrimSuffix(path, s.fill("/{root}")) + "/" + id
			s.must(200, "GET", path, nil)
			if upper := strings.ToUpper(id); c.length > 0 && upper != id {
				s.must(404, "GET", strings.TrimSuffix(path, id)+upper, nil)
			}
		}
		if c.patched > 0 {
			s.must(c.patched, "PATCH", path, c.patch)
		}
		if c.deleted > 0 {
			s.must(c.deleted, "DELETE", path, nil)
		}
	}
}

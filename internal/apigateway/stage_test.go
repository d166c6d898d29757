package apigateway_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const stageShape = `"stageName": "s1", "cacheClusterEnabled": false, "cacheClusterStatus": "NOT_AVAILABLE", "createdDate": 1751371200, "lastUpdatedDate": 1751371200`

func TestDeploymentIsAFrozenCopy(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, method := h.newMock()
	d := h.must(201, "POST", "/restapis/"+api+"/deployments", object{"stageName": "s1", "stageDescription": "sd", "description": "dd", "variables": object{"a": "1"}})
	h.same("deployment", d, `{"id": "*", "description": "dd", "createdDate": 1751371200}`)
	first := d["id"].(string)
	h.same("summary", h.must(200, "GET", "/restapis/"+api+"/deployments/"+first+"?embed=apisummary", nil),
		`{"id": "*", "description": "dd", "createdDate": 1751371200, "apiSummary": {"/": {"GET": {"authorizationType": "NONE", "apiKeyRequired": false}}}}`)
	h.same("stage", h.must(200, "GET", "/restapis/"+api+"/stages/s1", nil),
		`{`+stageShape+`, "deploymentId": "`+first+`", "description": "sd", "variables": {"a": "1"}, "methodSettings": {}, "tracingEnabled": false}`)

	served := func() string {
		spec := h.plane.stage(api + "/s1")
		for _, res := range spec.Deployment.Resources {
			return res.ResourceMethods["GET"].MethodIntegration.RequestTemplates["application/json"]
		}
		return "no resource"
	}
	h.must(200, "PATCH", method+"/integration", patch("replace /requestTemplates/application~1json edited"))
	if got := served(); got != `{"statusCode": 200}` {
		t.Errorf("an edit without a deployment is served: %s", got)
	}
	h.must(201, "POST", "/restapis/"+api+"/deployments", object{"stageName": "s1"})
	if got := served(); got != "edited" {
		t.Errorf("after a deployment %s is served, want the edit", got)
	}
	if vars := h.plane.stage(api + "/s1").Stage.Variables; vars["a"] != "1" {
		t.Errorf("variables %v did not survive the repointing", vars)
	}
	h.must(200, "PATCH", "/restapis/"+api+"/stages/s1", patch("replace /deploymentId "+first))
	if got := served(); got != `{"statusCode": 200}` {
		t.Errorf("after the rollback %s is served, want the first deployment", got)
	}
}

func TestDeploymentRefusals(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, root := h.newAPI()
	path := "/restapis/" + api + "/deployments"
	h.fails("BadRequestException", "The REST API doesn't contain any methods", "POST", path, object{})
	h.must(201, "PUT", "/restapis/"+api+"/resources/"+root+"/methods/GET", object{"authorizationType": "NONE"})
	h.fails("BadRequestException", "No integration defined for method", "POST", path, object{})
	h.must(201, "PUT", "/restapis/"+api+"/resources/"+root+"/methods/GET/integration", object{"type": "MOCK"})
	h.fails("NotFoundException", "Invalid API identifier specified 111111111111:nope", "POST", "/restapis/nope/deployments", object{})
	h.fails("BadRequestException", "Stage name only allows a-zA-Z0-9_", "POST", path, object{"stageName": "$default"})
	h.same("nothing was deployed", h.must(200, "GET", path, nil), `{"item": []}`)

	id := h.deploy(api)
	h.must(201, "POST", "/restapis/"+api+"/stages", object{"stageName": "s1", "deploymentId": id})
	h.fails("BadRequestException", "Active stages pointing to this deployment must be moved or deleted", "DELETE", path+"/"+id, nil)
	h.fails("ConflictException", "Stage already exists", "POST", "/restapis/"+api+"/stages", object{"stageName": "s1", "deploymentId": id})
	h.fails("NotFoundException", "Invalid Deployment identifier specified", "POST", "/restapis/"+api+"/stages", object{"stageName": "s2", "deploymentId": "nope"})
	h.must(202, "DELETE", "/restapis/"+api+"/stages/s1", nil)
	if served := h.plane.served(); len(served) > 0 {
		t.Errorf("%v is still served", served)
	}
	h.must(202, "DELETE", path+"/"+id, nil)
	h.fails("NotFoundException", "Invalid Deployment identifier specified", "GET", path+"/"+id, nil)
	h.fails("NotFoundException", "Invalid stage identifier specified", "GET", "/restapis/"+api+"/stages/s1", nil)
}

// settings is a recorded entry of methodSettings.
func settings(burst, rest string) string {
	return `{"metricsEnabled": false, "dataTraceEnabled": false, "throttlingBurstLimit": ` + burst + `, "throttlingRateLimit": 10000,
		"cachingEnabled": true, "cacheTtlInSeconds": 300, "cacheDataEncrypted": false, "requireAuthorizationForCacheControl": true,
		"unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER"` + rest + `}`
}

func (h *harness) newStage() (path string) {
	h.t.Helper()
	api, _ := h.newMock()
	h.must(201, "POST", "/restapis/"+api+"/stages", object{"stageName": "s1", "deploymentId": h.deploy(api)})
	return "/restapis/" + api + "/stages/s1"
}

func TestMethodSettings(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	path := h.newStage()
	h.clock.Advance(time.Minute)
	got := h.must(200, "PATCH", path, patch("replace /description new", "replace /variables/var1 test", "replace /*/*/throttling/burstLimit 123",
		"replace /*/*/caching/enabled true", "replace /tracingEnabled true", "replace /test/GET/throttling/burstLimit 124"))
	h.same("settings", got["methodSettings"].(object), `{"*/*": `+settings("123", "")+`, "test/GET": `+settings("124", "")+`}`)
	if got["tracingEnabled"] != true || got["lastUpdatedDate"] != float64(1751371260) || got["createdDate"] != float64(1751371200) {
		t.Errorf("stage is %v", got)
	}
	got = h.must(200, "PATCH", path, patch("replace /*/*/throttling/burstLimit -1", "replace /*/*/throttling/rateLimit -1.000000"))
	all := got["methodSettings"].(object)
	h.same("own settings", all["test/GET"].(object), settings("124", ""))
	if all["*/*"].(object)["throttlingBurstLimit"] != -1.0 || all["*/*"].(object)["throttlingRateLimit"] != -1.0 {
		t.Errorf("settings %v, want no throttle", all["*/*"])
	}
	// Terraform sends nested paths unescaped, the console escapes them.
	got = h.must(200, "PATCH", path, patch("replace //a/{b}/GET/metrics/enabled true", "replace /~1a~1{b}/PUT/metrics/enabled true", "remove /test/GET"))
	for _, key := range []string{"/a/{b}/GET", "~1a~1{b}/PUT", "*/*"} {
		if got["methodSettings"].(object)[key] == nil {
			t.Errorf("settings have no %s", key)
		}
	}
	if len(got["methodSettings"].(object)) != 3 {
		t.Errorf("settings are %v", got["methodSettings"])
	}
}

func TestStagePatchRefusals(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	path := h.newStage()
	for _, c := range []struct {
		kind, message, op string
	}{
		{"BadRequestException", "Deployment id does not exist", "replace /deploymentId nope"},
		{"BadRequestException", "Cannot remove method setting */* because there is no method setting for this method ", "remove /*/*"},
		{"BadRequestException", "Cannot remove method setting accessLogSettings/x because there is no method setting for this method ", "remove /accessLogSettings/x"},
		{"BadRequestException", "Cannot remove method setting canarySettings/x because there is no method setting for this method ", "remove /canarySettings/x"},
		{"BadRequestException", "Invalid add operation with path: /canarySettings/deploymentId", "add /canarySettings/deploymentId x"},
		{"BadRequestException", "Access Log value must not be empty", "replace /accessLogSettings/format "},
		{"BadRequestException", "Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]", "replace /accessLogSettings/x y"},
		{"BadRequestException", "CloudWatch Logs role ARN must be set in account settings to enable logging", "replace /*/*/logging/loglevel INFO"},
		{"BadRequestException", "CloudWatch Logs role ARN must be set in account settings to enable logging", "replace /accessLogSettings/destinationArn arn:aws:logs:us-east-1:111111111111:log-group:a"},
		{"BadRequestException", "Invalid stage variable name: a:b.  Please use names with only word characters.", "replace /variables/a:b c"},
		{"BadRequestException", "Invalid stage variable value: .  Please use values with alphanumeric characters and the symbols ' ', -', '.', '_', ':', '/', '?', '&', '=', and ','.", "replace /variables/a "},
		{"BadRequestException", "Invalid CacheClusterSize specified. Valid options are 0.5,1.6,6.1,13.5,28.4,58.2,118,237", "replace /cacheClusterSize 2"},
		{"BadRequestException", "Invalid value 3601 specified for path /*/*/caching/ttlInSeconds: must be between 0 and 3600", "replace /*/*/caching/ttlInSeconds 3601"},
		{"BadRequestException", "Canary percent traffic must be between 0.0 and 100.0", "replace /canarySettings/percentTraffic 101"},
		{"BadRequestException", "Deployment id does not exist", "replace /canarySettings/deploymentId nope"},
	} {
		h.fails(c.kind, c.message, "PATCH", path, patch(c.op))
	}
	for _, op := range []string{"replace /tags/tag1 v", "replace /documentation_version 1", "replace /{proxy+}/ANY//throttling/burstLimit 1", "replace /a/FOO/metrics/enabled true"} {
		status, kind, out := h.call("PATCH", path, patch(op))
		text, _ := out["message"].(string)
		if status != 400 || kind != "BadRequestException" || !strings.HasPrefix(text, "Invalid method setting path: "+strings.Fields(op)[1]+". Must be one of: [/deploymentId,") {
			t.Errorf("%s: %d %s %s", op, status, kind, text)
		}
	}
	h.must(200, "PATCH", path, patch("replace /cacheClusterEnabled false", "replace /clientCertificateId ", "replace /documentationVersion ", "replace /description "))
}

func TestLogging(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	path := h.newStage()
	key := strings.Split(path, "/")[2] + "/s1"
	const defaults = `"throttleSettings": {"burstLimit": 5000, "rateLimit": 10000}, "features": ["UsagePlans"], "apiKeyVersion": "4"`
	h.same("account", h.must(200, "GET", "/account", nil), `{`+defaults+`}`)
	h.fails("BadRequestException", "Invalid ARN specified in the request", "PATCH", "/account", patch("replace /cloudwatchRoleArn role"))
	const role = "arn:aws:iam::111111111111:role/logs"
	h.same("account", h.must(200, "PATCH", "/account", patch("replace /cloudwatchRoleArn "+role)), `{`+defaults+`, "cloudwatchRoleArn": "`+role+`"}`)
	if got := h.plane.stage(key).CloudWatchRole; got != role {
		t.Errorf("the gateway got role %q", got)
	}
	got := h.must(200, "PATCH", path, patch("replace /accessLogSettings/destinationArn arn:aws:logs:us-east-1:111111111111:log-group:a:*",
		"replace /accessLogSettings/format $context.requestId", "replace /*/*/logging/loglevel INFO"))
	h.same("access log", got["accessLogSettings"].(object), `{"destinationArn": "arn:aws:logs:us-east-1:111111111111:log-group:a", "format": "$context.requestId"}`)
	if level := got["methodSettings"].(object)["*/*"].(object)["loggingLevel"]; level != "INFO" {
		t.Errorf("log level %v", level)
	}
	if got := h.must(200, "PATCH", path, patch("remove /accessLogSettings")); got["accessLogSettings"] != nil {
		t.Errorf("access log settings are still %v", got["accessLogSettings"])
	}
	h.must(200, "PATCH", "/account", patch("replace /cloudwatchRoleArn "))
	if got := h.plane.stage(key).CloudWatchRole; got != "" {
		t.Errorf("the gateway kept role %q", got)
	}
}

func TestRestartPublishesEverything(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	path := h.newStage()
	api := strings.Split(path, "/")[2]
	h.must(201, "POST", "/domainnames", object{"domainName": "api.example.com", "regionalCertificateArn": certificate, "endpointConfiguration": object{"types": []string{"REGIONAL"}}})
	h.must(201, "POST", "/domainnames/api.example.com/basepathmappings", object{"restApiId": api, "stage": "s1"})
	before := h.plane
	h.start()
	if got := h.plane.served(); !slices.Equal(got, before.served()) || len(got) != 1 {
		t.Errorf("after a restart %v is served, before it %v", got, before.served())
	}
	if d := h.plane.domains["api.example.com"]; d == nil || len(d.Mappings) != 1 || *d.Mappings[0].RestApiId != api {
		t.Errorf("after a restart the domain is %v", d)
	}
}

// TestParallelEdits is what Terraform does: many resources and methods of one
// API at a time. Nothing may be lost.
func TestParallelEdits(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, root := h.newAPI()
	verbs := []string{"GET", "PUT", "POST", "DELETE", "PATCH", "HEAD"}
	var wg sync.WaitGroup
	for _, verb := range verbs {
		wg.Go(func() {
			path := "/restapis/" + api + "/resources/" + root + "/methods/" + verb
			for _, step := range []struct {
				path string
				body object
			}{
				{path, object{"authorizationType": "NONE"}}, {path + "/integration", object{"type": "MOCK"}},
				{path + "/responses/200", object{}}, {path + "/integration/responses/200", object{}},
			} {
				if status, kind, out := h.call("PUT", step.path, step.body); status != 201 {
					t.Errorf("PUT %s: %d %s %v", step.path, status, kind, out)
				}
			}
		})
	}
	wg.Wait()
	got := h.must(200, "GET", "/restapis/"+api+"/resources/"+root+"?embed=methods", nil)["resourceMethods"].(object)
	for _, verb := range verbs {
		h.same(verb, got[verb].(object), `{"httpMethod": "`+verb+`", "authorizationType": "NONE", "apiKeyRequired": false,
			"methodResponses": {"200": {"statusCode": "200"}}, "methodIntegration": {"type": "MOCK", "timeoutInMillis": 29000,
			"passthroughBehavior": "WHEN_NO_MATCH", "cacheNamespace": "`+root+`", "cacheKeyParameters": [], "integrationResponses": {"200": {"statusCode": "200"}}}}`)
	}
}

// TestConcurrentStageUpdatesPublishTheLast checks that the gateway never keeps
// an older state than the store.
func TestConcurrentStageUpdatesPublishTheLast(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	path := h.newStage()
	key := strings.Split(path, "/")[2] + "/s1"
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		wg.Go(func() {
			for _, v := range []string{"1", "2", "3", "4"} {
				if ctx.Err() != nil {
					return
				}
				if status, _, out := h.call("PATCH", path, patch("replace /variables/"+name+" "+v)); status != 200 {
					t.Errorf("PATCH: %d %v", status, out)
				}
			}
		})
	}
	wg.Wait()
	for _, name := range []string{"a", "b", "c", "d"} {
		if got := h.plane.stage(key).Stage.Variables[name]; got != "4" {
			t.Errorf("the gateway serves %s=%s, the store has 4", name, got)
		}
	}
}

func TestListsAndEditsOfDeployments(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, _ := h.newMock()
	first, second := h.deploy(api), h.deploy(api)
	base := "/restapis/" + api
	for name, id := range map[string]string{"one": first, "two": second} {
		h.must(201, "POST", base+"/stages", object{"stageName": name, "deploymentId": id})
	}
	if got := len(h.must(200, "GET", base+"/stages", nil)["item"].([]any)); got != 2 {
		t.Errorf("%d stages are listed, want 2", got)
	}
	only := h.must(200, "GET", base+"/stages?deploymentId="+second, nil)["item"].([]any)
	if len(only) != 1 || only[0].(object)["stageName"] != "two" {
		t.Errorf("stages of the second deployment: %v", only)
	}
	if got := len(h.must(200, "GET", base+"/deployments", nil)["item"].([]any)); got != 2 {
		t.Errorf("%d deployments are listed, want 2", got)
	}
	h.same("described", h.must(200, "PATCH", base+"/deployments/"+first, patch("replace /description new")), `{"id": "`+first+`", "description": "new", "createdDate": 1751371200}`)
	h.fails("BadRequestException", "Invalid patch path  '/id' specified for op 'replace'. Must be one of: [/description]", "PATCH", base+"/deployments/"+first, patch("replace /id x"))
	h.fails("NotFoundException", "Invalid API identifier specified 111111111111:nope", "GET", "/restapis/nope/stages", nil)
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, _ := h.newMock()
	id := h.deploy(api)
	for i := range 10 {
		h.must(201, "POST", "/restapis/"+api+"/stages", object{"stageName": "s" + strconv.Itoa(i), "deploymentId": id})
	}
	h.fails("LimitExceededException", "Maximum number of stages for this API has been reached. Please contact AWS if you need additional stages.",
		"POST", "/restapis/"+api+"/stages", object{"stageName": "more", "deploymentId": id})
	refused := h.raw("POST", "/restapis/"+api+"/stages", `{"stageName": "more", "deploymentId": "`+id+`"}`)
	if got := refused.Header().Get("Retry-After"); got != "1" {
		t.Errorf("Retry-After %q, want 1", got)
	}
}

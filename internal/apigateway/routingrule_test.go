package apigateway_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/api/apigatewayv2api"
	"github.com/butai-dev/butai/internal/apigateway"
	"github.com/butai-dev/butai/internal/wire"
)

func invokeAPI(api, stage string, strips bool) []object {
	return []object{{"invokeApi": object{"apiId": api, "stage": stage, "stripBasePath": strips}}}
}

func basePath(path string) object { return object{"matchBasePaths": object{"anyOf": []string{path}}} }

func header(name, glob string) object {
	return object{"matchHeaders": object{"anyOf": []object{{"header": name, "valueGlob": glob}}}}
}

// newRuledDomain makes a domain that routing rules count for, and an API to
// lead to; it returns the API's id and the path of the rules.
func (h *harness) newRuledDomain(mode string) (api, rules string) {
	h.t.Helper()
	api = strings.Split(h.newStage(), "/")[2]
	d := h.must(201, "POST", "/domainnames", object{"domainName": "api.example.com", "routingMode": mode,
		"regionalCertificateArn": certificate, "endpointConfiguration": object{"types": []string{"REGIONAL"}}})
	if d["routingMode"] != mode {
		h.t.Errorf("routing mode is %v, want %s", d["routingMode"], mode)
	}
	return api, "/v2/domainnames/api.example.com/routingrules"
}

func TestRoutingRuleLifecycle(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, rules := h.newRuledDomain("ROUTING_RULE_THEN_BASE_PATH_MAPPING")
	made := h.must(201, "POST", rules, object{"priority": 50, "conditions": []object{basePath("PetStoreShopper"), header("X-Version", "*beta*")},
		"actions": []object{{"invokeApi": object{"apiId": api, "stage": "s1"}}}})
	id := made["routingRuleId"].(string)
	shape := func(priority int, strips bool) string {
		return fmt.Sprintf(`{"actions": [{"invokeApi": {"apiId": "%s", "stage": "s1", "stripBasePath": %t}}], "priority": %d, "routingRuleId": "%s",
			"conditions": [{"matchBasePaths": {"anyOf": ["PetStoreShopper"]}}, {"matchHeaders": {"anyOf": [{"header": "X-Version", "valueGlob": "*beta*"}]}}],
			"routingRuleArn": "arn:aws:apigateway:us-east-1:111111111111:/domainnames/api.example.com/routingrules/%s"}`, api, strips, priority, id, id)
	}
	h.same("create", made, shape(50, false))
	h.same("get", h.must(200, "GET", rules+"/"+id, nil), shape(50, false))
	put := object{"priority": 60, "conditions": []object{basePath("PetStoreShopper"), header("X-Version", "*beta*")}, "actions": invokeAPI(api, "s1", true)}
	h.same("put", h.must(200, "PUT", rules+"/"+id, put), shape(60, true))
	h.must(200, "PUT", rules+"/"+id, put) // over itself, the priority is no conflict
	h.fails("ConflictException", "A routing rule with priority 60 already exists for this domain name",
		"POST", rules, object{"priority": 60, "conditions": []object{}, "actions": invokeAPI(api, "s1", false)})
	first := h.must(201, "POST", rules, object{"priority": 1, "conditions": []object{}, "actions": invokeAPI(api, "s1", false)})
	if got, ok := first["conditions"].([]any); !ok || len(got) != 0 {
		t.Errorf("a rule without conditions shows %v", first["conditions"])
	}
	h.fails("ConflictException", "A routing rule with priority 60 already exists for this domain name",
		"PUT", rules+"/"+first["routingRuleId"].(string), object{"priority": 60, "conditions": []object{}, "actions": invokeAPI(api, "s1", false)})
	list := h.must(200, "GET", rules+"?maxResults=1", nil)
	if got := list["routingRules"].([]any); len(got) != 1 || got[0].(object)["priority"] != 1.0 || list["nextToken"] == nil {
		t.Errorf("first page %v", list)
	}
	list = h.must(200, "GET", rules+"?maxResults=1&nextToken="+list["nextToken"].(string), nil)
	if got := list["routingRules"].([]any); len(got) != 1 || list["nextToken"] != nil {
		t.Errorf("last page %v", list)
	} else {
		h.same("list", got[0].(object), shape(60, true))
	}
	if d := h.plane.domains["api.example.com"]; len(d.RoutingRules) != 2 || d.RoutingMode != "ROUTING_RULE_THEN_BASE_PATH_MAPPING" {
		t.Errorf("published %+v", d)
	}
	h.start() // as a restart does
	if d := h.plane.domains["api.example.com"]; len(d.RoutingRules) != 2 {
		t.Errorf("published at a start: %+v", d)
	}
	h.must(204, "DELETE", rules+"/"+id, nil)
	h.fails("NotFoundException", "Invalid routing rule identifier specified", "GET", rules+"/"+id, nil)
	h.fails("NotFoundException", "Invalid routing rule identifier specified", "DELETE", rules+"/"+id, nil)
	h.must(202, "DELETE", "/domainnames/api.example.com", nil)
	h.fails("NotFoundException", "Invalid domain name identifier specified", "GET", rules, nil)
	h.must(201, "POST", "/domainnames", object{"domainName": "api.example.com", "certificateArn": certificate})
	h.same("rules are gone with their domain", h.must(200, "GET", rules, nil), `{"routingRules": []}`)
}

func TestRoutingRuleRefusals(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, rules := h.newRuledDomain("ROUTING_RULE_ONLY")
	private := h.must(201, "POST", "/restapis", object{"name": "p", "endpointConfiguration": object{"types": []string{"PRIVATE"}}})["id"].(string)
	to := invokeAPI(api, "s1", false)
	for _, c := range []struct {
		message    string
		conditions []object
		actions    []object
	}{
		{"A routing rule must have exactly one action.", nil, []object{}},
		{"A condition of a routing rule must have either matchHeaders or matchBasePaths.", []object{{}}, to},
		{"anyOf of a matchBasePaths condition must have exactly one value.", []object{{"matchBasePaths": object{"anyOf": []string{"a", "b"}}}}, to},
		{"anyOf of a matchHeaders condition must have exactly one value.", []object{{"matchHeaders": object{"anyOf": []object{}}}}, to},
		{"A routing rule can have up to 2 matchHeaders conditions and 1 matchBasePaths condition.", []object{basePath("a"), basePath("b")}, to},
		{"A routing rule can have up to 2 matchHeaders conditions and 1 matchBasePaths condition.", []object{header("a", "b"), header("a", "c"), header("a", "d")}, to},
		{"Invalid base path in a routing rule: /a", []object{basePath("/a")}, to},
		{"Invalid base path in a routing rule: a b", []object{basePath("a b")}, to},
		{"Invalid base path in a routing rule: " + strings.Repeat("a", 128), []object{basePath(strings.Repeat("a", 128))}, to},
		{"Invalid header name in a routing rule: x-*", []object{header("x-*", "a")}, to},
		{"Invalid header name in a routing rule: " + strings.Repeat("a", 40), []object{header(strings.Repeat("a", 40), "a")}, to},
		{"Header Authorization is not supported in conditions of routing rules.", []object{header("Authorization", "a")}, to},
		{"Header X-Amz-Date is not supported in conditions of routing rules.", []object{header("X-Amz-Date", "a")}, to},
		{"Invalid header value glob in a routing rule: a*b", []object{header("a", "a*b")}, to},
		{"Invalid header value glob in a routing rule: **", []object{header("a", "**")}, to},
		{"Invalid header value glob in a routing rule: ", []object{header("a", "")}, to},
		{"Invalid header value glob in a routing rule: *" + strings.Repeat("a", 39) + "*", []object{header("a", "*"+strings.Repeat("a", 39)+"*")}, to},
		{"stripBasePath needs a matchBasePaths condition.", []object{header("a", "b")}, invokeAPI(api, "s1", true)},
		{"Invalid REST API identifier specified", nil, invokeAPI("nope", "s1", false)},
		{"Invalid stage identifier specified", nil, invokeAPI(api, "nope", false)},
		{"Private APIs can only be associated with private custom domain names, and public APIs with public ones.", nil, invokeAPI(private, "s1", false)},
	} {
		if c.conditions == nil {
			c.conditions = []object{}
		}
		h.fails("BadRequestException", c.message, "POST", rules, object{"priority": 1, "conditions": c.conditions, "actions": c.actions})
	}
	if status, kind, out := h.call("POST", rules, object{"priority": 1000001, "conditions": []object{}, "actions": to}); status != 400 || kind != "BadRequestException" {
		t.Errorf("a priority over the limit: %d %s %v", status, kind, out)
	}
	h.fails("BadRequestException", "Base path mappings can't be created while the routing mode of the domain name is ROUTING_RULE_ONLY.",
		"POST", "/domainnames/api.example.com/basepathmappings", object{"restApiId": api})
	h.fails("BadRequestException", "Invalid RoutingMode specified. Valid options are BASE_PATH_MAPPING_ONLY,ROUTING_RULE_ONLY,ROUTING_RULE_THEN_BASE_PATH_MAPPING",
		"PATCH", "/domainnames/api.example.com", patch("replace /routingMode API_MAPPING_ONLY"))
	h.must(200, "PATCH", "/domainnames/api.example.com", patch("replace /routingMode BASE_PATH_MAPPING_ONLY"))
	h.fails("BadRequestException", "Routing rules can't be created while the routing mode of the domain name is BASE_PATH_MAPPING_ONLY.",
		"POST", rules, object{"priority": 1, "conditions": []object{}, "actions": to})
	if got := h.plane.domains["api.example.com"].RoutingMode; got != "BASE_PATH_MAPPING_ONLY" {
		t.Errorf("published mode %s", got)
	}
	h.fails("NotImplemented", "butai doesn't do this yet: ApiGatewayV2 GetApis: butai serves REST APIs, which the apigateway API makes, "+
		"and of apigatewayv2 only the routing rules of their custom domains, and VPC links", "GET", "/v2/apis", nil)
}

func TestRoutingRuleIAMTargets(t *testing.T) {
	t.Parallel()
	ctx := wire.WithCaller(t.Context(), &wire.Caller{Account: "111111111111", Region: "us-east-1"})
	name, id := wire.Ptr("api.example.com"), wire.Ptr("abc123")
	const rules = "arn:aws:apigateway:us-east-1:111111111111:/domainnames/api.example.com/routingrules/"
	for _, c := range []struct {
		in   any
		want string
	}{
		{&apigatewayv2api.CreateRoutingRuleRequest{DomainName: name}, "apigateway:CreateRoutingRule " + rules + "*"},
		{&apigatewayv2api.ListRoutingRulesRequest{DomainName: name}, "apigateway:ListRoutingRules " + rules + "*"},
		{&apigatewayv2api.GetRoutingRuleRequest{DomainName: name, RoutingRuleId: id}, "apigateway:GetRoutingRule " + rules + "abc123"},
		{&apigatewayv2api.PutRoutingRuleRequest{DomainName: name, RoutingRuleId: id}, "apigateway:UpdateRoutingRule " + rules + "abc123"},
		{&apigatewayv2api.DeleteRoutingRuleRequest{DomainName: name, RoutingRuleId: id}, "apigateway:DeleteRoutingRule " + rules + "abc123"},
	} {
		operation := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%T", c.in), "*apigatewayv2api."), "Request")
		got := apigateway.NewV2(nil).IAMTargets(ctx, apigatewayv2api.Service.Operation(operation), c.in)
		if len(got) != 1 || got[0].Action+" "+got[0].Resource != c.want {
			t.Errorf("%s asks for %v, want %s", operation, got, c.want)
		}
	}
}

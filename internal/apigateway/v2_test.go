package apigateway_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/api/apigatewayv2api"
	"github.com/butai-dev/butai/internal/apigateway"
	"github.com/butai-dev/butai/internal/wire"
)

// TestDomainNamesV2 sets a routing mode as AWS's guide does.
func TestDomainNamesV2(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.newRuledDomain("BASE_PATH_MAPPING_ONLY")
	h.must(201, "POST", "/domainnames", object{"domainName": "private.example.com", "certificateArn": certificate, "endpointConfiguration": private})
	shape := func(mode string) string {
		return `{"apiMappingSelectionExpression": "$request.basepath", "domainName": "api.example.com", "domainNameArn": "arn:aws:apigateway:us-east-1::/domainnames/api.example.com",
			"domainNameConfigurations": [{"apiGatewayDomainName": "*", "certificateArn": "` + certificate + `", "domainNameStatus": "AVAILABLE", "endpointType": "REGIONAL",
			"hostedZoneId": "Z1UJRXOUMOOFQ8", "ipAddressType": "ipv4", "securityPolicy": "TLS_1_2"}], "routingMode": "` + mode + `", "tags": {}}`
	}
	const path = "/v2/domainnames/api.example.com"
	h.same("get", h.must(200, "GET", path, nil), shape("API_MAPPING_ONLY"))
	h.same("update", h.must(200, "PATCH", path, object{"routingMode": "ROUTING_RULE_THEN_API_MAPPING"}), shape("ROUTING_RULE_THEN_API_MAPPING"))
	if got := h.must(200, "GET", "/domainnames/api.example.com", nil)["routingMode"]; got != "ROUTING_RULE_THEN_BASE_PATH_MAPPING" {
		t.Errorf("the first API shows the mode %v", got)
	}
	h.same("list", h.must(200, "GET", "/v2/domainnames", nil), `{"items": [`+shape("ROUTING_RULE_THEN_API_MAPPING")+`]}`)
	h.fails("NotFoundException", "Invalid domain name identifier specified", "GET", "/v2/domainnames/private.example.com", nil)
	h.fails("NotImplemented", "butai doesn't do this yet: parameter DomainNameConfigurations of ApiGatewayV2 UpdateDomainName: change it with UpdateDomainName of apigateway",
		"PATCH", path, object{"domainNameConfigurations": []object{{"certificateArn": certificate}}})
}

func TestVPCLinksV2(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	made := h.must(201, "POST", "/v2/vpclinks", object{"name": "mine", "subnetIds": []string{"subnet-0123abcd"}})
	id := made["vpcLinkId"].(string)
	shape := func(name, status, message string) string {
		return `{"createdDate": "2025-07-01T12:00:00Z", "name": "` + name + `", "securityGroupIds": [], "subnetIds": ["subnet-0123abcd"], "tags": {}, "vpcLinkId": "` + id + `",
			"vpcLinkStatus": "` + status + `", "vpcLinkStatusMessage": "` + message + `", "vpcLinkVersion": "V2"}`
	}
	const ready = "VPC link is ready to route traffic"
	h.same("create", made, shape("mine", "PENDING", "VPC link is provisioning ENIs"))
	path := "/v2/vpclinks/" + id
	h.same("get", h.must(200, "GET", path, nil), shape("mine", "AVAILABLE", ready))
	h.same("update", h.must(200, "PATCH", path, object{"name": "ours"}), shape("ours", "AVAILABLE", ready))
	h.same("list", h.must(200, "GET", "/v2/vpclinks", nil), `{"items": [`+shape("ours", "AVAILABLE", ready)+`]}`)
	h.fails("BadRequestException", "Invalid subnet specified: vpc-1", "POST", "/v2/vpclinks", object{"name": "x", "subnetIds": []string{"vpc-1"}})
	h.fails("BadRequestException", "At least one subnet must be specified", "POST", "/v2/vpclinks", object{"name": "x", "subnetIds": []string{}})

	const target = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/mine/0123456789abcdef"
	first := h.must(202, "POST", "/vpclinks", object{"name": "first", "targetArns": []string{balancer}})["id"].(string)
	api, method := h.newMock()
	through := func(link, target string) object {
		return object{"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "http://example.com/x", "connectionType": "VPC_LINK", "connectionId": link, "integrationTarget": target}
	}
	h.fails("BadRequestException", "IntegrationTarget is required for VpcLinkV2 "+id, "PUT", method+"/integration", through(id, ""))
	h.fails("BadRequestException", "Invalid ARN. ARN is not well formed nonsense", "PUT", method+"/integration", through(id, "nonsense"))
	h.fails("BadRequestException", "IntegrationTarget can only be specified for a VpcLinkV2, not for "+first, "PUT", method+"/integration", through(first, target))
	h.fails("BadRequestException", "Invalid Vpc Link identifier specified", "PUT", method+"/integration", through("nosuch", target))
	h.fails("BadRequestException", "IntegrationTarget can only be specified for connection type VPC_LINK", "PUT", method+"/integration",
		object{"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "http://example.com/x", "integrationTarget": target})
	if got := h.must(201, "PUT", method+"/integration", through(id, target)); got["integrationTarget"] != target {
		t.Errorf("put %v", got)
	}
	h.must(201, "POST", "/restapis/"+api+"/deployments", object{"stageName": "prod"})
	if links := h.plane.stage(api + "/prod").VPCLinks; *links[id].Name != "ours" {
		t.Errorf("the stage knows of the links %v", links)
	}
	if status, kind, out := h.call("DELETE", path, nil); status != 400 || kind != "BadRequestException" {
		t.Errorf("deleting a used link: %d %s %v", status, kind, out)
	}
	h.must(202, "DELETE", "/restapis/"+api+"/stages/prod", nil)
	h.must(202, "DELETE", path, nil)
	h.fails("NotFoundException", "Invalid Vpc Link identifier specified", "GET", path, nil)
}

func TestIAMTargetsV2(t *testing.T) {
	t.Parallel()
	ctx := wire.WithCaller(t.Context(), &wire.Caller{Account: "111111111111", Region: "us-east-1"})
	got := apigateway.NewV2(nil).IAMTargets(ctx, apigatewayv2api.Service.Operation("GetVpcLink"), &apigatewayv2api.GetVpcLinkRequest{VpcLinkId: wire.Ptr("a1b2c3")})
	if want := "arn:aws:apigateway:us-east-1::/vpclinks/a1b2c3"; len(got) != 1 || got[0].Action != "apigateway:GET" || got[0].Resource != want {
		t.Errorf("asks for %v, want %s", got, want)
	}
}

// The tag operations of the second API are those of the first, on its paths.
func TestTagsV2(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.newRuledDomain("BASE_PATH_MAPPING_ONLY")
	link := h.must(201, "POST", "/v2/vpclinks", object{"name": "mine", "subnetIds": []string{"subnet-0123abcd"}})["vpcLinkId"].(string)
	first := h.must(202, "POST", "/vpclinks", object{"name": "first", "targetArns": []string{balancer}})["id"].(string)
	for resource, read := range map[string]string{
		"/domainnames/api.example.com": "/v2/domainnames/api.example.com", "/vpclinks/" + link: "/v2/vpclinks/" + link, "/vpclinks/" + first: "/vpclinks/" + first,
	} {
		tags := "/v2/tags/" + url.PathEscape("arn:aws:apigateway:us-east-1::"+resource)
		h.same("tag "+resource, h.must(201, "POST", tags, object{"tags": object{"a": "1", "b": "2"}}), `{}`)
		h.must(204, "DELETE", tags+"?tagKeys=a", nil)
		h.same("tags of "+resource, h.must(200, "GET", tags, nil), `{"tags": {"b": "2"}}`)
		h.same(resource, h.must(200, "GET", read, nil)["tags"].(object), `{"b": "2"}`)
		h.must(204, "DELETE", tags+"?tagKeys=b", nil)
		if got := h.must(200, "GET", read, nil)["tags"]; strings.HasPrefix(read, "/v2/") && got == nil {
			t.Errorf("%s shows no tags", read)
		}
	}
}

package apigateway_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/apigateway"
	"github.com/butai-dev/butai/internal/wire"
)

var private = object{"types": []string{"PRIVATE"}}

const allowInvoke = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": ["execute-api:/*"]}]}`

// TestPrivateDomain goes through the tutorial of the developer guide.
func TestPrivateDomain(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api := h.must(201, "POST", "/restapis", object{"name": "p", "endpointConfiguration": private})["id"].(string)
	public := h.must(201, "POST", "/restapis", object{"name": "q"})["id"].(string)
	d := h.must(201, "POST", "/domainnames", object{"domainName": "private.example.com", "certificateArn": certificate, "endpointConfiguration": private, "policy": allowInvoke})
	id := d["domainNameId"].(string)
	domainARN := "arn:aws:apigateway:us-east-1:111111111111:/domainnames/private.example.com+" + id
	compact := strings.ReplaceAll(allowInvoke, ": ", ":")
	compact = strings.ReplaceAll(compact, ", ", ",")
	shape := `{"domainName": "private.example.com", "domainNameId": "` + id + `", "domainNameArn": "` + domainARN + `", "certificateArn": "` + certificate + `",
		"certificateUploadDate": 1751371200, "endpointConfiguration": {"types": ["PRIVATE"], "ipAddressType": "dualstack"}, "domainNameStatus": "AVAILABLE",
		"securityPolicy": "TLS_1_2", "routingMode": "BASE_PATH_MAPPING_ONLY", "policy": ` + strconv.Quote(compact) + `}`
	h.same("create", d, shape)
	const base = "/domainnames/private.example.com"
	of := "?domainNameId=" + id
	h.same("get", h.must(200, "GET", base+of, nil), shape)
	for _, path := range []string{base, base + "?domainNameId=other", base + "/basepathmappings", "/v2" + base + "/routingrules"} {
		h.fails("NotFoundException", "Invalid domain name identifier specified", "GET", path, nil)
	}
	h.must(201, "POST", base+"/basepathmappings"+of, object{"restApiId": api})
	h.must(200, "GET", base+"/basepathmappings/(none)"+of, nil)
	h.fails("BadRequestException", "The endpoint type can't be changed while the RestApi is mapped to custom domain names: private.example.com",
		"PATCH", "/restapis/"+api, patch("replace /endpointConfiguration/types/PRIVATE REGIONAL"))
	h.fails("BadRequestException", "Private APIs can only be associated with private custom domain names, and public APIs with public ones.",
		"POST", base+"/basepathmappings"+of, object{"restApiId": public, "basePath": "q"})
	h.fails("BadRequestException", "A custom domain name can't be changed from public to private, or back.",
		"PATCH", base+of, patch("add /endpointConfiguration/types REGIONAL"))

	association := object{"domainNameArn": domainARN, "accessAssociationSourceType": "VPCE", "accessAssociationSource": "vpce-1", "tags": object{"a": "b"}}
	associationARN := "arn:aws:apigateway:us-east-1:111111111111:/domainnameaccessassociations/domainname/private.example.com+" + id + "/vpcesource/vpce-1"
	associated := `{"domainNameAccessAssociationArn": "` + associationARN + `", "domainNameArn": "` + domainARN + `", "accessAssociationSource": "vpce-1",
		"accessAssociationSourceType": "VPCE", "tags": {"a": "b"}}`
	if got := h.plane.domains["private.example.com"].Private; len(got.VPCEndpoints) != 0 {
		t.Errorf("without an association, %v is published", got)
	}
	h.same("associate", h.must(201, "POST", "/domainnameaccessassociations", association), associated)
	h.same("list", h.must(200, "GET", "/domainnameaccessassociations?resourceOwner=SELF", nil), `{"item": [`+associated+`]}`)
	h.same("list others'", h.must(200, "GET", "/domainnameaccessassociations?resourceOwner=OTHER_ACCOUNTS", nil), `{"item": []}`)
	h.same("tags", h.must(200, "GET", "/tags/"+strings.ReplaceAll(associationARN, "/", "%2F"), nil), `{"tags": {"a": "b"}}`)
	got := h.plane.domains["private.example.com"].Private
	invoke := strings.Replace(domainARN, ":apigateway:", ":execute-api:", 1)
	if len(got.VPCEndpoints) != 1 || got.VPCEndpoints[0] != "vpce-1" || got.ARN != invoke || !strings.Contains(got.Policy, `"`+invoke+`"`) {
		t.Errorf("published %+v", got)
	}
	h.fails("ConflictException", "The domain name access association already exists.", "POST", "/domainnameaccessassociations", association)
	h.fails("BadRequestException", "The domain name has domain name access associations. Delete them first.", "DELETE", base+of, nil)
	h.fails("BadRequestException", "Domain name access associations in your own account can't be rejected. Delete them instead.", "POST",
		"/rejectdomainnameaccessassociations?domainNameAccessAssociationArn="+strings.ReplaceAll(associationARN, "+", "%2B")+"&domainNameArn="+strings.ReplaceAll(domainARN, "+", "%2B"), nil)
	at := "/domainnameaccessassociations/" + strings.ReplaceAll(associationARN, "/", "%2F")
	h.must(202, "DELETE", at, nil)
	h.fails("NotFoundException", "Invalid domain name access association identifier specified", "DELETE", at, nil)
	h.must(202, "DELETE", base+of, nil)
}

func TestAssociationRefusals(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.must(201, "POST", "/domainnames", object{"domainName": "api.example.com", "certificateArn": certificate})
	association := func(arn, source string) object {
		return object{"domainNameArn": arn, "accessAssociationSourceType": "VPCE", "accessAssociationSource": source}
	}
	const domains = "arn:aws:apigateway:us-east-1:111111111111:/domainnames/"
	h.fails("BadRequestException", "Domain name access associations are only supported for private custom domain names.",
		"POST", "/domainnameaccessassociations", association(domains+"api.example.com", "vpce-1"))
	h.fails("NotFoundException", "Invalid domain name identifier specified", "POST", "/domainnameaccessassociations", association(domains+"other.example.com+id", "vpce-1"))
	h.fails("BadRequestException", "Invalid ARN specified in the request", "POST", "/domainnameaccessassociations", association("arn:aws:sqs:::a", "vpce-1"))
	h.fails("BadRequestException", "Invalid access association source specified: vpc-1", "POST", "/domainnameaccessassociations", association(domains+"a+b", "vpc-1"))
}

func TestPrivateDomainIAMTargets(t *testing.T) {
	t.Parallel()
	ctx := wire.WithCaller(t.Context(), &wire.Caller{Account: "111111111111", Region: "us-east-1"})
	in := &apigatewayapi.GetBasePathMappingRequest{DomainName: wire.Ptr("private.example.com"), DomainNameId: wire.Ptr("abcd1234"), BasePath: wire.Ptr("v1")}
	got := (&apigateway.Service{}).IAMTargets(ctx, apigatewayapi.Service.Operation("GetBasePathMapping"), in)
	if want := "arn:aws:apigateway:us-east-1:111111111111:/domainnames/private.example.com+abcd1234/basepathmappings/v1"; len(got) != 1 || got[0].Resource != want {
		t.Errorf("asks for %v, want %s", got, want)
	}
}

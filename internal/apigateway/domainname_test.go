package apigateway_test

import (
	"strings"
	"testing"
)

const certificate = "arn:aws:acm:us-east-1:111111111111:certificate/00000000-0000-0000-0000-000000000000"

func TestDomainNameLifecycle(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	regional := h.must(201, "POST", "/domainnames", object{
		"domainName": "API.example.com", "regionalCertificateArn": certificate, "endpointConfiguration": object{"types": []string{"REGIONAL"}}, "tags": object{"a": "b"},
	})
	const common = `"domainName": "api.example.com", "domainNameStatus": "AVAILABLE", "securityPolicy": "TLS_1_2", "routingMode": "BASE_PATH_MAPPING_ONLY"`
	const shape = `{` + common + `, "regionalCertificateArn": "` + certificate + `", "endpointConfiguration": {"types": ["REGIONAL"], "ipAddressType": "ipv4"},
		"regionalDomainName": "*", "regionalHostedZoneId": "Z1UJRXOUMOOFQ8", "tags": {"a": "b"}}`
	h.same("create", regional, shape)
	h.same("get", h.must(200, "GET", "/domainnames/api.example.com", nil), shape)
	if name := regional["regionalDomainName"].(string); !strings.HasPrefix(name, "d-") || !strings.HasSuffix(name, ".execute-api.us-east-1.amazonaws.com") {
		t.Errorf("regional name %s", name)
	}
	both := h.must(200, "PATCH", "/domainnames/api.example.com", patch("add /endpointConfiguration/types EDGE", "add /certificateName edge-cert", "add /certificateArn "+certificate))
	h.same("to both", both, `{`+common+`, "regionalCertificateArn": "`+certificate+`", "certificateArn": "`+certificate+`", "certificateName": "edge-cert", "certificateUploadDate": 1751371200,
		"endpointConfiguration": {"types": ["EDGE", "REGIONAL"], "ipAddressType": "ipv4"}, "regionalDomainName": "`+regional["regionalDomainName"].(string)+`",
		"regionalHostedZoneId": "Z1UJRXOUMOOFQ8", "distributionDomainName": "*", "distributionHostedZoneId": "Z2FDTNDATAQYW2", "tags": {"a": "b"}}`)
	if configs := h.must(200, "GET", "/v2/domainnames/api.example.com", nil)["domainNameConfigurations"].([]any); len(configs) != 2 {
		t.Errorf("the second API shows %v", configs)
	}
	edge := h.must(200, "PATCH", "/domainnames/api.example.com", patch("remove /endpointConfiguration/types REGIONAL", "remove regionalCertificateArn", "remove certificateName"))
	h.same("to edge", edge, `{`+common+`, "certificateArn": "`+certificate+`", "certificateUploadDate": 1751371200, "endpointConfiguration": {"types": ["EDGE"], "ipAddressType": "ipv4"},
		"distributionDomainName": "*", "distributionHostedZoneId": "Z2FDTNDATAQYW2", "tags": {"a": "b"}}`)
	if h.plane.domains["api.example.com"] == nil {
		t.Error("the domain is not published")
	}
	h.must(202, "DELETE", "/domainnames/api.example.com", nil)
	if len(h.plane.domains) > 0 {
		t.Error("the domain is still published")
	}
	h.fails("NotFoundException", "Invalid domain name identifier specified", "GET", "/domainnames/api.example.com", nil)
	h.same("list", h.must(200, "GET", "/domainnames", nil), `{"item": []}`)
}

func TestDomainNameRefusals(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	regional := object{"types": []string{"REGIONAL"}}
	h.must(201, "POST", "/domainnames", object{"domainName": "taken.example.com", "regionalCertificateArn": certificate, "endpointConfiguration": regional})
	elsewhere := strings.Replace(certificate, "us-east-1", "eu-west-1", 1)
	for _, c := range []struct {
		kind, message string
		body          object
	}{
		{"BadRequestException", "The domain name you provided already exists.", object{"domainName": "taken.example.com", "certificateArn": certificate}},
		{"BadRequestException", "A certificate was not provided for the endpoint type EDGE.", object{"domainName": "a.example.com"}},
		{"BadRequestException", "Invalid certificate ARN: " + elsewhere + ". Certificate must be in 'us-east-1'.", object{"domainName": "a.example.com", "certificateArn": elsewhere}},
		{"BadRequestException", "The provided certificate does not exist.",
			object{"domainName": "a.example.com", "certificateArn": strings.Replace(certificate, "00000000-", "ffffffff-", 1)}},
		{"BadRequestException", "The provided certificate does not exist.",
			object{"domainName": "a.example.com", "certificateArn": strings.Replace(certificate, "111111111111", "222222222222", 1)}},
		{"BadRequestException", "The domain name to be created must be covered by the certificate " + certificate + ".",
			object{"domainName": "a.example.org", "certificateArn": certificate}},
		{"BadRequestException", "Mutual TLS authentication is only supported for REGIONAL endpoint type.",
			object{"domainName": "a.example.com", "certificateArn": certificate, "mutualTlsAuthentication": object{"truststoreUri": "s3://trust/truststore.pem"}}},
		{"BadRequestException", "Invalid truststore URI specified: https://trust/truststore.pem", object{"domainName": "a.example.com",
			"regionalCertificateArn": certificate, "endpointConfiguration": regional, "mutualTlsAuthentication": object{"truststoreUri": "https://trust/truststore.pem"}}},
		{"BadRequestException", "Unable to access the truststore s3://trust/none.pem: The specified key does not exist.", object{"domainName": "a.example.com",
			"regionalCertificateArn": certificate, "endpointConfiguration": regional, "mutualTlsAuthentication": object{"truststoreUri": "s3://trust/none.pem"}}},
		{"BadRequestException", "Invalid truststore: it contains no certificates in PEM format", object{"domainName": "a.example.com",
			"regionalCertificateArn": certificate, "endpointConfiguration": regional, "mutualTlsAuthentication": object{"truststoreUri": "s3://trust/shop.swagger.yaml"}}},
		{"NotImplemented", "butai doesn't do this yet: parameter certificateBody of API Gateway CreateDomainName: certificates come from ACM; give certificateArn instead",
			object{"domainName": "a.example.com", "certificateBody": "x"}},
		{"BadRequestException", "Resource policies are only supported for private custom domain names.",
			object{"domainName": "a.example.com", "certificateArn": certificate, "policy": allowInvoke}},
		{"BadRequestException", "Wildcard custom domain names are not supported for private custom domain names.",
			object{"domainName": "*.example.com", "certificateArn": certificate, "endpointConfiguration": private}},
		{"BadRequestException", "Private custom domain names only support the security policy TLS_1_2.",
			object{"domainName": "a.example.com", "certificateArn": certificate, "endpointConfiguration": private, "securityPolicy": "TLS_1_0"}},
		{"BadRequestException", "Invalid policy document. Please check the policy syntax and ensure that Principals are valid.",
			object{"domainName": "a.example.com", "certificateArn": certificate, "endpointConfiguration": private, "policy": "{}"}},
		{"NotImplemented", "butai doesn't do this yet: two custom domains of one name (taken.example.com), which only the VPC endpoints of their callers would tell apart",
			object{"domainName": "taken.example.com", "certificateArn": certificate, "endpointConfiguration": private}},
	} {
		h.fails(c.kind, c.message, "POST", "/domainnames", c.body)
	}
}

func TestDomainNameMigrationRefusals(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	const path = "/domainnames/api.example.com"
	h.must(201, "POST", "/domainnames", object{"domainName": "api.example.com", "regionalCertificateArn": certificate, "endpointConfiguration": object{"types": []string{"REGIONAL"}},
		"securityPolicy": "SecurityPolicy_TLS13_1_3_2025_09", "endpointAccessMode": "STRICT"})
	toEdge := []string{"add /endpointConfiguration/types EDGE", "add /certificateArn " + certificate}
	h.fails("BadRequestException", "An endpoint type can only be added while the endpoint access mode is BASIC.", "PATCH", path, patch(toEdge...))
	h.must(200, "PATCH", path, patch("replace /endpointAccessMode BASIC"))
	for _, c := range []struct {
		message string
		ops     []string
	}{
		{"/endpointConfiguration/types/0 Invalid request input", []string{"replace /endpointConfiguration/types/0 EDGE"}},
		{"Can only perform one update operation at a time. Request would delete regional endpoint, create edge endpoint", append(toEdge, "remove /endpointConfiguration/types REGIONAL")},
		{"A certificate was not provided for the endpoint type EDGE.", toEdge[:1]},
		{"REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.", []string{"remove /endpointConfiguration/types REGIONAL"}},
		{"A custom domain name can't be changed from public to private, or back.", []string{"add /endpointConfiguration/types PRIVATE"}},
		{"Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE", []string{"add /endpointConfiguration/types wrong"}},
	} {
		h.fails("BadRequestException", c.message, "PATCH", path, patch(c.ops...))
	}
	h.must(200, "PATCH", path, patch(toEdge...))
	h.fails("BadRequestException", "The endpoint access mode can't be changed while the domain name has two endpoint types.", "PATCH", path, patch("replace /endpointAccessMode STRICT"))
	h.fails("BadRequestException", "Security policy SecurityPolicy_TLS13_1_3_2025_09 is not supported for endpoint type EDGE", "PATCH", path, patch("remove /endpointConfiguration/types REGIONAL"))
	h.must(200, "PATCH", path, patch("remove /endpointConfiguration/types REGIONAL", "replace /securityPolicy SecurityPolicy_TLS13_2025_EDGE"))
}

func TestBasePathMappings(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	stagePath := h.newStage()
	api := strings.Split(stagePath, "/")[2]
	h.must(201, "POST", "/domainnames", object{"domainName": "api.example.com", "certificateArn": certificate})
	base := "/domainnames/api.example.com/basepathmappings"
	h.same("create", h.must(201, "POST", base, object{"restApiId": api, "stage": "s1", "basePath": ""}), `{"basePath": "(none)", "restApiId": "`+api+`", "stage": "s1"}`)
	h.same("create without stage", h.must(201, "POST", base, object{"restApiId": api, "basePath": "v1"}), `{"basePath": "v1", "restApiId": "`+api+`"}`)
	h.same("get", h.must(200, "GET", base+"/(none)", nil), `{"basePath": "(none)", "restApiId": "`+api+`", "stage": "s1"}`)
	for _, c := range []struct {
		kind, message, method, path string
		body                        object
	}{
		{"ConflictException", "Base path already exists for this domain name", "POST", base, object{"restApiId": api}},
		{"ConflictException", "Base path already exists for this domain name", "PATCH", base + "/v1", patch("replace /basePath (none)")},
		{"BadRequestException", "Invalid REST API identifier specified", "POST", base, object{"restApiId": "nope", "basePath": "x"}},
		{"BadRequestException", "Invalid stage identifier specified", "POST", base, object{"restApiId": api, "stage": "nope", "basePath": "x"}},
		{"BadRequestException", "Invalid stage identifier specified", "PATCH", base + "/v1", patch("replace /stage nope")},
		{"BadRequestException", "API Gateway V1 doesn't support the slash character (/) in base path mappings. To create a multi-level base path mapping, use API Gateway V2.",
			"POST", base, object{"restApiId": api, "basePath": "a/b"}},
		{"NotFoundException", "Invalid domain name identifier specified", "POST", "/domainnames/nope/basepathmappings", object{"restApiId": api}},
		{"NotFoundException", "Invalid base path mapping identifier specified", "GET", base + "/nope", nil},
		{"BadRequestException", "Deleting stage s1 failed. Please remove all base path mappings related to the stage in your domains: api.example.com", "DELETE", stagePath, nil},
		{"BadRequestException", "Deleting RestApi " + api + " failed. Please remove all base path mappings related to the RestApi in your domains: api.example.com", "DELETE", "/restapis/" + api, nil},
	} {
		h.fails(c.kind, c.message, c.method, c.path, c.body)
	}
	h.must(200, "PATCH", base+"/v1", patch("replace /basePath v2", "replace /stage s1"))
	h.same("list", h.must(200, "GET", base, nil), `{"item": [{"basePath": "(none)", "restApiId": "`+api+`", "stage": "s1"}, {"basePath": "v2", "restApiId": "`+api+`", "stage": "s1"}]}`)
	if d := h.plane.domains["api.example.com"]; len(d.Mappings) != 2 || *d.Mappings[1].BasePath != "v2" {
		t.Errorf("published mappings %v", d.Mappings)
	}
	h.must(202, "DELETE", base+"/v2", nil)
	h.must(202, "DELETE", base+"/(none)", nil)
	h.must(202, "DELETE", "/restapis/"+api, nil)
	if got := h.plane.served(); len(got) > 0 {
		t.Errorf("%v is still served", got)
	}
}

// TestMutualTLS publishes the truststore as it was when it was named.
func TestMutualTLS(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	d := h.must(201, "POST", "/domainnames", object{
		"domainName": "api.example.com", "regionalCertificateArn": certificate, "ownershipVerificationCertificateArn": certificate,
		"endpointConfiguration":   object{"types": []string{"REGIONAL"}},
		"mutualTlsAuthentication": object{"truststoreUri": "s3://trust/truststore.pem", "truststoreVersion": "1"},
	})
	h.same("create", d["mutualTlsAuthentication"].(object), `{"truststoreUri": "s3://trust/truststore.pem", "truststoreVersion": "1"}`)
	if got := h.plane.domains["api.example.com"]; !strings.Contains(got.Truststore, "BEGIN CERTIFICATE") || got.Certificate != certificate {
		t.Errorf("published %+v", got)
	}
	d = h.must(200, "PATCH", "/domainnames/api.example.com", patch("replace /mutualTlsAuthentication/truststoreVersion ", "replace /securityPolicy SecurityPolicy_TLS13_1_3_2025_09", "replace /endpointAccessMode BASIC"))
	h.same("version removed", d["mutualTlsAuthentication"].(object), `{"truststoreUri": "s3://trust/truststore.pem"}`)
	h.fails("BadRequestException", "Unable to access the truststore s3://trust/none.pem: The specified key does not exist.",
		"PATCH", "/domainnames/api.example.com", patch("replace /mutualTlsAuthentication/truststoreUri s3://trust/none.pem"))
	if got := h.plane.domains["api.example.com"]; got.Truststore == "" || got.SecurityPolicy != "SecurityPolicy_TLS13_1_3_2025_09" {
		t.Errorf("after a failed update, published %+v", got)
	}
	d = h.must(200, "PATCH", "/domainnames/api.example.com", patch("replace /mutualTlsAuthentication/truststoreUri "))
	if d["mutualTlsAuthentication"] != nil || h.plane.domains["api.example.com"].Truststore != "" {
		t.Errorf("without a truststore, the domain is %v", d)
	}
}

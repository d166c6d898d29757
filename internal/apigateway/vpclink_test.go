package apigateway_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"testing"
)

const balancer = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/net/mine/0123456789abcdef"

func TestVPCLinks(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	made := h.must(202, "POST", "/vpclinks", object{"name": "mine", "targetArns": []string{balancer}})
	h.same("create", made, `{"id": "*", "name": "mine", "targetArns": ["`+balancer+`"], "status": "PENDING"}`)
	path := "/vpclinks/" + made["id"].(string)
	const ready = `"targetArns": ["` + balancer + `"], "status": "AVAILABLE", "statusMessage": "Your vpc link is ready for use", "tags": {}}`
	h.same("get", h.must(200, "GET", path, nil), `{"id": "*", "name": "mine", `+ready)
	h.same("update", h.must(200, "PATCH", path, patch("replace /name ours", "replace /description d")), `{"id": "*", "name": "ours", "description": "d", `+ready)
	h.same("list", h.must(200, "GET", "/vpclinks", nil), `{"item": [{"id": "*", "name": "ours", "description": "d", `+ready+`]}`)

	h.fails("BadRequestException", "Invalid ARN. ARN is not well formed nonsense", "POST", "/vpclinks", object{"name": "x", "targetArns": []string{"nonsense"}})
	h.fails("BadRequestException", "Name cannot be empty", "POST", "/vpclinks", object{"name": "", "targetArns": []string{balancer}})
	h.fails("BadRequestException", "Invalid patch path  '/targetArns' specified for op 'replace'. Must be one of: [/name, /description]",
		"PATCH", path, patch("replace /targetArns x"))
	h.fails("NotFoundException", "Invalid Vpc Link identifier specified", "GET", "/vpclinks/nosuch", nil)

	api, method := h.newMock()
	h.same("HTTP has a connection type by default", h.must(201, "PUT", method+"/integration", object{"type": "HTTP", "httpMethod": "POST", "uri": "http://example.com"}),
		`{"type": "HTTP", "httpMethod": "POST", "uri": "http://example.com", "connectionType": "INTERNET", "passthroughBehavior": "WHEN_NO_MATCH",
		"timeoutInMillis": 29000, "cacheNamespace": "*", "cacheKeyParameters": []}`)
	h.same("private integration", h.must(201, "PUT", method+"/integration", object{
		"type": "HTTP_PROXY", "httpMethod": "ANY", "uri": "http://${stageVariables.host}/x", "connectionType": "VPC_LINK",
		"connectionId": made["id"], "tlsConfig": object{"insecureSkipVerification": true}}),
		`{"type": "HTTP_PROXY", "httpMethod": "ANY", "uri": "http://${stageVariables.host}/x", "connectionType": "VPC_LINK", "connectionId": "*",
		"tlsConfig": {"insecureSkipVerification": true}, "passthroughBehavior": "WHEN_NO_MATCH", "timeoutInMillis": 29000, "cacheNamespace": "*", "cacheKeyParameters": []}`)
	h.must(200, "PATCH", method+"/integration", patch("replace /connectionId ${stageVariables.link}", "replace /tlsConfig/insecureSkipVerification false"))
	h.must(201, "POST", "/restapis/"+api+"/deployments", object{"stageName": "prod", "variables": object{"link": made["id"]}})
	if links := h.plane.stage(api + "/prod").VPCLinks; len(links) != 1 {
		t.Errorf("the stage knows of the links %v", links)
	}
	status, kind, out := h.call("DELETE", path, nil)
	if want := "Cannot delete vpc link. Vpc link '" + made["id"].(string) + "', is referenced in [GET:"; status != 400 || kind != "BadRequestException" || len(out["message"].(string)) < len(want) || out["message"].(string)[:len(want)] != want {
		t.Errorf("deleting a used link: %d %s %v", status, kind, out)
	}
	h.must(202, "DELETE", "/restapis/"+api+"/stages/prod", nil)
	h.must(202, "DELETE", path, nil)
	h.fails("NotFoundException", "Invalid Vpc Link identifier specified", "DELETE", path, nil)
}

func TestClientCertificates(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	made := h.must(201, "POST", "/clientcertificates", object{"description": "d", "tags": object{"a": "b"}})
	h.same("generate", made, `{"clientCertificateId": "*", "description": "d", "pemEncodedCertificate": "*", "createdDate": "*", "expirationDate": "*", "tags": {"a": "b"}}`)
	block, _ := pem.Decode([]byte(made["pemEncodedCertificate"].(string)))
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil || float64(c.NotAfter.Unix()) != made["expirationDate"] {
		t.Errorf("certificate ends %v (%v), want %v", c.NotAfter, err, made["expirationDate"])
	}
	id := made["clientCertificateId"].(string)
	path := "/clientcertificates/" + id
	if got := h.must(200, "PATCH", path, patch("replace /description e")); got["description"] != "e" {
		t.Errorf("updated to %v", got)
	}
	h.start() // certificates survive
	if got := h.must(200, "GET", "/clientcertificates", nil)["item"].([]any); len(got) != 1 {
		t.Errorf("listed %v", got)
	}
	api, _ := h.newMock()
	h.must(201, "POST", "/restapis/"+api+"/deployments", object{"stageName": "prod"})
	stage := "/restapis/" + api + "/stages/prod"
	h.fails("BadRequestException", "Invalid Client Certificate identifier specified", "PATCH", stage, patch("replace /clientCertificateId nosuch"))
	if got := h.must(200, "PATCH", stage, patch("replace /clientCertificateId "+id)); got["clientCertificateId"] != id {
		t.Errorf("stage is %v", got)
	}
	shown := h.plane.stage(api + "/prod").ClientCertificate
	if _, err := tls.X509KeyPair([]byte(shown.Certificate), []byte(shown.PKCS8)); err != nil || shown.ID != id {
		t.Errorf("the data plane got %s: %v", shown.ID, err)
	}
	h.fails("BadRequestException", "Client certificate "+id+" is used by stage prod of API "+api, "DELETE", path, nil)
	h.must(200, "PATCH", stage, patch("replace /clientCertificateId "))
	h.must(202, "DELETE", path, nil)
	h.fails("NotFoundException", "Invalid Client Certificate identifier specified", "GET", path, nil)
}

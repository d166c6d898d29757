package apigateway_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// The expected shapes and texts are recorded from AWS.

func TestRestAPILifecycle(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api := h.must(201, "POST", "/restapis", object{"name": "shop", "description": "d", "binaryMediaTypes": []string{}})
	const shape = `"id": "*", "name": "shop", "createdDate": 1751371200, "apiKeySource": "HEADER", "disableExecuteApiEndpoint": false,
		"endpointConfiguration": {"types": ["EDGE"], "ipAddressType": "ipv4"}, "rootResourceId": "*"`
	h.same("create", api, `{`+shape+`, "description": "d"}`)
	id, path := api["id"].(string), "/restapis/"+api["id"].(string)
	if len(id) != 10 || len(api["rootResourceId"].(string)) != 10 {
		t.Errorf("ids %v and %v, want 10 characters", id, api["rootResourceId"])
	}
	h.same("get", h.must(200, "GET", path, nil), `{`+shape+`, "description": "d", "tags": {}}`)
	h.same("list", h.must(200, "GET", "/restapis", nil), `{"item": [{`+shape+`, "description": "d"}]}`)
	h.same("add media types", h.must(200, "PATCH", path, patch("add /binaryMediaTypes/image~1png", "add /binaryMediaTypes/image~1jpeg", "remove /description")),
		`{`+shape+`, "tags": {}, "binaryMediaTypes": ["image/png", "image/jpeg"]}`)
	h.same("replace media type", h.must(200, "PATCH", path, patch("replace /binaryMediaTypes/image~1png image/gif", "replace /minimumCompressionSize 0")),
		`{`+shape+`, "tags": {}, "binaryMediaTypes": ["image/jpeg", "image/gif"], "minimumCompressionSize": 0}`)
	h.same("models", h.must(200, "GET", path+"/models", nil), `{"item": [
		{"id": "*", "name": "Empty", "contentType": "application/json", "description": "This is a default empty schema model", "schema": "*"},
		{"id": "*", "name": "Error", "contentType": "application/json", "description": "This is a default error schema model", "schema": "*"}]}`)
	h.must(202, "DELETE", path, nil)
	h.fails("NotFoundException", "Invalid API identifier specified 111111111111:"+id, "GET", path, nil)
	h.same("list after delete", h.must(200, "GET", "/restapis", nil), `{"item": []}`)
}

func TestRestAPIRefusals(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id, _ := h.newAPI()
	path := "/restapis/" + id
	const compression = "Invalid minimum compression size, must be between 0 and 10485760"
	for _, c := range []struct {
		kind, message, method, path string
		body                        object
	}{
		{"BadRequestException", "Description cannot be an empty string", "POST", "/restapis", object{"name": "a", "description": ""}},
		{"BadRequestException", compression, "POST", "/restapis", object{"name": "a", "minimumCompressionSize": -1}},
		{"BadRequestException", "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.", "POST", "/restapis",
			object{"name": "a", "endpointConfiguration": object{"types": []string{}}}},
		{"BadRequestException", "Cannot create an api with multiple Endpoint Types.", "POST", "/restapis",
			object{"name": "a", "endpointConfiguration": object{"types": []string{"EDGE", "REGIONAL"}}}},
		{"BadRequestException", "Only dualstack ipAddressType is supported for Private APIs.", "POST", "/restapis",
			object{"name": "a", "endpointConfiguration": object{"types": []string{"PRIVATE"}, "ipAddressType": "ipv4"}}},
		{"BadRequestException", "Invalid policy document. Please check the policy syntax and ensure that Principals are valid.", "POST", "/restapis",
			object{"name": "a", "policy": "{"}},
		{"BadRequestException", "Invalid policy document. Please check the policy syntax and ensure that Principals are valid.", "POST", "/restapis",
			object{"name": "a", "policy": `{"Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:role/none"}, "Action": "execute-api:Invoke", "Resource": "*"}}`}},
		{"BadRequestException", compression, "PATCH", path, patch("replace /minimumCompressionSize test")},
		{"BadRequestException", "Invalid patch operation specified. Must be one of: [replace]", "PATCH", path, patch("add /minimumCompressionSize 10")},
		{"BadRequestException", "Invalid patch operation specified. Must be 'add'|'remove'|'replace'", "PATCH", path, patch("test /endpointConfiguration/types/EDGE x")},
		{"BadRequestException", "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE", "PATCH", path, patch("replace /endpointConfiguration/types/EDGE wrong")},
		{"BadRequestException", "ipAddressType must be either ipv4 or dualstack.", "PATCH", path, patch("replace /endpointConfiguration/ipAddressType wrong")},
		{"BadRequestException", "Invalid patch path /binaryMediaTypes", "PATCH", path, patch("add /binaryMediaTypes image/gif")},
		{"BadRequestException", "Invalid patch path null", "PATCH", path, object{"patchOperations": []object{{"op": "replace"}}}},
		{"NotFoundException", "Invalid API identifier specified 111111111111:api_id", "PATCH", "/restapis/api_id", patch("replace /apiKeySource AUTHORIZER")},
		{"NotFoundException", "Invalid API identifier specified 111111111111:" + strings.ToUpper(id), "GET", "/restapis/" + strings.ToUpper(id), nil},
		{"NotFoundException", "Invalid model name specified: Nope", "GET", path + "/models/Nope", nil},
	} {
		h.fails(c.kind, c.message, c.method, c.path, c.body)
	}
}

func TestEndpointTypeBecomesPrivate(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id, _ := h.newAPI()
	api := h.must(200, "PATCH", "/restapis/"+id, patch("replace /endpointConfiguration/types/0 PRIVATE"))
	h.same("endpoint", api["endpointConfiguration"].(object), `{"types": ["PRIVATE"], "ipAddressType": "dualstack"}`)
	root := api["rootResourceId"].(string)
	h.must(201, "PUT", "/restapis/"+id+"/resources/"+root+"/methods/GET", object{"authorizationType": "NONE"})
	h.must(201, "PUT", "/restapis/"+id+"/resources/"+root+"/methods/GET/integration", object{"type": "MOCK"})
	h.fails("BadRequestException", "Private REST API doesn't have a resource policy attached to it", "POST", "/restapis/"+id+"/deployments", object{})
	h.fails("BadRequestException", "Only dualstack ipAddressType is supported for Private APIs.", "PATCH", "/restapis/"+id,
		patch("replace /endpointConfiguration/ipAddressType ipv4"))
}

func TestPolicyIsAnsweredEscaped(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	policy := `{ "Version": "2012-10-17", "Statement": [ {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"} ] }`
	api := h.must(201, "POST", "/restapis", object{"name": "p", "policy": policy})
	id := api["id"].(string)
	want := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:us-east-1:111111111111:` + id + `/*"}]}`
	for _, got := range []object{api, h.must(200, "GET", "/restapis/"+id, nil)} {
		text := got["policy"].(string)
		if !strings.Contains(text, `\"Version\"`) || !strings.Contains(text, `\/*`) {
			t.Errorf("policy %s is not escaped", text)
		}
		var inner string
		if err := json.Unmarshal([]byte(`"`+text+`"`), &inner); err != nil || inner != want {
			t.Errorf("policy is %s (%v), want %s", inner, err, want)
		}
	}
	if got := h.must(200, "PATCH", "/restapis/"+id, patch("replace /policy ")); got["policy"] != nil {
		t.Errorf("policy %v survived its removal", got["policy"])
	}
}

func TestListingsArePaged(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	want := map[string]bool{}
	for range 5 {
		id, _ := h.newAPI()
		want[id] = true
	}
	path, pages := "/restapis?limit=2", 0
	for {
		out := h.must(200, "GET", path, nil)
		pages++
		for _, item := range out["item"].([]any) {
			id := item.(object)["id"].(string)
			if !want[id] {
				t.Fatalf("API %s is listed twice", id)
			}
			delete(want, id)
		}
		position, more := out["position"].(string)
		if !more {
			break
		}
		path = "/restapis?limit=2&position=" + position
	}
	if len(want) > 0 || pages != 3 {
		t.Errorf("%d APIs are missing after %d pages", len(want), pages)
	}
}

func TestPositionsThatNoPageGave(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, _ := h.newAPI()
	for _, list := range []string{
		"/restapis", "/apikeys", "/usageplans", "/sdktypes", "/domainnames", "/restapis/" + api + "/resources", "/restapis/" + api + "/gatewayresponses",
		"/restapis/" + api + "/documentation/parts",
	} {
		h.fails("BadRequestException", "Invalid position parameter specified", "GET", list+"?position=bad", nil)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id, _ := h.newMock()
	h.must(201, "POST", "/restapis/"+id+"/stages", object{"stageName": "s1", "deploymentId": h.deploy(id), "tags": object{"own": "1"}})
	for _, resource := range []string{"/restapis/" + id, "/restapis/" + id + "/stages/s1"} {
		path := "/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A" + strings.ReplaceAll(resource, "/", "%2F")
		h.must(204, "PUT", path, object{"tags": object{"a": "1", "b": "2"}})
		h.must(204, "DELETE", path+"?tagKeys=a&tagKeys=own", nil)
		h.same("tags", h.must(200, "GET", path, nil), `{"tags": {"b": "2"}}`)
		h.same("resource", h.must(200, "GET", resource, nil)["tags"].(object), `{"b": "2"}`)
		h.fails("BadRequestException", "Invalid tag specified: aws:x", "PUT", path, object{"tags": object{"aws:x": "1"}})
	}
	h.fails("NotFoundException", "Invalid API identifier specified 111111111111:nope", "GET", "/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Fnope", nil)
}

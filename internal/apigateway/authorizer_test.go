package apigateway_test

import (
	"strconv"
	"strings"
	"testing"
)

const (
	guardURI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:guard/invocations"
	poolARN  = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_abc"
)

func tokenAuthorizer(name string) object {
	return object{"name": name, "type": "TOKEN", "authorizerUri": guardURI, "identitySource": "method.request.header.Authorization"}
}

func TestAuthorizers(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, root := h.newAPI()
	path := "/restapis/" + api + "/authorizers"
	made := h.must(201, "POST", path, tokenAuthorizer("guard"))
	id := made["id"].(string)
	want := `{"id": "` + id + `", "name": "guard", "type": "TOKEN", "authType": "custom", "authorizerUri": "` + guardURI + `", "identitySource": "method.request.header.Authorization"}`
	h.same("created", made, want)
	if len(id) != 6 {
		t.Errorf("id %s", id)
	}
	h.same("read", h.must(200, "GET", path+"/"+id, nil), want)
	pool := h.must(201, "POST", path, object{"name": "pool", "type": "COGNITO_USER_POOLS", "providerARNs": []string{poolARN}})
	h.same("pool", pool, `{"id": "*", "name": "pool", "type": "COGNITO_USER_POOLS", "authType": "cognito_user_pools", "providerARNs": ["`+poolARN+`"]}`)
	if items := h.must(200, "GET", path, nil)["item"].([]any); len(items) != 2 {
		t.Errorf("%d authorizers", len(items))
	}
	h.same("updated", h.must(200, "PATCH", path+"/"+id, patch("replace /name other", "replace /authorizerResultTtlInSeconds 60",
		"replace /identitySource method.request.header.X", "replace /identityValidationExpression a+", "replace /authorizerCredentials arn:aws:iam::000000000000:role/r")),
		`{"id": "`+id+`", "name": "other", "type": "TOKEN", "authType": "custom", "authorizerUri": "`+guardURI+`", "identitySource": "method.request.header.X",
		"identityValidationExpression": "a+", "authorizerCredentials": "arn:aws:iam::000000000000:role/r", "authorizerResultTtlInSeconds": 60}`)
	poolPath := path + "/" + pool["id"].(string)
	pools := h.must(200, "PATCH", poolPath, patch("add /providerARNs "+poolARN+"2", "remove /providerARNs "+poolARN))["providerARNs"].([]any)
	if len(pools) != 1 || pools[0] != poolARN+"2" {
		t.Errorf("pools %v", pools)
	}

	method := "/restapis/" + api + "/resources/" + root + "/methods/GET"
	h.same("method", h.must(201, "PUT", method, object{"authorizationType": "CUSTOM", "authorizerId": id}),
		`{"httpMethod": "GET", "authorizationType": "CUSTOM", "authorizerId": "`+id+`", "apiKeyRequired": false}`)
	h.fails("ConflictException", "Cannot delete authorizer 'other', is referenced in method: GET//", "DELETE", path+"/"+id, nil)
	h.same("scoped", h.must(200, "PATCH", method, patch("replace /authorizerId "+pool["id"].(string), "replace /authorizationType COGNITO_USER_POOLS",
		"add /authorizationScopes a/b", "add /authorizationScopes c")),
		`{"httpMethod": "GET", "authorizationType": "COGNITO_USER_POOLS", "authorizerId": "`+pool["id"].(string)+`", "apiKeyRequired": false, "authorizationScopes": ["a/b", "c"]}`)
	h.same("open", h.must(200, "PATCH", method, patch("remove /authorizationScopes a/b", "remove /authorizationScopes c", "replace /authorizationType AWS_IAM")),
		`{"httpMethod": "GET", "authorizationType": "AWS_IAM", "apiKeyRequired": false}`)
	h.must(202, "DELETE", path+"/"+id, nil)
	h.fails("NotFoundException", "Invalid Authorizer identifier specified", "GET", path+"/"+id, nil)
}

func TestAuthorizerErrors(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, _ := h.newAPI()
	path := "/restapis/" + api + "/authorizers"
	id := h.must(201, "POST", path, tokenAuthorizer("guard"))["id"].(string)
	with := func(member string, v any) object {
		a := tokenAuthorizer("n")
		a[member] = v
		return a
	}
	const badURI = "Invalid Authorizer URI: %. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation."
	other := strings.Replace(guardURI, "us-east-1:lambda:", "region:lambda:", 1)
	for _, c := range []struct {
		kind, message, method, path string
		body                        object
	}{
		{"ConflictException", "Unable to complete operation due to concurrent modification. Please try again later.", "POST", "/restapis/nope/authorizers", tokenAuthorizer("n")},
		{"BadRequestException", "Authorizer name must be unique. Authorizer guard already exists in this RestApi.", "POST", path, tokenAuthorizer("guard")},
		{"BadRequestException", strings.Replace(badURI, "%", other, 1), "POST", path, with("authorizerUri", other)},
		{"BadRequestException", strings.Replace(badURI, "%", "x", 1), "PATCH", path + "/" + id, patch("replace /authorizerUri x")},
		{"BadRequestException", "Invalid request input", "POST", path, with("identitySource", "")},
		{"BadRequestException", "Invalid request input", "POST", path, with("identitySource", "method.request.querystring.x")},
		{"BadRequestException", "Invalid request input", "POST", path, with("authorizerResultTtlInSeconds", 3601)},
		{"BadRequestException", "Invalid request input", "POST", path, object{"name": "n", "type": "COGNITO_USER_POOLS"}},
		{"BadRequestException", "Invalid request input", "POST", path, object{"name": "n", "type": "REQUEST", "authorizerUri": guardURI, "authorizerResultTtlInSeconds": 5}},
		{"BadRequestException", "Invalid ARN specified in the request", "POST", path, object{"name": "n", "type": "COGNITO_USER_POOLS", "providerARNs": []string{"x"}}},
		{"BadRequestException", "Invalid ARN specified in the request", "POST", path, with("authorizerCredentials", "x")},
		{"ValidationException", "1 validation error detected: Value null at 'createAuthorizerInput.name' failed to satisfy constraint: Member must not be null", "POST", path,
			object{"type": "TOKEN"}},
		{"NotFoundException", "Invalid Authorizer identifier specified", "GET", path + "/nope", nil},
		{"NotFoundException", "Invalid Authorizer identifier specified", "DELETE", path + "/nope", nil},
		{"NotFoundException", "Invalid Authorizer identifier specified", "PATCH", path + "/nope", patch("replace /name x")},
		{"NotFoundException", "Invalid Authorizer identifier specified", "POST", path + "/nope", object{}},
		{"NotFoundException", "Invalid API identifier specified 111111111111:nope", "GET", "/restapis/nope/authorizers", nil},
		{"NotFoundException", "Invalid stage identifier specified", "DELETE", "/restapis/" + api + "/stages/nope/cache/authorizers", nil},
		{"BadRequestException", "Invalid patch path  '/name' specified for op 'add'. Please choose supported operations", "PATCH", path + "/" + id, patch("add /name x")},
		{"BadRequestException", "Invalid patch path  '/x' specified for op 'add'. Must be one of: [/identitySource, /providerARNs]", "PATCH", path + "/" + id, patch("add /x y")},
	} {
		h.fails(c.kind, c.message, c.method, c.path, c.body)
	}
	for i := range 9 {
		h.must(201, "POST", path, tokenAuthorizer("n"+strconv.Itoa(i)))
	}
	h.fails("LimitExceededException", "Maximum number of authorizers for this API has been reached. Please contact AWS if you need additional authorizers.",
		"POST", path, tokenAuthorizer("n"))
}

func TestAuthorizersAreFrozen(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, root := h.newAPI()
	path := "/restapis/" + api
	id := h.must(201, "POST", path+"/authorizers", tokenAuthorizer("guard"))["id"].(string)
	method := path + "/resources/" + root + "/methods/GET"
	h.must(201, "PUT", method, object{"authorizationType": "CUSTOM", "authorizerId": id})
	h.must(201, "PUT", method+"/integration", object{"type": "MOCK"})
	h.must(201, "POST", path+"/deployments", object{"stageName": "s"})
	h.must(200, "PATCH", path+"/authorizers/"+id, patch("replace /name later"))
	frozen := h.plane.stage(api + "/s").Deployment.Authorizers
	if len(frozen) != 1 || *frozen[0].Name != "guard" {
		t.Errorf("the deployment has authorizers %v", frozen)
	}
	h.must(202, "DELETE", path+"/stages/s/cache/authorizers", nil)
	if got := strings.Join(h.plane.flushed, " "); got != api+"/s" {
		t.Errorf("flushed %s", got)
	}
	out := h.must(200, "POST", path+"/authorizers/"+id, object{"headers": object{"Authorization": "t"}, "pathWithQueryString": "/a?b=c",
		"stageVariables": object{"v": "1"}, "additionalContext": object{"x": "y"}, "multiValueHeaders": object{"M": []string{"1", "2"}}})
	got := h.plane.tested
	if out["clientStatus"] != 200.0 || got.APIID != api || *got.Authorizer.Name != "later" || got.Path != "/a?b=c" || got.Headers["Authorization"][0] != "t" ||
		len(got.Headers["M"]) != 2 || got.StageVariables["v"] != "1" || got.Context["x"] != "y" || got.Caller.Account != "111111111111" {
		t.Errorf("tested %+v, answered %v", got, out)
	}
	h.must(202, "DELETE", path, nil)
	h.fails("NotFoundException", "Invalid Authorizer identifier specified", "GET", path+"/authorizers/"+id, nil)
}

package apigateway_test

import "testing"

const lambdaURI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:111111111111:function:user:${stageVariables.stage}/invocations"

const streamURI = "arn:aws:apigateway:us-east-1:lambda:path/2021-11-15/functions/arn:aws:lambda:us-east-1:111111111111:function:user/response-streaming-invocations"

// TestForwardedIdentity needs a method that asks for signatures.
func TestForwardedIdentity(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, root := h.newAPI()
	method := "/restapis/" + api + "/resources/" + root + "/methods/GET"
	integration := object{"type": "AWS", "httpMethod": "POST", "credentials": "arn:aws:iam::*:user/*",
		"uri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:111111111111:function:f/invocations"}
	h.must(201, "PUT", method, object{"authorizationType": "NONE"})
	h.fails("BadRequestException", "AWS_IAM Auth type is required for AWS integrations with identity forwarding specified", "PUT", method+"/integration", integration)
	h.must(200, "PATCH", method, patch("replace /authorizationType AWS_IAM"))
	h.must(201, "PUT", method+"/integration", integration)
}

func TestIntegrationLifecycle(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, root := h.newAPI()
	method := "/restapis/" + api + "/resources/" + root + "/methods/GET"
	path := method + "/integration"
	h.fails("NotFoundException", "Invalid Method identifier specified", "PUT", path, object{"type": "MOCK"})
	h.must(201, "PUT", method, object{"authorizationType": "NONE", "requestParameters": object{"method.request.path.id": true}})
	h.fails("NotFoundException", "Invalid Integration identifier specified", "GET", path, nil)

	h.same("put", h.must(201, "PUT", path, object{
		"type": "AWS", "httpMethod": "POST", "uri": lambdaURI, "connectionType": "INTERNET", "timeoutInMillis": 29000,
		"requestTemplates": object{"application/json": "{}"}, "passthroughBehavior": "WHEN_NO_TEMPLATES",
	}), `{"type": "AWS", "httpMethod": "POST", "uri": "`+lambdaURI+`", "connectionType": "INTERNET", "timeoutInMillis": 29000,
		"requestTemplates": {"application/json": "{}"}, "passthroughBehavior": "WHEN_NO_TEMPLATES", "cacheNamespace": "`+root+`", "cacheKeyParameters": []}`)
	h.same("patch", h.must(200, "PATCH", path, patch("replace /timeoutInMillis 3000", "add /requestTemplates/text~1plain x", "remove /requestTemplates/application~1json",
		"add /cacheKeyParameters/method.request.path.id ", "replace /passthroughBehavior NEVER", "replace /contentHandling ")),
		`{"type": "AWS", "httpMethod": "POST", "uri": "`+lambdaURI+`", "connectionType": "INTERNET", "timeoutInMillis": 3000,
		"requestTemplates": {"text/plain": "x"}, "passthroughBehavior": "NEVER", "cacheNamespace": "`+root+`", "cacheKeyParameters": ["method.request.path.id"]}`)

	h.must(201, "PUT", method+"/responses/200", object{"responseParameters": object{"method.response.header.A": false}})
	h.must(201, "PUT", path+"/responses/200", object{"selectionPattern": "", "responseParameters": object{"method.response.header.A": "'a'"}})
	overwritten := h.must(201, "PUT", path, object{"type": "MOCK"})
	h.same("overwrite", overwritten, `{"type": "MOCK", "timeoutInMillis": 29000, "passthroughBehavior": "WHEN_NO_MATCH", "cacheNamespace": "`+root+`", "cacheKeyParameters": []}`)
	h.must(204, "DELETE", path, nil)
	h.fails("NotFoundException", "Invalid Integration identifier specified", "DELETE", path, nil)
}

func TestIntegrationRefusals(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	_, method := h.newMock()
	path := method + "/integration"
	aws := func(kind, uri string) object { return object{"type": kind, "httpMethod": "POST", "uri": uri} }
	mock := func(member string, v any) object { return object{"type": "MOCK", member: v} }
	for _, c := range []struct {
		kind, message string
		body          object
	}{
		{"BadRequestException", "Enumeration value for HttpMethod must be non-empty", object{"type": "AWS", "uri": lambdaURI}},
		{"BadRequestException", "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY", object{"type": "AWS", "uri": lambdaURI, "httpMethod": "post"}},
		{"BadRequestException", "Invalid ARN specified in the request", aws("AWS", "https://example.com")},
		{"BadRequestException", "AWS ARN for integration must contain path or action", aws("AWS", "arn:aws:apigateway:us-east-1:lambda:test")},
		{"BadRequestException", "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.", aws("AWS_PROXY", "arn:aws:apigateway:us-east-1:sqs:path/q")},
		{"NotImplemented", "butai doesn't do this yet: AWS integrations with sqs:action/SendMessage", aws("AWS", "arn:aws:apigateway:us-east-1:sqs:action/SendMessage")},
		{"BadRequestException", "Role ARN must be specified for AWS integrations", aws("AWS", "arn:aws:apigateway:us-east-1:dynamodb:action/GetItem")},
		{"AccessDeniedException", "Cross-account pass role is not allowed.", object{"type": "AWS", "httpMethod": "POST",
			"uri": "arn:aws:apigateway:us-east-1:bucket.s3:path/{key}", "credentials": "arn:aws:iam::222222222222:role/other"}},
		{"BadRequestException", "Invalid HTTP endpoint specified for URI", aws("HTTP", "example.com")},
		{"BadRequestException", "Invalid HTTP endpoint specified for URI", aws("HTTP_PROXY", lambdaURI)},
		{"BadRequestException", "Only HTTP and HTTP_PROXY integrations can have a VPC link, not MOCK", mock("connectionType", "VPC_LINK")},
		{"BadRequestException", "ConnectionId must be specified for connection type VPC_LINK",
			object{"type": "HTTP", "httpMethod": "GET", "uri": "http://example.com", "connectionType": "VPC_LINK"}},
		{"BadRequestException", "Invalid Vpc Link identifier specified",
			object{"type": "HTTP", "httpMethod": "GET", "uri": "http://example.com", "connectionType": "VPC_LINK", "connectionId": "abc123"}},
		{"BadRequestException", "Response transfer mode STREAM is only supported for integrations of type HTTP_PROXY and AWS_PROXY.", mock("responseTransferMode", "STREAM")},
		{"BadRequestException", "Response transfer mode STREAM needs the address of InvokeWithResponseStream, and BUFFERED that of Invoke.",
			object{"type": "AWS_PROXY", "httpMethod": "POST", "uri": lambdaURI, "responseTransferMode": "STREAM"}},
		{"BadRequestException", "Response transfer mode STREAM needs the address of InvokeWithResponseStream, and BUFFERED that of Invoke.",
			aws("AWS_PROXY", streamURI)},
		{"BadRequestException", "Timeout should be between 50 ms and 900000 ms",
			object{"type": "AWS_PROXY", "httpMethod": "POST", "uri": streamURI, "responseTransferMode": "STREAM", "timeoutInMillis": 900001}},
		{"BadRequestException", "Timeout should be between 50 ms and 29000 ms", mock("timeoutInMillis", 30000)},
		{"BadRequestException", "Invalid cache key parameter specified", mock("cacheKeyParameters", []string{"method.request.querystring.undeclared"})},
		{"BadRequestException", "Invalid cache key parameter specified", mock("cacheKeyParameters", []string{"integration.request.header.undeclared"})},
		{"BadRequestException", "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: true]",
			mock("requestParameters", object{"integration.request.path.testPath": "true"})},
		{"BadRequestException", "Validation Result: warnings : [], errors : [Invalid content type specified: 123]", mock("requestTemplates", object{"123": "x"})},
	} {
		h.fails(c.kind, c.message, "PUT", path, c.body)
	}
	h.fails("BadRequestException", "Timeout should be between 50 ms and 29000 ms", "PATCH", path, patch("replace /timeoutInMillis 10"))
	h.fails("BadRequestException", "Invalid ContentHandling specified. Valid options are CONVERT_TO_BINARY,CONVERT_TO_TEXT", "PATCH", path, patch("replace /contentHandling TEXT"))
	h.fails("ValidationException", "1 validation error detected: Value 'TEXT' at 'putIntegrationInput.contentHandling' failed to satisfy constraint: "+
		"Member must satisfy enum value set: [CONVERT_TO_BINARY, CONVERT_TO_TEXT]", "PUT", path, mock("contentHandling", "TEXT"))
	h.fails("BadRequestException", "Invalid cache key parameter specified", "PATCH", path, patch("add /cacheKeyParameters/method.request.header.undeclared "))
	mapped := mock("cacheKeyParameters", []string{"integration.request.header.A"})
	mapped["requestParameters"] = object{"integration.request.header.A": "'a'"}
	h.must(201, "PUT", path, mapped)
	h.fails("NotFoundException", "Content-Type specified was not found", "PATCH", path, patch("remove /requestTemplates/text~1css"))
}

func TestStreamingIntegration(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	_, method := h.newMock()
	put := h.must(201, "PUT", method+"/integration", object{"type": "AWS_PROXY", "httpMethod": "POST", "uri": streamURI, "responseTransferMode": "STREAM", "timeoutInMillis": 900000})
	if put["responseTransferMode"] != "STREAM" || put["timeoutInMillis"] != 900000.0 {
		t.Errorf("put %v", put)
	}
	h.fails("BadRequestException", "Response transfer mode STREAM needs the address of InvokeWithResponseStream, and BUFFERED that of Invoke.",
		"PATCH", method+"/integration", patch("replace /responseTransferMode BUFFERED", "replace /timeoutInMillis 29000"))
	got := h.must(200, "PATCH", method+"/integration", patch("replace /responseTransferMode BUFFERED", "replace /timeoutInMillis 29000", "replace /uri "+lambdaURI))
	if got["responseTransferMode"] != "BUFFERED" {
		t.Errorf("patched %v", got)
	}
}

func TestIntegrationResponses(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	_, method := h.newMock()
	path := method + "/integration/responses/200"
	h.same("put", h.must(201, "PUT", path, object{"selectionPattern": "", "responseTemplates": object{"application/json": `"created"`}}),
		`{"statusCode": "200", "selectionPattern": "", "responseTemplates": {"application/json": "\"created\""}}`)
	h.same("update", h.must(200, "PATCH", path, patch("replace /selectionPattern updated-pattern")),
		`{"statusCode": "200", "selectionPattern": "updated-pattern", "responseTemplates": {"application/json": "\"created\""}}`)
	h.same("overwrite", h.must(201, "PUT", path, object{"selectionPattern": "other"}), `{"statusCode": "200", "selectionPattern": "other"}`)
	h.same("get", h.must(200, "GET", path, nil), `{"statusCode": "200", "selectionPattern": "other"}`)

	const undeclared = "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: method.response.header.A]"
	mapped := object{"responseParameters": object{"method.response.header.A": "integration.response.body.a"}}
	h.fails("BadRequestException", undeclared, "PUT", path, mapped)
	h.must(201, "PUT", method+"/responses/200", object{"responseParameters": object{"method.response.header.A": true}})
	h.must(201, "PUT", path, mapped)
	for _, c := range []struct {
		kind, message, method, path string
		body                        object
	}{
		{"BadRequestException", "Invalid null or empty value in responseTemplates", "PATCH", path, patch("add /responseTemplates/text~1css ")},
		{"BadRequestException", "Validation Result: warnings : [], errors : [Invalid content type specified: 123]", "PUT", path, object{"responseTemplates": object{"123": "x"}}},
		{"NotFoundException", "Invalid Response status code specified", "GET", method + "/integration/responses/201", nil},
		{"NotFoundException", "Invalid Response status code specified", "DELETE", method + "/integration/responses/201", nil},
		{"NotFoundException", "Invalid Integration identifier specified", "DELETE", method[:len(method)-3] + "PUT/integration/responses/200", nil},
		{"NotFoundException", "Invalid Method identifier specified", "GET", method[:len(method)-3] + "PUT/integration/responses/200", nil},
	} {
		h.fails(c.kind, c.message, c.method, c.path, c.body)
	}
	h.must(204, "DELETE", path, nil)
	h.fails("NotFoundException", "Invalid Response status code specified", "DELETE", path, nil)
}

func TestContentHandling(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	api, method := h.newMock()
	path := method + "/integration"
	put := h.must(201, "PUT", path, object{"type": "MOCK", "contentHandling": "CONVERT_TO_BINARY"})
	patched := h.must(200, "PATCH", path, patch("replace /contentHandling CONVERT_TO_TEXT"))
	if put["contentHandling"] != "CONVERT_TO_BINARY" || patched["contentHandling"] != "CONVERT_TO_TEXT" {
		t.Errorf("put %v, patched %v", put, patched)
	}
	h.must(201, "PUT", path+"/responses/200", object{"contentHandling": "CONVERT_TO_TEXT"})
	h.same("response", h.must(200, "PATCH", path+"/responses/200", patch("replace /contentHandling CONVERT_TO_BINARY")),
		`{"statusCode": "200", "contentHandling": "CONVERT_TO_BINARY"}`)
	h.must(201, "POST", "/restapis/"+api+"/deployments", object{"stageName": "s"})
	i := h.plane.stage(api + "/s").Deployment.Resources[0].ResourceMethods["GET"].MethodIntegration
	if got := *i.ContentHandling + " " + *i.IntegrationResponses["200"].ContentHandling; got != "CONVERT_TO_TEXT CONVERT_TO_BINARY" {
		t.Errorf("the data plane gets %s", got)
	}
	if out := h.must(200, "PATCH", path, patch("replace /contentHandling ")); out["contentHandling"] != nil {
		t.Errorf("taken back: %v", out)
	}
}

// TestEmptyResponseTemplate: a template that is an empty text is null on the
// wire (recorded).
func TestEmptyResponseTemplate(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	_, method := h.newMock()
	const want = `{"statusCode": "200", "responseTemplates": {"application/json": null, "text/plain": "x"}}`
	h.same("put", h.must(201, "PUT", method+"/integration/responses/200", object{"responseTemplates": object{"application/json": "", "text/plain": "x"}}), want)
	h.same("get", h.must(200, "GET", method+"/integration/responses/200", nil), want)
}

package gateway

import (
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// validated is a stage whose POST /{id} wants header X-H, query q and a body
// that conforms to a model; other are further models.
func validated(schema string, other ...string) *Stage {
	m := respond(mockMethod(`{"statusCode": 200}`), "200", "", "")
	m.RequestValidatorId = ptr("v")
	m.RequestParameters = map[string]bool{"method.request.querystring.q": true, "method.request.header.X-H": true}
	m.RequestModels = strs{"application/json": "M"}
	s := api{"POST /{id}": m}.stage("s", nil)
	s.Deployment.RequestValidators = []apigatewayapi.RequestValidator{
		{Id: ptr("v"), ValidateRequestParameters: wire.Ptr(true), ValidateRequestBody: wire.Ptr(true)}}
	s.Deployment.Models = []apigatewayapi.Model{{Name: ptr("M"), Schema: &schema}}
	for i := 0; i < len(other); i += 2 {
		s.Deployment.Models = append(s.Deployment.Models, apigatewayapi.Model{Name: ptr(other[i]), Schema: ptr(other[i+1])})
	}
	return s
}

const calculation = `{"title": "testSchema", "type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}, "required": ["a", "b"]}`

// TestBodyValidation has the recorded cases of request validators.
func TestBodyValidation(t *testing.T) {
	t.Parallel()
	const refused = `400 {"message": "Invalid request body"}`
	f := newFixture(t, nil, validated(calculation))
	for _, tt := range []struct {
		name, query, body, contentType, want string
	}{
		{"parameters before the body", "", `{"test": "test"}`, "application/json", `400 {"message": "Missing required request parameters: [q]"}`},
		{"not conforming", "?q=1", `{"test": "test"}`, "application/json", refused},
		{"empty body", "?q=1", "", "", refused},
		{"empty body, content type", "?q=1", "", "application/json", refused},
		{"conforming", "?q=1", `{"a": 1, "b": 2}`, "application/json", "200 "},
		{"no content type", "?q=1", `{"a": 1}`, "", refused},
		{"content type with a charset", "?q=1", `{"a": 1}`, "Application/JSON; charset=utf-8", refused},
		{"content type without a model", "?q=1", `{"a": 1}`, "text/plain", `500 {"message": "Internal server error"}`}, // MOCK takes the body as its template
		{"no JSON", "?q=1", `{"a": 1`, "application/json", refused},
		{"text behind the JSON", "?q=1", `{"a": 1, "b": 2} x`, "application/json", refused},
		{"too deep", "?q=1", strings.Repeat("[", 1001) + strings.Repeat("]", 1001), "application/json", refused},
	} {
		r := request("POST", "/s/1"+tt.query, tt.body, "X-H", "h")
		if tt.contentType != "" {
			r.Header.Set("Content-Type", tt.contentType)
		}
		res := f.do(r)
		if res.StatusCode == 400 && res.Header["x-amzn-ErrorType"][0] != "BadRequestException" {
			t.Errorf("%s: type %v", tt.name, res.Header["x-amzn-ErrorType"])
		}
		if got := summary(t, res); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestModelReferences has the recorded cases of models that refer to models.
func TestModelReferences(t *testing.T) {
	t.Parallel()
	ref := `{"$ref": "` + ModelURLs(testAPI) + `M2"}`
	for _, tt := range []struct {
		name, schema, other, body, want string
	}{
		{"list", `{"type": "array", "items": ` + ref + `}`, calculation, `[{"a": 1, "b": 2}]`, "200"},
		{"list, bad item", `{"type": "array", "items": ` + ref + `}`, calculation, `[{"a": 1}]`, "400"},
		{"one of", `{"properties": {"status": {"oneOf": [{"type": "null"}, ` + ref + `]}}, "required": ["status"]}`, calculation, `{"status": null}`, "200"},
		{"one of, data", `{"properties": {"status": {"oneOf": [{"type": "null"}, ` + ref + `]}}, "required": ["status"]}`, calculation, `{"status": {"a": 1, "b": 2}}`, "200"},
		{"one of, bad data", `{"properties": {"status": {"oneOf": [{"type": "null"}, ` + ref + `]}}, "required": ["status"]}`, calculation, `{"status": {"a": 1}}`, "400"},
		{"recursion", `{"type": "object", "properties": {"child": {"$ref": "#"}}}`, calculation, `{"child": {"child": 1}}`, "400"},
		{"into definitions", `{"$ref": "` + ModelURLs(testAPI) + `M2#/definitions/d"}`, `{"definitions": {"d": {"type": "string"}}}`, `"x"`, "200"},
		{"a schema that applies itself", `{"$ref": "#"}`, calculation, `{}`, "500"},
		{"a model that isn't there", `{"$ref": "` + ModelURLs(testAPI) + `Nope"}`, calculation, `{}`, "500"},
		{"whatever $schema says", `{"$schema": "http://json-schema.org/draft-07/schema#", "minimum": 3, "exclusiveMinimum": true}`, calculation, `3`, "400"},
	} {
		f := newFixture(t, nil, validated(tt.schema, "M2", tt.other))
		if got := f.do(request("POST", "/s/1?q=1", tt.body, "X-H", "h", "Content-Type", "application/json")).Status[:3]; got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestValidationErrorString(t *testing.T) {
	t.Parallel()
	s := validated(calculation)
	s.Stage.MethodSettings = map[string]apigatewayapi.MethodSetting{"*/*": {LoggingLevel: ptr("ERROR")}}
	s.Deployment.GatewayResponses = []apigatewayapi.GatewayResponse{{ResponseType: ptr("BAD_REQUEST_BODY"), StatusCode: ptr("422"),
		ResponseTemplates: strs{"application/json": `{"message":$context.error.messageString,"why":"$context.error.validationErrorString"}`}}}
	f := newFixture(t, nil, s)
	const why = `[object has missing required properties (["a","b"])]`
	want := `422 {"message":"Invalid request body","why":"` + why + `"}`
	if got := summary(t, f.do(request("POST", "/s/1?q=1", `{"test": 1}`, "X-H", "h"))); got != want {
		t.Errorf("got %s,\nwant %s", got, want)
	}
	f.do(request("POST", "/s/1?q=1", "", "X-H", "h"))
	const line = "(ID) Request body does not match model schema for content type application/json: "
	wantLog := line + why + "\n(ID) Gateway response type: BAD_REQUEST_BODY with status code: 422\n" + line + "[Unknown error parsing request body]\n(ID) Gateway response type: BAD_REQUEST_BODY with status code: 422"
	if got := normalLog(f.logs.group(executionGroup)); got != wantLog {
		t.Errorf("log:\n%s\nwant\n%s", got, wantLog)
	}
}

// TestRefusalsAreCustomisable: the types of gateway responses for keys, limits
// and quotas reach their failures.
func TestRefusalsAreCustomisable(t *testing.T) {
	t.Parallel()
	for kind, plan := range map[string]*UsagePlans{
		"INVALID_API_KEY": nil,
		"THROTTLED":       plansFor(apigatewayapi.UsagePlan{Throttle: throttle(0, 0)}),
		"QUOTA_EXCEEDED":  plansFor(apigatewayapi.UsagePlan{Quota: quotaOf(0, 0, "DAY")}),
	} {
		s := keyed().stage("s", nil)
		s.Deployment.GatewayResponses = []apigatewayapi.GatewayResponse{{ResponseType: &kind, StatusCode: ptr("418"),
			ResponseTemplates: strs{"application/json": "$context.error.responseType"}}}
		f := newFixture(t, nil, s)
		if plan != nil {
			f.PublishUsagePlans(plan)
		}
		r := request("GET", "/s", "")
		r.Header.Set("X-API-Key", testKey)
		if got := summary(t, f.do(r)); got != "418 "+kind {
			t.Errorf("got %s, want 418 %s", got, kind)
		}
	}
}

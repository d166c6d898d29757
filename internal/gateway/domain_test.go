package gateway

import (
	"fmt"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

func TestCustomDomain(t *testing.T) {
	t.Parallel()
	stage := func(name string) *Stage {
		m := respond(mockMethod(`{"statusCode": 200}`), "200", "",
			"$context.stage $context.path $context.domainName $context.domainPrefix $input.params('proxy')")
		return api{"ANY /{proxy+}": m, "ANY /": m}.stage(name, nil)
	}
	f := newFixture(t, nil, stage("prod"), stage("staging"))
	mapping := func(base, stage string) apigatewayapi.BasePathMapping {
		m := apigatewayapi.BasePathMapping{BasePath: wire.Ptr(base), RestApiId: wire.Ptr(testAPI)}
		if stage != "" {
			m.Stage = wire.Ptr(stage)
		}
		return m
	}
	f.PublishDomain(&DomainName{Region: testRegion, Name: "api.example.com", Mappings: []apigatewayapi.BasePathMapping{
		mapping("(none)", "prod"), mapping("v2", "staging"), mapping("any", ""), mapping("v2/deep", "prod")}})
	f.PublishDomain(&DomainName{Region: testRegion, Name: "only.example.com", Mappings: []apigatewayapi.BasePathMapping{mapping("v1", "prod")}})
	f.PublishDomain(&DomainName{Region: "eu-west-1", Name: "far.example.com", Mappings: []apigatewayapi.BasePathMapping{mapping("", "prod")}})

	const forbidden = `403 {"message":"Forbidden"}`
	tests := []struct{ host, path, want string }{
		{"api.example.com", "/user/1", "200 prod /user/1 api.example.com api user/1"},
		{"API.example.com:4566", "/", "200 prod / api.example.com api "},
		{"api.example.com", "/v2/user/1", "200 staging /v2/user/1 api.example.com api user/1"},
		{"api.example.com", "/v2", "200 staging /v2 api.example.com api "},
		{"api.example.com", "/v2x/1", "200 prod /v2x/1 api.example.com api v2x/1"},
		{"api.example.com", "/v2/deep/1", "200 prod /v2/deep/1 api.example.com api 1"},
		{"api.example.com", "/any/staging/x", "200 staging /any/staging/x api.example.com api x"},
		{"api.example.com", "/any/none/x", forbidden},
		{"only.example.com", "/v1/x", "200 prod /v1/x only.example.com only x"},
		{"only.example.com", "/x", forbidden},
		{"far.example.com", "/x", forbidden},
	}
	for _, tt := range tests {
		r := httptest.NewRequest("GET", tt.path, nil)
		r.Host = tt.host
		if !f.ServesDomain(tt.host) {
			t.Errorf("%s is not served", tt.host)
		}
		w := httptest.NewRecorder()
		f.ServeDomain(w, r)
		if got := fmt.Sprint(w.Code, " ", w.Body); got != tt.want {
			t.Errorf("%s%s: got %s, want %s", tt.host, tt.path, got, tt.want)
		}
	}
	f.RemoveDomain("api.example.com")
	if f.ServesDomain("api.example.com") || !f.ServesDomain("only.example.com") {
		t.Error("removing a domain removes another set of domains")
	}
}

func TestStageOfPath(t *testing.T) {
	t.Parallel()
	m := respond(mockMethod(`{"statusCode": 200}`), "200", "", "$context.path")
	f := newFixture(t, nil, api{"GET /a": m, "GET /": m}.stage("prod", nil))
	for path, want := range map[string]string{
		"/prod/a": "200 /prod/a", "//prod/a/": "200 //prod/a/", "/prod": "200 /prod", "/prod/": "200 /prod/",
		"/PROD/a": `403 {"message":"Forbidden"}`, "/prod/A": `403 {"message":"Missing Authentication Token"}`,
	} {
		w := httptest.NewRecorder()
		f.ServeAPI(w, httptest.NewRequest("GET", "/", nil), testAPI, testRegion, path)
		if got := fmt.Sprint(w.Code, " ", w.Body); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	w := httptest.NewRecorder()
	f.ServeAPI(w, httptest.NewRequest("GET", "/", nil), testAPI, "eu-west-1", "/prod/a")
	if w.Code != 403 {
		t.Errorf("another region's host: %d", w.Code)
	}
}

func TestClosedExecuteEndpoint(t *testing.T) {
	t.Parallel()
	s := api{"GET /": respond(mockMethod(`{"statusCode": 200}`), "200", "", "")}.stage("prod", nil)
	s.Deployment.API.DisableExecuteApiEndpoint = wire.Ptr(true)
	f := newFixture(t, nil, s)
	if res := f.do(request("GET", "/prod", "")); res.StatusCode != 403 {
		t.Errorf("the API's own host answers %d", res.StatusCode)
	}
	f.PublishDomain(&DomainName{Region: testRegion, Name: "api.example.com",
		Mappings: []apigatewayapi.BasePathMapping{{RestApiId: wire.Ptr(testAPI), Stage: wire.Ptr("prod")}}})
	r := httptest.NewRequest("GET", "/", nil)
	r.Host = "api.example.com"
	w := httptest.NewRecorder()
	f.ServeDomain(w, r)
	if w.Code != 200 {
		t.Errorf("the custom domain answers %d", w.Code)
	}
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	limit := func(rate float64, burst int64) apigatewayapi.MethodSetting {
		return apigatewayapi.MethodSetting{ThrottlingRateLimit: wire.Ptr(rate), ThrottlingBurstLimit: wire.Ptr(burst)}
	}
	for _, tt := range []struct {
		setting apigatewayapi.MethodSetting
		passed  int // of five requests at one instant
	}{{limit(1, 2), 2}, {limit(-1, -1), 5}, {limit(10000, 5000), 5}, {limit(0, 0), 0}} {
		s := api{"GET /": respond(mockMethod(`{"statusCode": 200}`), "200", "", "")}.stage("prod", nil)
		s.Stage.MethodSettings = map[string]apigatewayapi.MethodSetting{"*/*": tt.setting}
		f := newFixture(t, nil, s)
		passed := 0
		for range 5 {
			got := summary(t, f.do(request("GET", "/prod", "")))
			switch got {
			case "200 ":
				passed++
			case `429 {"message":"Too Many Requests"}`:
			default:
				t.Errorf("got %s", got)
			}
		}
		if passed != tt.passed {
			t.Errorf("%v: %d passed, want %d", *tt.setting.ThrottlingRateLimit, passed, tt.passed)
		}
	}
}

func TestRequiredParameters(t *testing.T) {
	t.Parallel()
	m := respond(mockMethod(`{"statusCode": 200}`), "200", "", "")
	m.RequestValidatorId = ptr("v")
	m.RequestParameters = map[string]bool{"method.request.querystring.q": true, "method.request.header.X-H": true,
		"method.request.querystring.optional": false, "method.request.path.id": true}
	s := api{"GET /{id}": m}.stage("s", nil)
	s.Deployment.RequestValidators = []apigatewayapi.RequestValidator{{Id: ptr("v"), ValidateRequestParameters: wire.Ptr(true)}}
	f := newFixture(t, nil, s)
	for _, tt := range []struct {
		query, header, want string
	}{
		{"", "", `400 {"message": "Missing required request parameters: [X-H, q]"}`},
		{"?q=", "h", `400 {"message": "Missing required request parameters: [q]"}`},
		{"?q=1", "h", "200 "},
	} {
		r := request("GET", "/s/1"+tt.query, "")
		if tt.header != "" {
			r.Header.Set("X-H", tt.header)
		}
		if got := summary(t, f.do(r)); got != tt.want {
			t.Errorf("%s %s: got %s, want %s", tt.query, tt.header, got, tt.want)
		}
	}
}

func TestNotBuilt(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(*apigatewayapi.Method, *Deployment){
		"API keys":                  func(m *apigatewayapi.Method, _ *Deployment) { m.ApiKeyRequired = wire.Ptr(true) },
		"authorization type CUSTOM": func(m *apigatewayapi.Method, _ *Deployment) { m.AuthorizationType = ptr("CUSTOM") },
		"HTTP integrations":         func(m *apigatewayapi.Method, _ *Deployment) { m.MethodIntegration.Type = ptr("HTTP") },
		"integrations with the service sqs": func(m *apigatewayapi.Method, _ *Deployment) {
			m.MethodIntegration.Type, m.MethodIntegration.Uri = ptr("AWS"), ptr("arn:aws:apigateway:us-east-1:sqs:path/0/q")
		},
		"validation of request bodies": func(m *apigatewayapi.Method, d *Deployment) {
			m.RequestValidatorId, m.RequestModels = ptr("v"), strs{"application/json": "M"}
			d.RequestValidators = []apigatewayapi.RequestValidator{{Id: ptr("v"), ValidateRequestBody: wire.Ptr(true)}}
		},
		"resource policies": func(_ *apigatewayapi.Method, d *Deployment) { d.API.Policy = ptr("{}") },
	} {
		m := respond(mockMethod(`{"statusCode": 200}`), "200", "", "")
		d := &Deployment{}
		change(m, d)
		s := api{"GET /": m}.stage("s", nil)
		s.Deployment.RequestValidators, s.Deployment.API.Policy = d.RequestValidators, d.API.Policy
		f := newFixture(t, nil, s)
		want := `501 {"message": "butai does not have this part of API Gateway yet: ` + what + `"}`
		if got := summary(t, f.do(request("GET", "/s", ""))); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestTrace(t *testing.T) {
	t.Parallel()
	const root = "Root=1-5759e988-bd862e3fe1be46a994272793"
	for _, tt := range []struct{ sent, function, event string }{
		{"", `^Root=1-69a7bdbf-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=1:[0-9a-f]{8}:0$`, `^Root=1-69a7bdbf-[0-9a-f]{24}$`},
		{root, `^` + root + `;Parent=[0-9a-f]{16};Sampled=0;Lineage=`, `^` + root + `;Parent=[0-9a-f]{16};Sampled=0$`},
		{root + ";Parent=53995c3f42cd8ad8", `^` + root + `;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=`, `^` + root + `;Parent=53995c3f42cd8ad8;Sampled=1$`},
		{root + ";Parent=53995c3f42cd8ad8;Sampled=0", `;Sampled=0;Lineage=`, `;Sampled=0$`},
		{"nonsense", `^Root=1-69a7bdbf-`, `^Root=1-69a7bdbf-`},
	} {
		tr := newTrace(tt.sent, testTime)
		if got := tr.forFunction(lineageOf("arn")); !regexp.MustCompile(tt.function).MatchString(got) {
			t.Errorf("%q: function sees %s", tt.sent, got)
		}
		if got := tr.forRequest(); !regexp.MustCompile(tt.event).MatchString(got) {
			t.Errorf("%q: event has %s", tt.sent, got)
		}
	}
}

package gateway

import (
	"fmt"
	"net/http/httptest"
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
		"/prod/a": "200 /prod/a", "//prod/a/": "200 /prod/a/", "/prod//a": "200 /prod//a", "/prod": "200 /prod", "/prod/": "200 /prod/",
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

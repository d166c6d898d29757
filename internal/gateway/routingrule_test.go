package gateway

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/api/apigatewayv2api"
	"github.com/butai-dev/butai/internal/wire"
)

// rule makes a routing rule to a stage; a condition is "name: glob" or "/base
// path", and target's ! strips.
func rule(id string, priority int64, target string, conditions ...string) apigatewayv2api.RoutingRule {
	stage, strips := strings.CutSuffix(target, "!")
	r := apigatewayv2api.RoutingRule{RoutingRuleId: &id, Priority: &priority, Actions: []apigatewayv2api.RoutingRuleAction{{
		InvokeApi: &apigatewayv2api.RoutingRuleActionInvokeApi{ApiId: wire.Ptr(testAPI), Stage: &stage, StripBasePath: &strips}}}}
	for _, c := range conditions {
		var condition apigatewayv2api.RoutingRuleCondition
		if base, ok := strings.CutPrefix(c, "/"); ok {
			condition.MatchBasePaths = &apigatewayv2api.RoutingRuleMatchBasePaths{AnyOf: []string{base}}
		} else {
			name, glob, _ := strings.Cut(c, ": ")
			condition.MatchHeaders = &apigatewayv2api.RoutingRuleMatchHeaders{AnyOf: []apigatewayv2api.RoutingRuleMatchHeaderValue{{Header: &name, ValueGlob: &glob}}}
		}
		r.Conditions = append(r.Conditions, condition)
	}
	return r
}

func ruleFixture(t *testing.T) *fixture {
	stage := func(name string) *Stage {
		m := respond(mockMethod(`{"statusCode": 200}`), "200", "", "$context.stage $context.path $input.params('proxy')")
		return api{"ANY /{proxy+}": m, "ANY /": m}.stage(name, nil)
	}
	return newFixture(t, nil, stage("prod"), stage("beta"), stage("dark"))
}

func askDomain(f *fixture, host, path string, headers ...string) string {
	r := httptest.NewRequest("GET", path, nil)
	r.Host = host
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header[name] = append(r.Header[name], value) // in the client's spelling, as it comes in
	}
	w := httptest.NewRecorder()
	f.ServeDomain(w, r)
	return fmt.Sprint(w.Code, " ", w.Body)
}

const noTarget = `403 {"message":"Forbidden"}`

// TestHeaderGlobs takes the tables of the developer guide.
func TestHeaderGlobs(t *testing.T) {
	t.Parallel()
	f := ruleFixture(t)
	for conditions, want := range map[string]string{
		"x-version: a*":                 "account alpha",
		"x-version: *a":                 "alpha beta",
		"x-version: *a*":                "account alpha backup beta",
		"x-version: *a*, X-VERSION: b*": "backup beta",
		"x-version: b*, x-version: *a":  "beta",
		"x-version: *":                  "account alpha backup beta users",
		"x-version: beta":               "beta",
		"x-version: Beta":               "",
	} {
		f.PublishDomain(&DomainName{Region: testRegion, Name: "a.example.com", RoutingMode: apigatewayapi.RoutingModeROUTINGRULEONLY,
			RoutingRules: []apigatewayv2api.RoutingRule{rule("r", 1, "prod", strings.Split(conditions, ", ")...)}})
		var got []string
		for _, version := range []string{"account", "alpha", "backup", "beta", "users"} {
			if askDomain(f, "a.example.com", "/", "X-Version: "+version) == "200 prod / " {
				got = append(got, version)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s matches %s, want %s", conditions, got, want)
		}
		if got := askDomain(f, "a.example.com", "/"); got != noTarget {
			t.Errorf("%s without the header: %s", conditions, got)
		}
	}
}

func TestRoutingRules(t *testing.T) {
	t.Parallel()
	f := ruleFixture(t)
	d := DomainName{
		Region: testRegion, Name: "*.example.com", RoutingMode: apigatewayapi.RoutingModeROUTINGRULETHENBASEPATHMAPPING,
		Mappings: []apigatewayapi.BasePathMapping{{BasePath: wire.Ptr("shop"), RestApiId: wire.Ptr(testAPI), Stage: wire.Ptr("prod")}},
		RoutingRules: []apigatewayv2api.RoutingRule{
			rule("late", 900, "beta", "Host: b.example.com"),
			rule("cat", 50, "beta!", "/pets/cats"),
			rule("pet", 60, "beta", "/pets"),
			rule("dark", 10, "dark", "x-dark: yes"),
			rule("both", 5, "dark!", "Accept: *json", "/shop"),
		},
	}
	f.PublishDomain(&d)
	for _, tt := range []struct{ host, path, headers, want string }{
		{"a.example.com", "/shop/1", "", "200 prod /shop/1 1"},
		{"a.example.com", "/shop/1", "X-Dark: yes", "200 dark /shop/1 shop/1"},
		{"a.example.com", "/shop/1", "x-dark: yes!", "200 prod /shop/1 1"},
		{"a.example.com", "/shop/1", "x-dark: no|x-dark: yes", "200 dark /shop/1 shop/1"},
		{"a.example.com", "/pets/cats", "", "200 beta /pets/cats "},
		{"a.example.com", "/pets/cats/tom", "", "200 beta /pets/cats/tom tom"},
		{"a.example.com", "/pets/dogs", "", "200 beta /pets/dogs pets/dogs"},
		{"a.example.com", "/Pets/dogs", "", noTarget},
		{"a.example.com", "/petshop", "", noTarget},
		{"b.example.com:4566", "/", "", "200 beta / "},
		{"a.example.com", "/shop", "Accept: application/json|Accept: text/xml", "200 dark /shop "},
		{"a.example.com", "/shop", "Accept: application/json,text/xml", "200 prod /shop "},
	} {
		var headers []string
		if tt.headers != "" {
			headers = strings.Split(tt.headers, "|")
		}
		if got := askDomain(f, tt.host, tt.path, headers...); got != tt.want {
			t.Errorf("%s%s %q: got %s, want %s", tt.host, tt.path, tt.headers, got, tt.want)
		}
	}
	d.RoutingMode = apigatewayapi.RoutingModeROUTINGRULEONLY
	f.PublishDomain(&d)
	if got := askDomain(f, "a.example.com", "/shop/1"); got != noTarget {
		t.Errorf("mappings lead somewhere where only rules count: %s", got)
	}
	d.RoutingMode = apigatewayapi.RoutingModeBASEPATHMAPPINGONLY
	f.PublishDomain(&d)
	if got := askDomain(f, "a.example.com", "/shop/1", "x-dark: yes"); got != "200 prod /shop/1 1" {
		t.Errorf("rules lead somewhere where only mappings count: %s", got)
	}
}

// TestRuleVariables logs how a request found its stage: by a rule or a mapping.
func TestRuleVariables(t *testing.T) {
	t.Parallel()
	s := api{"ANY /{proxy+}": respond(mockMethod(`{"statusCode": 200}`), "200", "", "")}.stage("prod", nil)
	s.CloudWatchRole = "arn:aws:iam::000000000000:role/logs"
	s.Stage.AccessLogSettings = &apigatewayapi.AccessLogSettings{DestinationArn: wire.Ptr("arn:aws:logs:us-east-1:000000000000:log-group:access"),
		Format: wire.Ptr("$context.customDomain.routingRuleIdMatched $context.customDomain.basePathMatched")}
	f := newFixture(t, nil, s)
	f.PublishDomain(&DomainName{
		Region: testRegion, Name: "a.example.com", RoutingMode: apigatewayapi.RoutingModeROUTINGRULETHENBASEPATHMAPPING,
		Mappings:     []apigatewayapi.BasePathMapping{{BasePath: wire.Ptr("shop"), RestApiId: wire.Ptr(testAPI), Stage: wire.Ptr("prod")}},
		RoutingRules: []apigatewayv2api.RoutingRule{rule("abc123", 1, "prod!", "/pets")},
	})
	askDomain(f, "a.example.com", "/pets/1")
	askDomain(f, "a.example.com", "/shop/1")
	if got := fmt.Sprint(f.logs.group("access")); got != "[abc123 - - shop]" {
		t.Errorf("logged %s", got)
	}
}

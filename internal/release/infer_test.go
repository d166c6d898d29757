package release

import (
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/release/config"
	"github.com/butai-dev/butai/internal/release/plan"
)

func integration(uri string, templates ...string) Integration {
	return Integration{Path: "/user", Method: "GET", Type: "AWS", Templates: templates,
		URI: "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:" + uri + "/invocations"}
}

func TestInfer(t *testing.T) {
	t.Parallel()
	stages := map[string]plan.Stage{
		"production": {Variables: map[string]string{"stage": "prod"}}, "staging": {Variables: map[string]string{"stage": "staging"}},
		"docs": {},
	}
	for name, tt := range map[string]struct {
		integrations []Integration
		pairing      plan.Pairing
		failure      string
	}{
		"nobody else reads it":  {[]Integration{integration("user:${stageVariables.stage}", `{"s": "$stageVariables.stages"}`)}, plan.ByVariable, ""},
		"a template reads it":   {[]Integration{integration("user:${stageVariables.stage}", `{"s": "$stageVariables.stage"}`)}, plan.BySnapshot, ""},
		"a template reads all":  {[]Integration{integration("user:${stageVariables.stage}", `#foreach($k in $stageVariables.keySet()) $stageVariables.get($k) #end $util.toJson($stageVariables)`)}, plan.BySnapshot, ""},
		"a proxy hands it over": {[]Integration{{Type: "AWS_PROXY", Method: "ANY", Path: "/", URI: integration("user:${stageVariables.stage}").URI}}, plan.BySnapshot, ""},
		"a proxy streams": {[]Integration{{Type: "AWS_PROXY", Method: "ANY", Path: "/",
			URI: strings.Replace(integration("user:${stageVariables.stage}").URI, "/invocations", "/response-streaming-invocations", 1)}}, plan.BySnapshot, ""},
		"two variables":           {[]Integration{integration("user:${stageVariables.stage}"), integration("mail:${stageVariables.alias}")}, "", "two stage variables"},
		"no alias":                {[]Integration{integration("user")}, "", "no integration takes"},
		"a variable no stage has": {[]Integration{integration("user:${stageVariables.version}")}, "", "no stage has"},
		"nothing there":           {nil, "", "no integration takes"},
	} {
		f, _, err := Infer(&Found{API: "a", Stages: stages, Integrations: tt.integrations})
		if tt.failure != "" {
			if err == nil || !strings.Contains(err.Error(), tt.failure) {
				t.Errorf("%s: %v, want %s", name, err, tt.failure)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f.Pairing != tt.pairing || len(f.Stages) != 2 || f.Stages[0].Name != "staging" || f.Stages[1].Alias != "prod" || f.Functions[0] != "user" {
			t.Errorf("%s: %+v", name, f)
		}
		text, err := f.Write()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := config.Parse(text); err != nil {
			t.Errorf("%s: what init writes isn't read: %v", name, err)
		}
	}
}

func TestCompareMetrics(t *testing.T) {
	t.Parallel()
	m := &config.Metrics{MinimumRequests: 50, ErrorRate: 1, Latency: 1.5}
	for name, tt := range map[string]struct {
		before, after Numbers
		want          plan.Verdict
	}{
		"alike":              {Numbers{Requests: 900, Errors: 9, P99: 100}, Numbers{Requests: 100, Errors: 1, P99: 120}, plan.Passed},
		"better":             {Numbers{Requests: 900, Errors: 90, P99: 100}, Numbers{Requests: 100, P99: 50}, plan.Passed},
		"more errors":        {Numbers{Requests: 900, P99: 100}, Numbers{Requests: 100, Errors: 2, P99: 100}, plan.Failed},
		"slower":             {Numbers{Requests: 900, P99: 100}, Numbers{Requests: 100, P99: 151}, plan.Failed},
		"too few of the new": {Numbers{Requests: 900}, Numbers{Requests: 49, Errors: 49}, plan.Inconclusive},
		"too few of the old": {Numbers{Requests: 10}, Numbers{Requests: 100}, plan.Inconclusive},
	} {
		if got := Compare(m, &tt.before, &tt.after); got.Verdict != tt.want {
			t.Errorf("%s: %+v, want %s", name, got, tt.want)
		}
	}
}

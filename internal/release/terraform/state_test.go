package terraform

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const stateFile = `{"version": 4, "terraform_version": "1.9.0", "serial": 7, "resources": [
  {"mode": "managed", "type": "aws_lambda_function", "name": "user", "instances": [{"attributes": {"name": 5, "variables": "x"}}]},
  {"mode": "data", "type": "aws_lambda_alias", "name": "other", "instances": [{"attributes": {"name": "prod", "function_name": "user", "function_version": "9"}}]},
  {"module": "module.api", "mode": "managed", "type": "aws_api_gateway_stage", "name": "s", "instances": [
    {"index_key": "prod", "attributes": {"id": "ags-1", "rest_api_id": "api1", "stage_name": "prod", "deployment_id": "d1", "variables": {"stage": "prod"},
      "canary_settings": [{"percent_traffic": 5, "deployment_id": "d2"}]}}]},
  {"mode": "managed", "type": "aws_lambda_alias", "name": "prod", "instances": [
    {"index_key": 0, "attributes": {"name": "prod", "function_name": "arn:aws:lambda:us-east-1:1:function:user", "function_version": "1",
      "arn": "arn:aws:lambda:us-east-1:1:function:user:prod", "routing_config": [{"additional_version_weights": {"2": 0.1}}]}}]}
]}`

const shownState = `{"format_version": "1.0", "values": {"root_module": {
  "resources": [{"address": "aws_api_gateway_deployment.prod", "mode": "managed", "type": "aws_api_gateway_deployment",
    "values": {"id": "d1", "rest_api_id": "api1", "stage_name": "prod", "variables": {"stage": "prod"}}},
    {"address": "aws_s3_object.x", "mode": "managed", "type": "aws_s3_object", "values": {"name": [], "canary_settings": 1}}],
  "child_modules": [{"resources": [{"address": "module.f.aws_lambda_alias.prod", "mode": "managed", "type": "aws_lambda_alias",
    "values": {"name": "prod", "function_name": "user", "function_version": "2", "routing_config": []}}]}]}}}`

const plan = `{"format_version": "1.2", "planned_values": {}, "prior_state": {"values": {"root_module": {"resources": [
  {"address": "aws_lambda_alias.prod", "mode": "managed", "type": "aws_lambda_alias", "values": {"name": "prod", "function_name": "user", "function_version": "3"}}]}}},
  "resource_drift": [{"address": "aws_lambda_alias.prod", "mode": "managed", "type": "aws_lambda_alias", "change": {
    "before": {"name": "prod", "function_name": "user", "function_version": "2"}, "after": {"function_version": "3"}}},
    {"address": "aws_s3_object.x", "type": "aws_s3_object", "change": {"before": {"name": []}}}]}`

func TestParse(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		text  string
		stage *Stage
		alias *Alias
	}{
		"state file": {stateFile, &Stage{`module.api.aws_api_gateway_stage.s["prod"]`, "d1", map[string]string{"stage": "prod"}, 5, "d2", false},
			&Alias{"aws_lambda_alias.prod[0]", "1", map[string]float64{"2": 0.1}}},
		"terraform show": {shownState, &Stage{Address: "aws_api_gateway_deployment.prod", Deployment: "d1", Variables: map[string]string{"stage": "prod"}, OfDeployment: true},
			&Alias{Address: "module.f.aws_lambda_alias.prod", Version: "2"}},
		"plan":         {plan, nil, &Alias{Address: "aws_lambda_alias.prod", Version: "2"}}, // before others changed it
		"empty state":  {`{"format_version": "1.0"}`, nil, nil},
		"empty state4": {`{"version": 4, "resources": []}`, nil, nil},
	} {
		s, err := Parse([]byte(want.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want.stage, s.Stage("api1", "prod")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(want.alias, s.Alias("user", "prod")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if s.Stage("api2", "prod") != nil || s.Stage("api1", "staging") != nil || s.Alias("user", "staging") != nil || s.Alias("use", "prod") != nil {
			t.Errorf("%s: found what isn't there", name)
		}
	}
	for _, text := range []string{"", "{}", `{"version": 3}`, "PK\x03\x04"} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

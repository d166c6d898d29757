// Package terraform drives butai with the real terraform and its AWS
// provider, unmodified.
package terraform

import (
	"fmt"
	"maps"
	"os/exec"
	"strings"
	"testing"

	"github.com/butai-dev/butai/test/harness"
)

const handler = `
def handler(event, context):
    return {"edition": event.get("edition"), "version": context.function_version}
`

// balancer is what stands before a backend of the private API.
const balancer = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/behind/0123456789abcdef"

// TestEveryResource takes each resource type through its life: apply, an
// empty second plan, an update in place, import into a new state, destroy.
func TestEveryResource(t *testing.T) {
	t.Parallel()
	backend := newBackend(t)
	s := harness.Start(t, append(snapStartRuntime(t), "--vpc-link", "everything=http://"+backend, "--vpc-link", balancer+"=http://"+backend, "--https", "127.0.0.1:0")...)
	docs := newDocuments(t)
	vars := map[string]string{
		"backend":   backend,
		"code":      harness.Zip(t, map[string]string{"main.py": handler}),
		"code_next": harness.Zip(t, map[string]string{"main.py": handler + "# next\n"}),
	}
	maps.Copy(vars, docs.vars())
	tf := s.Terraform(t, "testdata/everything", vars)
	tf.Apply()
	tf.PlanIsEmpty()
	if got, want := tf.Output("function_version"), "1"; got != want {
		t.Errorf("published version = %q, want %q", got, want)
	}
	if got, want := tf.Output("snapped"), "1 1"; got != want {
		t.Errorf("the version with SnapStart, and as the data source found it = %q, want %q", got, want)
	}
	if got, want := tf.Output("keys"), "hello ENCRYPT_DECRYPT alias/aws/lambda"; got != want {
		t.Errorf("the data sources found of KMS %q, want %q", got, want)
	}
	if got, want := tf.Output("containers"), "true containers/app AWS"; got != want {
		t.Errorf("the data sources found of ECR %q, want %q", got, want)
	}
	if got, want := tf.Output("settings"), `{"password":"one","user":"ada"} one.example.com pw-one`; got != want {
		t.Errorf("the data sources found %q, want %q", got, want)
	}
	stored := tf.Output("stored_version")
	if got, want := tf.Output("api_found"), tf.Output("api"); got != want {
		t.Errorf("the data source found API %q, want %q", got, want)
	}
	if got, want := tf.Output("bus_found"), "arn:aws:events:us-east-1:000000000000:event-bus/shop"; got != want {
		t.Errorf("the data source found bus %q, want %q", got, want)
	}
	if got, want := tf.Output("authorizers"), "3 token TOKEN"; got != want {
		t.Errorf("the data sources found authorizers %q, want %q", got, want)
	}
	checkIntegrations(t, s, tf, backend)
	checkPlans(t, s, tf)
	docs.check(t, s, tf, "one")
	checkPrivateDomain(t, s, "one")
	before := ids(tf.State())

	tf.Set(map[string]string{"edition": "two"})
	tf.Apply()
	tf.PlanIsEmpty()
	docs.check(t, s, tf, "one") // nothing was deployed anew
	checkPrivateDomain(t, s, "one")
	if got := tf.Output("stored_version"); got == "" || got == stored {
		t.Errorf("the object's version was %q, and is %q after it was overwritten", stored, got)
	}
	after := ids(tf.State())
	for address, id := range before {
		if after[address] != id && !replaced[address] {
			t.Errorf("%s was replaced: %s became %s", address, id, after[address])
		}
	}

	importAll(t, s, tf, vars)
	tf.Destroy()
	assertEmpty(t, s)
}

// snapStartRuntime makes sure that there is a Python which SnapStart is for:
// AWS has none before 3.12, and some machines have no newer one than 3.11.
func snapStartRuntime(t *testing.T) []string {
	t.Helper()
	if _, err := exec.LookPath("python3.12"); err == nil {
		return nil
	}
	path, err := exec.LookPath("python3.11")
	if err != nil {
		return nil // the server says what is missing
	}
	return []string{"--runtime", "python3.12=" + path}
}

// replaced are the resources whose id changes in the update: it is made of
// what changes, or they stand for one call.
var replaced = map[string]bool{
	"aws_lambda_invocation.once":           true,
	"aws_api_gateway_base_path_mapping.v1": true,
	"aws_secretsmanager_secret_version.db": true,
}

func ids(state []harness.Resource) map[string]string {
	out := map[string]string{}
	for _, r := range state {
		out[r.Address] = r.String("id")
	}
	return out
}

// importAll plans to import what tf made into a fresh state and expects that
// nothing else would happen.
func importAll(t *testing.T, s *harness.Server, tf *harness.Terraform, vars map[string]string) {
	t.Helper()
	var blocks strings.Builder
	imported := 0
	for _, r := range tf.State() {
		if id, ok := importID(r); ok {
			fmt.Fprintf(&blocks, "import {\n  to = %s\n  id = %q\n}\n", r.Address, id)
			imported++
		}
	}
	fresh := s.Terraform(t, "testdata/everything", vars)
	fresh.Set(map[string]string{"edition": "two"})
	fresh.Write("import.tf", blocks.String())
	plan := fresh.Plan()
	if !strings.Contains(plan, fmt.Sprintf("Plan: %d to import", imported)) {
		t.Errorf("want %d resources to import, got:\n%s", imported, plan)
	}
	for line := range strings.Lines(plan) {
		address, what, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "# "), " ")
		switch {
		case !ok || !strings.HasPrefix(address, "aws_"):
		case strings.HasPrefix(what, "must be replaced"), strings.HasPrefix(what, "will be destroyed"):
			t.Errorf("%s %s after its import", address, what)
		case strings.HasPrefix(what, "will be updated") && !unreadable[typeOf(address)]:
			t.Errorf("%s %s after its import:\n%s", address, what, section(plan, address))
		}
	}
}

func typeOf(address string) string {
	kind, _, _ := strings.Cut(address, ".")
	return kind
}

// section is the part of a plan that is about one resource.
func section(plan, address string) string {
	_, rest, _ := strings.Cut(plan, "# "+address+" ")
	part, _, _ := strings.Cut(rest, "\n\n")
	return part
}

// unreadable are the types with arguments that no API returns, such as the
// path of a zip, so that AWS too shows a change after an import.
var unreadable = map[string]bool{
	"aws_acm_certificate":        true, // private_key
	"aws_lambda_function":        true,
	"aws_s3_bucket":              true,
	"aws_s3_object":              true,
	"aws_api_gateway_deployment": true,
	"aws_route53_zone":           true, // force_destroy
	"aws_route53_record":         true, // allow_overwrite
	"aws_iam_user":               true, // force_destroy
	"aws_iam_role":               true, // force_detach_policies
	"aws_cloudwatch_log_group":   true, // skip_destroy
	"aws_ecr_repository":         true, // force_delete
	"aws_secretsmanager_secret":  true, // force_overwrite_replica_secret, recovery_window_in_days
	"aws_lambda_permission":      true, // function_name spelt as an ARN
	"aws_cloudwatch_event_rule":  true, // force_destroy
	"aws_sns_topic_subscription": true, // confirmation_timeout_in_minutes, endpoint_auto_confirms

	"aws_cloudwatch_event_target":               true, // force_destroy
	"aws_lambda_provisioned_concurrency_config": true, // skip_destroy
	"aws_api_gateway_rest_api":                  true, // put_rest_api_mode
}

// importID is the id by which the provider imports a resource; false for the
// types that it can't import.
func importID(r harness.Resource) (string, bool) {
	join := func(separator string, names ...string) (string, bool) {
		parts := make([]string, len(names))
		for i, name := range names {
			parts[i] = r.String(name)
		}
		return strings.Join(parts, separator), true
	}
	switch r.Type {
	case "aws_iam_policy_attachment", "aws_lambda_invocation", "aws_acm_certificate_validation", "aws_api_gateway_rest_api_put":
		return "", false
	case "aws_iam_role_policy_attachment":
		return join("/", "role", "policy_arn")
	case "aws_lambda_alias":
		return join("/", "function_name", "name")
	case "aws_lambda_permission":
		if q := r.String("qualifier"); q != "" {
			return r.String("function_name") + ":" + q + "/" + r.String("statement_id"), true
		}
		return join("/", "function_name", "statement_id")
	case "aws_s3_object":
		return join("/", "bucket", "key")
	case "aws_api_gateway_account":
		return "api-gateway-account", true
	case "aws_api_gateway_usage_plan_key":
		return join("/", "usage_plan_id", "key_id")
	case "aws_api_gateway_model":
		return join("/", "rest_api_id", "name")
	case "aws_api_gateway_gateway_response":
		return join("/", "rest_api_id", "response_type")
	case "aws_api_gateway_resource", "aws_api_gateway_authorizer", "aws_api_gateway_request_validator":
		return join("/", "rest_api_id", "id")
	case "aws_api_gateway_method", "aws_api_gateway_integration":
		return join("/", "rest_api_id", "resource_id", "http_method")
	case "aws_api_gateway_method_response", "aws_api_gateway_integration_response":
		return join("/", "rest_api_id", "resource_id", "http_method", "status_code")
	case "aws_api_gateway_deployment":
		if r.String("stage_name") != "" {
			return "", false // the provider doesn't read the stage back, and would replace it
		}
		return join("/", "rest_api_id", "id")
	case "aws_api_gateway_stage":
		return join("/", "rest_api_id", "stage_name")
	case "aws_api_gateway_method_settings":
		return join("/", "rest_api_id", "stage_name", "method_path")
	case "aws_cloudwatch_log_stream", "aws_cloudwatch_log_metric_filter":
		return join(":", "log_group_name", "name")
	case "aws_cloudwatch_log_subscription_filter":
		return join("|", "log_group_name", "name")
	case "aws_api_gateway_base_path_mapping":
		if r.String("domain_name_id") != "" {
			return join("", "id")
		}
		return r.String("domain_name") + "/" + r.String("base_path"), true
	}
	if id, special := keysImportID(r); special {
		return id, id != ""
	}
	if id, special := eventsImportID(r); special {
		return id, id != ""
	}
	return join("", "id")
}

// assertEmpty asks each service whether anything is left.
func assertEmpty(t *testing.T, s *harness.Server) {
	t.Helper()
	if left := s.Run(t, "", harness.Python(t), "testdata/left.py"); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}

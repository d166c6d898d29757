package release

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	apitypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/butai-dev/butai/test/harness"
)

// TestProcedure walks through the commands as a team would use them, with no
// more permissions than release policy asks for.
func TestProcedure(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	w := newWorld(t, s.URL, s.Env())
	w.says(0, "release 2: stage production serves", "init")
	w.configure(map[string]string{"propagation: 1s": "propagation: 100ms"})
	w.becomeReleaser()
	w.serves("production", "gateway-1", "code-1")
	w.says(0, "every stage is as its last release left it", "drift")

	w.editGateway("gateway-2")
	w.editCode("code-2", nil)
	w.serves("staging", "gateway-1", "code-2")
	w.does(0, "deploy", "staging", "-m", "second generation")
	w.serves("staging", "gateway-2", "code-2")
	w.serves("production", "gateway-1", "code-1")
	w.diffs()

	w.does(0, "promote", "production", "-m", "second generation")
	w.serves("production", "gateway-2", "code-2")
	w.says(0, "nothing to release", "promote")

	w.does(0, "rollback", "production")
	w.serves("production", "gateway-1", "code-1")
	w.does(0, "rollback", "--to", "4")
	w.serves("production", "gateway-2", "code-2")
	w.says(0, "production → 2", "status")
	w.says(0, "rollback to 2", "history")
	w.says(0, "second generation", "show", "4")

	w.freezes()
	w.drifts()
	w.prunes()
}

// says runs butai release and expects an exit code and a text.
func (w *world) says(code int, text string, args ...string) {
	w.Helper()
	if out := w.does(code, args...); !strings.Contains(out, text) {
		w.Errorf("butai release %s doesn't say %q:\n%s", strings.Join(args, " "), text, out)
	}
}

// becomeReleaser lets the commands run as a user with the minimal policy.
func (w *world) becomeReleaser() {
	w.Helper()
	ctx, name := context.Background(), aws.String("releaser")
	client := iam.NewFromConfig(w.sdk())
	_, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: name})
	w.must(err)
	_, err = client.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name, PolicyName: name, PolicyDocument: aws.String(w.does(0, "policy"))})
	w.must(err)
	key, err := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
	w.must(err)
	for i, pair := range w.env {
		switch {
		case strings.HasPrefix(pair, "AWS_ACCESS_KEY_ID="):
			w.env[i] = "AWS_ACCESS_KEY_ID=" + *key.AccessKey.AccessKeyId
		case strings.HasPrefix(pair, "AWS_SECRET_ACCESS_KEY="):
			w.env[i] = "AWS_SECRET_ACCESS_KEY=" + *key.AccessKey.SecretAccessKey
		}
	}
}

// diffs looks at the differences in each form.
func (w *world) diffs() {
	w.Helper()
	out := w.does(2, "diff", "staging", "production")
	for _, want := range []string{
		`GET /pair integration.requestTemplates.application/json`, `-{"stage": "$stageVariables.stage", "gateway": "gateway-1"}`,
		`pair main.py`, `+CODE = "code-2"`,
	} {
		if !strings.Contains(out, want) {
			w.Errorf("diff doesn't say %s:\n%s", want, out)
		}
	}
	w.says(2, "```diff", "diff", "-o", "markdown")
	w.says(2, "<!doctype html>", "diff", "-o", "html")
	var report struct{ Changes []struct{ Area string } }
	w.must(json.Unmarshal([]byte(w.does(2, "diff", "--json")), &report))
	if len(report.Changes) != 2 {
		w.Errorf("diff finds %+v, want a template and a file", report.Changes)
	}
}

// freezes keeps production as it is for a while.
func (w *world) freezes() {
	w.Helper()
	w.does(0, "freeze", "production", "-m", "the fair")
	w.says(5, "the fair", "rollback", "production")
	w.says(0, `+CODE = "code-1"`, "rollback", "production", "--break-glass", "it is broken") // shows what it brings back
	w.serves("production", "gateway-1", "code-1")
	w.does(0, "thaw", "production")
	var events []string
	for line := range strings.Lines(w.does(0, "promote", "--json")) {
		var e struct{ Event, Stage string }
		w.must(json.Unmarshal([]byte(line), &e))
		if events = append(events, e.Event); e.Stage != "production" {
			w.Errorf("an event of stage %q: %s", e.Stage, line)
		}
	}
	if len(events) < 4 || events[0] != "begin" || events[len(events)-1] != "ended" {
		w.Errorf("promote --json tells of %q", events)
	}
	w.serves("production", "gateway-2", "code-2")
}

// drifts moves production by hand.
func (w *world) drifts() {
	w.Helper()
	ctx := context.Background()
	move := func(version string) {
		_, err := w.lambda.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: aws.String(function), Name: aws.String("production"), FunctionVersion: &version})
		w.must(err)
	}
	move("1")
	out := w.does(2, "drift")
	for _, want := range []string{"alias production of pair is 1; release ", " left 2\n", "--terraform-state tells", `ignore_changes = [deployment_id, canary_settings, variables["releaseAlias"]]`} {
		if !strings.Contains(out, want) {
			w.Errorf("drift doesn't say %q:\n%s", want, out)
		}
	}
	move("2")
	w.does(0, "drift")
}

// prunes removes what the first generation left, and nothing that is served.
func (w *world) prunes() {
	w.Helper()
	w.says(0, "version pair:1", "prune", "--keep", "1")
	w.says(0, "version pair:1", "prune", "--keep", "1", "--yes")
	w.says(0, "nothing to remove", "prune", "--keep", "1")
	w.serves("production", "gateway-2", "code-2")
	w.says(1, "was pruned", "rollback", "--to", "2")
}

// TestChecksHoldAndReport: a check that fails on staging keeps production as
// it is, one that fails on production brings it back, and the record says why.
func TestChecksHoldAndReport(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	w := newWorld(t, s.URL, s.Env())
	w.does(0, "init")
	const check = `expect:
      status: 200
      json: {$.code: code-2}
      version: $.version
      latency: 20s
    stages: [production]
  - name: staging answers
    path: /pair
    expect: {status: 200}`
	w.configure(map[string]string{"propagation: 1s": "propagation: 100ms", "expect:\n      status: 200": check})
	w.editGateway("gateway-2")
	w.editCode("code-broken", map[string]string{"FAILS = False": "FAILS = True"})
	w.does(3, "deploy", "staging")
	w.says(3, "staging answers: GET /pair: status 500", "promote")
	w.editCode("code-3", nil)
	w.does(0, "deploy", "staging")
	w.says(3, `$.code is "code-3", want "code-2"`, "promote")
	w.serves("production", "gateway-1", "code-1")
	w.says(0, "want \"code-2\"", "show", "6")
	junit := filepath.Join(w.dir, "checks.xml")
	w.does(1, "verify", "production", "--junit", junit)
	if text, err := os.ReadFile(junit); err != nil || !strings.Contains(string(text), `failures="1"`) {
		t.Errorf("JUnit: %v\n%s", err, text)
	}
	w.editCode("code-2", nil)
	w.does(0, "promote")
	w.serves("production", "gateway-2", "code-2")
}

// TestHandEditedStageIsLeftAlone: a release doesn't undo what others began.
func TestHandEditedStageIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	w := newWorld(t, s.URL, s.Env())
	w.does(0, "init")
	ctx := context.Background()
	_, err := w.gateway.UpdateStage(ctx, &apigateway.UpdateStageInput{
		RestApiId: &w.api, StageName: aws.String("production"),
		PatchOperations: []apitypes.PatchOperation{{Op: apitypes.OpReplace, Path: aws.String("/variables/stage"), Value: aws.String("staging")}},
	})
	w.must(err)
	w.says(1, `names the alias "staging"`, "promote")
	_, err = w.lambda.RemovePermission(ctx, &lambda.RemovePermissionInput{
		FunctionName: aws.String(function), Qualifier: aws.String("production"), StatementId: aws.String("gateway-production"),
	})
	w.must(err)
	w.says(2, "aws lambda add-permission", "diff")
}

// TestOwnVariable: where nothing but integrations reads the alias's variable,
// deployments need nothing special, and any can be gone back to at once.
func TestOwnVariable(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	w := &world{TB: t, url: s.URL, env: s.Env(), dir: t.TempDir(), variable: "alias"}
	w.deploy()
	w.does(0, "init")
	w.configure(map[string]string{"propagation: 1s": "propagation: 100ms", "pairing: variable": "pairing: variable"})
	w.editGateway("gateway-2")
	w.editCode("code-2", nil)
	w.does(0, "deploy", "staging")
	w.does(0, "promote")
	w.serves("production", "gateway-2", "code-2")
	w.does(0, "rollback", "production", "--strategy", "canary 50% for 1s")
	w.serves("production", "gateway-1", "code-1")
}

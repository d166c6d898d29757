package release

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/butai-dev/butai/test/harness"
)

// TestArticleUnderTerraform goes through the 2016 article's two procedures with
// its own configuration: Terraform makes what exists, butai release moves what
// is served, and no plan that follows a release finds anything to do.
func TestArticleUnderTerraform(t *testing.T) {
	t.Parallel()
	harness.Tool(t, "terraform")
	harness.Tool(t, "aws")
	t.Run("Terraform first", func(t *testing.T) {
		t.Parallel()
		p := newArticle(t)
		p.tf.Apply()
		p.api = p.tf.Output("api")
		p.does(0, "init")
		p.configure(map[string]string{"propagation: 1s": "propagation: 100ms"})
		p.ignoresWhatReleasesMove()

		// The first release. Production's alias is at $LATEST, nothing is
		// published; from step 5 on, this is the promotion.
		p.does(0, "promote", "-m", "the first release")
		p.answer("one", "abcdefgh", "one", "abcdefgh")
		p.tf.PlanIsEmpty()

		// A change of the code.
		p.tf.Set(map[string]string{"code": p.handler("two")})
		p.tf.Apply()
		p.answer("two", "abcdefgh", "one", "abcdefgh")
		p.does(0, "promote")
		p.answer("two", "abcdefgh", "two", "abcdefgh")
		p.tf.PlanIsEmpty()

		// A change of the API, and back.
		p.edits("api.tf", `"id": "$input.params('id')"`, `"id": "edited$input.params('id')"`)
		p.tf.Apply()
		p.answer("two", "abcdefgh", "two", "abcdefgh")
		p.does(0, "deploy", "staging")
		p.answer("two", "editedabcdefgh", "two", "abcdefgh")
		p.does(0, "promote")
		p.answer("two", "editedabcdefgh", "two", "editedabcdefgh")
		p.tf.PlanIsEmpty()
		p.does(0, "rollback", "prod", "--no-diff")
		p.answer("two", "editedabcdefgh", "two", "abcdefgh")
		p.tf.PlanIsEmpty()
		p.tellsWhoChanged()
	})
	t.Run("release first", func(t *testing.T) {
		t.Parallel()
		p := newArticle(t)
		p.tf.Apply(append([]string{"-target=aws_api_gateway_deployment.staging"}, behind...)...)
		p.server.AWS(t, &p.api, "apigateway", "get-rest-apis", "--query", "items[?name=='example'].id | [0]")
		p.says(0, "there is one stage; add those that follow it", "init")
		p.configure(map[string]string{
			"propagation: 1s": "propagation: 100ms", "- name: staging\n    alias: staging\n": "- {name: staging, alias: staging}\n  - {name: prod, alias: prod}\n",
		})
		p.ignoresWhatReleasesMove()

		// The release makes production's stage; Terraform deploys to it later,
		// and the next release takes that over.
		p.does(0, "promote", "-m", "the first release")
		p.answer("one", "abcdefgh", "one", "abcdefgh")
		p.tf.Apply()
		p.answer("one", "abcdefgh", "one", "abcdefgh")
		p.tf.PlanIsEmpty()
		out := p.does(2, "drift", "--terraform-state", p.tf.Dir)
		if !strings.Contains(out, "prod: deployment is ") || !strings.Contains(out, "changed by Terraform since release") {
			t.Errorf("drift doesn't find that Terraform deployed:\n%s", out)
		}
		p.does(0, "promote", "-m", "as Terraform deployed")
		p.does(0, "drift")

		p.tf.Set(map[string]string{"code": p.handler("two")})
		p.tf.Apply()
		p.does(0, "promote")
		p.answer("two", "abcdefgh", "two", "abcdefgh")
		p.does(0, "rollback", "prod", "--no-diff")
		p.answer("two", "abcdefgh", "one", "abcdefgh")
		p.tf.PlanIsEmpty()
		p.tf.Set(map[string]string{"code": p.handler("three")})
		p.tf.Apply()
		p.answer("three", "abcdefgh", "one", "abcdefgh")
		p.does(0, "promote")
		p.answer("three", "abcdefgh", "three", "abcdefgh")
		p.tf.PlanIsEmpty()
	})
}

// behind are the targets of the article's second step: all but the stages.
var behind = []string{
	"-target=aws_lambda_permission.staging", "-target=aws_lambda_permission.prod",
	"-target=aws_iam_role_policy.tables", "-target=aws_iam_policy_attachment.AWSLambdaExecute",
	"-target=aws_api_gateway_integration_response.get_200", "-target=aws_api_gateway_integration_response.post_200",
	"-target=aws_api_gateway_integration_response.get_400", "-target=aws_api_gateway_integration_response.post_400",
	"-target=aws_api_gateway_integration_response.get_500", "-target=aws_api_gateway_integration_response.post_500",
}

// article is its configuration under Terraform.
type article struct {
	world
	server *harness.Server
	tf     *harness.Terraform
}

func newArticle(t *testing.T) *article {
	s := harness.Start(t)
	p := &article{server: s, world: world{TB: t, url: s.URL, env: s.Env(), dir: t.TempDir()}}
	p.tf = s.Terraform(t, "../article/testdata/users", map[string]string{"code": p.handler("one")})
	p.env = p.tf.Env()
	return p
}

// handler zips the article's handler of a release.
func (p *article) handler(release string) string {
	p.Helper()
	source, err := os.ReadFile("../article/testdata/main.py")
	p.must(err)
	return harness.Zip(p, map[string]string{"main.py": strings.Replace(string(source), `RELEASE = "one"`, `RELEASE = "`+release+`"`, 1)})
}

// edits replaces the first occurrence of a text in the configuration.
func (p *article) edits(file, before, after string) {
	p.Helper()
	text, err := os.ReadFile(filepath.Join(p.tf.Dir, file))
	p.must(err)
	if !strings.Contains(string(text), before) {
		p.Fatalf("%s has no %s", file, before)
	}
	p.tf.Write(file, strings.Replace(string(text), before, after, 1))
}

const prodVersion = "  function_version = var.example_prod_function_version\n"

// ignoresWhatReleasesMove enters the line that drift prints for the aliases.
func (p *article) ignoresWhatReleasesMove() {
	p.Helper()
	out := p.does(0, "drift", "--terraform-state", p.tf.Dir)
	const want = "# In aws_lambda_alias.staging, aws_lambda_alias.prod:\nlifecycle { ignore_changes = [function_version, routing_config] }\n"
	if !strings.Contains(out, want) || !strings.Contains(out, "# aws_api_gateway_deployment.staging names its stage") {
		p.Fatalf("drift doesn't print what Terraform's configuration needs:\n%s", out)
	}
	p.edits("function.tf", prodVersion, prodVersion+"  lifecycle { ignore_changes = [function_version, routing_config] }\n")
}

// tellsWhoChanged changes production's alias by hand and then by Terraform.
func (p *article) tellsWhoChanged() {
	p.Helper()
	p.does(0, "drift", "--terraform-state", p.tf.Dir)
	p.server.AWS(p, nil, "lambda", "update-alias", "--function-name", "example", "--name", "prod", "--function-version", "1")
	plan := filepath.Join(p.tf.Dir, "plan.out")
	p.tf.SavePlan(plan)
	for _, from := range []string{p.tf.Dir, filepath.Join(p.tf.Dir, "terraform.tfstate"), plan} {
		out := p.does(2, "drift", "--terraform-state", from)
		if !strings.Contains(out, "prod: alias prod of example is 1; release ") ||
			!strings.Contains(out, "changed by hand: it differs from Terraform's state, too, which has 2 (aws_lambda_alias.prod)") {
			p.Errorf("by %s, drift doesn't tell a change by hand:\n%s", from, out)
		}
	}
	p.server.AWS(p, nil, "lambda", "update-alias", "--function-name", "example", "--name", "prod", "--function-version", "2")
	p.does(0, "drift", "--terraform-state", p.tf.Dir)

	p.edits("function.tf", "  lifecycle { ignore_changes = [function_version, routing_config] }\n", "")
	p.tf.Set(map[string]string{"example_prod_function_version": "1"})
	p.tf.Apply()
	var found []struct{ Stage, What, Now, Left, By, Resource string }
	p.must(json.Unmarshal([]byte(p.does(2, "drift", "--json", "--terraform-state", p.tf.Dir)), &found))
	if len(found) != 1 || found[0].By != "terraform" || found[0].Resource != "aws_lambda_alias.prod" || found[0].Now != "1" || found[0].Left != "2" {
		p.Errorf("drift finds %+v, want the alias changed by Terraform", found)
	}
}

// answer expects the release and the id that each stage answers with, and its
// own table.
func (p *article) answer(staging, stagingID, prod, prodID string) {
	p.Helper()
	for stage, want := range map[string]map[string]string{
		"staging": {"id": stagingID, "release": staging, "table": "s-example_user"},
		"prod":    {"id": prodID, "release": prod, "table": "example_user"},
	} {
		status, body := harness.Get(p, p.stageURL(stage)+"/user/abcdefgh")
		got := map[string]string{}
		if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 {
			p.Errorf("%s: %d %s", stage, status, body)
			continue
		}
		for name, v := range want {
			if got[name] != v {
				p.Errorf("%s: %s is %q, want %q", stage, name, got[name], v)
			}
		}
	}
}

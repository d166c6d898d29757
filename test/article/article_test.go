// Package article runs the two release procedures that a 2016 article about
// API Gateway and Lambda ends with, step by step, with the tools it names:
// the real Terraform and the real AWS CLI. The Terraform is ours, in the
// article's form; the function is for python2.7, as it was then.
package article

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/butai-dev/butai/test/harness"
)

// project is the article's system under its two procedures.
type project struct {
	*testing.T
	server *harness.Server
	tf     *harness.Terraform
	api    string
}

// TestReleaseProcedures walks through the first release, a change of the
// code, a change of the API and a way back. Meanwhile the domain is made,
// most of which Terraform spends waiting for name servers.
func TestReleaseProcedures(t *testing.T) {
	t.Parallel()
	harness.Tool(t, "terraform")
	harness.Tool(t, "aws")
	s := harness.Start(t, "--data-dir", t.TempDir(), "--https", "127.0.0.1:0")
	released := make(chan string, 1)
	t.Run("together", func(t *testing.T) {
		t.Run("release", func(t *testing.T) {
			t.Parallel()
			defer close(released)
			p := &project{T: t, server: s}
			p.tf = s.Terraform(t, "testdata/users", map[string]string{"code": p.code("one")})
			p.firstRelease()
			released <- p.api
			p.errors()
			p.addresses()
			p.changeCode()
			p.changeAPI()
			p.rollBack()
		})
		t.Run("domain", func(t *testing.T) {
			t.Parallel()
			customDomain(t, s, released)
		})
	})
}

// code zips the handler of a release.
func (p *project) code(release string) string {
	source, err := os.ReadFile("testdata/main.py")
	if err != nil {
		p.Fatal(err)
	}
	text := strings.Replace(string(source), `RELEASE = "one"`, `RELEASE = "`+release+`"`, 1)
	return harness.Zip(p, map[string]string{"main.py": text})
}

// firstRelease is the article's first procedure, of eight steps.
func (p *project) firstRelease() {
	// 1. The production alias is at $LATEST: there is no version yet. It is
	// the variable's default.

	// 2. Deploy Lambda and API Gateway, but to no stage.
	p.tf.Apply(
		"-target=aws_lambda_permission.staging", "-target=aws_lambda_permission.prod",
		"-target=aws_iam_role_policy.tables", "-target=aws_iam_policy_attachment.AWSLambdaExecute",
		"-target=aws_api_gateway_integration_response.get_200", "-target=aws_api_gateway_integration_response.post_200",
		"-target=aws_api_gateway_integration_response.get_400", "-target=aws_api_gateway_integration_response.post_400",
		"-target=aws_api_gateway_integration_response.get_500", "-target=aws_api_gateway_integration_response.post_500",
	)
	p.server.AWS(p, &p.api, "apigateway", "get-rest-apis", "--query", "items[?name=='example'].id | [0]")
	p.answers("staging", "/user/abcdefgh", 403, `{"message":"Forbidden"}`)
	p.answers("prod", "/user/abcdefgh", 403, `{"message":"Forbidden"}`)

	// 3. Deploy the API to the staging stage.
	p.tf.Apply("-target=aws_api_gateway_deployment.staging")

	// 4. Verify on staging; production has no stage yet.
	p.answers("staging", "/user/abcdefgh", 200, `{"id": "abcdefgh", "release": "one", "table": "s-example_user"}`)
	p.post("staging", "/user/abcdefgh", `{"name": "Ada"}`, 200,
		`{"id": "abcdefgh", "name": "Ada", "release": "one", "table": "s-example_user"}`)
	p.answers("prod", "/user/abcdefgh", 403, `{"message":"Forbidden"}`)

	// 5. Publish a version and note its number. Unchanged code gets no other.
	p.publishes("1")
	p.publishes("1")

	// 6. and 7. Write the version into the production alias and deploy.
	p.tf.Set(map[string]string{"example_prod_function_version": "1"})
	p.tf.Apply("-target=aws_lambda_alias.prod")
	p.aliases(map[string]string{"staging": "$LATEST", "prod": "1"})

	// 8. Deploy the API to the prod stage, and what is behind it.
	p.tf.Apply()
	p.answers("prod", "/user/abcdefgh", 200, `{"id": "abcdefgh", "release": "one", "table": "example_user"}`)
	p.tf.PlanIsEmpty()
	if got := p.tf.Output("api"); got != p.api {
		p.Errorf("the API became %s; it was %s", got, p.api)
	}
}

// errors tries what the handler refuses: the pattern picks the status, the
// template drops its number.
func (p *project) errors() {
	for _, stage := range []string{"staging", "prod"} {
		p.answers(stage, "/user/short", 400, "{\n  \"error\": \"`id` must match [0-9A-Za-z]{8,64}.\"\n}\n")
		p.post(stage, "/user/abcdefgh", `{}`, 400, "{\n  \"error\": \"`name` is required.\"\n}\n")
		p.answers(stage, "/user/breakdown", 500, "{\n  \"error\": \"u'breakdown'\"\n}\n")
		p.answers(stage, "/user", 403, `{"message":"Missing Authentication Token"}`)
	}
}

// addresses asks production in each way that an API without a domain can be.
func (p *project) addresses() {
	harness.Tool(p, "curl")
	for _, args := range [][]string{
		{"-H", "Host: " + p.api + ".execute-api.us-east-1.amazonaws.com", p.server.URL + "/prod/user/abcdefgh"},
		{"-H", "Host: " + p.api + ".execute-api.localhost", p.server.URL + "/prod/user/abcdefgh"},
		{p.server.API(p.api, "prod") + "/user/abcdefgh"},
		{p.server.URL + "/restapis/" + p.api + "/prod/_user_request_/user/abcdefgh"},
	} {
		got := p.server.Run(p, "", "curl", append([]string{"-sS", "--noproxy", "*"}, args...)...)
		p.sameJSON(strings.Join(args, " "), got, `{"id": "abcdefgh", "release": "one", "table": "example_user"}`)
	}
}

// changeCode is the article's second procedure, of five steps.
func (p *project) changeCode() {
	// 1. Deploy the function.
	p.tf.Set(map[string]string{"code": p.code("two")})
	p.tf.Apply()

	// 2. Verify on staging; production is where it was.
	p.releases("two", "one")

	// 3. Publish a version and note its number.
	p.publishes("2")
	p.releases("two", "one")

	// 4. and 5. Write it into the production alias and deploy.
	p.tf.Set(map[string]string{"example_prod_function_version": "2"})
	p.tf.Apply()
	p.releases("two", "two")
	p.aliases(map[string]string{"staging": "$LATEST", "prod": "2"})
	p.publishes("2")
	p.tf.PlanIsEmpty()
}

// changeAPI edits a template: no stage shows it before its own deployment.
func (p *project) changeAPI() {
	const before, after = "abcdefgh", "editedabcdefgh"
	p.editTemplate(`"id": "$input.params('id')"`, `"id": "edited$input.params('id')"`)
	p.tf.Apply()
	p.ids(before, before)

	// To staging, as Terraform deploys again.
	p.tf.Apply("-replace=aws_api_gateway_deployment.staging")
	p.ids(after, before)

	// To production, as the AWS CLI does. The stage keeps its variables.
	p.server.AWS(p, nil, "apigateway", "create-deployment", "--rest-api-id", p.api, "--stage-name", "prod")
	p.ids(after, after)
	p.releases("two", "two")
}

// editTemplate replaces the first occurrence, which is the GET method's.
func (p *project) editTemplate(before, after string) {
	path := filepath.Join(p.tf.Dir, "api.tf")
	text, err := os.ReadFile(path)
	if err != nil {
		p.Fatal(err)
	}
	if !strings.Contains(string(text), before) {
		p.Fatalf("%s is not in api.tf", before)
	}
	p.tf.Write("api.tf", strings.Replace(string(text), before, after, 1))
}

// rollBack gives production the first version again.
func (p *project) rollBack() {
	p.tf.Set(map[string]string{"example_prod_function_version": "1"})
	p.tf.Apply()
	p.releases("two", "one")
	p.tf.PlanIsEmpty()
}

// publishes publishes a version and expects its number.
func (p *project) publishes(want string) {
	p.Helper()
	var got string
	p.server.AWS(p, &got, "lambda", "publish-version", "--function-name", "example", "--query", "Version")
	if got != want {
		p.Errorf("publish-version gave version %q, want %q", got, want)
	}
}

func (p *project) aliases(want map[string]string) {
	p.Helper()
	var list []struct{ Name, FunctionVersion string }
	p.server.AWS(p, &list, "lambda", "list-aliases", "--function-name", "example", "--query", "Aliases")
	got := map[string]string{}
	for _, a := range list {
		got[a.Name] = a.FunctionVersion
	}
	if diff := cmp.Diff(want, got); diff != "" {
		p.Errorf("aliases (-want +got):\n%s", diff)
	}
}

// releases expects which code each stage runs.
func (p *project) releases(staging, prod string) {
	p.Helper()
	p.member("staging", "release", staging)
	p.member("prod", "release", prod)
}

// ids expects which id each stage's template gave to the function.
func (p *project) ids(staging, prod string) {
	p.Helper()
	p.member("staging", "id", staging)
	p.member("prod", "id", prod)
}

func (p *project) member(stage, name, want string) {
	p.Helper()
	status, body := harness.Get(p, p.server.API(p.api, stage)+"/user/abcdefgh")
	var got map[string]string
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 || got[name] != want {
		p.Errorf("%s: %d %s, want %s %q", stage, status, body, name, want)
	}
}

// answers gets a path of a stage.
func (p *project) answers(stage, path string, status int, body string) {
	p.Helper()
	gotStatus, got := harness.Get(p, p.server.API(p.api, stage)+path)
	p.same(stage+path, gotStatus, got, status, body)
}

func (p *project) post(stage, path, send string, status int, body string) {
	p.Helper()
	gotStatus, got := harness.Post(p, p.server.API(p.api, stage)+path, send)
	p.same(stage+path, gotStatus, got, status, body)
}

// same compares a success as JSON, because Python 2 orders keys as it likes,
// and an error byte for byte, because the template or the gateway wrote it.
func (p *project) same(what string, gotStatus int, got string, status int, want string) {
	p.Helper()
	switch {
	case gotStatus != status:
		p.Errorf("%s: %d %s, want %d", what, gotStatus, got, status)
	case status == 200:
		p.sameJSON(what, got, want)
	case got != want:
		p.Errorf("%s: %q, want %q", what, got, want)
	}
}

func (p *project) sameJSON(what, got, want string) {
	p.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		p.Errorf("%s: %v: %s", what, err, got)
		return
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		p.Fatal(err)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		p.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

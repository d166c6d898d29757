package release

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/butai-dev/butai/test/harness"
)

// TestTerraformInTheLoop goes through the article's two procedures with
// Terraform for what exists and butai release for what is served, in both
// orders; no plan that follows a release finds anything to do.
func TestTerraformInTheLoop(t *testing.T) {
	t.Parallel()
	harness.Tool(t, "terraform")
	s := harness.Start(t)
	p := &project{world: world{TB: t, url: s.URL, env: s.Env(), dir: t.TempDir()}}
	p.tf = s.Terraform(t, "../../examples/user-api", map[string]string{"code": p.code("one")})
	p.env = p.tf.Env()

	// Terraform first: the production alias is at $LATEST, nothing is
	// published.
	p.tf.Apply()
	p.api = p.tf.Output("api")
	p.does(0, "init")
	p.configure(map[string]string{"propagation: 1s": "propagation: 100ms"})
	p.ignoreWhatReleasesMove()
	p.does(0, "promote", "-m", "the first release")
	p.answers("one", "one", "")
	p.tf.PlanIsEmpty()

	// A change of code and API: Terraform uploads, a release deploys.
	p.tf.Set(map[string]string{"code": p.code("two")})
	p.edit(`\"id\": \"$input.params('id')\"`, `\"id\": \"new-$input.params('id')\"`)
	p.tf.Apply()
	p.answers("two", "one", "")
	p.does(0, "deploy", "staging")
	p.answers("two", "one", "new-")
	p.does(0, "promote")
	p.answers("two", "two", "new-")
	p.tf.PlanIsEmpty()

	// Release first: production goes back, then Terraform changes the code.
	p.does(0, "rollback", "production")
	p.answers("two", "one", "new-")
	p.tf.Set(map[string]string{"code": p.code("three")})
	p.tf.Apply()
	p.answers("three", "one", "new-")
	p.does(0, "promote")
	p.answers("three", "three", "new-")
	p.tf.PlanIsEmpty()
}

// project is the example under Terraform.
type project struct {
	world
	tf *harness.Terraform
}

// code zips a handler of a generation.
func (p *project) code(generation string) string {
	return harness.Zip(p, map[string]string{"main.py": `def handler(event, context):
    return {"id": event["id"], "stage": event["stage"], "code": "` + generation + `"}
`})
}

// edit changes the API's definition.
func (p *project) edit(before, after string) {
	p.Helper()
	path := filepath.Join(p.tf.Dir, "main.tf")
	text, err := os.ReadFile(path)
	p.must(err)
	before, after = strings.ReplaceAll(before, `\"`, `"`), strings.ReplaceAll(after, `\"`, `"`)
	if !strings.Contains(string(text), before) {
		p.Fatalf("main.tf has no %s", before)
	}
	p.must(os.WriteFile(path, []byte(strings.Replace(string(text), before, after, 1)), 0o644))
}

// ignoreWhatReleasesMove enters the lines that release drift prints.
func (p *project) ignoreWhatReleasesMove() {
	p.Helper()
	var lines []string
	for line := range strings.Lines(p.does(0, "drift")) {
		if strings.HasPrefix(line, "lifecycle {") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	if len(lines) != 2 {
		p.Fatalf("drift prints %d lifecycle blocks, want one for stages and one for aliases", len(lines))
	}
	const stage, alias = "  variables     = { stage = each.key }\n", "  function_version = each.value.version\n"
	p.edit(stage, stage+"  "+lines[0]+"\n")
	p.edit(alias, alias+"  "+lines[1]+"\n")
}

// answers expects which code each stage runs, what production's template put
// before the id if it is the newest, and that both know where they are.
func (p *project) answers(staging, production, prefix string) {
	p.Helper()
	for stage, code := range map[string]string{"staging": staging, "production": production} {
		want := `{"id": "ada", "stage": "` + stage + `", "code": "` + code + `"}`
		if prefix != "" && code != "one" || prefix != "" && stage == "staging" {
			want = strings.Replace(want, "ada", prefix+"ada", 1)
		}
		if status, body := harness.Get(p, p.stageURL(stage)+"/user/ada"); status != 200 || body != want {
			p.Errorf("%s: %d %s, want %s", stage, status, body, want)
		}
	}
}

package release

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/go-cmp/cmp"

	"github.com/butai-dev/butai/test/harness"
)

// TestScript promotes with the printed script, bash and the real AWS CLI, and
// with promote, and finds both APIs in the same state.
func TestScript(t *testing.T) {
	t.Parallel()
	harness.Tool(t, "aws")
	s := harness.Start(t)
	states := map[string]state{}
	for _, how := range []string{"promote", "script"} {
		w := newNamedWorld(t, s.URL, s.Env(), "pair-"+how)
		w.does(0, "init", "--api", w.api)
		w.configure(map[string]string{"propagation: 1s": "propagation: 100ms", "alias: production\n": "alias: production\n    variables: {color: 'red,blue=?/#'}\n"})
		w.editGateway("gateway-2")
		w.editCode("code-2", nil)
		if how == "promote" {
			w.does(0, "promote")
		} else {
			w.runsScript()
			w.says(2, "alias production of "+w.function+" is 2", "drift")
		}
		w.serves("staging", "gateway-2", "code-2")
		w.serves("production", "gateway-2", "code-2")
		states[how] = w.state()
	}
	if diff := cmp.Diff(states["promote"], states["script"]); diff != "" {
		t.Errorf("promote leaves (-), the script leaves (+):\n%s", diff)
	}
}

// runsScript promotes with the script.
func (w *world) runsScript() {
	w.Helper()
	path := filepath.Join(w.dir, "promote.sh")
	w.must(os.WriteFile(path, []byte(w.does(0, "script", "production")), 0o755))
	cmd := exec.Command("bash", path)
	cmd.Env, cmd.Stdin = w.env, strings.NewReader("\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		w.Fatalf("%v\n%s", err, out)
	}
}

// state is what a promotion may change, without the names that each makes up.
type state struct {
	Stages  map[string]map[string]string   // variables
	Same    bool                           // both stages serve one deployment
	Aliases map[string]string              // version by name
	Allowed map[string][]map[string]string // statements by alias
	URI     string
}

func (w *world) state() state {
	w.Helper()
	ctx := context.Background()
	named := func(text string) string {
		return strings.ReplaceAll(strings.ReplaceAll(text, w.function, "FUNCTION"), w.api, "API")
	}
	out := state{Stages: map[string]map[string]string{}, Aliases: map[string]string{}, Allowed: map[string][]map[string]string{}}
	stages, err := w.gateway.GetStages(ctx, &apigateway.GetStagesInput{RestApiId: &w.api})
	w.must(err)
	deployments := map[string]bool{}
	for _, s := range stages.Item {
		out.Stages[*s.StageName] = s.Variables
		deployments[*s.DeploymentId] = true
		if s.CanarySettings != nil {
			w.Errorf("stage %s has a canary", *s.StageName)
		}
	}
	out.Same = len(deployments) == 1
	aliases, err := w.lambda.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: &w.function})
	w.must(err)
	for _, a := range aliases.Aliases {
		name := *a.Name
		if strings.HasPrefix(name, "release-"+w.api+"-") {
			name = "PIN"
		}
		out.Aliases[name] = *a.FunctionVersion
		p, err := w.lambda.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: &w.function, Qualifier: a.Name})
		w.must(err)
		var doc struct {
			Statement []struct {
				Sid, Action string
				Condition   struct{ ArnLike map[string]string }
			}
		}
		w.must(json.Unmarshal([]byte(*p.Policy), &doc))
		for _, s := range doc.Statement {
			out.Allowed[name] = append(out.Allowed[name], map[string]string{"sid": s.Sid, "action": s.Action, "source": named(s.Condition.ArnLike["AWS:SourceArn"])})
		}
		slices.SortFunc(out.Allowed[name], func(a, b map[string]string) int { return strings.Compare(a["sid"], b["sid"]) })
	}
	i, err := w.gateway.GetIntegration(ctx, &apigateway.GetIntegrationInput{RestApiId: &w.api, ResourceId: &w.get, HttpMethod: aws.String("GET")})
	w.must(err)
	out.URI = named(*i.Uri)
	return out
}

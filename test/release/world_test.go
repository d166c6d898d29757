// Package release drives butai release as a person would: the real binary,
// against a real server and real tools.
package release

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	apitypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/butai-dev/butai/test/harness"
)

const (
	region   = "us-east-1"
	account  = "000000000000"
	function = "pair"
)

// world is an API with a staging and a production, in the article's form: one
// stage variable picks the alias, and the template hands it to the function.
// Each answer names the generation of the gateway and of the code.
type world struct {
	testing.TB
	url     string // of the server
	env     []string
	dir     string // where butai.yaml is
	gateway *apigateway.Client
	lambda  *lambda.Client
	// function is the name of the one behind the API, of the API and of the
	// role; "pair" if it is left out.
	function string
	api      string
	get      string // resource id
	// variable is the stage variable that picks the alias: "stage", which the
	// template reads too, or one of its own.
	variable string
	// domain is production's, with a base path; "" if it has none.
	domain, basePath string
	// noPatch is set where integrations can only be put anew.
	noPatch bool
	// generations that staging serves now
	gatewayNow, codeNow string
}

// newWorld deploys generation 1 of both halves, to both stages.
func newWorld(t testing.TB, url string, env []string) *world {
	t.Helper()
	return newNamedWorld(t, url, env, "pair")
}

// newNamedWorld does so with a function of another name, so that several
// worlds can share a server.
func newNamedWorld(t testing.TB, url string, env []string, function string) *world {
	t.Helper()
	w := &world{TB: t, url: url, env: env, dir: t.TempDir(), variable: "stage", function: function}
	w.deploy()
	return w
}

func (w *world) deploy() {
	w.Helper()
	if w.function == "" {
		w.function = function
	}
	cfg := w.sdk()
	w.gateway, w.lambda = apigateway.NewFromConfig(cfg), lambda.NewFromConfig(cfg)
	ctx := context.Background()
	role, err := iam.NewFromConfig(cfg).CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: &w.function, AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
			"Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}`),
	})
	w.must(err)
	_, err = w.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &w.function, Role: role.Role.Arn, Handler: aws.String("main.handler"), Runtime: lambdatypes.RuntimePython311,
		Code: &lambdatypes.FunctionCode{ZipFile: w.zip(nil)}, Timeout: aws.Int32(10), Publish: true,
	})
	w.must(err)
	w.codeNow = "code-1"
	w.makeAPI(ctx)
	for stage, alias := range map[string]string{"staging": "$LATEST", "production": "1"} {
		_, err := w.lambda.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &w.function, Name: &stage, FunctionVersion: &alias})
		w.must(err)
		_, err = w.lambda.AddPermission(ctx, &lambda.AddPermissionInput{
			FunctionName: &w.function, Qualifier: &stage, StatementId: aws.String("gateway-" + stage),
			Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("apigateway.amazonaws.com"),
			SourceArn: aws.String(fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s/GET/pair", region, w.account(), w.api, stage)),
		})
		w.must(err)
		_, err = w.gateway.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{
			RestApiId: &w.api, StageName: &stage, Variables: map[string]string{"stage": stage, w.variable: stage},
		})
		w.must(err)
	}
}

// account is the one that the server takes us for.
func (w *world) account() string {
	if w.noPatch {
		return "123456789012" // moto's
	}
	return account
}

func (w *world) sdk() aws.Config {
	return aws.Config{Region: region, BaseEndpoint: &w.url, Credentials: harness.Credentials(account, "butai")}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// makeAPI makes GET /pair.
func (w *world) makeAPI(ctx context.Context) {
	api, err := w.gateway.CreateRestApi(ctx, &apigateway.CreateRestApiInput{Name: &w.function})
	w.must(err)
	w.api = *api.Id
	res, err := w.gateway.CreateResource(ctx, &apigateway.CreateResourceInput{
		RestApiId: &w.api, ParentId: api.RootResourceId, PathPart: aws.String("pair"),
	})
	w.must(err)
	w.get = *res.Id
	_, err = w.gateway.PutMethod(ctx, &apigateway.PutMethodInput{
		RestApiId: &w.api, ResourceId: &w.get, HttpMethod: aws.String("GET"), AuthorizationType: aws.String("NONE"),
	})
	w.must(err)
	_, err = w.gateway.PutMethodResponse(ctx, &apigateway.PutMethodResponseInput{
		RestApiId: &w.api, ResourceId: &w.get, HttpMethod: aws.String("GET"), StatusCode: aws.String("200"),
	})
	w.must(err)
	_, err = w.gateway.PutMethodResponse(ctx, &apigateway.PutMethodResponseInput{
		RestApiId: &w.api, ResourceId: &w.get, HttpMethod: aws.String("GET"), StatusCode: aws.String("500"),
	})
	w.must(err)
	w.editGateway("gateway-1")
	_, err = w.gateway.PutIntegrationResponse(ctx, &apigateway.PutIntegrationResponseInput{
		RestApiId: &w.api, ResourceId: &w.get, HttpMethod: aws.String("GET"), StatusCode: aws.String("200"),
	})
	w.must(err)
	_, err = w.gateway.PutIntegrationResponse(ctx, &apigateway.PutIntegrationResponseInput{
		RestApiId: &w.api, ResourceId: &w.get, HttpMethod: aws.String("GET"), StatusCode: aws.String("500"),
		SelectionPattern: aws.String("500: .*"),
	})
	w.must(err)
}

// editGateway edits the API; no stage shows it before a deployment.
func (w *world) editGateway(generation string) {
	w.Helper()
	ctx, template := context.Background(), fmt.Sprintf(`{"stage": "$stageVariables.stage", "gateway": %q}`, generation)
	if w.gatewayNow != "" && !w.noPatch {
		_, err := w.gateway.UpdateIntegration(ctx, &apigateway.UpdateIntegrationInput{
			RestApiId: &w.api, ResourceId: &w.get, HttpMethod: aws.String("GET"), PatchOperations: []apitypes.PatchOperation{
				{Op: apitypes.OpReplace, Path: aws.String("/requestTemplates/application~1json"), Value: &template},
			},
		})
		w.must(err)
	} else {
		_, err := w.gateway.PutIntegration(ctx, &apigateway.PutIntegrationInput{
			RestApiId: &w.api, ResourceId: &w.get, HttpMethod: aws.String("GET"), IntegrationHttpMethod: aws.String("POST"),
			Type: apitypes.IntegrationTypeAws, RequestTemplates: map[string]string{"application/json": template},
			Uri: aws.String(fmt.Sprintf("arn:aws:apigateway:%s:lambda:path/2015-03-31/functions/arn:aws:lambda:%s:%s:function:%s:${stageVariables.%s}/invocations",
				region, region, w.account(), w.function, w.variable)),
		})
		w.must(err)
	}
	w.gatewayNow = generation
}

// zip is the handler, with some of its constants changed.
func (w *world) zip(change map[string]string) []byte {
	w.Helper()
	source, err := os.ReadFile("testdata/main.py")
	w.must(err)
	text := string(source)
	for before, after := range change {
		if !strings.Contains(text, before) {
			w.Fatalf("the handler has no %s", before)
		}
		text = strings.Replace(text, before, after, 1)
	}
	data, err := os.ReadFile(harness.Zip(w, map[string]string{"main.py": text}))
	w.must(err)
	return data
}

// editCode uploads another generation of the code, which staging runs at once.
func (w *world) editCode(generation string, change map[string]string) {
	w.Helper()
	all := map[string]string{`CODE = "code-1"`: fmt.Sprintf("CODE = %q", generation)}
	maps.Copy(all, change)
	_, err := w.lambda.UpdateFunctionCode(context.Background(), &lambda.UpdateFunctionCodeInput{FunctionName: &w.function, ZipFile: w.zip(all)})
	w.must(err)
	w.codeNow = generation
}

// answer is what GET /pair says.
type answer struct {
	Status                        int
	Code, Gateway, Stage, Version string
	Body                          string `json:"-"` // of an answer that isn't the handler's
}

func (w *world) ask(stage string) answer {
	w.Helper()
	a, err := ask(http.DefaultClient, w.stageURL(stage)+"/pair")
	w.must(err)
	return a
}

func ask(client *http.Client, url string) (answer, error) {
	res, err := client.Get(url)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{Status: res.StatusCode}
	if res.StatusCode == http.StatusOK {
		err = json.Unmarshal(body, &a)
	}
	if a.Code == "" {
		a.Body = string(body)
	}
	return a, err
}

func (w *world) stageURL(stage string) string {
	return w.url + "/_aws/execute-api/" + w.api + "/" + stage
}

// serves expects which pair a stage serves.
func (w *world) serves(stage, gateway, code string) {
	w.Helper()
	if a := w.ask(stage); a.Status != 200 || a.Gateway != gateway || a.Code != code || a.Stage != stage {
		w.Errorf("%s answers %+v, want %s with %s", stage, a, gateway, code)
	}
}

// release runs butai release and returns what it printed and its exit code.
func (w *world) release(args ...string) (out string, code int) {
	w.Helper()
	cmd := w.command(args...)
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.Fatal(err)
	}
	return b.String(), cmd.ProcessState.ExitCode()
}

func (w *world) command(args ...string) *exec.Cmd {
	w.Helper()
	cmd := exec.Command(harness.Binary(w), append([]string{"release", "--who", "test"}, args...)...)
	cmd.Dir, cmd.Env = w.dir, w.env
	return cmd
}

// does runs butai release and expects an exit code.
func (w *world) does(want int, args ...string) string {
	w.Helper()
	out, code := w.release(args...)
	if code != want {
		w.Fatalf("butai release %s ended with %d, want %d:\n%s", strings.Join(args, " "), code, want, out)
	}
	return out
}

// configure changes lines of butai.yaml.
func (w *world) configure(change map[string]string) {
	w.Helper()
	path := filepath.Join(w.dir, "butai.yaml")
	text, err := os.ReadFile(path)
	w.must(err)
	s := string(text)
	if w.domain != "" && !strings.Contains(s, "domain:") {
		s = strings.Replace(s, "- name: production\n", "- name: production\n    domain: "+w.domain+"\n    url: http://"+w.domain+"/"+w.basePath+"\n", 1)
	}
	for before, after := range change {
		if !strings.Contains(s, before) {
			w.Fatalf("butai.yaml has no %q:\n%s", before, s)
		}
		s = strings.Replace(s, before, after, 1)
	}
	w.must(os.WriteFile(path, []byte(s), 0o644))
}

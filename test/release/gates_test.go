package release

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	apitypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/butai-dev/butai/test/harness"
)

// TestHooksAndApproval: a shell hook and a webhook learn of the release and
// may refuse; a person must agree before requests move.
func TestHooksAndApproval(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	w := newWorld(t, s.URL, s.Env())
	var told []string
	answer := http.StatusForbidden
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Stage string
			To    struct{ Versions map[string]string }
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err == nil {
			told = append(told, body.Stage+" "+body.To.Versions[function])
		}
		w.WriteHeader(answer)
	}))
	defer hook.Close()
	w.does(0, "init")
	w.configure(map[string]string{
		"propagation: 1s": "propagation: 100ms",
		"checks:":         fmt.Sprintf("gates: {approval: true, webhook: %q, hook: 'echo $BUTAI_STAGE $BUTAI_RELEASE >> hooked'}\nchecks:", hook.URL),
	})
	w.editCode("code-2", nil)
	w.says(3, "webhook: answered 403", "promote")
	answer = http.StatusNoContent
	w.says(4, "approval", "promote")
	w.serves("production", "gateway-1", "code-1")
	w.does(0, "resume")
	if a := w.ask("production"); a.Code != "code-2" {
		t.Errorf("production answers %+v", a)
	}
	hooked, err := os.ReadFile(filepath.Join(w.dir, "hooked"))
	w.must(err)
	if !strings.HasSuffix(string(hooked), "production 4\n") || told[len(told)-1] != "production 2" {
		t.Errorf("the hook heard %q, the webhook %q", hooked, told)
	}
}

const guard = `def handler(event, context):
    return {"principalId": "guard-1", "policyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}]}}
`

// TestAuthorizersFollow: an authorizer's function is released with the rest.
func TestAuthorizersFollow(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	w := newWorld(t, s.URL, s.Env())
	w.addAuthorizer()
	w.does(0, "init")
	w.configure(map[string]string{
		"propagation: 1s": "propagation: 100ms", "path: /pair": "path: /pair\n    headers: {Authorization: anybody}",
	})
	zip, err := os.ReadFile(harness.Zip(t, map[string]string{"main.py": strings.Replace(guard, "guard-1", "guard-2", 1)}))
	w.must(err)
	_, err = w.lambda.UpdateFunctionCode(context.Background(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("guard"), ZipFile: zip})
	w.must(err)
	w.does(0, "deploy", "staging")
	w.guardedBy("staging", "guard-2")
	w.guardedBy("production", "guard-1")
	w.does(0, "promote")
	w.guardedBy("production", "guard-2")
	w.does(0, "rollback", "production")
	w.guardedBy("production", "guard-1")
	harness.Tool(t, "aws")
	w.runsScript()
	w.guardedBy("production", "guard-2")
}

// guardedBy expects which authorizer lets requests into a stage.
func (w *world) guardedBy(stage, want string) {
	w.Helper()
	req, err := http.NewRequest(http.MethodGet, w.stageURL(stage)+"/pair", nil)
	w.must(err)
	req.Header.Set("Authorization", "anybody")
	res, err := http.DefaultClient.Do(req)
	w.must(err)
	defer res.Body.Close()
	var a answer
	w.must(json.NewDecoder(res.Body).Decode(&a))
	if res.StatusCode != http.StatusOK || a.Gateway != want {
		w.Errorf("%s answers %d %+v, want %s", stage, res.StatusCode, a, want)
	}
}

// addAuthorizer guards GET /pair by a function of its own, whose aliases are
// picked as the other's are; the answer's "gateway" is who let the caller in.
func (w *world) addAuthorizer() {
	w.Helper()
	ctx := context.Background()
	main, err := w.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(function)})
	w.must(err)
	zip, err := os.ReadFile(harness.Zip(w, map[string]string{"main.py": guard}))
	w.must(err)
	_, err = w.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String("guard"), Role: main.Role, Handler: aws.String("main.handler"), Runtime: main.Runtime,
		Code: &lambdatypes.FunctionCode{ZipFile: zip}, Publish: true,
	})
	w.must(err)
	uri := fmt.Sprintf("arn:aws:apigateway:%s:lambda:path/2015-03-31/functions/arn:aws:lambda:%s:%s:function:guard:${stageVariables.stage}/invocations", region, region, account)
	auth, err := w.gateway.CreateAuthorizer(ctx, &apigateway.CreateAuthorizerInput{
		RestApiId: &w.api, Name: aws.String("guard"), Type: apitypes.AuthorizerTypeToken, AuthorizerUri: &uri,
		IdentitySource: aws.String("method.request.header.Authorization"), AuthorizerResultTtlInSeconds: aws.Int32(0),
	})
	w.must(err)
	template := `{"stage": "$stageVariables.stage", "gateway": "$context.authorizer.principalId"}`
	_, err = w.gateway.UpdateMethod(ctx, &apigateway.UpdateMethodInput{
		RestApiId: &w.api, ResourceId: &w.get, HttpMethod: aws.String("GET"), PatchOperations: []apitypes.PatchOperation{
			{Op: apitypes.OpReplace, Path: aws.String("/authorizationType"), Value: aws.String("CUSTOM")},
			{Op: apitypes.OpReplace, Path: aws.String("/authorizerId"), Value: auth.Id},
		},
	})
	w.must(err)
	_, err = w.gateway.UpdateIntegration(ctx, &apigateway.UpdateIntegrationInput{
		RestApiId: &w.api, ResourceId: &w.get, HttpMethod: aws.String("GET"), PatchOperations: []apitypes.PatchOperation{
			{Op: apitypes.OpReplace, Path: aws.String("/requestTemplates/application~1json"), Value: &template},
		},
	})
	w.must(err)
	for stage, version := range map[string]string{"staging": "$LATEST", "production": "1"} {
		_, err := w.lambda.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: aws.String("guard"), Name: &stage, FunctionVersion: &version})
		w.must(err)
		_, err = w.lambda.AddPermission(ctx, &lambda.AddPermissionInput{
			FunctionName: aws.String("guard"), Qualifier: &stage, StatementId: aws.String("authorizer"),
			Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("apigateway.amazonaws.com"),
			SourceArn: aws.String(fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/authorizers/%s", region, account, w.api, *auth.Id)),
		})
		w.must(err)
		_, err = w.gateway.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: &w.api, StageName: &stage})
		w.must(err)
	}
}

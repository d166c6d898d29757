package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	apitypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"github.com/butai-dev/butai/test/harness"
)

const (
	staging    = "staging"
	production = "production"
)

// stageHistory is what a stage has served: marks are written into the response
// template before the deployment that carries them.
type stageHistory struct {
	mark, variable history
	// canary and override are what the stage's canary has been, "" for none.
	canary, override history
}

// world is an API that changes all the time.
type world struct {
	gateway   *apigateway.Client
	url       func(stage string) string
	api, root string
	stages    map[string]*stageHistory
	canaries  atomic.Int64 // answers of canaries

	mu          sync.Mutex
	deployments map[string]string // id by mark
}

func newWorld(t *testing.T, s *harness.Server) *world {
	t.Helper()
	ctx := t.Context()
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(s.URL), Credentials: aws.CredentialsProviderFunc(
		func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "000000000000", SecretAccessKey: "butai"}, nil
		})}
	w := &world{
		gateway: apigateway.NewFromConfig(cfg), deployments: map[string]string{},
		stages: map[string]*stageHistory{staging: {}, production: {}},
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	api, err := w.gateway.CreateRestApi(ctx, &apigateway.CreateRestApiInput{Name: aws.String("soak")})
	must(err)
	w.api, w.root = *api.Id, *api.RootResourceId
	w.url = func(stage string) string { return s.API(w.api, stage) + "/" }
	get, ok := aws.String("GET"), aws.String("200")
	_, err = w.gateway.PutMethod(ctx, &apigateway.PutMethodInput{
		RestApiId: &w.api, ResourceId: &w.root, HttpMethod: get, AuthorizationType: aws.String("NONE")})
	must(err)
	_, err = w.gateway.PutIntegration(ctx, &apigateway.PutIntegrationInput{
		RestApiId: &w.api, ResourceId: &w.root, HttpMethod: get, Type: apitypes.IntegrationTypeMock,
		RequestTemplates: map[string]string{"application/json": `{"statusCode": 200}`}})
	must(err)
	_, err = w.gateway.PutMethodResponse(ctx, &apigateway.PutMethodResponseInput{
		RestApiId: &w.api, ResourceId: &w.root, HttpMethod: get, StatusCode: ok})
	must(err)
	must(w.deploy(ctx, 0, staging, production))
	for stage := range w.stages {
		must(w.setVariable(ctx, stage, 0))
	}
	return w
}

// deploy gives the response template a mark of its own, deploys it to the
// first stage and points the others at that deployment.
func (w *world) deploy(ctx context.Context, n int, stages ...string) error {
	mark := strconv.Itoa(n)
	template := fmt.Sprintf(`{"mark": "%s", "deployment": "$context.deploymentId", "stage": "$context.stage", "variable": "$stageVariables.v", "canary": "$context.isCanaryRequest"}`, mark)
	if _, err := w.gateway.PutIntegrationResponse(ctx, &apigateway.PutIntegrationResponseInput{
		RestApiId: &w.api, ResourceId: &w.root, HttpMethod: aws.String("GET"), StatusCode: aws.String("200"),
		ResponseTemplates: map[string]string{"application/json": template},
	}); err != nil {
		return err
	}
	for _, stage := range stages {
		acknowledged := w.stages[stage].mark.ask(mark)
		if err := w.deployTo(ctx, mark, stage); err != nil {
			return err
		}
		acknowledged()
	}
	return nil
}

func (w *world) deployTo(ctx context.Context, mark, stage string) error {
	if id, ok := w.deployment(mark); ok && w.stages[stage].mark.count() > 1 {
		_, err := w.gateway.UpdateStage(ctx, w.replace(stage, "/deploymentId", id))
		return err
	}
	d, err := w.gateway.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: &w.api, StageName: &stage})
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.deployments[mark] == "" {
		w.deployments[mark] = *d.Id
	}
	return nil
}

func (w *world) deployment(mark string) (id string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id, ok = w.deployments[mark]
	return id, ok
}

// newest is the mark of the newest deployment.
func (w *world) newest() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.deployments) - 1 // each mark has one
}

func (w *world) replace(stage, path, value string) *apigateway.UpdateStageInput {
	return &apigateway.UpdateStageInput{RestApiId: &w.api, StageName: &stage, PatchOperations: []apitypes.PatchOperation{
		{Op: apitypes.OpReplace, Path: &path, Value: &value}}}
}

// setVariable changes the stage variable that answers show.
func (w *world) setVariable(ctx context.Context, stage string, n int) error {
	value := strconv.Itoa(n)
	acknowledged := w.stages[stage].variable.ask(value)
	if _, err := w.gateway.UpdateStage(ctx, w.replace(stage, "/variables/v", value)); err != nil {
		return err
	}
	acknowledged()
	return nil
}

// setCanary gives a stage a canary for half of its requests, with a deployment
// that is there and a variable of its own; or none, without a mark.
func (w *world) setCanary(ctx context.Context, stage, mark, variable string) error {
	in := &apigateway.UpdateStageInput{RestApiId: &w.api, StageName: &stage}
	add := func(op apitypes.Op, path, value string) {
		p := apitypes.PatchOperation{Op: op, Path: aws.String("/canarySettings" + path)}
		if value != "" {
			p.Value = &value
		}
		in.PatchOperations = append(in.PatchOperations, p)
	}
	if mark == "" {
		add(apitypes.OpRemove, "", "")
	} else {
		id, _ := w.deployment(mark)
		add(apitypes.OpReplace, "/deploymentId", id)
		add(apitypes.OpReplace, "/percentTraffic", "50")
		add(apitypes.OpReplace, "/stageVariableOverrides/v", variable)
	}
	h := w.stages[stage]
	canary, override := h.canary.ask(mark), h.override.ask(variable)
	if _, err := w.gateway.UpdateStage(ctx, in); err != nil {
		return err
	}
	canary()
	override()
	return nil
}

// answer is what the API says.
type answer struct{ Mark, Deployment, Stage, Variable, Canary string }

// call asks a stage, and tells what is wrong with its answer.
func (w *world) call(client *http.Client, stage string) error {
	from := time.Now()
	res, err := client.Get(w.url(stage))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var a answer
	if err := json.NewDecoder(res.Body).Decode(&a); err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d: %w", res.StatusCode, err)
	}
	to, h := time.Now(), w.stages[stage]
	marks, variables := &h.mark, &h.variable
	if a.Canary == "true" {
		w.canaries.Add(1)
		marks, variables = &h.canary, &h.override
	}
	id, known := w.deployment(a.Mark)
	switch {
	case a.Stage != stage:
		return fmt.Errorf("%s answered as %s", stage, a.Stage)
	case !marks.was(a.Mark, from, to):
		return fmt.Errorf("%s answered %+v, from a deployment that it did not serve then", stage, a)
	case !variables.was(a.Variable, from, to):
		return fmt.Errorf("%s answered %+v, with a variable that it did not have then", stage, a)
	case known && stage == staging && id != a.Deployment:
		return fmt.Errorf("%s answered mark %s from deployment %s, not from its own %s", stage, a.Mark, a.Deployment, id)
	}
	return nil
}

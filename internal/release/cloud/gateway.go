package cloud

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"github.com/butai-dev/butai/internal/release"
	"github.com/butai-dev/butai/internal/release/plan"
)

// Gateway is one API of API Gateway.
type Gateway struct {
	client *apigateway.Client
	api    string
}

var _ release.Gateway = (*Gateway)(nil)

// NewGateway is the API of an id.
func NewGateway(cfg aws.Config, api string) *Gateway {
	return &Gateway{client: apigateway.NewFromConfig(cfg), api: api}
}

// API is what init shows of an API.
type API struct{ ID, Name string }

// APIs lists the account's APIs.
func APIs(ctx context.Context, cfg aws.Config) ([]API, error) {
	var out []API
	pages := apigateway.NewGetRestApisPaginator(apigateway.NewFromConfig(cfg), &apigateway.GetRestApisInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, a := range page.Items {
			out = append(out, API{aws.ToString(a.Id), aws.ToString(a.Name)})
		}
	}
	return out, nil
}

// StageNames lists the API's stages.
func (g *Gateway) StageNames(ctx context.Context) ([]string, error) {
	out, err := g.client.GetStages(ctx, &apigateway.GetStagesInput{RestApiId: &g.api})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range out.Item {
		names = append(names, aws.ToString(s.StageName))
	}
	slices.Sort(names)
	return names, nil
}

// Stage implements release.Gateway.
func (g *Gateway) Stage(ctx context.Context, name string) (plan.Stage, error) {
	s, err := g.client.GetStage(ctx, &apigateway.GetStageInput{RestApiId: &g.api, StageName: &name})
	if is(err, "NotFoundException") {
		return plan.Stage{Missing: true}, nil
	}
	if err != nil {
		return plan.Stage{}, err
	}
	out := plan.Stage{Deployment: aws.ToString(s.DeploymentId), Variables: s.Variables}
	if c := s.CanarySettings; c != nil {
		out.Canary = &plan.Canary{Deployment: aws.ToString(c.DeploymentId), Percent: c.PercentTraffic, Overrides: c.StageVariableOverrides}
	}
	return out, nil
}

// ChangeStage implements release.Gateway.
func (g *Gateway) ChangeStage(ctx context.Context, name string, c plan.Change) error {
	var err error
	switch {
	case c.Delete:
		_, err = g.client.DeleteStage(ctx, &apigateway.DeleteStageInput{RestApiId: &g.api, StageName: &name})
		if is(err, "NotFoundException") {
			err = nil
		}
	case c.Create:
		_, err = g.client.CreateStage(ctx, &apigateway.CreateStageInput{
			RestApiId: &g.api, StageName: &name, DeploymentId: &c.Deployment, Variables: c.Set,
		})
	default:
		_, err = g.client.UpdateStage(ctx, &apigateway.UpdateStageInput{RestApiId: &g.api, StageName: &name, PatchOperations: Patch(c)})
	}
	return err
}

// Patch is a change as UpdateStage takes it. What removes the canary comes
// first, since the rest is about the stage itself.
func Patch(c plan.Change) []types.PatchOperation {
	var ops []types.PatchOperation
	add := func(op types.Op, path, value string) {
		o := types.PatchOperation{Op: op, Path: &path}
		if op != types.OpRemove {
			o.Value = &value
		}
		ops = append(ops, o)
	}
	if c.RemoveCanary {
		add(types.OpRemove, "/canarySettings", "")
	}
	if c.Deployment != "" {
		add(types.OpReplace, "/deploymentId", c.Deployment)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Set)) {
		add(types.OpReplace, "/variables/"+name, c.Set[name])
	}
	for _, name := range c.Remove {
		add(types.OpRemove, "/variables/"+name, "")
	}
	if k := c.Canary; k != nil {
		add(types.OpReplace, "/canarySettings/deploymentId", k.Deployment)
		add(types.OpReplace, "/canarySettings/percentTraffic", strconv.FormatFloat(k.Percent, 'f', -1, 64))
		for _, name := range slices.Sorted(maps.Keys(k.Overrides)) {
			add(types.OpReplace, "/canarySettings/stageVariableOverrides/"+name, k.Overrides[name])
		}
	}
	return ops
}

// Deployments implements release.Gateway.
func (g *Gateway) Deployments(ctx context.Context) ([]release.Deployment, error) {
	var out []release.Deployment
	pages := apigateway.NewGetDeploymentsPaginator(g.client, &apigateway.GetDeploymentsInput{RestApiId: &g.api})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, d := range page.Items {
			out = append(out, release.Deployment{ID: aws.ToString(d.Id), Description: aws.ToString(d.Description), Created: aws.ToTime(d.CreatedDate)})
		}
	}
	return out, nil
}

// CreateDeployment implements release.Gateway. It touches no stage.
func (g *Gateway) CreateDeployment(ctx context.Context, description string) (string, error) {
	d, err := g.client.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: &g.api, Description: &description})
	if err != nil {
		return "", err
	}
	return aws.ToString(d.Id), nil
}

// DeleteDeployment implements release.Gateway.
func (g *Gateway) DeleteDeployment(ctx context.Context, id string) error {
	_, err := g.client.DeleteDeployment(ctx, &apigateway.DeleteDeploymentInput{RestApiId: &g.api, DeploymentId: &id})
	if is(err, "NotFoundException") {
		return nil
	}
	return err
}

// Integrations implements release.Gateway.
func (g *Gateway) Integrations(ctx context.Context) ([]release.Integration, error) {
	var out []release.Integration
	pages := apigateway.NewGetResourcesPaginator(g.client, &apigateway.GetResourcesInput{RestApiId: &g.api, Embed: []string{"methods"}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Items {
			for _, verb := range slices.Sorted(maps.Keys(r.ResourceMethods)) {
				i := r.ResourceMethods[verb].MethodIntegration
				if i == nil || !strings.Contains(aws.ToString(i.Uri), ":lambda:path/") {
					continue
				}
				out = append(out, release.Integration{
					ResourceID: aws.ToString(r.Id), Path: aws.ToString(r.Path), Method: verb,
					Type: string(i.Type), URI: aws.ToString(i.Uri), Templates: texts(i), Role: aws.ToString(i.Credentials),
				})
			}
		}
	}
	slices.SortFunc(out, func(a, b release.Integration) int {
		return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method)
	})
	authorizers, err := g.authorizers(ctx)
	return append(out, authorizers...), err
}

// authorizers lists those that call Lambda.
func (g *Gateway) authorizers(ctx context.Context) ([]release.Integration, error) {
	var out []release.Integration
	in := &apigateway.GetAuthorizersInput{RestApiId: &g.api}
	for {
		page, err := g.client.GetAuthorizers(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, a := range page.Items {
			if uri := aws.ToString(a.AuthorizerUri); strings.Contains(uri, ":lambda:path/") {
				out = append(out, release.Integration{
					Authorizer: aws.ToString(a.Id), Name: aws.ToString(a.Name), Type: string(a.Type),
					URI: uri, Role: aws.ToString(a.AuthorizerCredentials),
				})
			}
		}
		if in.Position = page.Position; aws.ToString(in.Position) == "" {
			return out, nil
		}
	}
}

// Settings implements release.Gateway.
func (g *Gateway) Settings(ctx context.Context, stage string) (map[string]string, error) {
	s, err := g.client.GetStage(ctx, &apigateway.GetStageInput{RestApiId: &g.api, StageName: &stage})
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for name, m := range s.MethodSettings {
		out[name+" throttling"] = fmt.Sprintf("%g a second, bursts of %d", m.ThrottlingRateLimit, m.ThrottlingBurstLimit)
		out[name+" caching"] = fmt.Sprintf("%t, %d s", m.CachingEnabled, m.CacheTtlInSeconds)
		out[name+" logging"] = cmp.Or(aws.ToString(m.LoggingLevel), "OFF")
	}
	out["tracing"], out["cache"] = strconv.FormatBool(s.TracingEnabled), strconv.FormatBool(s.CacheClusterEnabled)
	out["web ACL"] = aws.ToString(s.WebAclArn)
	return out, nil
}

// texts are an integration's templates and mappings, apart from its URI.
func texts(i *types.Integration) []string {
	out := slices.Sorted(maps.Values(i.RequestTemplates))
	out = append(out, slices.Sorted(maps.Values(i.RequestParameters))...)
	out = append(out, aws.ToString(i.Credentials))
	for _, status := range slices.Sorted(maps.Keys(i.IntegrationResponses)) {
		out = append(out, slices.Sorted(maps.Values(i.IntegrationResponses[status].ResponseTemplates))...)
		out = append(out, slices.Sorted(maps.Values(i.IntegrationResponses[status].ResponseParameters))...)
	}
	return out
}

// SetURI implements release.Gateway.
func (g *Gateway) SetURI(ctx context.Context, i release.Integration, uri string) error {
	if i.Authorizer != "" {
		_, err := g.client.UpdateAuthorizer(ctx, &apigateway.UpdateAuthorizerInput{
			RestApiId: &g.api, AuthorizerId: &i.Authorizer,
			PatchOperations: []types.PatchOperation{{Op: types.OpReplace, Path: aws.String("/authorizerUri"), Value: &uri}},
		})
		return err
	}
	_, err := g.client.UpdateIntegration(ctx, &apigateway.UpdateIntegrationInput{
		RestApiId: &g.api, ResourceId: &i.ResourceID, HttpMethod: &i.Method,
		PatchOperations: []types.PatchOperation{{Op: types.OpReplace, Path: aws.String("/uri"), Value: &uri}},
	})
	return err
}

// Export implements release.Gateway.
func (g *Gateway) Export(ctx context.Context, stage string) ([]byte, error) {
	out, err := g.client.GetExport(ctx, &apigateway.GetExportInput{
		RestApiId: &g.api, StageName: &stage, ExportType: aws.String("oas30"), Accepts: aws.String("application/json"),
		Parameters: map[string]string{"extensions": "apigateway"},
	})
	if err != nil {
		return nil, err
	}
	return out.Body, nil
}

// name is the API's name.
func (g *Gateway) name(ctx context.Context) (string, error) {
	api, err := g.client.GetRestApi(ctx, &apigateway.GetRestApiInput{RestApiId: &g.api})
	if err != nil {
		return "", err
	}
	return aws.ToString(api.Name), nil
}

package apigateway

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/gateway"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// CreateDeployment freezes a copy of the API as it is now. With a stage name
// it creates that stage, or points it at the new deployment.
func (s *Service) CreateDeployment(ctx context.Context, in *apigatewayapi.CreateDeploymentRequest) (*apigatewayapi.Deployment, error) {
	sc, api, id, now := scopeOf(ctx), *in.RestApiId, ident.Lower(6), s.now()
	d, err := update(ctx, s, func(tx store.Tx) (*apigatewayapi.Deployment, error) {
		if in.CanarySettings != nil {
			if err := checkCanaryDeployment(tx, sc, in); err != nil {
				return nil, err
			}
		}
		snapshot, err := freeze(tx, sc, api)
		if err != nil {
			return nil, err
		}
		snapshot.ID, snapshot.Created = id, *now
		d := &apigatewayapi.Deployment{Id: &id, Description: nonEmpty(in.Description), CreatedDate: now, ApiSummary: summary(snapshot.Resources)}
		if err := deployments.Put(tx, d, sc.id(api, id)...); err != nil {
			return nil, err
		}
		if err := snapshots.Put(tx, snapshot, sc.id(api, id)...); err != nil {
			return nil, err
		}
		if wire.Val(in.StageName) != "" {
			err = s.deployToStage(tx, sc, id, in)
		}
		return d, err
	})
	if err != nil {
		return nil, err
	}
	if name := wire.Val(in.StageName); name != "" {
		if err := s.publishStages(ctx, sc, api, name); err != nil {
			return nil, err
		}
	}
	return answerDeployment(d, nil), nil
}

// freeze copies what a deployment fixes, of an API that can be deployed.
func freeze(r store.ReadTx, sc scope, apiID string) (*gateway.Deployment, error) {
	d, err := frozen(r, sc, apiID)
	if err != nil {
		return nil, err
	}
	methods := 0
	for _, res := range d.Resources {
		for _, m := range res.ResourceMethods {
			if methods++; m.MethodIntegration == nil {
				return nil, badRequest("No integration defined for method")
			}
		}
	}
	if methods == 0 {
		return nil, badRequest("The REST API doesn't contain any methods")
	}
	if d.API.Policy == nil && slices.Contains(d.API.EndpointConfiguration.Types, apigatewayapi.EndpointTypePRIVATE) {
		return nil, badRequest("Private REST API doesn't have a resource policy attached to it")
	}
	return d, nil
}

// frozen copies what a deployment fixes.
func frozen(r store.ReadTx, sc scope, apiID string) (*gateway.Deployment, error) {
	api, err := getAPI(r, sc, apiID)
	if err != nil {
		return nil, err
	}
	d := &gateway.Deployment{API: *api}
	return d, errors.Join(
		copyRecords(r, resources, sc.id(apiID), &d.Resources), copyRecords(r, models, sc.id(apiID), &d.Models),
		copyRecords(r, gatewayResponses, sc.id(apiID), &d.GatewayResponses), copyRecords(r, authorizers, sc.id(apiID), &d.Authorizers),
		copyRecords(r, requestValidators, sc.id(apiID), &d.RequestValidators),
	)
}

// copyRecords reads a collection's records below an id.
func copyRecords[T any](r store.ReadTx, c record.Collection[T], id []string, into *[]T) error {
	all, err := c.List(r, id...)
	*into = values(all)
	return err
}

func summary(tree []apigatewayapi.Resource) map[string]map[string]apigatewayapi.MethodSnapshot {
	out := map[string]map[string]apigatewayapi.MethodSnapshot{}
	for _, res := range tree {
		for verb, m := range res.ResourceMethods {
			if out[*res.Path] == nil {
				out[*res.Path] = map[string]apigatewayapi.MethodSnapshot{}
			}
			out[*res.Path][verb] = apigatewayapi.MethodSnapshot{AuthorizationType: m.AuthorizationType, ApiKeyRequired: m.ApiKeyRequired}
		}
	}
	return out
}

// deployToStage creates the stage that a deployment names, or repoints it.
// Members that the request leaves out stay as they are on an existing stage.
func (s *Service) deployToStage(tx store.Tx, sc scope, deployment string, in *apigatewayapi.CreateDeploymentRequest) error {
	st, err := stages.Get(tx, sc.id(*in.RestApiId, *in.StageName)...)
	if err != nil {
		return err
	}
	if st == nil {
		_, err := s.addStage(tx, sc, &apigatewayapi.CreateStageRequest{
			RestApiId: in.RestApiId, StageName: in.StageName, DeploymentId: &deployment,
			Description: in.StageDescription, Variables: in.Variables, TracingEnabled: in.TracingEnabled,
			CacheClusterEnabled: in.CacheClusterEnabled, CacheClusterSize: in.CacheClusterSize,
		})
		return err
	}
	if err := checkVariables(in.Variables); err != nil {
		return err
	}
	v := &st.Stage
	v.LastUpdatedDate = s.now()
	if err := deployCanary(v, deployment, in.CanarySettings); err != nil {
		return err
	}
	if err := setCacheCluster(v, in.CacheClusterEnabled, in.CacheClusterSize); err != nil {
		return err
	}
	if wire.Val(in.StageDescription) != "" {
		v.Description = in.StageDescription
	}
	if len(in.Variables) > 0 {
		v.Variables = in.Variables
	}
	if in.TracingEnabled != nil {
		v.TracingEnabled = in.TracingEnabled
	}
	return stages.Put(tx, st, sc.id(*in.RestApiId, *in.StageName)...)
}

// answerDeployment is a deployment as calls print it: its summary only if it
// is embedded.
func answerDeployment(d *apigatewayapi.Deployment, embed []string) *apigatewayapi.Deployment {
	out := *d
	if !slices.ContainsFunc(embed, func(e string) bool { return strings.EqualFold(e, "apisummary") }) {
		out.ApiSummary = nil
	}
	return &out
}

// GetDeployment returns a deployment.
func (s *Service) GetDeployment(ctx context.Context, in *apigatewayapi.GetDeploymentRequest) (*apigatewayapi.Deployment, error) {
	sc := scopeOf(ctx)
	d, err := view(ctx, s, func(r store.ReadTx) (*apigatewayapi.Deployment, error) {
		return find(r, deployments, noDeployment(), sc.id(*in.RestApiId, *in.DeploymentId))
	})
	if err != nil {
		return nil, err
	}
	return answerDeployment(d, in.Embed), nil
}

// GetDeployments lists an API's deployments.
func (s *Service) GetDeployments(ctx context.Context, in *apigatewayapi.GetDeploymentsRequest) (*apigatewayapi.Deployments, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.Deployments, error) {
		if _, err := getAPI(r, sc, *in.RestApiId); err != nil {
			return nil, err
		}
		items, next, err := page(r, deployments, in.Position, in.Limit, func(d *apigatewayapi.Deployment) string { return *d.Id }, sc.id(*in.RestApiId))
		if err != nil {
			return nil, err
		}
		for i, d := range items {
			items[i] = answerDeployment(d, nil)
		}
		return &apigatewayapi.Deployments{Position: next, Items: values(items)}, nil
	})
}

var deploymentPatch = patchTable[apigatewayapi.Deployment]{picky: true, rows: []patchRow[apigatewayapi.Deployment]{
	textRow("/description", func(d *apigatewayapi.Deployment) **string { return &d.Description }),
}}

// UpdateDeployment changes a deployment's description.
func (s *Service) UpdateDeployment(ctx context.Context, in *apigatewayapi.UpdateDeploymentRequest) (*apigatewayapi.Deployment, error) {
	sc := scopeOf(ctx)
	d, err := update(ctx, s, func(tx store.Tx) (*apigatewayapi.Deployment, error) {
		d, err := find(tx, deployments, noDeployment(), sc.id(*in.RestApiId, *in.DeploymentId))
		if err != nil {
			return nil, err
		}
		if err := deploymentPatch.apply(d, in.PatchOperations); err != nil {
			return nil, err
		}
		return d, deployments.Put(tx, d, sc.id(*in.RestApiId, *in.DeploymentId)...)
	})
	if err != nil {
		return nil, err
	}
	return answerDeployment(d, nil), nil
}

// DeleteDeployment deletes a deployment that no stage serves.
func (s *Service) DeleteDeployment(ctx context.Context, in *apigatewayapi.DeleteDeploymentRequest) error {
	sc := scopeOf(ctx)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := find(tx, deployments, noDeployment(), sc.id(*in.RestApiId, *in.DeploymentId)); err != nil {
			return err
		}
		for st, err := range stages.All(tx, sc.id(*in.RestApiId)...) {
			if err != nil {
				return err
			}
			canary := st.Stage.CanarySettings
			if *st.Stage.DeploymentId == *in.DeploymentId || canary != nil && *canary.DeploymentId == *in.DeploymentId {
				return badRequest("Active stages pointing to this deployment must be moved or deleted")
			}
		}
		if err := snapshots.Delete(tx, sc.id(*in.RestApiId, *in.DeploymentId)...); err != nil {
			return err
		}
		return deployments.Delete(tx, sc.id(*in.RestApiId, *in.DeploymentId)...)
	})
}

package apigateway

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxStages is the default quota ("Amazon API Gateway quotas").
const maxStages = 10

// stage is a stage's record. It says where it belongs, so that a start can
// publish all stages from one scan.
type stage struct {
	scope
	API   string
	Stage apigatewayapi.Stage
}

var (
	stageNamePattern     = pattern{regexp.MustCompile(`^[A-Za-z0-9_-]+$`), 128}
	variableNamePattern  = pattern{regexp.MustCompile(`^[A-Za-z0-9_]+$`), 64}
	variableValuePattern = pattern{regexp.MustCompile(`^[A-Za-z0-9 ._~:/?#&=,-]+$`), 512}
)

func checkVariable(name, value string) error {
	switch {
	case !variableNamePattern.matches(name):
		return badRequest("Invalid stage variable name: %s.  Please use names with only word characters.", name)
	case !variableValuePattern.matches(value):
		return badRequest("Invalid stage variable value: %s.  Please use values with alphanumeric characters and the symbols ' ', -', '.', '_', ':', '/', '?', '&', '=', and ','.", value)
	}
	return nil
}

func checkVariables(vars map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if err := checkVariable(name, vars[name]); err != nil {
			return err
		}
	}
	return nil
}

// CreateStage makes a stage that serves a deployment.
func (s *Service) CreateStage(ctx context.Context, in *apigatewayapi.CreateStageRequest) (*apigatewayapi.Stage, error) {
	sc := scopeOf(ctx)
	st, err := update(ctx, s, func(tx store.Tx) (*apigatewayapi.Stage, error) {
		if _, err := getAPI(tx, sc, *in.RestApiId); err != nil {
			return nil, err
		}
		return s.addStage(tx, sc, in)
	})
	if err != nil {
		return nil, err
	}
	return inProgress(st, nil), s.publishStages(ctx, sc, *in.RestApiId, *in.StageName)
}

// addStage checks and stores a new stage.
func (s *Service) addStage(tx store.Tx, sc scope, in *apigatewayapi.CreateStageRequest) (*apigatewayapi.Stage, error) {
	if !stageNamePattern.matches(*in.StageName) {
		return nil, badRequest("Stage name only allows a-zA-Z0-9_")
	}
	if err := checkVariables(in.Variables); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if _, err := find(tx, deployments, noDeployment(), sc.id(*in.RestApiId, *in.DeploymentId)); err != nil {
		return nil, err
	}
	if err := checkDocumentationVersion(tx, sc, *in.RestApiId, in.DocumentationVersion); err != nil {
		return nil, err
	}
	have, err := stages.List(tx, sc.id(*in.RestApiId)...)
	if err != nil {
		return nil, err
	}
	for _, other := range have {
		if *other.Stage.StageName == *in.StageName {
			return nil, conflict("Stage already exists")
		}
	}
	if len(have) >= maxStages {
		return nil, limitExceeded("Maximum number of stages for this API has been reached. Please contact AWS if you need additional stages.")
	}
	canary, err := canaryOf(tx, sc, in)
	if err != nil {
		return nil, err
	}
	st := &stage{scope: sc, API: *in.RestApiId, Stage: apigatewayapi.Stage{
		StageName: in.StageName, DeploymentId: in.DeploymentId, Description: nonEmpty(in.Description), Variables: nonEmptyMap(in.Variables),
		CacheClusterEnabled: wire.Ptr(false), CanarySettings: canary,
		MethodSettings: map[string]apigatewayapi.MethodSetting{}, TracingEnabled: wire.Ptr(wire.Val(in.TracingEnabled)),
		DocumentationVersion: nonEmpty(in.DocumentationVersion), Tags: nonEmptyMap(in.Tags), CreatedDate: s.now(), LastUpdatedDate: s.now(),
	}}
	if err := setCacheCluster(&st.Stage, in.CacheClusterEnabled, in.CacheClusterSize); err != nil {
		return nil, err
	}
	return &st.Stage, stages.Put(tx, st, sc.id(*in.RestApiId, *in.StageName)...)
}

func nonEmptyMap[V any](m map[string]V) map[string]V {
	if len(m) == 0 {
		return nil
	}
	return m
}

func getStage(r store.ReadTx, sc scope, apiID, name string) (*stage, error) {
	return find(r, stages, noStage(), sc.id(apiID, name))
}

// GetStage returns a stage.
func (s *Service) GetStage(ctx context.Context, in *apigatewayapi.GetStageRequest) (*apigatewayapi.Stage, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.Stage, error) {
		st, err := getStage(r, sc, *in.RestApiId, *in.StageName)
		if err != nil {
			return nil, err
		}
		return &st.Stage, nil
	})
}

// GetStages lists an API's stages, or those of one deployment.
func (s *Service) GetStages(ctx context.Context, in *apigatewayapi.GetStagesRequest) (*apigatewayapi.Stages, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.Stages, error) {
		if _, err := getAPI(r, sc, *in.RestApiId); err != nil {
			return nil, err
		}
		out := &apigatewayapi.Stages{Item: []apigatewayapi.Stage{}}
		for st, err := range stages.All(r, sc.id(*in.RestApiId)...) {
			if err != nil {
				return nil, err
			}
			if want := wire.Val(in.DeploymentId); want == "" || want == *st.Stage.DeploymentId {
				out.Item = append(out.Item, st.Stage)
			}
		}
		return out, nil
	})
}

// DeleteStage deletes a stage; clients get 403 from then on.
func (s *Service) DeleteStage(ctx context.Context, in *apigatewayapi.DeleteStageRequest) error {
	sc := scopeOf(ctx)
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := getStage(tx, sc, *in.RestApiId, *in.StageName); err != nil {
			return err
		}
		mapped, err := mappedDomains(tx, sc, *in.RestApiId, *in.StageName)
		if err != nil {
			return err
		}
		if len(mapped) > 0 {
			return badRequest("Deleting stage %s failed. Please remove all base path mappings related to the stage in your domains: %s",
				*in.StageName, strings.Join(mapped, ", "))
		}
		if err := leavePlans(tx, sc, *in.RestApiId, *in.StageName); err != nil {
			return err
		}
		return stages.Delete(tx, sc.id(*in.RestApiId, *in.StageName)...)
	})
	if err != nil {
		return err
	}
	return errors.Join(s.publishStages(ctx, sc, *in.RestApiId, *in.StageName), s.publishPlans(ctx, sc))
}

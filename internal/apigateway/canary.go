package apigateway

import (
	"cmp"
	"maps"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// newCanary fills in what a canary has by default: the stage's own deployment,
// none of its traffic, a cache of its own (recorded).
func newCanary(deployment *string) *apigatewayapi.CanarySettings {
	return &apigatewayapi.CanarySettings{DeploymentId: deployment, PercentTraffic: wire.Ptr(0.0), UseStageCache: wire.Ptr(false)}
}

// canaryOf checks the canary that CreateStage asks for.
func canaryOf(r store.ReadTx, sc scope, in *apigatewayapi.CreateStageRequest) (*apigatewayapi.CanarySettings, error) {
	asked := in.CanarySettings
	if asked == nil {
		return nil, nil
	}
	c := newCanary(in.DeploymentId)
	if wire.Val(asked.DeploymentId) != "" {
		c.DeploymentId = asked.DeploymentId
		if err := checkDeployment(r, sc, *in.RestApiId, *asked.DeploymentId); err != nil {
			return nil, err
		}
	}
	return c, fillCanary(c, asked.PercentTraffic, asked.StageVariableOverrides, asked.UseStageCache)
}

func fillCanary(c *apigatewayapi.CanarySettings, percent *float64, overrides map[string]string, useStageCache *bool) error {
	if percent != nil {
		c.PercentTraffic = percent
	}
	if useStageCache != nil {
		c.UseStageCache = useStageCache
	}
	c.StageVariableOverrides = nonEmptyMap(overrides)
	if err := checkPercent(*c.PercentTraffic); err != nil {
		return err
	}
	return checkVariables(overrides)
}

func checkPercent(percent float64) error {
	if !(percent >= 0 && percent <= 100) {
		return badRequest("Canary percent traffic must be between 0.0 and 100.0")
	}
	return nil
}

func checkDeployment(r store.ReadTx, sc scope, api, id string) error {
	if d, err := deployments.Get(r, sc.id(api, id)...); err != nil || d == nil {
		return cmp.Or(err, badRequest("Deployment id does not exist"))
	}
	return nil
}

// checkCanaryDeployment checks that the stage of a canary's deployment is
// there already.
func checkCanaryDeployment(r store.ReadTx, sc scope, in *apigatewayapi.CreateDeploymentRequest) error {
	const invalid = "Invalid deployment content specified."
	name := wire.Val(in.StageName)
	if name == "" {
		provided := "null"
		if in.StageName != nil {
			provided = ""
		}
		return badRequest(invalid+"Non null and non empty stageName must be provided for canary deployment. Provided value is %s", provided)
	}
	if st, err := stages.Get(r, sc.id(*in.RestApiId, name)...); err != nil || st == nil {
		return cmp.Or(err, badRequest(invalid+"Stage %s must already be created before making a canary release deployment", name))
	}
	return nil
}

// deployCanary gives a stage a deployment: a canary's, which leaves the
// stage's own alone, or the stage's, which ends a canary.
func deployCanary(st *apigatewayapi.Stage, deployment string, asked *apigatewayapi.DeploymentCanarySettings) error {
	if asked == nil {
		st.DeploymentId, st.CanarySettings = &deployment, nil
		return nil
	}
	st.CanarySettings = newCanary(&deployment)
	return fillCanary(st.CanarySettings, asked.PercentTraffic, asked.StageVariableOverrides, asked.UseStageCache)
}

// canary is the stage's canary, made with its defaults at the first change.
func (e *stageEdit) canary() *apigatewayapi.CanarySettings {
	if e.CanarySettings == nil {
		e.CanarySettings = newCanary(e.DeploymentId)
	}
	return e.CanarySettings
}

var canaryPatch = []patchRow[stageEdit]{
	{"/canarySettings/deploymentId", replaceOnly, func(e *stageEdit, op patchOp) error {
		e.canary().DeploymentId = op.value
		return checkDeployment(e.tx, e.scope, e.api, op.text())
	}},
	{"/canarySettings/percentTraffic", replaceOnly, func(e *stageEdit, op patchOp) error {
		percent, err := strconv.ParseFloat(op.text(), 64)
		if err != nil {
			return badNumber(op)
		}
		e.canary().PercentTraffic = &percent
		return checkPercent(percent)
	}},
	{"/canarySettings/useStageCache", replaceOnly, func(e *stageEdit, op patchOp) error {
		e.canary().UseStageCache = wire.Ptr(op.isTrue())
		return nil
	}},
	{"/canarySettings/stageVariableOverrides/{}", replaceOnly, func(e *stageEdit, op patchOp) error {
		c := e.canary()
		if c.StageVariableOverrides == nil {
			c.StageVariableOverrides = map[string]string{}
		}
		c.StageVariableOverrides[op.key] = op.text()
		return checkVariable(op.key, op.text())
	}},
}

// removeOverride takes a canary's value of a stage variable away; false if the
// path names none.
func (e *stageEdit) removeOverride(path string) bool {
	name, ok := strings.CutPrefix(path, "/canarySettings/stageVariableOverrides/")
	if !ok || name == "" {
		return false
	}
	if c := e.CanarySettings; c != nil {
		delete(c.StageVariableOverrides, unescapePointer(name))
		c.StageVariableOverrides = nonEmptyMap(c.StageVariableOverrides)
	}
	return true
}

// copy promotes a canary: its deployment becomes the stage's, its variables
// are merged over the stage's. Nothing else can be copied (recorded).
func (e *stageEdit) copy(path, from string) error {
	const deployment, overrides = "/canarySettings/deploymentId", "/canarySettings/stageVariableOverrides"
	switch {
	case path != "/deploymentId" && path != "/variables" || from != deployment && from != overrides:
		return badRequest("Invalid copy operation with path: %s and from %s. Valid copy:path are [/deploymentId, /variables] "+
			"and valid copy:from are [%s, %s]", path, from, deployment, overrides)
	case e.CanarySettings == nil:
		return badRequest("Promotion not available. Canary does not exist.")
	case path == "/deploymentId":
		e.DeploymentId = e.CanarySettings.DeploymentId
	case len(e.CanarySettings.StageVariableOverrides) > 0:
		if e.Variables == nil {
			e.Variables = map[string]string{}
		}
		maps.Copy(e.Variables, e.CanarySettings.StageVariableOverrides)
	}
	return nil
}

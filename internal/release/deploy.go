package release

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/release/plan"
)

// PinVariable is the stage variable that deployments made by a release take
// the alias from, where the stage's own can't be used.
const PinVariable = "releaseAlias"

// deploy makes a deployment of the API as it is now. Where its integrations
// name the alias by a variable that others read too, they name it by another
// while the deployment is made, and then as before.
func (e *Engine) deploy(ctx context.Context, r *plan.Release) (*plan.Facts, error) {
	facts := &plan.Facts{Variable: e.Config.Variable}
	if e.Config.Pairing == plan.BySnapshot {
		facts.Variable = PinVariable
	}
	mark := fmt.Sprintf("butai release %d of %s", r.Number, r.Begun.Format(time.RFC3339))
	made, err := e.Gateway.Deployments(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range made {
		if d.Description == mark { // an earlier run got as far
			facts.Deployment = d.ID
		}
	}
	if facts.Deployment == "" {
		if err = e.namesAlias(ctx, facts.Variable); err == nil {
			facts.Deployment, err = e.Gateway.CreateDeployment(ctx, mark)
		}
	}
	if facts.Variable != e.Config.Variable {
		err = errors.Join(err, e.namesAlias(context.WithoutCancel(ctx), e.Config.Variable))
	}
	return facts, err
}

// namesAlias lets what calls the released functions take their alias from a
// variable. It is no error if nothing does: the API may have been edited.
func (e *Engine) namesAlias(ctx context.Context, variable string) error {
	all, err := e.Gateway.Integrations(ctx)
	if err != nil {
		return err
	}
	want := ":${stageVariables." + variable + "}"
	for _, i := range all {
		uri := i.URI
		for _, have := range []string{PinVariable, e.Config.Variable} {
			uri = strings.ReplaceAll(uri, ":${stageVariables."+have+"}", want)
		}
		if uri == i.URI {
			continue
		}
		if err := e.Gateway.SetURI(ctx, i, uri); err != nil {
			return fmt.Errorf("let %s take the alias from %s: %w", i, variable, err)
		}
	}
	return nil
}

package release

import (
	"context"
	"fmt"
	"strings"

	"github.com/butai-dev/butai/internal/release/config"
	"github.com/butai-dev/butai/internal/release/plan"
)

// Drift is something that isn't as the last release left it.
type Drift struct {
	Stage string `json:"stage"`
	What  string `json:"what"`
	Left  string `json:"left"` // as the release left it
	Now   string `json:"now"`
}

// Drifts compares every stage with what its last release left.
func (e *Engine) Drifts(ctx context.Context) ([]Drift, error) {
	if _, err := e.Load(ctx); err != nil {
		return nil, err
	}
	out := []Drift{}
	for i := range e.Config.Stages {
		s := &e.Config.Stages[i]
		left, ok := e.history.Left(s.Name)
		if !ok || e.history.Open(s.Name) != nil {
			continue
		}
		stage, pair, err := e.Observe(ctx, s)
		if err != nil {
			return nil, err
		}
		found, err := e.drifted(ctx, s, left, stage, pair)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

func (e *Engine) drifted(ctx context.Context, s *config.Stage, left plan.Pair, stage plan.Stage, pair plan.Pair) ([]Drift, error) {
	var out []Drift
	add := func(what, left, now string) {
		if left != now {
			out = append(out, Drift{s.Name, what, left, now})
		}
	}
	add("deployment", left.Deployment, pair.Deployment)
	if stage.Missing {
		return out, nil
	}
	variable, _ := e.pinned(pair.Deployment)
	add("variable "+variable, s.Alias, stage.Variables[variable])
	if stage.Canary != nil {
		add("canary", "none", fmt.Sprintf("%g%% on deployment %s", stage.Canary.Percent, stage.Canary.Deployment))
	}
	for _, fn := range e.Config.Functions {
		add(fmt.Sprintf("alias %s of %s", s.Alias, fn), left.Versions[fn], pair.Versions[fn])
		if left.Versions[fn] == pair.Versions[fn] && pair.Versions[fn] != plan.Latest { // $LATEST changes with each upload
			add("code of "+fn+":"+pair.Versions[fn], left.Code[fn], pair.Code[fn])
		}
		a, err := e.Functions.Alias(ctx, fn, s.Alias)
		if err != nil {
			return nil, err
		}
		if a != nil && len(a.Weights) > 0 {
			add(fmt.Sprintf("weights of alias %s of %s", s.Alias, fn), "none", a.weights())
		}
	}
	return out, nil
}

// Lifecycle is what a Terraform configuration needs so that plans leave alone
// what releases move.
func (e *Engine) Lifecycle() string {
	stage := []string{"deployment_id", "canary_settings"}
	if e.Config.Pairing == plan.BySnapshot {
		stage = append(stage, fmt.Sprintf("variables[%q]", PinVariable))
	}
	return fmt.Sprintf(`# In each aws_api_gateway_stage that is released:
lifecycle { ignore_changes = [%s] }

# In each aws_lambda_alias that is released:
lifecycle { ignore_changes = [function_version, routing_config] }
`, strings.Join(stage, ", "))
}

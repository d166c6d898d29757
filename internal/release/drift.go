package release

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/release/config"
	"github.com/butai-dev/butai/internal/release/plan"
	"github.com/butai-dev/butai/internal/release/terraform"
)

// Drift is something that isn't as the last release left it.
type Drift struct {
	Stage   string `json:"stage"`
	Release int    `json:"release"` // the stage's last
	What    string `json:"what"`
	Left    string `json:"left"` // as the release left it
	Now     string `json:"now"`
	// By is who changed it, if Terraform's state was given.
	By ChangedBy `json:"by,omitempty"`
	// Resource is Terraform's address of it, and State what Terraform believes;
	// "" if Terraform doesn't manage it.
	Resource string `json:"resource,omitempty"`
	State    string `json:"state,omitempty"`
}

// ChangedBy is who changed something since the last release.
type ChangedBy string

// What is as Terraform's state has it was changed by Terraform; what is
// neither so nor as the release left it, by others.
const (
	ByTerraform ChangedBy = "terraform"
	ByHand      ChangedBy = "hand"
)

// String says what is known about it.
func (d *Drift) String() string {
	text := fmt.Sprintf("%s: %s is %s; release %d left %s", d.Stage, d.What, dash(d.Now), d.Release, dash(d.Left))
	switch {
	case d.By == ByTerraform:
		text += fmt.Sprintf("\n  changed by Terraform since release %d (%s)", d.Release, d.Resource)
	case d.By == ByHand && d.Resource == "":
		text += "\n  changed by hand: Terraform doesn't manage it"
	case d.By == ByHand:
		text += fmt.Sprintf("\n  changed by hand: it differs from Terraform's state, too, which has %s (%s)", dash(d.State), d.Resource)
	}
	return text
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// Drifts compares every stage with what its last release left, and with what
// Terraform believes, unless that is nil.
func (e *Engine) Drifts(ctx context.Context, state *terraform.State) ([]Drift, error) {
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
		d := &drifting{e: e, stage: s, state: state, release: e.history.Last(s.Name).Number}
		d.gateway(left, stage)
		if !stage.Missing {
			if err := d.functions(ctx, left, pair); err != nil {
				return nil, err
			}
		}
		out = append(out, d.found...)
	}
	return out, nil
}

// drifting looks at one stage.
type drifting struct {
	e       *Engine
	stage   *config.Stage
	state   *terraform.State
	release int
	found   []Drift
}

// add notes what isn't as it was left. Resource and believed are Terraform's.
func (d *drifting) add(what, left, now, resource, believed string) {
	if left == now {
		return
	}
	found := Drift{Stage: d.stage.Name, Release: d.release, What: what, Left: left, Now: now}
	if d.state != nil {
		found.By, found.Resource, found.State = ByHand, resource, believed
		if resource != "" && believed == now {
			found.By = ByTerraform
		}
	}
	d.found = append(d.found, found)
}

func canaryText(percent float64, deployment string) string {
	if deployment == "" {
		return "none"
	}
	return fmt.Sprintf("%g%% on deployment %s", percent, deployment)
}

// gateway looks at the stage itself.
func (d *drifting) gateway(left plan.Pair, stage plan.Stage) {
	believed := &terraform.Stage{}
	if d.state != nil {
		if s := d.state.Stage(d.e.Config.API, d.stage.Name); s != nil {
			believed = s
		}
	}
	d.add("deployment", left.Deployment, stage.Deployment, believed.Address, believed.Deployment)
	if stage.Missing {
		return
	}
	names := maps.Clone(left.Variables)
	if names == nil {
		names = map[string]string{}
	}
	maps.Copy(names, stage.Variables)
	for _, name := range sortedKeys(names) {
		d.add("variable "+name, left.Variables[name], stage.Variables[name], believed.Address, believed.Variables[name])
	}
	if c := stage.Canary; c != nil {
		d.add("canary", canaryText(0, ""), canaryText(c.Percent, c.Deployment), believed.Address, canaryText(believed.CanaryPercent, believed.CanaryDeployment))
	}
}

// functions looks at the aliases, their versions' code and who may call them.
func (d *drifting) functions(ctx context.Context, left, pair plan.Pair) error {
	name := d.stage.Alias
	for _, fn := range d.e.Config.Functions {
		believed := &terraform.Alias{}
		if d.state != nil {
			if a := d.state.Alias(fn, name); a != nil {
				believed = a
			}
		}
		d.add(fmt.Sprintf("alias %s of %s", name, fn), left.Versions[fn], pair.Versions[fn], believed.Address, believed.Version)
		if left.Versions[fn] == pair.Versions[fn] && pair.Versions[fn] != plan.Latest { // $LATEST changes with each upload
			d.add("code of "+fn+":"+pair.Versions[fn], left.Code[fn], pair.Code[fn], "", "")
		}
		a, err := d.e.Functions.Alias(ctx, fn, name)
		if err != nil {
			return err
		}
		if a != nil && len(a.Weights) > 0 {
			stated := Alias{Version: believed.Version, Weights: believed.Weights}
			d.add(fmt.Sprintf("weights of alias %s of %s", name, fn), "none", a.weights(), believed.Address, stated.weights())
		}
	}
	return nil
}

// Lifecycle is what a Terraform configuration needs so that plans leave alone
// what releases move: at the resources of its state, if that is known.
func (e *Engine) Lifecycle(state *terraform.State) string {
	stage := []string{"deployment_id", "canary_settings"}
	if e.Config.Pairing == plan.BySnapshot {
		stage = append(stage, fmt.Sprintf("variables[%q]", PinVariable))
	}
	stages, deployments, aliases := e.resources(state)
	var b strings.Builder
	block := func(at []string, generic, attributes string) {
		if state == nil {
			at = []string{generic}
		}
		if len(at) > 0 {
			fmt.Fprintf(&b, "# In %s:\nlifecycle { ignore_changes = [%s] }\n\n", strings.Join(at, ", "), attributes)
		}
	}
	block(stages, "each aws_api_gateway_stage that is released", strings.Join(stage, ", "))
	block(aliases, "each aws_lambda_alias that is released", "function_version, routing_config")
	for _, address := range deployments {
		fmt.Fprintf(&b, "# %s names its stage: whenever Terraform replaces it, it deploys\n# to that stage by itself. Releases don't need that; an aws_api_gateway_stage would leave the stage to them.\n\n", address)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// resources are the addresses of what is released in a state.
func (e *Engine) resources(state *terraform.State) (stages, deployments, aliases []string) {
	if state == nil {
		return nil, nil, nil
	}
	add := func(list *[]string, address string) {
		address, _, _ = strings.Cut(address, "[") // the block stands once for all instances
		if !slices.Contains(*list, address) {
			*list = append(*list, address)
		}
	}
	for _, s := range e.Config.Stages {
		if found := state.Stage(e.Config.API, s.Name); found != nil && found.OfDeployment {
			add(&deployments, found.Address)
		} else if found != nil {
			add(&stages, found.Address)
		}
		for _, fn := range e.Config.Functions {
			if found := state.Alias(fn, s.Alias); found != nil {
				add(&aliases, found.Address)
			}
		}
	}
	return stages, deployments, aliases
}

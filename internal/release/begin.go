package release

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/butai-dev/butai/internal/release/config"
	"github.com/butai-dev/butai/internal/release/plan"
)

// Observe reads what a stage serves: the stage itself, and the pair.
func (e *Engine) Observe(ctx context.Context, s *config.Stage) (plan.Stage, plan.Pair, error) {
	stage, err := e.Gateway.Stage(ctx, s.Name)
	if err != nil {
		return stage, plan.Pair{}, err
	}
	variable, _ := e.pinned(stage.Deployment)
	pair := plan.Pair{
		Deployment: stage.Deployment, Variable: variable, Variables: maps.Clone(stage.Variables),
		Versions: map[string]string{}, Code: map[string]string{},
	}
	for _, fn := range e.Config.Functions {
		a, err := e.Functions.Alias(ctx, fn, s.Alias)
		if err != nil {
			return stage, pair, err
		}
		if a == nil {
			continue
		}
		c, err := e.Functions.Configuration(ctx, fn, a.Version)
		if err != nil {
			return stage, pair, err
		}
		pair.Versions[fn], pair.Code[fn] = a.Version, c.CodeSHA256
	}
	return stage, pair, nil
}

// pinned returns the variable that a deployment's integrations take the alias
// from, and whether a release may change it.
func (e *Engine) pinned(deployment string) (variable string, may bool) {
	if v := e.history.Pinned[deployment]; v != "" {
		return v, v != e.Config.Variable || e.Config.Pairing == plan.ByVariable
	}
	return e.Config.Variable, e.Config.Pairing == plan.ByVariable
}

// Options are what a person says about a release.
type Options struct {
	Strategy string // instead of the configuration's
	Why      string
	Commit   string
}

// Promote brings the pair of the stage before to a stage.
func (e *Engine) Promote(ctx context.Context, name string, o Options) error {
	target, source, err := e.Config.Stage(name)
	if err != nil {
		return err
	}
	if source == nil {
		return fmt.Errorf("%s is the first stage: deploy to it", name)
	}
	return e.begin(ctx, target, func(ctx context.Context) (*plan.Release, error) {
		have, _, err := e.Observe(ctx, source)
		switch {
		case err != nil:
			return nil, err
		case have.Missing:
			return nil, fmt.Errorf("stage %s doesn't exist: butai release deploy %s", source.Name, source.Name)
		case have.Canary != nil:
			return nil, fmt.Errorf("stage %s has a canary; end it first", source.Name)
		}
		variable, may := e.pinned(have.Deployment)
		r := &plan.Release{Action: "promote", Source: source.Name, Strategy: o.Strategy, Why: o.Why, Commit: o.Commit}
		if r.Strategy == "" {
			r.Strategy = e.Config.StrategyOf(target)
		}
		r.To = plan.Pair{Variable: variable, Variables: target.Variables}
		if may || e.Config.Pairing != plan.BySnapshot {
			r.To.Deployment = have.Deployment
		} else {
			r.To.Variable = ""
		}
		return r, e.situate(ctx, target, r, plan.Promotion, may)
	})
}

// Rollback brings a stage back to an earlier release; 0 is the one before the
// present.
func (e *Engine) Rollback(ctx context.Context, name string, number int, o Options) error {
	target, _, err := e.Config.Stage(name)
	if err != nil {
		return err
	}
	return e.begin(ctx, target, func(ctx context.Context) (*plan.Release, error) {
		back, err := e.Earlier(name, number)
		if err != nil {
			return nil, err
		}
		_, may := e.pinned(back.To.Deployment)
		r := &plan.Release{Action: "rollback", Returns: back.Number, Strategy: o.Strategy, Why: o.Why, Commit: o.Commit, To: back.To}
		if r.Strategy == "" {
			r.Strategy = "all"
		}
		return r, e.situate(ctx, target, r, plan.Return, may)
	})
}

// Earlier finds the release of a stage to go back to.
func (e *Engine) Earlier(stage string, number int) (*plan.Release, error) {
	if number != 0 {
		r := e.history.Find(number)
		switch {
		case r == nil:
			return nil, fmt.Errorf("there is no release %d", number)
		case r.Stage != stage:
			return nil, fmt.Errorf("release %d is one of stage %s", number, r.Stage)
		case r.Status != plan.Released:
			return nil, fmt.Errorf("release %d was %s, never served", number, r.Status)
		case !e.history.Whole(r.To):
			return nil, fmt.Errorf("release %d was pruned: what it needs is gone", number)
		}
		return r, nil
	}
	last := e.history.Last(stage)
	if last == nil {
		return nil, fmt.Errorf("stage %s has no release to go back to", stage)
	}
	for n := last.Number - 1; n > 0; n-- {
		if r := e.history.Find(n); r.Stage == stage && r.Status == plan.Released && !r.To.Same(last.To) && e.history.Whole(r.To) {
			return r, nil
		}
	}
	return nil, fmt.Errorf("stage %s has no release before %d", stage, last.Number)
}

// Deploy makes a deployment of the API as it is now and lets the first stage
// serve it.
func (e *Engine) Deploy(ctx context.Context, name string, o Options) error {
	target, before, err := e.Config.Stage(name)
	if err != nil {
		return err
	}
	if before != nil {
		return fmt.Errorf("%s gets what %s serves: butai release promote %s", name, before.Name, name)
	}
	return e.begin(ctx, target, func(ctx context.Context) (*plan.Release, error) {
		r := &plan.Release{Action: "deploy", Source: name, Why: o.Why, Commit: o.Commit, Strategy: "all"}
		have, from, err := e.Observe(ctx, target)
		if err != nil {
			return nil, err
		}
		r.Before, r.From = have, from
		r.To = plan.Pair{Variables: target.Variables, Versions: from.Versions, Code: from.Code}
		r.Steps = []plan.Step{{Kind: plan.Permissions}, {Kind: plan.Deploy}, {Kind: plan.MoveSource}, {Kind: plan.Propagate}, {Kind: plan.VerifySource}}
		return r, nil
	})
}

// situate looks at the stage and plans the steps to r.To.
func (e *Engine) situate(ctx context.Context, target *config.Stage, r *plan.Release, steps func(plan.Situation) ([]plan.Step, error), may bool) error {
	stage, from, err := e.Observe(ctx, target)
	if err != nil {
		return err
	}
	r.Before, r.From = stage, from
	if _, named := r.To.Variables[e.Config.Variable]; stage.Missing && !named {
		// What isn't deployed by a release names the alias by it, and others may read it.
		r.To.Variables = maps.Clone(r.To.Variables)
		if r.To.Variables == nil {
			r.To.Variables = map[string]string{}
		}
		r.To.Variables[e.Config.Variable] = target.Alias
	}
	if err := e.settled(ctx, target, stage, from); err != nil {
		return err
	}
	strategy, err := plan.ParseStrategy(r.Strategy)
	if err != nil {
		return err
	}
	_, fromMay := e.pinned(from.Deployment)
	r.Steps, err = steps(plan.Situation{
		Pairing: e.Config.Pairing, Strategy: strategy, From: from, To: r.To, FromPinned: fromMay && !stage.Missing, ToPinned: may,
		Checks: len(e.Config.Checks) > 0, Approval: e.Config.Gates.Approval, First: stage.Missing,
	})
	if err == nil && len(r.To.Versions) > 0 && r.To.Same(from) {
		return ErrNothing
	}
	if err == nil && r.Has(plan.Dark) {
		err = e.mayBeDark(ctx, target.Name)
	}
	return err
}

// settled reports what keeps a stage from being moved: another's canary, a
// weighted alias, an alias that isn't the stage's.
func (e *Engine) settled(ctx context.Context, target *config.Stage, stage plan.Stage, from plan.Pair) error {
	switch {
	case stage.Missing:
		return nil
	case stage.Canary != nil:
		return fmt.Errorf("stage %s has a canary that isn't ours; end it first", target.Name)
	case stage.Variables[from.Variable] != target.Alias:
		return fmt.Errorf("stage %s names the alias %q by its variable %s, where butai.yaml has %q; see butai release drift",
			target.Name, stage.Variables[from.Variable], from.Variable, target.Alias)
	}
	for _, fn := range e.Config.Functions {
		a, err := e.Functions.Alias(ctx, fn, target.Alias)
		if err != nil {
			return err
		}
		if a != nil && len(a.Weights) > 0 {
			return fmt.Errorf("alias %s of function %s is shared between versions; end that first", target.Alias, fn)
		}
	}
	return nil
}

// begin takes the stage's lease, makes sure that nothing stands in the way,
// records the release and runs it.
func (e *Engine) begin(ctx context.Context, target *config.Stage, prepare func(context.Context) (*plan.Release, error)) error {
	return e.leased(ctx, target.Name, func(ctx context.Context) error {
		h, err := e.Load(ctx)
		if err != nil {
			return err
		}
		if open := h.Open(target.Name); open != nil {
			return &OpenError{open}
		}
		if f := h.Frozen[target.Name]; f.In(e.Clock.Now()) && e.BreakGlass == "" {
			return &FrozenError{target.Name, f}
		}
		r, err := prepare(ctx)
		if err != nil {
			return err
		}
		r.Stage, r.Alias, r.Who, r.Override = target.Name, target.Alias, e.Who, e.BreakGlass
		number, err := e.open(ctx, r)
		if err != nil {
			return err
		}
		return e.run(ctx, number)
	})
}

// open writes the release's first line. Its number depends on what others
// have begun meanwhile, on other stages.
func (e *Engine) open(ctx context.Context, r *plan.Release) (int, error) {
	for {
		n := len(e.history.Releases) + 1
		begun := *r
		begun.Number, begun.Begun = n, e.Clock.Now()
		begun.Pin = fmt.Sprintf("%s%d", e.pinPrefix(), n)
		err := e.write(ctx, plan.Event{Type: plan.EventBegun, Release: n, Stage: r.Stage, Begun: &begun},
			func() bool { return len(e.history.Releases) == n-1 })
		if !errors.Is(err, errOvertaken) {
			return n, err
		}
	}
}

// Adopt records what the stages serve, so that there is something to go back
// to and to compare with. It returns the releases that it wrote.
func (e *Engine) Adopt(ctx context.Context, why string) ([]*plan.Release, error) {
	if _, err := e.Load(ctx); err != nil {
		return nil, err
	}
	var out []*plan.Release
	for i := range e.Config.Stages {
		s := &e.Config.Stages[i]
		stage, pair, err := e.Observe(ctx, s)
		if err != nil {
			return out, err
		}
		last := e.history.Last(s.Name)
		if stage.Missing || e.history.Open(s.Name) != nil || last != nil && last.To.Same(pair) {
			continue
		}
		number, err := e.open(ctx, &plan.Release{
			Action: "adopt", Stage: s.Name, Alias: s.Alias, Who: e.Who, Why: why, Before: stage, From: pair, To: pair,
		})
		if err == nil {
			err = e.run(ctx, number)
		}
		if err != nil {
			return out, err
		}
		out = append(out, e.history.Find(number))
	}
	return out, nil
}

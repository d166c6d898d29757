package release

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/release/plan"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// do carries out one step.
func (e *Engine) do(ctx context.Context, r *plan.Release, s plan.Step) (*plan.Facts, []plan.Result, error) {
	var err error
	switch s.Kind {
	case plan.Publish:
		facts, err := e.publish(ctx, r)
		return facts, nil, err
	case plan.Deploy:
		facts, err := e.deploy(ctx, r)
		return facts, nil, err
	case plan.MoveSource:
		err = e.moveSource(ctx, r)
	case plan.VerifySource:
		target, err := e.target(r.Source, nil)
		if err != nil {
			return nil, nil, err
		}
		results, err := e.gate(ctx, r, target)
		return nil, results, err
	case plan.Permissions:
		err = e.permissions(ctx, r)
	case plan.Pin:
		err = e.pin(ctx, r, r.To.Versions)
	case plan.PinOld:
		err = e.pin(ctx, r, r.From.Versions)
	case plan.HoldOld:
		err = e.change(ctx, r.Stage, r.HeldOld())
	case plan.Propagate:
		err = e.wait(ctx, r, time.Duration(e.Config.Propagation))
	case plan.Dark:
		err = e.makeDark(ctx, r)
	case plan.Hold:
		reason, err := e.asksFor(r)
		if err != nil {
			return nil, nil, err
		}
		return nil, nil, &gateError{plan.Inconclusive, reason}
	case plan.Shift:
		err = e.change(ctx, r.Stage, r.Shifted(s.Percent))
	case plan.Watch:
		results, err := e.watch(ctx, r, s.For)
		return nil, results, err
	case plan.Flip:
		err = e.change(ctx, r.Stage, r.Flipped(e.movesTogether(r)))
	case plan.Verify:
		results, err := e.verify(ctx, r)
		return nil, results, err
	case plan.MoveAlias:
		err = e.moveAliases(ctx, r)
	case plan.Unpin:
		err = e.change(ctx, r.Stage, r.Settled(true))
	case plan.Clean:
		err = e.clean(ctx, r)
	default:
		err = fmt.Errorf("no such step: another version of butai planned it")
	}
	return nil, nil, err
}

// movesTogether reports whether the new pair is named by the release's pin.
func (e *Engine) movesTogether(r *plan.Release) bool {
	return r.Has(plan.Pin)
}

// change makes a stage what it should be, if it isn't.
func (e *Engine) change(ctx context.Context, name string, want plan.Stage) error {
	have, err := e.Gateway.Stage(ctx, name)
	if err != nil {
		return err
	}
	c := plan.Between(have, want)
	if c.Empty() {
		return nil
	}
	return e.Gateway.ChangeStage(ctx, name, c)
}

// publish freezes what the source stage runs.
func (e *Engine) publish(ctx context.Context, r *plan.Release) (*plan.Facts, error) {
	source, _, err := e.Config.Stage(r.Source)
	if err != nil {
		return nil, err
	}
	facts := &plan.Facts{Versions: map[string]string{}, Code: map[string]string{}}
	for _, fn := range e.Config.Functions {
		alias, err := e.Functions.Alias(ctx, fn, source.Alias)
		switch {
		case err != nil:
			return nil, err
		case alias == nil:
			return nil, fmt.Errorf("function %s has no alias %s", fn, source.Alias)
		case len(alias.Weights) > 0:
			return nil, fmt.Errorf("alias %s of function %s is shared between versions", source.Alias, fn)
		}
		c, err := e.Functions.Configuration(ctx, fn, alias.Version)
		if err != nil {
			return nil, err
		}
		if alias.Version == plan.Latest {
			if c, err = e.freeze(ctx, fn, c, r); err != nil {
				return nil, err
			}
		}
		facts.Versions[fn], facts.Code[fn] = c.Version, c.CodeSHA256
	}
	return facts, nil
}

// updatePoll is how often a function is asked whether its update has ended.
const updatePoll = time.Second

// freeze publishes a function's $LATEST. Lambda answers with the last version
// if nothing has changed since, and refuses if somebody is faster.
func (e *Engine) freeze(ctx context.Context, fn string, c *Configuration, r *plan.Release) (*Configuration, error) {
	for c.Updating {
		if err := sleep(ctx, updatePoll); err != nil {
			return nil, err
		}
		var err error
		if c, err = e.Functions.Configuration(ctx, fn, plan.Latest); err != nil {
			return nil, err
		}
	}
	return e.Functions.Publish(ctx, fn, c.CodeSHA256, c.Revision, r.Why)
}

// moveSource lets the source stage serve the deployment that was made, with
// its own alias, so that what production gets has been served there.
func (e *Engine) moveSource(ctx context.Context, r *plan.Release) error {
	source, _, err := e.Config.Stage(r.Source)
	if err != nil {
		return err
	}
	have, err := e.Gateway.Stage(ctx, source.Name)
	if err != nil {
		return err
	}
	want := plan.Stage{Deployment: r.To.Deployment, Variables: maps.Clone(have.Variables)}
	if want.Variables == nil {
		want.Variables = map[string]string{}
	}
	maps.Copy(want.Variables, source.Variables)
	want.Variables[r.To.Variable] = source.Alias
	return e.change(ctx, source.Name, want)
}

// aliasVersions is the version of an alias by function; functions that don't
// have it are left out.
func (e *Engine) aliasVersions(ctx context.Context, name string) (map[string]string, error) {
	out := map[string]string{}
	for _, fn := range e.Config.Functions {
		a, err := e.Functions.Alias(ctx, fn, name)
		if err != nil {
			return nil, err
		}
		if a != nil {
			out[fn] = a.Version
		}
	}
	return out, nil
}

// moveAliases lets the stage's alias follow.
func (e *Engine) moveAliases(ctx context.Context, r *plan.Release) error {
	have, err := e.aliasVersions(ctx, r.Alias)
	if err != nil {
		return err
	}
	for _, fn := range sortedKeys(r.To.Versions) {
		if v := have[fn]; v != r.From.Versions[fn] && v != r.To.Versions[fn] {
			return fmt.Errorf("alias %s of function %s was moved to version %s by somebody else", r.Alias, fn, v)
		}
		if err := e.moveAlias(ctx, fn, r.Alias, r.To.Versions[fn]); err != nil {
			return err
		}
	}
	return nil
}

// moveAlias points an alias at a version and at no other.
func (e *Engine) moveAlias(ctx context.Context, fn, name, version string) error {
	a, err := e.Functions.Alias(ctx, fn, name)
	switch {
	case err != nil:
		return err
	case a == nil:
		return fmt.Errorf("function %s has no alias %s any more", fn, name)
	case a.Version == version && len(a.Weights) == 0:
		return nil
	}
	return e.Functions.MoveAlias(ctx, fn, *a, version)
}

// pinPrefix begins the names of the aliases that releases of this API make.
func (e *Engine) pinPrefix() string { return "release-" + e.Config.API + "-" }

// pin gives versions an alias that nothing has named before, and lets this
// API's stage and authorizers call it.
func (e *Engine) pin(ctx context.Context, r *plan.Release, versions map[string]string) error {
	if err := e.roles(ctx); err != nil {
		return err
	}
	permissions, err := e.pinPermissions(ctx, r)
	if err != nil {
		return err
	}
	for _, fn := range sortedKeys(versions) {
		a, err := e.Functions.Alias(ctx, fn, r.Pin)
		if err != nil {
			return err
		}
		if a == nil {
			err = e.Functions.CreateAlias(ctx, fn, r.Pin, versions[fn], fmt.Sprintf("butai release %d of stage %s", r.Number, r.Stage))
		} else {
			err = e.moveAlias(ctx, fn, r.Pin, versions[fn])
		}
		if err != nil {
			return err
		}
		for _, p := range permissions[fn] {
			if err := e.Functions.Permit(ctx, fn, r.Pin, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// pinPermissions are those that a release's alias needs, by function.
func (e *Engine) pinPermissions(ctx context.Context, r *plan.Release) (map[string][]Permission, error) {
	all, err := e.Gateway.Integrations(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string][]Permission{}
	for _, fn := range e.Config.Functions {
		out[fn] = []Permission{{ID: "release-" + r.Stage, SourceARN: e.sourceARN(r.Stage, "*", "/*")}}
		if r.Has(plan.Dark) {
			dark := darkName(r.Stage)
			out[fn] = append(out[fn], Permission{ID: "release-" + dark, SourceARN: e.sourceARN(dark, "*", "/*")})
		}
		for _, i := range all {
			if called, _ := i.Called(); called == fn && i.Authorizer != "" {
				out[fn] = append(out[fn], Permission{ID: "release-authorizer-" + i.Authorizer, SourceARN: e.authorizerARN(i.Authorizer)})
			}
		}
	}
	return out, nil
}

// sourceARN is what API Gateway calls a function in the name of.
func (e *Engine) sourceARN(stage, method, path string) string {
	return fmt.Sprintf("arn:%s:execute-api:%s:%s:%s/%s/%s%s", e.Account.Partition, e.Account.Region, e.Account.ID, e.Config.API, stage, method, path)
}

// clean removes the pins of earlier releases, which nothing names any more,
// and the dark stage. This release's pin stays for the requests and the
// gateways that may still name it.
func (e *Engine) clean(ctx context.Context, r *plan.Release) error {
	if err := e.removeDark(ctx, r); err != nil {
		return err
	}
	named, err := e.namedAliases(ctx)
	if err != nil {
		return err
	}
	for _, fn := range e.Config.Functions {
		all, err := e.Functions.Aliases(ctx, fn)
		if err != nil {
			return err
		}
		for _, a := range all {
			if strings.HasPrefix(a.Name, e.pinPrefix()) && a.Name != r.Pin && !named[a.Name] {
				if err := e.Functions.DeleteAlias(ctx, fn, a.Name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// namedAliases are the values of all variables of all stages, and the pins of
// releases that haven't ended.
func (e *Engine) namedAliases(ctx context.Context) (map[string]bool, error) {
	named := map[string]bool{}
	for _, s := range e.Config.Stages {
		stage, err := e.Gateway.Stage(ctx, s.Name)
		if err != nil {
			return nil, err
		}
		for _, v := range stage.Variables {
			named[v] = true
		}
		if stage.Canary != nil {
			for _, v := range stage.Canary.Overrides {
				named[v] = true
			}
		}
		if open := e.history.Open(s.Name); open != nil {
			named[open.Pin] = true
		}
		if last := e.history.Last(s.Name); last != nil {
			named[last.Pin] = true // its requests may not all have ended
		}
	}
	return named, nil
}

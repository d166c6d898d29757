package release

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/release/plan"
)

// Prune lists what releases made and nothing needs any more: deployments and
// versions that aren't served, aren't named by an alias, and aren't of the
// last keep releases of a stage; and the aliases of releases that ended. With
// really, it removes them and records that.
func (e *Engine) Prune(ctx context.Context, keep int, really bool) ([]string, error) {
	if _, err := e.Load(ctx); err != nil {
		return nil, err
	}
	needed, err := e.needed(ctx, keep)
	if err != nil {
		return nil, err
	}
	var removed []string
	var failed []error
	drop := func(what string, remove func() error) {
		if needed[what] || e.history.Pruned[what] || slices.Contains(removed, what) {
			return
		}
		if really {
			if err := remove(); err != nil {
				failed = append(failed, err)
				return
			}
		}
		removed = append(removed, what)
	}
	for _, fn := range e.Config.Functions {
		all, err := e.Functions.Aliases(ctx, fn)
		if err != nil {
			return nil, err
		}
		for _, a := range all {
			if strings.HasPrefix(a.Name, e.pinPrefix()) {
				drop("alias "+fn+":"+a.Name, func() error { return e.Functions.DeleteAlias(ctx, fn, a.Name) })
			}
		}
	}
	for _, r := range e.history.Releases {
		if r.Action != "adopt" && r.To.Deployment != "" {
			drop("deployment "+r.To.Deployment, func() error { return e.Gateway.DeleteDeployment(ctx, r.To.Deployment) })
		}
		for _, fn := range sortedKeys(r.To.Versions) {
			if v := r.To.Versions[fn]; v != plan.Latest {
				drop("version "+fn+":"+v, func() error { return e.Functions.DeleteVersion(ctx, fn, v) })
			}
		}
	}
	if really && len(removed) > 0 {
		failed = append(failed, e.write(ctx, plan.Event{Type: plan.EventPruned, Removed: removed}, nil))
	}
	return removed, errors.Join(failed...)
}

// needed is what must stay.
func (e *Engine) needed(ctx context.Context, keep int) (map[string]bool, error) {
	needed := map[string]bool{}
	pair := func(p plan.Pair) {
		needed["deployment "+p.Deployment] = true
		for fn, v := range p.Versions {
			needed["version "+fn+":"+v] = true
		}
	}
	left := map[string]int{}
	for _, r := range slices.Backward(e.history.Releases) {
		switch {
		case !r.Status.Ended():
			pair(r.From)
			pair(r.To)
		case r.Status == plan.Released && left[r.Stage] < keep:
			left[r.Stage]++
			pair(r.To)
		}
	}
	named, err := e.namedAliases(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range e.Config.Stages {
		stage, err := e.Gateway.Stage(ctx, s.Name)
		if err != nil {
			return nil, err
		}
		needed["deployment "+stage.Deployment] = true
		if stage.Canary != nil {
			needed["deployment "+stage.Canary.Deployment] = true
		}
	}
	for _, fn := range e.Config.Functions {
		all, err := e.Functions.Aliases(ctx, fn)
		if err != nil {
			return nil, err
		}
		for _, a := range all {
			if strings.HasPrefix(a.Name, e.pinPrefix()) && !named[a.Name] {
				continue // it goes, and so may its version
			}
			needed["alias "+fn+":"+a.Name] = true
			needed["version "+fn+":"+a.Version] = true
			for v := range a.Weights {
				needed["version "+fn+":"+v] = true
			}
		}
	}
	return needed, nil
}

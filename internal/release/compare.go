package release

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/butai-dev/butai/internal/release/diff"
	"github.com/butai-dev/butai/internal/release/plan"
)

// side is one side of a diff.
type side struct {
	name       string
	pair       plan.Pair
	definition []byte // nil if it can't be had
}

// Diff compares what a stage serves with what a promotion would bring, or,
// with a release's number, with what a rollback would. Values of environment
// variables are masked unless shown.
func (e *Engine) Diff(ctx context.Context, name string, number int, shown bool) (*diff.Report, error) {
	if _, err := e.Load(ctx); err != nil {
		return nil, err
	}
	target, source, err := e.Config.Stage(name)
	if err != nil {
		return nil, err
	}
	before, err := e.served(ctx, target.Name)
	if err != nil {
		return nil, err
	}
	var after *side
	switch {
	case number != 0:
		after, err = e.recorded(ctx, name, number)
	case source == nil:
		return nil, fmt.Errorf("%s is the first stage; nothing is promoted to it", name)
	default:
		after, err = e.served(ctx, source.Name)
	}
	if err != nil {
		return nil, err
	}
	r := &diff.Report{Stage: name, From: before.name, To: after.name, Changes: []diff.Change{}}
	if err := e.diffGateway(r, before, after, target.Variables); err != nil {
		return nil, err
	}
	if err := e.diffFunctions(ctx, r, before, after, shown); err != nil {
		return nil, err
	}
	if !before.missing() {
		missing, err := e.MissingPermissions(ctx, target.Name, target.Alias)
		if err != nil {
			return nil, err
		}
		for _, m := range missing {
			what, how, _ := strings.Cut(m, ": ")
			r.Add(diff.Change{Area: diff.Permissions, Name: what, Kind: diff.Missing, After: how, Breaking: "API Gateway may not call it"})
		}
	}
	if number == 0 && !before.missing() {
		if err := e.noteSettings(ctx, r, source.Name, name); err != nil {
			return nil, err
		}
	}
	r.Sort()
	return r, nil
}

// noteSettings says which settings of two stages differ: they are the stages'
// own, and a promotion leaves them alone.
func (e *Engine) noteSettings(ctx context.Context, r *diff.Report, source, target string) error {
	from, err := e.Gateway.Settings(ctx, source)
	if err != nil {
		return err
	}
	to, err := e.Gateway.Settings(ctx, target)
	if err != nil {
		return err
	}
	for _, c := range diff.Values(diff.Settings, "", to, from) {
		r.Notes = append(r.Notes, fmt.Sprintf("%s of stage %s is %q, and stays; %s has %q", c.Name, target, c.Before, source, c.After))
	}
	return nil
}

func (s *side) missing() bool { return s.pair.Deployment == "" }

// served is what a stage serves now.
func (e *Engine) served(ctx context.Context, stage string) (*side, error) {
	c, _, err := e.Config.Stage(stage)
	if err != nil {
		return nil, err
	}
	_, pair, err := e.Observe(ctx, c)
	if err != nil {
		return nil, err
	}
	s := &side{name: describePair(pair), pair: pair}
	if s.missing() {
		s.name = "nothing"
		return s, nil
	}
	if s.definition, err = e.Gateway.Export(ctx, stage); err != nil {
		s.definition = nil // a note says so
	}
	return s, ctx.Err()
}

// recorded is what an earlier release of a stage served.
func (e *Engine) recorded(ctx context.Context, stage string, number int) (*side, error) {
	r, err := e.Earlier(stage, number)
	if err != nil {
		return nil, err
	}
	s := &side{name: fmt.Sprintf("release %d, %s", r.Number, describePair(r.To)), pair: r.To}
	if r.To.Definition != "" {
		s.definition, err = e.Records.Definition(ctx, r.To.Definition)
	}
	return s, err
}

func describePair(p plan.Pair) string {
	text := "deployment " + p.Deployment
	for _, fn := range sortedKeys(p.Versions) {
		text += ", " + fn + ":" + p.Versions[fn]
	}
	return text
}

func (e *Engine) diffGateway(r *diff.Report, before, after *side, set map[string]string) error {
	if before.pair.Deployment == after.pair.Deployment {
		return nil
	}
	if after.definition == nil || before.definition == nil && !before.missing() {
		r.Notes = append(r.Notes, "the gateway's halves can't be compared: the endpoint exported no definition of one")
		r.Add(diff.Change{Area: diff.Settings, Name: "deployment", Kind: diff.Changed, Before: before.pair.Deployment, After: after.pair.Deployment})
		return nil
	}
	old := &diff.Definition{}
	var err error
	if before.definition != nil {
		if old, err = diff.Parse(before.definition, PinVariable, e.Config.Variable); err != nil {
			return err
		}
	}
	now, err := diff.Parse(after.definition, PinVariable, e.Config.Variable)
	if err != nil {
		return err
	}
	r.Add(diff.Compare(old, now)...)
	if before.missing() {
		return nil
	}
	variables := map[string]string{}
	for _, m := range []map[string]string{before.pair.Variables, set, {PinVariable: "", e.Config.Variable: ""}} {
		maps.Copy(variables, m)
	}
	r.Add(diff.Absent(now, variables, r.Stage)...)
	for name, v := range set {
		if had, ok := before.pair.Variables[name]; !ok || had != v {
			r.Add(diff.Values(diff.Variables, "", pick(before.pair.Variables, name), map[string]string{name: v})...)
		}
	}
	return nil
}

func pick(m map[string]string, name string) map[string]string {
	if v, ok := m[name]; ok {
		return map[string]string{name: v}
	}
	return nil
}

func (e *Engine) diffFunctions(ctx context.Context, r *diff.Report, before, after *side, shown bool) error {
	for _, fn := range e.Config.Functions {
		b, a := before.pair.Versions[fn], after.pair.Versions[fn]
		switch {
		case b == a:
			continue
		case a == "":
			r.Notes = append(r.Notes, "function "+fn+" has no version to compare with")
			continue
		case b == "":
			r.Add(diff.Change{Area: diff.Code, Name: fn, Kind: diff.Added, After: "version " + a})
			continue
		}
		old, err := e.Functions.Configuration(ctx, fn, b)
		if err != nil {
			return err
		}
		now, err := e.Functions.Configuration(ctx, fn, a)
		if err != nil {
			return err
		}
		r.Add(diff.Values(diff.Configuration, fn, old.texts(), now.texts())...)
		environment := diff.Values(diff.Environment, fn, old.Environment, now.Environment)
		if !shown {
			environment = diff.Masked(environment)
		}
		r.Add(environment...)
		if old.CodeSHA256 == now.CodeSHA256 {
			continue
		}
		changes, err := e.diffCode(ctx, fn, b, a)
		if err != nil {
			return err
		}
		if len(changes) == 0 { // packed anew
			changes = []diff.Change{{Area: diff.Code, Name: fn + " CodeSha256", Kind: diff.Changed, Before: old.CodeSHA256, After: now.CodeSHA256}}
		}
		r.Add(changes...)
	}
	return nil
}

func (e *Engine) diffCode(ctx context.Context, fn, before, after string) ([]diff.Change, error) {
	old, err := e.Functions.Code(ctx, fn, before)
	if err != nil {
		return nil, err
	}
	now, err := e.Functions.Code(ctx, fn, after)
	if err != nil || bytes.Equal(old, now) {
		return nil, err
	}
	return diff.Zips(fn, old, now)
}

// texts are the settings of a version that a promotion carries.
func (c *Configuration) texts() map[string]string {
	return map[string]string{
		"runtime": c.Runtime, "handler": c.Handler, "role": c.Role, "memory": fmt.Sprintf("%d MB", c.Memory),
		"timeout": fmt.Sprintf("%d s", c.Timeout), "layers": strings.Join(c.Layers, "\n"),
	}
}

package release

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/release/plan"
)

// run does what is left of a release: its steps, or the way back. It returns
// nil when the stage serves the new pair.
func (e *Engine) run(ctx context.Context, number int) error {
	for {
		r := e.history.Find(number)
		switch r.Status {
		case plan.Released:
			if r.Reason == ErrNothing.Error() {
				return ErrNothing
			}
			return nil
		case plan.Restored:
			return &RestoredError{r}
		case plan.Paused, plan.Held:
			e.tell(r, Progress{Event: "held", Text: r.Reason})
			return &HeldError{r}
		case plan.Restoring:
			if err := e.restore(ctx, r); err != nil {
				return fmt.Errorf("bring stage %s back: %w", r.Stage, err)
			}
			continue
		}
		err := e.advance(ctx, r)
		switch {
		case err == nil || errors.Is(err, errOvertaken):
		case context.Cause(ctx) != nil:
			return errors.Join(ErrInterrupted, leaseLost(ctx))
		default:
			return err
		}
	}
}

// leaseLost is why the context of a leased function ended, if that is news.
func leaseLost(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// advance does the next step, or ends the release after the last.
func (e *Engine) advance(ctx context.Context, r *plan.Release) error {
	running := func() bool { return r.Status == plan.Running }
	if r.Next == len(r.Steps) || e.pointless(r) {
		return e.finish(ctx, r)
	}
	index, step := r.Next, r.Steps[r.Next]
	if err := e.write(ctx, plan.Event{Type: plan.EventStep, Release: r.Number, Step: index}, running); err != nil {
		return err
	}
	e.tell(r, Progress{Event: "begin", Name: step.String()})
	began := e.Clock.Now()
	facts, results, err := e.do(ctx, r, step)
	var gate *gateError
	switch {
	case errors.Is(err, errOvertaken) || ctx.Err() != nil:
		return err
	case errors.As(err, &gate):
		event := plan.Event{Type: plan.EventFailed, Release: r.Number, Reason: step.String() + ": " + gate.Error(), Results: results}
		if gate.verdict != plan.Failed {
			event.Type = plan.EventHeld
		}
		return e.write(ctx, event, running)
	case err != nil:
		reason := fmt.Sprintf("%s: %v", step, err)
		return e.write(ctx, plan.Event{Type: plan.EventFailed, Release: r.Number, Reason: reason}, running)
	}
	err = e.write(ctx, plan.Event{Type: plan.EventDone, Release: r.Number, Step: index, Facts: facts, Results: results}, running)
	e.tell(r, Progress{Event: "done", Name: step.String(), Text: describe(facts), Took: e.Clock.Now().Sub(began), Results: results})
	return err
}

func describe(f *plan.Facts) string {
	if f == nil {
		return ""
	}
	var parts []string
	if f.Deployment != "" {
		parts = append(parts, "deployment "+f.Deployment)
	}
	for _, fn := range sortedKeys(f.Versions) {
		parts = append(parts, fn+":"+f.Versions[fn])
	}
	return strings.Join(parts, ", ")
}

// pointless reports whether publishing has shown that nothing differs.
func (e *Engine) pointless(r *plan.Release) bool {
	if r.Action != "promote" || r.Next != 1 || r.Steps[0].Kind != plan.Publish {
		return false
	}
	return !r.Has(plan.Deploy) && r.To.Same(r.From)
}

// finish records the release and what the stage serves now.
func (e *Engine) finish(ctx context.Context, r *plan.Release) error {
	facts, event := &plan.Facts{}, plan.Event{Type: plan.EventEnded, Release: r.Number}
	if e.pointless(r) {
		event.Reason = ErrNothing.Error()
	}
	sum, err := e.keepDefinition(ctx, r.Stage)
	if err != nil {
		return err
	}
	facts.Definition = sum
	event.Facts = facts
	if err := e.write(ctx, event, func() bool { return r.Status == plan.Running }); err != nil {
		return err
	}
	e.tell(r, Progress{Event: "ended", Text: string(plan.Released)})
	return nil
}

// restore brings the stage back, one move at a time, each found from what is
// there: it can be run again from wherever it was interrupted.
func (e *Engine) restore(ctx context.Context, r *plan.Release) error {
	e.tell(r, Progress{Event: "restoring", Text: r.Reason})
	for {
		stage, err := e.Gateway.Stage(ctx, r.Stage)
		if err != nil {
			return err
		}
		versions, err := e.aliasVersions(ctx, r.Alias)
		if err != nil {
			return err
		}
		remedy := r.Restore(stage, versions)
		if remedy.Done() {
			break
		}
		if remedy.Stage != nil {
			if err := e.Gateway.ChangeStage(ctx, r.Stage, plan.Between(stage, *remedy.Stage)); err != nil {
				return err
			}
		}
		for _, fn := range sortedKeys(remedy.Aliases) {
			if err := e.moveAlias(ctx, fn, r.Alias, remedy.Aliases[fn]); err != nil {
				return err
			}
		}
		if remedy.Wait {
			if err := sleep(ctx, time.Duration(e.Config.Propagation)); err != nil {
				return err
			}
		}
	}
	if err := e.tidy(ctx, r); err != nil {
		return err
	}
	if err := e.write(ctx, plan.Event{Type: plan.EventRestored, Release: r.Number}, func() bool { return r.Status == plan.Restoring }); err != nil {
		return err
	}
	e.tell(r, Progress{Event: "ended", Text: string(plan.Restored) + ": " + r.Reason})
	return nil
}

// tidy removes what a release that was taken back leaves behind, apart from
// versions and deployments, which prune removes.
func (e *Engine) tidy(ctx context.Context, r *plan.Release) error {
	if r.Has(plan.Deploy) {
		if err := e.namesAlias(ctx, e.Config.Variable); err != nil {
			return err
		}
	}
	return e.removeDark(ctx, r)
}

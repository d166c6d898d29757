package release

import (
	"context"
	"errors"
	"fmt"

	"github.com/butai-dev/butai/internal/release/plan"
)

// openRelease finds the stage's release that hasn't ended.
func (e *Engine) openRelease(ctx context.Context, stage string) (*plan.Release, error) {
	if _, _, err := e.Config.Stage(stage); err != nil {
		return nil, err
	}
	h, err := e.Load(ctx)
	if err != nil {
		return nil, err
	}
	r := h.Open(stage)
	if r == nil {
		return nil, fmt.Errorf("no release of stage %s is under way", stage)
	}
	return r, nil
}

// Resume goes on with a release: one that waits for a person, that was paused,
// or whose command died. With accept, a gate that held counts as passed.
func (e *Engine) Resume(ctx context.Context, stage string, accept bool) error {
	if _, err := e.openRelease(ctx, stage); err != nil {
		return err
	}
	return e.leased(ctx, stage, func(ctx context.Context) error {
		r, err := e.openRelease(ctx, stage)
		if err != nil {
			return err
		}
		if r.Status == plan.Held || r.Status == plan.Paused {
			held := r.Status == plan.Held
			waiting := func() bool { return r.Status == plan.Held || r.Status == plan.Paused }
			if err := e.write(ctx, plan.Event{Type: plan.EventResumed, Release: r.Number}, waiting); err != nil {
				return err
			}
			if held && (accept || r.Steps[r.Next].Kind == plan.Hold) {
				if err := e.write(ctx, plan.Event{Type: plan.EventDone, Release: r.Number, Step: r.Next}, nil); err != nil {
					return err
				}
			}
		}
		return e.run(ctx, r.Number)
	})
}

// Pause asks a running release to wait; whoever runs it will see that.
func (e *Engine) Pause(ctx context.Context, stage, reason string) error {
	r, err := e.openRelease(ctx, stage)
	if err != nil {
		return err
	}
	err = e.write(ctx, plan.Event{Type: plan.EventPaused, Release: r.Number, Reason: reason}, func() bool { return r.Status == plan.Running })
	if errors.Is(err, errOvertaken) {
		return fmt.Errorf("release %d is %s; only a running one can be paused", r.Number, r.Status)
	}
	return err
}

// Abort brings the stage back. If another command runs the release, that
// command does; Abort waits for it.
func (e *Engine) Abort(ctx context.Context, stage, reason string) error {
	r, err := e.openRelease(ctx, stage)
	if err != nil {
		return err
	}
	if r.Status != plan.Restoring {
		err := e.write(ctx, plan.Event{Type: plan.EventAborted, Release: r.Number, Reason: "aborted: " + reason},
			func() bool { return r.Status != plan.Restoring && !r.Status.Ended() })
		if err != nil && !errors.Is(err, errOvertaken) {
			return err
		}
	}
	for {
		err := e.leased(ctx, stage, func(ctx context.Context) error {
			if _, err := e.Load(ctx); err != nil {
				return err
			}
			return e.run(ctx, r.Number)
		})
		var other *LeaseError
		if !errors.As(err, &other) {
			return err
		}
		if err := sleep(ctx, asked); err != nil {
			return err
		}
		if _, err := e.Load(ctx); err != nil {
			return err
		}
		if r.Status.Ended() {
			return e.run(ctx, r.Number)
		}
	}
}

// Freeze keeps a stage as it is until it is thawed, or until a time.
func (e *Engine) Freeze(ctx context.Context, event plan.Event) error {
	if _, _, err := e.Config.Stage(event.Stage); err != nil {
		return err
	}
	if _, err := e.Load(ctx); err != nil {
		return err
	}
	return e.write(ctx, event, nil)
}

package release

import (
	"context"
	"time"

	"github.com/butai-dev/butai/internal/release/config"
	"github.com/butai-dev/butai/internal/release/plan"
)

// StageStatus is one column of the status screen.
type StageStatus struct {
	Stage    string            `json:"stage"`
	URL      string            `json:"url"`
	Alias    string            `json:"alias"`
	Missing  bool              `json:"missing,omitempty"`
	Pair     plan.Pair         `json:"pair"`
	Canary   *plan.Canary      `json:"canary,omitempty"`
	Weights  map[string]string `json:"weights,omitempty"` // of the alias, by function
	Deployed time.Time         `json:"deployed,omitzero"`
	Modified map[string]string `json:"modified,omitempty"` // when each function's version was made
	Last     *plan.Release     `json:"last,omitempty"`     // the latest that was released
	Open     *plan.Release     `json:"open,omitempty"`
	Frozen   *plan.Freeze      `json:"frozen,omitempty"`
	Numbers  *Numbers          `json:"numbers,omitempty"`
	Unknown  string            `json:"unknown,omitempty"` // why there are no numbers
}

// statusWindow is what the numbers are about.
const statusWindow = 15 * time.Minute

// Status looks at every stage.
func (e *Engine) Status(ctx context.Context) ([]StageStatus, error) {
	if _, err := e.Load(ctx); err != nil {
		return nil, err
	}
	deployments, err := e.Gateway.Deployments(ctx)
	if err != nil {
		return nil, err
	}
	created := map[string]time.Time{}
	for _, d := range deployments {
		created[d.ID] = d.Created
	}
	var out []StageStatus
	for i := range e.Config.Stages {
		s, err := e.stageStatus(ctx, &e.Config.Stages[i])
		if err != nil {
			return nil, err
		}
		s.Deployed = created[s.Pair.Deployment]
		out = append(out, *s)
	}
	return out, nil
}

func (e *Engine) stageStatus(ctx context.Context, c *config.Stage) (*StageStatus, error) {
	stage, pair, err := e.Observe(ctx, c)
	if err != nil {
		return nil, err
	}
	url, err := e.StageURL(c.Name)
	if err != nil {
		return nil, err
	}
	s := &StageStatus{
		Stage: c.Name, URL: url, Alias: c.Alias, Missing: stage.Missing, Pair: pair, Canary: stage.Canary,
		Weights: map[string]string{}, Modified: map[string]string{},
		Last: e.history.Last(c.Name), Open: e.history.Open(c.Name),
	}
	if f := e.history.Frozen[c.Name]; f.In(e.Clock.Now()) {
		s.Frozen = f
	}
	for _, fn := range sortedKeys(pair.Versions) {
		a, err := e.Functions.Alias(ctx, fn, c.Alias)
		if err != nil {
			return nil, err
		}
		if a != nil && len(a.Weights) > 0 {
			s.Weights[fn] = a.weights()
		}
		v, err := e.Functions.Configuration(ctx, fn, pair.Versions[fn])
		if err != nil {
			return nil, err
		}
		s.Modified[fn] = v.Modified
	}
	now := e.Clock.Now()
	if s.Numbers, err = e.Metrics.Stage(ctx, c.Name, now.Add(-statusWindow), now); err != nil {
		s.Unknown = err.Error()
	}
	return s, ctx.Err()
}

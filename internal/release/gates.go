package release

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/release/check"
	"github.com/butai-dev/butai/internal/release/plan"
)

// gateError says that a gate didn't pass.
type gateError struct {
	verdict plan.Verdict // Failed or Inconclusive
	reason  string
}

func (e *gateError) Error() string { return e.reason }

// judge turns results into an error unless all passed.
func judge(results []plan.Result) error {
	var failed, open []string
	for _, r := range results {
		switch r.Verdict {
		case plan.Failed:
			failed = append(failed, r.Name+": "+r.Detail)
		case plan.Inconclusive:
			open = append(open, r.Name+": "+r.Detail)
		}
	}
	switch {
	case len(failed) > 0:
		return &gateError{plan.Failed, strings.Join(failed, "; ")}
	case len(open) > 0:
		return &gateError{plan.Inconclusive, "inconclusive: " + strings.Join(open, "; ")}
	}
	return nil
}

// verify runs the gates once, in the dark while the release is there.
func (e *Engine) verify(ctx context.Context, r *plan.Release) ([]plan.Result, error) {
	target, err := e.target(r.Stage, r.To.Versions)
	if err != nil {
		return nil, err
	}
	if r.InTheDark() {
		if target, err = e.darkTarget(r); err != nil {
			return nil, err
		}
	}
	return e.gate(ctx, r, target)
}

// target is where a stage's checks go.
func (e *Engine) target(stage string, versions map[string]string) (check.Target, error) {
	url, err := e.StageURL(stage)
	return check.Target{Stage: stage, URL: url, Versions: versions}, err
}

// gate runs checks and hooks once.
func (e *Engine) gate(ctx context.Context, r *plan.Release, target check.Target) ([]plan.Result, error) {
	results := e.Checks.Run(ctx, e.Config.Checks, target)
	if g := e.Config.Gates; g.Hook != "" && ctx.Err() == nil {
		results = append(results, e.hook(ctx, r, g.Hook, target))
	}
	if g := e.Config.Gates; g.Webhook != "" && ctx.Err() == nil {
		results = append(results, e.webhook(ctx, r, g.Webhook, target))
	}
	return e.stamp(r, results), judge(results)
}

// stamp enters the step and the time into results.
func (e *Engine) stamp(r *plan.Release, results []plan.Result) []plan.Result {
	for i := range results {
		if r.Next < len(r.Steps) {
			results[i].Step = r.Steps[r.Next].String()
		}
		if results[i].Time.IsZero() {
			results[i].Time = e.Clock.Now()
		}
	}
	return results
}

// StageURL is where a stage answers.
func (e *Engine) StageURL(name string) (string, error) {
	stage, _, err := e.Config.Stage(name)
	if err != nil {
		return "", err
	}
	if stage.URL != "" {
		return strings.TrimSuffix(stage.URL, "/"), nil
	}
	return e.executeURL(name), nil
}

// executeURL is where API Gateway answers for a stage without a domain.
func (e *Engine) executeURL(stage string) string {
	if e.Account.Endpoint != "" {
		return e.Account.Endpoint + "/_aws/execute-api/" + e.Config.API + "/" + stage
	}
	suffix := "amazonaws.com"
	if e.Account.Partition == "aws-cn" {
		suffix += ".cn"
	}
	return fmt.Sprintf("https://%s.execute-api.%s.%s/%s", e.Config.API, e.Account.Region, suffix, stage)
}

const (
	hookTimeout = 5 * time.Minute
	hookOutput  = 500 // bytes of a hook's output that the record keeps
)

// hook runs a shell command, which learns of the release by its environment.
func (e *Engine) hook(ctx context.Context, r *plan.Release, command string, at check.Target) plan.Result {
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Env = append(os.Environ(), "BUTAI_RELEASE="+fmt.Sprint(r.Number), "BUTAI_STAGE="+r.Stage, "BUTAI_URL="+at.URL,
		"BUTAI_DEPLOYMENT="+r.To.Deployment, "BUTAI_HEADER="+headerLine(at.Headers))
	out, err := cmd.CombinedOutput()
	result := plan.Result{Name: "hook", Verdict: plan.Passed}
	if err != nil {
		tail := bytes.TrimSpace(out)
		result.Verdict, result.Detail = plan.Failed, fmt.Sprintf("%v: %s", err, tail[max(0, len(tail)-hookOutput):])
	}
	return result
}

// webhook tells a URL of the release, and passes if it answers 2xx.
func (e *Engine) webhook(ctx context.Context, r *plan.Release, address string, at check.Target) plan.Result {
	result := plan.Result{Name: "webhook", Verdict: plan.Failed}
	body, err := json.Marshal(map[string]any{"release": r.Number, "stage": r.Stage, "url": at.URL, "headers": at.Headers, "from": r.From, "to": r.To})
	if err != nil {
		result.Detail = err.Error()
		return result
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		result.Detail = err.Error()
		return result
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := e.Checks.Client.Do(req)
	if err != nil {
		result.Detail = err.Error()
		return result
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		result.Detail = "answered " + res.Status
		return result
	}
	result.Verdict = plan.Passed
	return result
}

// watch runs the gates again and again while a share of the requests is on
// the new pair, and compares metrics at the end of the time.
func (e *Engine) watch(ctx context.Context, r *plan.Release, length time.Duration) ([]plan.Result, error) {
	since := e.Clock.Now()
	// The checks may meet either pair; either must pass.
	target, err := e.target(r.Stage, e.eitherVersion(r))
	if err != nil {
		return nil, err
	}
	for {
		results, err := e.gate(ctx, r, target)
		if err != nil {
			return results, err
		}
		left := length - e.Clock.Now().Sub(since)
		metrics, err := e.compare(ctx, r, since, left <= 0)
		results = append(results, metrics...)
		if err != nil || left <= 0 {
			return results, err
		}
		e.tell(r, Progress{Event: "wait", Name: "watch", Left: left, Results: results})
		if err := e.wait(ctx, r, min(left, time.Duration(e.Config.Gates.Every))); err != nil {
			return nil, err
		}
	}
}

func (e *Engine) eitherVersion(r *plan.Release) map[string]string {
	out := map[string]string{}
	for fn, v := range r.From.Versions {
		out["old "+fn] = v
	}
	for fn, v := range r.To.Versions {
		out["new "+fn] = v
	}
	return out
}

// asked is how often a release that waits looks whether somebody asked it to
// pause or to go back.
const asked = time.Second

// wait sleeps, and ends early if somebody asks the release to stop.
func (e *Engine) wait(ctx context.Context, r *plan.Release, d time.Duration) error {
	until := e.Clock.Now().Add(d)
	for {
		left := until.Sub(e.Clock.Now())
		if left <= 0 {
			return nil
		}
		if err := sleep(ctx, min(left, asked)); err != nil {
			return err
		}
		if _, err := e.Load(ctx); err != nil {
			return err
		}
		if r.Status != plan.Running {
			return errOvertaken
		}
	}
}

// compare judges the new versions by the old ones over the same minutes. Only
// the last round may be inconclusive; a failure counts at any time.
func (e *Engine) compare(ctx context.Context, r *plan.Release, since time.Time, last bool) ([]plan.Result, error) {
	m := e.Config.Gates.Metrics
	if m == nil {
		return nil, nil
	}
	if e.Metrics == nil {
		return nil, fmt.Errorf("the metrics gate needs CloudWatch")
	}
	now := e.Clock.Now()
	var results []plan.Result
	for _, fn := range sortedKeys(r.To.Versions) {
		before, err := e.Metrics.Alias(ctx, fn, r.Alias, since, now)
		if err != nil {
			return nil, err
		}
		after, err := e.Metrics.Alias(ctx, fn, r.Pin, since, now)
		if err != nil {
			return nil, err
		}
		e.tell(r, Progress{Event: "metrics", Name: fn, Numbers: []Numbers{*before, *after}})
		result := Compare(m, before, after)
		result.Name = "metrics of " + fn
		results = append(results, result)
	}
	results = e.stamp(r, results)
	if !last {
		results = slices.DeleteFunc(results, func(r plan.Result) bool { return r.Verdict == plan.Inconclusive })
	}
	return results, judge(results)
}

// Verify runs the checks on a stage as it is, outside of any release.
func (e *Engine) Verify(ctx context.Context, stage string) ([]plan.Result, error) {
	if _, err := e.Load(ctx); err != nil {
		return nil, err
	}
	c, _, err := e.Config.Stage(stage)
	if err != nil {
		return nil, err
	}
	_, pair, err := e.Observe(ctx, c)
	if err != nil {
		return nil, err
	}
	target, err := e.target(stage, pair.Versions)
	if err != nil {
		return nil, err
	}
	return e.Checks.Run(ctx, e.Config.Checks, target), ctx.Err()
}

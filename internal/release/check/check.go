// Package check sends the requests that butai.yaml lists and judges the
// answers.
package check

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/gateway/jsonpath"
	"github.com/butai-dev/butai/internal/gateway/value"
	"github.com/butai-dev/butai/internal/release/config"
	"github.com/butai-dev/butai/internal/release/plan"
)

// Runner sends checks.
type Runner struct {
	Client *http.Client
	Clock  clock.Clock
}

// Target is where the checks go, and what must answer.
type Target struct {
	Stage string // its name in butai.yaml
	URL   string // without a slash at its end
	// Versions are the function versions of which one must answer where a
	// check says how to tell; nil where any may.
	Versions map[string]string
	// Headers are sent with each request, before its own.
	Headers map[string]string
}

const (
	timeout = 30 * time.Second
	maxBody = 10 << 20 // API Gateway's own limit
	shown   = 200      // bytes of an answer that a failure quotes
)

// Run sends every check that is for the target's stage, in order.
func (r *Runner) Run(ctx context.Context, checks []config.Check, t Target) []plan.Result {
	var out []plan.Result
	for i := range checks {
		c := &checks[i]
		if len(c.Stages) > 0 && !slices.Contains(c.Stages, t.Stage) {
			continue
		}
		out = append(out, r.one(ctx, c, t))
	}
	return out
}

func (r *Runner) one(ctx context.Context, c *config.Check, t Target) plan.Result {
	started := r.Clock.Now()
	result := plan.Result{Time: started, Name: c.Name, Verdict: plan.Passed}
	res, body, err := r.send(ctx, c, t)
	took := r.Clock.Now().Sub(started)
	result.Seconds = took.Seconds()
	var wrong []string
	if err != nil {
		wrong = []string{err.Error()}
	} else {
		wrong = Judge(&c.Expect, res, body, took, t.Versions)
	}
	if len(wrong) > 0 {
		result.Verdict, result.Detail = plan.Failed, fmt.Sprintf("%s %s: %s", c.Method, c.Path, strings.Join(wrong, "; "))
	}
	return result
}

func (r *Runner) send(ctx context.Context, c *config.Check, t Target) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, c.Method, t.URL+c.Path, strings.NewReader(c.Body))
	if err != nil {
		return nil, nil, err
	}
	if c.Body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, headers := range []map[string]string{t.Headers, c.Headers} {
		for name, v := range headers {
			req.Header.Set(name, v)
		}
	}
	res, err := r.Client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	return res, body, err
}

// Judge says what of an answer isn't as expected.
func Judge(e *config.Expect, res *http.Response, body []byte, took time.Duration, versions map[string]string) []string {
	var wrong []string
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if res.StatusCode != e.Status {
		say("status %d, want %d: %s", res.StatusCode, e.Status, quote(body))
	}
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		if got := res.Header.Get(name); !matches(e.Headers[name], got) {
			say("header %s is %q, want %s", name, got, e.Headers[name])
		}
	}
	if e.Body != "" && !matches(e.Body, string(body)) {
		say("body is %s, want %s", quote(body), e.Body)
	}
	for _, path := range slices.Sorted(maps.Keys(e.JSON)) {
		want, err := json.Marshal(e.JSON[path])
		if err != nil {
			say("%s: %v", path, err)
			continue
		}
		if got, problem := find(path, body); problem != "" || !sameJSON(got, string(want)) {
			say("%s is %s%s, want %s", path, got, problem, want)
		}
	}
	if limit := time.Duration(e.Latency); limit > 0 && took > limit {
		say("took %s, want %s at most", took.Round(time.Millisecond), limit)
	}
	if e.Version != "" && versions != nil {
		got, problem := version(e.Version, res, body)
		if !slices.Contains(slices.Collect(maps.Values(versions)), got) {
			say("version %s%s answered, want %s", got, problem, strings.Join(slices.Sorted(maps.Values(versions)), " or "))
		}
	}
	return wrong
}

func matches(pattern, text string) bool {
	re, err := regexp.Compile(pattern)
	return err == nil && re.MatchString(text)
}

// version reads which version answered.
func version(where string, res *http.Response, body []byte) (got, problem string) {
	if name, ok := strings.CutPrefix(where, "header:"); ok {
		return res.Header.Get(name), ""
	}
	got, problem = find(where, body)
	return strings.Trim(got, `"`), problem
}

// find evaluates a JSONPath over a body and returns JSON, or what went wrong.
func find(path string, body []byte) (got, problem string) {
	p, err := jsonpath.Compile(path)
	if err != nil {
		return "", "no JSONPath: " + err.Error()
	}
	doc, err := value.Parse(string(body))
	if err != nil {
		return "", "in no JSON: " + quote(body)
	}
	v, ok := p.Eval(doc)
	if !ok {
		return "", "not there"
	}
	return string(value.AppendJSON(nil, v, maxBody)), ""
}

// sameJSON compares values, not their spelling: 1.0 is 1.
func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

func quote(body []byte) string {
	if len(body) > shown {
		return fmt.Sprintf("%q…", body[:shown])
	}
	return fmt.Sprintf("%q", body)
}

package release

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/release/check"
	"github.com/butai-dev/butai/internal/release/plan"
)

// Domains is what a release needs of custom domains: routing rules, which send
// requests that bear a header to another stage than the rest.
type Domains interface {
	// Domain reads a custom domain; one that doesn't exist is Missing.
	Domain(ctx context.Context, name string) (*Domain, error)
	CreateRule(ctx context.Context, domain string, rule Rule) error
	// DeleteRule deletes a rule; it may be gone already.
	DeleteRule(ctx context.Context, domain, id string) error
}

// Domain is how a custom domain finds stages.
type Domain struct {
	Name    string
	Missing bool
	// ByRules tells whether it asks routing rules at all.
	ByRules bool
	// Stages are the names of this API's stages by base path, "" for none.
	Stages map[string]string
	Rules  []Rule
}

// Rule is a routing rule of a custom domain.
type Rule struct {
	ID       string
	Priority int32  // the lowest is tried first
	Stage    string // of this API; "" for another API's
	// BasePath, Header and Value are what a request must have; "" for any.
	BasePath, Header, Value string
}

func darkName(stage string) string { return stage + "_dark" }

// DarkValue is what the header must be for a request to reach a release in the
// dark: its number.
func DarkValue(r *plan.Release) string { return strconv.Itoa(r.Number) }

// makeDark serves the new pair on a stage of its own, with the variables of
// the stage it is meant for. Where that stage has a custom domain, requests
// to it that bear the header reach it too.
func (e *Engine) makeDark(ctx context.Context, r *plan.Release) error {
	if err := e.change(ctx, darkName(r.Stage), r.Flipped(true)); err != nil {
		return err
	}
	d, err := e.domain(ctx, r.Stage)
	if err != nil || d == nil {
		return err
	}
	rules, err := e.darkRules(d, r.Stage, DarkValue(r))
	if err != nil {
		return err
	}
	for _, rule := range rules {
		if err := e.Domains.CreateRule(ctx, d.Name, rule); err != nil {
			return fmt.Errorf("route domain %s by header: %w", d.Name, err)
		}
	}
	return nil
}

// domain reads a stage's custom domain, nil if it has none.
func (e *Engine) domain(ctx context.Context, stage string) (*Domain, error) {
	c, _, err := e.Config.Stage(stage)
	if err != nil || c.Domain == "" {
		return nil, err
	}
	d, err := e.Domains.Domain(ctx, c.Domain)
	if err != nil {
		return nil, fmt.Errorf("domain %s of stage %s: %w", c.Domain, stage, err)
	}
	return d, nil
}

// darkRules are the rules that a domain lacks so that a header's value leads
// into the dark: one for each base path that leads to the stage, tried before
// all others.
func (e *Engine) darkRules(d *Domain, stage, value string) ([]Rule, error) {
	if d.Missing {
		return nil, fmt.Errorf("there is no domain %s, which butai.yaml gives to stage %s", d.Name, stage)
	}
	if !d.ByRules {
		return nil, fmt.Errorf("domain %s has no routing rules, which find a release in the dark by its header; this lets it have some, and leaves its mappings as they are: "+
			"aws apigateway update-domain-name --domain-name %s --patch-operations op=replace,path=/routingMode,value=ROUTING_RULE_THEN_BASE_PATH_MAPPING", d.Name, d.Name)
	}
	first := int32(maxPriority)
	have := map[string]bool{}
	var paths []string
	for _, rule := range d.Rules {
		first = min(first, rule.Priority)
		switch {
		case rule.Stage == darkName(stage):
			have[rule.BasePath] = true
		case rule.Stage == stage && rule.Header == "":
			paths = append(paths, rule.BasePath)
		}
	}
	for _, path := range sortedKeys(d.Stages) {
		if d.Stages[path] == stage {
			paths = append(paths, path)
		}
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("domain %s doesn't lead to stage %s, by no mapping and no rule", d.Name, stage)
	}
	slices.Sort(paths)
	var missing []Rule
	for _, path := range slices.Compact(paths) {
		if have[path] {
			continue
		}
		if first--; first < 1 {
			return nil, fmt.Errorf("domain %s has a routing rule of priority 1, before which no other can be tried", d.Name)
		}
		missing = append(missing, Rule{Priority: first, Stage: darkName(stage), BasePath: path, Header: e.Config.DarkHeader, Value: value})
	}
	return missing, nil
}

// maxPriority is the one that API Gateway tries last; ours begin before it.
const maxPriority = 1_000_000

// darkTarget is where checks meet a release in the dark: at the stage's own
// address by the header, if that is its domain's, or at the stage of its own.
func (e *Engine) darkTarget(r *plan.Release) (check.Target, error) {
	c, _, err := e.Config.Stage(r.Stage)
	if err != nil {
		return check.Target{}, err
	}
	t := check.Target{Stage: r.Stage, URL: e.executeURL(darkName(r.Stage)), Versions: r.To.Versions}
	if c.Domain != "" && c.URL != "" {
		t.URL, t.Headers = strings.TrimSuffix(c.URL, "/"), map[string]string{e.Config.DarkHeader: DarkValue(r)}
	}
	return t, nil
}

// asksFor says what a release waits for, and where it can be looked at.
func (e *Engine) asksFor(r *plan.Release) (string, error) {
	text := "waits for somebody's approval"
	if !r.InTheDark() {
		return text, nil
	}
	c, _, err := e.Config.Stage(r.Stage)
	if err != nil {
		return "", err
	}
	text += "; the new pair answers at " + e.executeURL(darkName(r.Stage))
	if c.Domain != "" {
		text += fmt.Sprintf(" and, to requests with %s: %s, at %s", e.Config.DarkHeader, DarkValue(r), c.Domain)
	}
	return text, nil
}

// headerLine is the header that leads into the dark, as it is sent; "" if none
// does.
func headerLine(headers map[string]string) string {
	for _, name := range sortedKeys(headers) {
		return name + ": " + headers[name]
	}
	return ""
}

// mayBeDark reports, before anything is done, what would keep a release from
// being found in the dark.
func (e *Engine) mayBeDark(ctx context.Context, stage string) error {
	d, err := e.domain(ctx, stage)
	if err == nil && d != nil {
		_, err = e.darkRules(d, stage, "")
	}
	return err
}

// removeDark takes away what makeDark made, and may have made in part.
func (e *Engine) removeDark(ctx context.Context, r *plan.Release) error {
	if !r.Has(plan.Dark) {
		return nil
	}
	d, err := e.domain(ctx, r.Stage)
	if err != nil {
		return err
	}
	if d != nil {
		for _, rule := range d.Rules {
			if rule.Stage == darkName(r.Stage) {
				if err := e.Domains.DeleteRule(ctx, d.Name, rule.ID); err != nil {
					return err
				}
			}
		}
	}
	return e.change(ctx, darkName(r.Stage), plan.Stage{Missing: true})
}

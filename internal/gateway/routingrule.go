package gateway

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/api/apigatewayv2api"
	"github.com/butai-dev/butai/internal/wire"
)

// routingRule is a compiled RoutingRule: all of its conditions must hold
// (developer guide, "Routing rules to connect API stages to a custom domain
// name for REST APIs").
type routingRule struct {
	id         string
	priority   int64
	conditions []ruleCondition
	apiID      string
	stage      string
	strips     bool // the matched base path, as a mapping does
}

// ruleCondition holds if any of its headers or base paths matches; it has
// either.
type ruleCondition struct {
	headers   []headerGlob
	basePaths []string
}

// headerGlob matches a header's value: whole, by its beginning, its end or a
// part of it. Names are compared without case, values with.
type headerGlob struct {
	name, text     string
	before, behind bool // anything may stand there
}

// compileRules orders rules as they are tried: by priority.
func compileRules(rules []apigatewayv2api.RoutingRule) []routingRule {
	compiled := make([]routingRule, 0, len(rules))
	for i := range rules {
		r := routingRule{id: wire.Val(rules[i].RoutingRuleId), priority: wire.Val(rules[i].Priority)}
		for _, c := range rules[i].Conditions {
			r.conditions = append(r.conditions, compileCondition(&c))
		}
		for _, a := range rules[i].Actions {
			r.apiID, r.stage, r.strips = wire.Val(a.InvokeApi.ApiId), wire.Val(a.InvokeApi.Stage), wire.Val(a.InvokeApi.StripBasePath)
		}
		compiled = append(compiled, r)
	}
	slices.SortFunc(compiled, func(a, b routingRule) int { return cmp.Compare(a.priority, b.priority) })
	return compiled
}

func compileCondition(c *apigatewayv2api.RoutingRuleCondition) ruleCondition {
	var compiled ruleCondition
	if c.MatchBasePaths != nil {
		compiled.basePaths = c.MatchBasePaths.AnyOf
	}
	if c.MatchHeaders != nil {
		for _, v := range c.MatchHeaders.AnyOf {
			g := headerGlob{name: wire.Val(v.Header), text: wire.Val(v.ValueGlob)}
			g.text, g.behind = strings.CutSuffix(g.text, "*")
			g.text, g.before = strings.CutPrefix(g.text, "*")
			compiled.headers = append(compiled.headers, g)
		}
	}
	return compiled
}

// target is where the rule sends a request of this raw path, if it matches.
func (rule *routingRule) target(r *http.Request, path string) (Target, bool) {
	t := Target{APIID: rule.apiID, Stage: rule.stage, Path: path, RequestPath: path, Custom: true, RoutingRule: rule.id}
	for i := range rule.conditions {
		switch c := &rule.conditions[i]; {
		case c.headers != nil:
			if !slices.ContainsFunc(c.headers, func(g headerGlob) bool { return g.matches(r) }) {
				return Target{}, false
			}
		default:
			base, rest, ok := cutAnyBasePath(path, c.basePaths)
			if !ok {
				return Target{}, false
			}
			if rule.strips {
				t.BasePath, t.Path = base, rest
			}
		}
	}
	return t, true
}

func cutAnyBasePath(path string, basePaths []string) (base, rest string, ok bool) {
	for _, base := range basePaths {
		if rest, ok := cutBasePath(path, base); ok {
			return base, rest, true
		}
	}
	return "", "", false
}

// matches looks at each line of the header alone; values within a line are
// not told apart. A host's port, which AWS's have none of, doesn't count.
func (g *headerGlob) matches(r *http.Request) bool {
	if strings.EqualFold(g.name, "Host") {
		return g.holds(withoutPort(r.Host))
	}
	for name, values := range r.Header {
		if strings.EqualFold(name, g.name) {
			return slices.ContainsFunc(values, g.holds)
		}
	}
	return false
}

func (g *headerGlob) holds(value string) bool {
	switch {
	case g.before && g.behind:
		return strings.Contains(value, g.text)
	case g.behind:
		return strings.HasPrefix(value, g.text)
	case g.before:
		return strings.HasSuffix(value, g.text)
	}
	return value == g.text
}

// byRules reports whether a domain of this mode asks its routing rules, and
// byMappings whether it asks its base path mappings.
func byRules(mode string) bool {
	return mode != "" && mode != apigatewayapi.RoutingModeBASEPATHMAPPINGONLY
}

func byMappings(mode string) bool { return mode != apigatewayapi.RoutingModeROUTINGRULEONLY }

package apigateway

import (
	"regexp"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayv2api"
	"github.com/butai-dev/butai/internal/wire"
)

// What a routing rule may hold (developer guide, "Routing rules to connect API
// stages to a custom domain name for REST APIs", "Restrictions"). The limits
// are documented as "less than"; how AWS words its refusals is not.
var (
	ruleHeader = pattern{regexp.MustCompile("^[A-Za-z0-9?!#$%&'.^_`|~-]+$"), 39}
	ruleGlob   = pattern{regexp.MustCompile("^\\*?[A-Za-z0-9?!#$%&'.^_`|~-]*\\*?$"), 127}
	// A value between two stars is shorter than others.
	ruleInfix    = 40
	ruleBasePath = pattern{regexp.MustCompile(`^[A-Za-z0-9$_.+!*'()-]+(/[A-Za-z0-9$_.+!*'()-]+)*$`), 127}
)

const (
	maxRuleHeaders   = 2
	maxRuleBasePaths = 1
)

// deafHeaders can't be conditions; those that end with a star stand for every
// name that begins so.
var deafHeaders = []string{
	"access-control-*", "apigw-*", "authorization", "connection", "content-encoding", "content-length", "content-location", "forwarded",
	"keep-alive", "origin", "proxy-authenticate", "proxy-authorization", "te", "trailers", "transfer-encoding", "upgrade", "x-amz-*",
	"x-amzn-*", "x-apigw-api-id", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-restapi", "via",
}

func checkRule(rule *apigatewayv2api.RoutingRule) error {
	if len(rule.Actions) != 1 {
		return badRequest("A routing rule must have exactly one action.")
	}
	headers, paths := 0, 0
	for i := range rule.Conditions {
		c := &rule.Conditions[i]
		switch {
		case (c.MatchHeaders == nil) == (c.MatchBasePaths == nil):
			return badRequest("A condition of a routing rule must have either matchHeaders or matchBasePaths.")
		case c.MatchHeaders != nil:
			headers++
			if err := checkHeaderCondition(c.MatchHeaders); err != nil {
				return err
			}
		default:
			paths++
			if err := checkBasePathCondition(c.MatchBasePaths); err != nil {
				return err
			}
		}
	}
	switch {
	case headers > maxRuleHeaders || paths > maxRuleBasePaths:
		return badRequest("A routing rule can have up to %d matchHeaders conditions and %d matchBasePaths condition.", maxRuleHeaders, maxRuleBasePaths)
	case paths == 0 && wire.Val(rule.Actions[0].InvokeApi.StripBasePath):
		return badRequest("stripBasePath needs a matchBasePaths condition.")
	}
	return nil
}

func checkHeaderCondition(c *apigatewayv2api.RoutingRuleMatchHeaders) error {
	if len(c.AnyOf) != 1 {
		return badRequest("anyOf of a matchHeaders condition must have exactly one value.")
	}
	name, glob := *c.AnyOf[0].Header, *c.AnyOf[0].ValueGlob
	infix := strings.HasPrefix(glob, "*") && strings.HasSuffix(glob, "*") && glob != "*"
	switch {
	case !ruleHeader.matches(name):
		return badRequest("Invalid header name in a routing rule: %s", name)
	case slices.ContainsFunc(deafHeaders, func(deaf string) bool { return covers(deaf, strings.ToLower(name)) }):
		return badRequest("Header %s is not supported in conditions of routing rules.", name)
	case glob == "" || glob == "**" || !ruleGlob.matches(glob), infix && len(glob) > ruleInfix:
		return badRequest("Invalid header value glob in a routing rule: %s", glob)
	}
	return nil
}

func covers(deaf, name string) bool {
	if prefix, ok := strings.CutSuffix(deaf, "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return name == deaf
}

func checkBasePathCondition(c *apigatewayv2api.RoutingRuleMatchBasePaths) error {
	if len(c.AnyOf) != 1 {
		return badRequest("anyOf of a matchBasePaths condition must have exactly one value.")
	}
	if !ruleBasePath.matches(c.AnyOf[0]) {
		return badRequest("Invalid base path in a routing rule: %s", c.AnyOf[0])
	}
	return nil
}

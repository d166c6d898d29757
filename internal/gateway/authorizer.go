package gateway

import (
	"slices"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/xray"
)

// The authorizer types.
const (
	authorizerToken   = "TOKEN"
	authorizerRequest = "REQUEST"
	authorizerCognito = "COGNITO_USER_POOLS"
)

// defaultResultTTL is how long verdicts are kept where an authorizer does not
// say (API reference, "Authorizer").
const defaultResultTTL = 300 * time.Second

// authorizer is a compiled authorizer.
type authorizer struct {
	id         string
	kind       string
	function   lambdaTarget      // of TOKEN and REQUEST
	sources    []identityElement // where the caller's identity is in a request
	validation *pattern          // what a token, or its audience, must look like; nil for anything
	ttl        time.Duration     // 0 keeps nothing
	pools      []string          // ARNs of user pools
	// problem, if set, is why every call fails, for the execution log.
	problem string
}

// compileAuthorizers returns a stage's authorizers by id.
func compileAuthorizers(st *stage, configs []apigatewayapi.Authorizer) map[string]*authorizer {
	out := make(map[string]*authorizer, len(configs))
	for i := range configs {
		a := compileAuthorizer(st, &configs[i])
		out[a.id] = a
	}
	return out
}

// pools are the user pools whose tokens the stage takes.
func (st *stage) pools() []string {
	var out []string
	for _, a := range st.authorizers {
		out = append(out, a.pools...)
	}
	return out
}

func compileAuthorizer(st *stage, config *apigatewayapi.Authorizer) *authorizer {
	a := &authorizer{id: wire.Val(config.Id), kind: wire.Val(config.Type), ttl: defaultResultTTL, pools: config.ProviderARNs}
	if ttl := config.AuthorizerResultTtlInSeconds; ttl != nil {
		a.ttl = time.Duration(*ttl) * time.Second
	}
	source := wire.Val(config.IdentitySource)
	if source == "" && a.kind == authorizerCognito {
		source = "method.request.header.Authorization"
	}
	for part := range strings.SplitSeq(source, ",") {
		if part = strings.TrimSpace(part); part != "" {
			a.sources = append(a.sources, parseIdentityElement(part))
		}
	}
	if expr := wire.Val(config.IdentityValidationExpression); expr != "" {
		var err error
		if a.validation, err = compilePattern(expr); err != nil {
			a.problem = "Invalid identity validation expression: " + err.Error()
		}
	}
	if a.kind != authorizerCognito {
		a.compileFunction(st, config)
	}
	return a
}

// compileFunction resolves what the authorizer calls. Its permission is for
// the authorizer, not for a method (developer guide, "Configure a Lambda
// authorizer").
func (a *authorizer) compileFunction(st *stage, config *apigatewayapi.Authorizer) {
	uri, err := arn.Parse(interpolate(wire.Val(config.AuthorizerUri), st.variables))
	function, ok := functionOf(uri.Resource, lambdaPathPrefix, lambdaPathSuffix)
	if err != nil || !ok {
		a.problem = "Invalid endpoint address"
		return
	}
	a.function = lambdaTarget{
		arn:       function,
		sourceARN: arn.New("execute-api", st.region, st.account, st.apiID+"/authorizers/"+a.id).String(),
		roleARN:   interpolate(wire.Val(config.AuthorizerCredentials), st.variables),
		url:       "https://lambda." + uri.Region + ".amazonaws.com/" + lambdaPathPrefix + function + lambdaPathSuffix,
		lineage:   xray.Lineage(function),
		post:      true,
	}
}

// identityElement is one place of a request that an authorizer looks at.
type identityElement struct {
	source string // as configured, for the execution log
	group  string // header, querystring, stageVariables or context
	name   string
}

func parseIdentityElement(source string) identityElement {
	e := identityElement{source: source}
	rest, fromRequest := strings.CutPrefix(source, "method.request.")
	e.group, e.name, _ = strings.Cut(rest, ".")
	if known := []string{"header", "querystring"}; fromRequest != slices.Contains(known, e.group) {
		e.group = "" // names nothing: never present
	}
	return e
}

// identity reads what the authorizer goes by; ok is false if a part of it is
// missing or empty.
func (x *exchange) identity(a *authorizer) (values []string, ok bool) {
	values = make([]string, len(a.sources))
	for i, e := range a.sources {
		switch e.group {
		case "header":
			values[i] = lastText(x.headers().get(e.name))
		case "querystring":
			values[i] = lastText(x.query().exact(e.name))
		case "stageVariables":
			values[i] = x.st.variables[e.name]
		case "context":
			values[i], _ = x.variable(e.name)
			if v, ok := x.caller.given[e.name]; ok {
				values[i] = v
			}
		}
		if values[i] == "" {
			return values, false
		}
	}
	return values, true
}

// lastText is the last of a parameter's values, or "".
func lastText(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

package gateway

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/xray"
)

// integrationType is the kind of thing behind a method.
type integrationType string

// The integration types that are built.
const (
	typeMock     integrationType = "MOCK"
	typeAWS      integrationType = "AWS"
	typeAWSProxy integrationType = "AWS_PROXY"

	typeHTTP      integrationType = "HTTP"
	typeHTTPProxy integrationType = "HTTP_PROXY"
)

// isProxy tells the types that pass requests and answers on as they are.
func (t integrationType) isProxy() bool { return t == typeAWSProxy || t == typeHTTPProxy }

// isHTTP tells the types whose backend is an HTTP address.
func (t integrationType) isHTTP() bool { return t == typeHTTP || t == typeHTTPProxy }
func (t integrationType) isAWS() bool  { return t == typeAWS || t == typeAWSProxy }

// defaultTimeout is an integration's timeoutInMillis where none is set
// (developer guide, "Quotas for configuring and running a REST API").
const defaultTimeout = 29 * time.Second

// method is a compiled (resource, method) with its integration.
type method struct {
	resourceID   string
	resourcePath string // template path, such as /user/{id}
	verb         string // as declared: ANY stays ANY
	operation    string
	settings     settings
	meter        lazyMeter
	keyRequired  bool // requests need an API key
	validation   validation
	access       access
	// problem, if set, is the answer to every request: the method needs
	// something that is not built, or its configuration cannot work.
	problem *failure

	kind        integrationType
	function    lambdaTarget
	http        httpTarget
	service     *serviceTarget // nil if an AWS integration calls a function
	timeout     time.Duration
	streams     bool // the answer is sent on as it comes
	passthrough string
	content     contentHandling // of requests
	templates   templates
	request     []mapping
	responses   []*response // those with a selection pattern, in order of status
	fallback    *response   // the default response, or nil
}

// response is a compiled integration response.
type response struct {
	status  int
	pattern *pattern
	// expression is the selection pattern with its status, for traces.
	expression string
	mappings   []mapping
	templates  templates
	content    contentHandling
	declared   bool // the method has a response of this status
}

func (m *method) compile(st *stage, d *Deployment, config *apigatewayapi.Method) {
	m.keyRequired = wire.Val(config.ApiKeyRequired)
	m.access = compileAccess(st, config)
	m.problem = m.unsupported(config)
	integration := config.MethodIntegration
	if m.problem != nil {
		return
	}
	if integration == nil {
		m.problem = configurationError("No integration defined for method")
		return
	}
	m.validation = compileValidation(d, st.models, config)
	m.kind = integrationType(wire.Val(integration.Type))
	m.passthrough = cmp.Or(wire.Val(integration.PassthroughBehavior), passWhenNoMatch)
	m.streams = wire.Val(integration.ResponseTransferMode) == streaming
	m.timeout = defaultTimeout
	if ms := wire.Val(integration.TimeoutInMillis); ms > 0 {
		m.timeout = time.Duration(ms) * time.Millisecond
	}
	m.problem = m.compileIntegration(st, config, integration)
}

func (m *method) compileIntegration(st *stage, config *apigatewayapi.Method, integration *apigatewayapi.Integration) *failure {
	var fail *failure
	switch {
	case m.kind.isHTTP():
		m.http, fail = compileHTTP(st, integration)
	case m.kind == typeAWS:
		m.service, fail = compileService(st, m, integration)
	}
	if fail == nil && (m.kind == typeAWSProxy || m.kind == typeAWS && m.service == nil) {
		m.function, fail = compileLambda(st, m, integration)
	}
	if fail != nil {
		return fail
	}
	var err error
	if m.content, err = parseContentHandling(wire.Val(integration.ContentHandling)); err != nil {
		return configurationError(err.Error())
	}
	if m.request, err = compileMappings(requestSide, integration.RequestParameters); err != nil {
		return configurationError(err.Error())
	}
	for i := range m.request {
		mapped := &m.request[i]
		mapped.illegal = mapped.location == "header" && illegalRequestHeader(m.kind, mapped.name)
	}
	if m.streams {
		m.settings.cache = nil
	}
	if m.settings.cache != nil {
		if err = m.settings.cache.setKeys(integration, m.resourceID); err != nil {
			return configurationError(err.Error())
		}
	}
	m.templates = compileTemplates(integration.RequestTemplates)
	return m.compileResponses(config, integration)
}

func (m *method) compileResponses(config *apigatewayapi.Method, integration *apigatewayapi.Integration) *failure {
	for _, code := range slices.Sorted(maps.Keys(integration.IntegrationResponses)) {
		r, err := &response{}, error(nil)
		_, r.declared = config.MethodResponses[code]
		config := integration.IntegrationResponses[code]
		if r.status, err = strconv.Atoi(code); err != nil {
			return configurationError("Invalid status code " + code)
		}
		if r.content, err = parseContentHandling(wire.Val(config.ContentHandling)); err != nil {
			return configurationError(err.Error())
		}
		if r.mappings, err = compileMappings(responseSide, config.ResponseParameters); err != nil {
			return configurationError(err.Error())
		}
		r.templates = compileTemplates(config.ResponseTemplates)
		expr := wire.Val(config.SelectionPattern)
		r.expression = expr + " → " + code
		if expr == "" {
			r.expression = "default → " + code
		}
		switch {
		case expr != "":
			if r.pattern, err = compilePattern(expr); err != nil {
				return configurationError("Invalid selection pattern " + expr + ": " + err.Error())
			}
			m.responses = append(m.responses, r)
		case m.fallback == nil:
			m.fallback = r
		}
	}
	return nil
}

// unsupported names the first thing that the method asks for and the gateway
// does not have. To ignore it would let requests through that AWS stops.
func (m *method) unsupported(config *apigatewayapi.Method) *failure {
	integration := config.MethodIntegration
	if integration == nil {
		return nil
	}
	switch kind := wire.Val(integration.Type); integrationType(kind) {
	case typeMock, typeAWS, typeAWSProxy, typeHTTP, typeHTTPProxy:
	default:
		return notBuilt(kind + " integrations")
	}
	if wire.Val(integration.ResponseTransferMode) == streaming && !integrationType(wire.Val(integration.Type)).isProxy() {
		return configurationError("Response transfer mode STREAM is for proxy integrations")
	}
	return nil
}

// lambdaTarget is the function that an integration's URI names.
type lambdaTarget struct {
	arn       string // with its qualifier
	sourceARN string
	roleARN   string
	asSigner  bool   // it is called as whoever signed the request
	url       string // of the Invoke call, for the execution log
	lineage   string // part of the trace header that tells calls of one function
	post      bool   // the integration's own verb is POST, the only one that Lambda takes
}

// compileLambda resolves the integration's URI with the stage's variables.
func compileLambda(st *stage, m *method, integration *apigatewayapi.Integration) (lambdaTarget, *failure) {
	uri := interpolate(wire.Val(integration.Uri), st.variables)
	a, err := arn.Parse(uri)
	if err != nil || a.Service != "apigateway" {
		return lambdaTarget{}, configurationError("Invalid endpoint address")
	}
	service := a.Account // the fifth part names the service here
	if service != "lambda" {
		return lambdaTarget{}, notBuilt("integrations with the service " + service)
	}
	prefix, suffix := lambdaPathPrefix, lambdaPathSuffix
	if m.streams {
		prefix, suffix = streamPathPrefix, streamPathSuffix
	}
	function, ok := functionOf(a.Resource, prefix, suffix)
	if !ok {
		return lambdaTarget{}, configurationError("Invalid endpoint address")
	}
	role, asSigner, fail := compileCredentials(st, m, wire.Val(integration.Credentials))
	if fail != nil {
		return lambdaTarget{}, fail
	}
	return lambdaTarget{
		arn:       function,
		sourceARN: arn.New("execute-api", st.region, st.account, st.apiID+"/"+st.name+"/"+m.verb+m.resourcePath).String(),
		roleARN:   role,
		asSigner:  asSigner,
		url:       "https://lambda." + a.Region + ".amazonaws.com/" + prefix + function + suffix,
		lineage:   xray.Lineage(function),
		post:      strings.EqualFold(wire.Val(integration.HttpMethod), "POST"),
	}, nil
}

const (
	lambdaPathPrefix = "2015-03-31/functions/"
	lambdaPathSuffix = "/invocations"

	// Those of InvokeWithResponseStream.
	streamPathPrefix = "2021-11-15/functions/"
	streamPathSuffix = "/response-streaming-invocations"
)

// functionOf takes the function's ARN out of the URI's last part, such as
// path/2015-03-31/functions/{arn}/invocations. A stage variable without value
// leaves an empty qualifier, which no function has.
func functionOf(resource, prefix, suffix string) (string, bool) {
	path, ok := strings.CutPrefix(resource, "path/")
	if !ok {
		return "", false
	}
	path, ok = strings.CutPrefix(strings.TrimPrefix(path, "/"), prefix)
	if !ok {
		return "", false
	}
	function, ok := strings.CutSuffix(path, suffix)
	if !ok {
		return "", false
	}
	a, err := arn.Parse(function)
	if err != nil || a.Service != "lambda" {
		return "", false
	}
	parts := strings.Split(a.Resource, ":")
	if len(parts) < 2 || len(parts) > 3 || parts[0] != "function" || slices.Contains(parts, "") {
		return "", false
	}
	return function, true
}

// interpolate replaces ${stageVariables.name}; a variable without value gives
// nothing, any other ${…} stays.
func interpolate(s string, variables map[string]string) string {
	const open = "${stageVariables."
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, open)
		name, rest, closed := strings.Cut(after, "}")
		if !found || !closed {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(before)
		b.WriteString(variables[name])
		s = rest
	}
}

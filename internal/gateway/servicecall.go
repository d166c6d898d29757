package gateway

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/wire"
)

// ServiceCall is a request of the gateway to an AWS service.
type ServiceCall struct {
	Service, Region string // as in the service's host name: dynamodb, us-east-1
	Host            string // the service's, or an account's or a bucket's own
	// Action is the operation of the URI's action form, "" in its path form.
	Action  string
	Verb    string
	Path    string // escaped, beginning with a slash
	Query   string // encoded
	Header  http.Header
	Body    []byte
	RoleARN string // to call as
	// Caller is whoever signed the client's request, to call as instead of a
	// role; nil if the integration doesn't forward their identity.
	Caller *wire.Caller
}

// ServiceResult is a service's answer to a ServiceCall, errors included.
type ServiceResult struct {
	Status int
	Header http.Header
	Body   []byte
}

// ErrRole says that API Gateway may not assume the role of a ServiceCall.
var ErrRole = errors.New("the role cannot be assumed by apigateway.amazonaws.com")

// Services calls AWS services as the integration's role. What a service
// refuses is a ServiceResult like any other; an error is ErrRole or one of
// butai's own.
type Services interface {
	// Serves reports whether there is a service of that name.
	Serves(service string) bool
	CallService(ctx context.Context, call *ServiceCall) (*ServiceResult, error)
}

// serviceTarget is the AWS service behind an AWS integration.
type serviceTarget struct {
	name, region, host string
	action, query      string      // query are parameters behind the action, name=value&…
	path               uriTemplate // beginning with a slash
	verb               string      // "" is the client's
	roleARN            string
	asSigner           bool // it is called as whoever signed the request
}

// compileService resolves arn:aws:apigateway:region:[subdomain.]service:path/…
// or action/… with the stage's variables (API Reference, PutIntegration,
// "uri"). It returns nil for Lambda's Invoke, which is no such call.
func compileService(st *stage, m *method, integration *apigatewayapi.Integration) (*serviceTarget, *failure) {
	a, err := arn.Parse(interpolate(wire.Val(integration.Uri), st.variables))
	if err != nil || a.Service != "apigateway" {
		return nil, configurationError("Invalid endpoint address")
	}
	t := &serviceTarget{region: a.Region, verb: integrationVerb(integration)}
	host := a.Account // the fifth part names the service here
	t.name = host[strings.LastIndexByte(host, '.')+1:]
	t.host = host + "." + a.Region + ".amazonaws.com"
	style, rest, ok := strings.Cut(a.Resource, "/")
	switch {
	case !ok:
		return nil, configurationError("Invalid endpoint address")
	case style == "action":
		t.action, t.query, _ = strings.Cut(rest, "&")
		t.path = uriTemplate{{text: "/"}}
	case t.name == "lambda" && strings.HasPrefix(strings.TrimPrefix(rest, "/"), lambdaPathPrefix) && strings.HasSuffix(rest, lambdaPathSuffix):
		return nil, nil
	default:
		t.path = parseURI("/" + strings.TrimPrefix(rest, "/"))
	}
	if st.backends.services == nil || !st.backends.services.Serves(t.name) {
		return nil, notBuilt("integrations with the service " + t.name)
	}
	var fail *failure
	t.roleARN, t.asSigner, fail = compileCredentials(st, m, wire.Val(integration.Credentials))
	if fail == nil && t.roleARN == "" && !t.asSigner {
		fail = configurationError("Role ARN must be specified for AWS integrations")
	}
	return t, fail
}

// callService sends the integration request to an AWS service.
func (x *exchange) callService() *failure {
	t := x.m.service
	verb := cmp.Or(t.verb, x.verb)
	call := &ServiceCall{
		Service: t.name, Region: t.region, Host: t.host, Action: t.action, Verb: verb, Path: t.path.fill(x.outbound.path),
		Query: encodeQuery("", x.outbound.query), Body: x.outbound.body, Header: x.backendHeader(), RoleARN: t.roleARN,
		Caller: x.forwarded(t.asSigner),
	}
	if bodyless(verb) {
		call.Body = nil
	}
	if t.action != "" {
		call.Query = encodeQuery(encodeQuery("", fields{{"Action", []string{t.action}}}, parseQuery(parseURI(t.query).fill(x.outbound.path))), x.outbound.query)
	}
	address := "https://" + t.host + call.Path
	if call.Query != "" {
		address += "?" + call.Query
	}
	if _, fail := parseEndpoint(address); fail != nil {
		return fail
	}
	if fail := checkHeader(call.Header); fail != nil {
		return fail
	}
	x.outbound.sent, x.inbound.url = call.Header, address
	x.log.endpointRequest(x, call.Body)
	x.noteSent(call.Body)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.r.Context()), x.m.timeout)
	defer cancel()
	begun := time.Now()
	res, err := x.gw.backends.services.CallService(ctx, call)
	x.inbound.called, x.inbound.latency = true, time.Since(begun)
	switch {
	case ctx.Err() != nil:
		return integrationTimeout()
	case errors.Is(err, ErrRole):
		return configurationError("API Gateway does not have permission to assume the provided role " + t.roleARN)
	case err != nil:
		x.gw.log.Error("calling a service for API Gateway failed", "service", t.name, "request", x.requestID, "err", err)
		return configurationError("There was an internal error while executing your request")
	case len(res.Body) > maxPayload:
		return responseTooLarge()
	}
	x.inbound.status, x.inbound.header, x.inbound.body = res.Status, res.Header, res.Body
	x.inbound.selector = strconv.Itoa(res.Status)
	for _, name := range [...]string{"x-amzn-RequestId", "x-amz-request-id"} {
		if id := one(res.Header, name); id != "" {
			x.inbound.requestID = id
			break
		}
	}
	x.log.endpointResponse(x)
	return nil
}

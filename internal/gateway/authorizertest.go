package gateway

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// AuthorizerTest is a made-up request for one authorizer.
type AuthorizerTest struct {
	Account, Region string
	APIID           string
	Authorizer      *apigatewayapi.Authorizer
	Caller          *wire.Caller // who tests
	Headers         map[string][]string
	Path            string // with a query string; "" is /
	Body            string
	StageVariables  map[string]string
	// Context adds $context variables that identity sources may name.
	Context map[string]string
}

// Where a test of an authorizer seems to take place (measured).
const (
	testStage      = "test-invoke-stage"
	testARNStage   = "ESTestInvoke-stage"
	testResourceID = "test-invoke-resource-id"
	testDomain     = "testPrefix.testDomainName"
)

// testLogTime is how lines of a test's log begin (recorded).
const testLogTime = "Mon Jan 02 15:04:05 MST 2006 : "

// TestAuthorizer asks the authorizer and returns what it said with the log of
// it. A verdict is the test's success, whatever it says.
func (g *Gateway) TestAuthorizer(ctx context.Context, t *AuthorizerTest) (*apigatewayapi.TestInvokeAuthorizerResponse, error) {
	x, err := g.testExchange(ctx, t)
	if err != nil {
		return nil, err
	}
	a := compileAuthorizer(x.st, t.Authorizer)
	a.ttl = 0
	begun := time.Now()
	var v *verdict
	var fail *failure
	if a.kind == authorizerCognito {
		v, fail = x.checkToken(a, nil)
	} else {
		v, fail = x.askAuthorizer(a)
	}
	out := &apigatewayapi.TestInvokeAuthorizerResponse{
		ClientStatus: wire.Ptr(int64(http.StatusOK)), Latency: wire.Ptr(time.Since(begun).Milliseconds()),
	}
	if fail != nil {
		out.ClientStatus = wire.Ptr(int64(fail.status))
		for _, line := range append(fail.cause, cmp.Or(fail.message, fail.errorType)) {
			x.log.add(line)
		}
	} else {
		v.tell(out)
	}
	out.Log = wire.Ptr(x.log.testLog())
	return out, nil
}

// tell fills in what a test shows of a verdict.
func (v *verdict) tell(out *apigatewayapi.TestInvokeAuthorizerResponse) {
	if v.claims == nil {
		out.PrincipalId, out.Policy = &v.principalID, &v.policyText
		return
	}
	out.Claims = map[string]string{}
	for _, c := range v.claims {
		out.Claims[c.name] = c.text
	}
}

// testExchange makes an exchange of a test.
func (g *Gateway) testExchange(ctx context.Context, t *AuthorizerTest) (*exchange, error) {
	target, err := parseTestPath(cmp.Or(t.Path, "/"), "")
	if err != nil {
		return nil, err
	}
	x := newExchange(g, testRequest(ctx, http.MethodGet, target), Target{
		APIID: t.APIID, Stage: testStage, Path: target.EscapedPath(), RequestPath: target.EscapedPath(), DomainName: testDomain,
	})
	x.test, x.record = true, nil
	x.st = &stage{
		account: t.Account, region: t.Region, apiID: t.APIID, name: testStage, arnStage: testARNStage,
		variables: t.StageVariables, verdicts: newVerdictCache(),
	}
	x.m = &method{resourceID: testResourceID, resourcePath: x.target.Path, verb: x.verb}
	x.body = []byte(t.Body)
	x.caller.signer, x.caller.given = t.Caller, t.Context
	x.key = presentedKey{testInvokeKey, testInvokeKeyID}
	x.header = testFields(t.Headers)
	x.log = &executionLog{x: x, info: true, trace: true}
	return x, nil
}

// testLog is the log as a test prints it: without the request's id in each
// line, but with the time.
func (l *executionLog) testLog() string {
	var b strings.Builder
	b.WriteString("Execution log for request " + l.x.requestID + "\n")
	for _, e := range l.events {
		line := strings.TrimPrefix(e.Message, "("+l.x.requestID+") ")
		b.WriteString(e.Time.UTC().Format(testLogTime) + line + "\n")
	}
	return b.String()
}

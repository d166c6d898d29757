package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/iam/policy"
)

// authorizerTimeout is how long an authorizer's function may take: as long as
// an integration's.
const authorizerTimeout = defaultTimeout

// authorizerCall is how the call of an authorizer went, for access logs.
type authorizerCall struct {
	made      bool // an authorizer was asked, or its cache
	status    int  // of the stop
	code      int  // that Lambda answered
	requestID string
	latency   time.Duration
	err       string
}

// attempt is how authentication or authorization came out, for access logs.
type attempt struct {
	made   bool
	status int
	err    string
}

// authorizeByFunction asks a Lambda authorizer, or remembers what it said, and
// judges the call by its policy together with the API's.
func (x *exchange) authorizeByFunction(a *authorizer) *failure {
	if fail := x.deniedOutright(); fail != nil {
		return fail
	}
	v, fail := x.askAuthorizer(a)
	x.caller.call.made, x.caller.call.status = true, http.StatusOK
	if fail != nil {
		x.caller.call.status, x.caller.call.err = fail.status, fail.message
		return fail
	}
	x.caller.verdict, x.caller.usageKey = v, v.usageKey
	return x.judgeVerdict(v)
}

// askAuthorizer returns the verdict on the caller: from the cache, or else by
// calling the function.
func (x *exchange) askAuthorizer(a *authorizer) (*verdict, *failure) {
	x.log.authorizerStarts(x, a)
	x.note("authorizer", a.id)
	if a.problem != "" {
		return nil, authorizerMisconfigured("Execution failed due to configuration error: " + a.problem).fixedBy(
			"Authorizer " + a.id + " can't work as it is deployed (" + a.problem + "): correct it, or the stage variables in its URI, and deploy again.")
	}
	identity, ok := x.identity(a)
	if !ok || a.kind == authorizerToken && (len(identity) != 1 || a.validation != nil && !a.validation.match(identity[0])) {
		return nil, x.unauthorized().fixedBy(identityFix(a))
	}
	x.log.authorizerIdentity(a, identity)
	keep := a.ttl > 0 && len(identity) > 0 // without an identity there is nothing to remember by
	key := a.id + "\x00" + strings.Join(identity, "\x00")
	if keep {
		if v := x.st.verdicts.get(key, x.started); v != nil {
			x.note("verdict", "kept from an earlier call")
			x.log.authorizerCached(v)
			return v, nil
		}
	}
	v, fail := x.callAuthorizer(a, x.authorizerEvent(a, identity))
	if fail == nil && keep {
		x.st.verdicts.put(key, v, x.started, x.started.Add(a.ttl))
	}
	return v, fail
}

// callAuthorizer invokes the authorizer's function. One that fails with the
// message Unauthorized says no; with any other, it is out of order.
func (x *exchange) callAuthorizer(a *authorizer, event []byte) (*verdict, *failure) {
	fn := &a.function
	x.log.authorizerRequest(x, fn, event)
	begun := time.Now()
	res, err := x.gw.functions.InvokeFunction(context.WithoutCancel(x.r.Context()), &FunctionCall{
		FunctionARN: fn.arn, SourceARN: fn.sourceARN, SourceAccount: x.st.account, RoleARN: fn.roleARN,
		Payload: event, TraceID: x.trace.forFunction(fn.lineage), Deadline: begun.Add(authorizerTimeout),
	})
	call := &x.caller.call
	call.latency = time.Since(begun)
	if err != nil {
		return nil, x.refuseAuthorizer(fn, err)
	}
	call.code, call.requestID = res.Status, res.RequestID
	if res.FunctionError != "" && errorMessage(res.Payload) == "Unauthorized" {
		return nil, x.unauthorized().fixedBy("The authorizer's function raised Unauthorized, its way to refuse an identity.")
	}
	x.log.authorizerResult(res.Payload)
	v, err := parseVerdict(res.Payload)
	if err != nil {
		return nil, authorizerMisconfigured("Execution failed due to configuration error: " + err.Error()).fixedBy(resultFix(fn, res, err))
	}
	x.log.authorizerDone(v)
	return v, nil
}

// refuseAuthorizer is the answer where Lambda did not run the authorizer.
func (x *exchange) refuseAuthorizer(fn *lambdaTarget, err error) *failure {
	var refused *FunctionError
	if !errors.As(err, &refused) {
		if errors.Is(err, context.DeadlineExceeded) {
			return authorizerMisconfigured("Execution failed due to a timeout error", "Execution failed due to configuration error: Authorizer error")
		}
		x.gw.log.Error("calling an authorizer failed", "function", fn.arn, "request", x.requestID, "err", err)
		return authorizerMisconfigured("Execution failed due to configuration error: Authorizer error")
	}
	x.caller.call.code, x.caller.call.requestID = refused.Status, refused.RequestID
	why := "Invalid permissions on Lambda function"
	switch {
	case refused.Status == http.StatusForbidden && fn.roleARN != "":
		why = "API Gateway does not have permission to assume the provided role " + fn.roleARN
	case refused.Status != http.StatusForbidden && refused.Status != http.StatusNotFound:
		why = refused.Message
	}
	fail := authorizerMisconfigured("Execution failed due to configuration error: "+why, "Execution failed due to configuration error: Authorizer error")
	if refused.Status == http.StatusForbidden || refused.Status == http.StatusNotFound {
		return fail.fixedBy(callFix(fn, refused.Status, "The authorizer's", x.st.apiID+"-authorizer"))
	}
	return fail
}

// judgeVerdict judges the call by an authorizer's policy and the API's own. A
// caller whom neither mentions is let in by neither.
func (x *exchange) judgeVerdict(v *verdict) *failure {
	x.note("principal", v.principalID)
	// The authorizer speaks for the API's account: its policy is what a user's
	// own would be. To the resource policy the caller is nobody.
	req := x.question()
	if v.policy.ReadsContext() {
		req.Context = x.conditions()
	}
	req.Principal = policy.Principal{Kind: policy.User, ARN: v.principalID, Account: x.st.account}
	req.Identity = []policy.Policy{{Doc: v.policy}}
	d := policy.Evaluate(req)
	if !d.Allowed && !d.Explicit && x.st.policy != nil {
		if byResource := policy.Evaluate(x.resourceRequest()); byResource.Allowed {
			d = byResource
		}
	}
	if d.Allowed {
		return x.allow(d)
	}
	reason := strings.TrimPrefix(d.Message(req), req.Subject()) // whoever it is, the answer does not name them
	return x.deny("User is not authorized to access this resource"+reason, x.verdictFix(req.Resource, d.Explicit))
}

// unauthorized is the answer to callers who do not say who they are.
func (x *exchange) unauthorized() *failure {
	return unauthorized("Unauthorized").because("Unauthorized request: " + x.requestID)
}

func unauthorized(message string) *failure {
	return &failure{status: http.StatusUnauthorized, kind: "UNAUTHORIZED", errorType: "UnauthorizedException", message: message, front: true}
}

// authorizerMisconfigured is the answer to calls whose authorizer cannot be
// asked or does not answer as it should. Its message is null (measured).
func authorizerMisconfigured(cause ...string) *failure {
	return authorizerFailure("AUTHORIZER_CONFIGURATION_ERROR", "AuthorizerConfigurationException").because(cause...)
}

func authorizerFailure(kind, errorType string) *failure {
	return &failure{status: http.StatusInternalServerError, kind: kind, errorType: errorType, front: true, null: true}
}

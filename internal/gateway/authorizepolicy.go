package gateway

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/iam/policy"
)

// invokeAction is what every caller of an API must be allowed to do.
const invokeAction = "execute-api:Invoke"

// How API Gateway's resource policy and the method's authorization decide
// together is the developer guide's page "How API Gateway resource policies
// affect authorization workflow".

// authorizeAnyone is the way into methods without authorization: a resource
// policy, if the API has one, must allow the call by itself.
func (x *exchange) authorizeAnyone() *failure {
	if x.st.policy == nil {
		return nil
	}
	req := x.resourceRequest()
	return x.judge(policy.Evaluate(req), req)
}

// deniedOutright reports whether the resource policy denies callers who are
// nobody to IAM in so many words; Lambda authorizers are not even asked then.
func (x *exchange) deniedOutright() *failure {
	if x.st.policy == nil {
		return nil
	}
	req := x.resourceRequest()
	if d := policy.Evaluate(req); d.Explicit {
		return x.judge(d, req)
	}
	return nil
}

// judge turns a decision into an answer, in IAM's own words (measured since
// 2025; before, the reason was left out).
func (x *exchange) judge(d policy.Decision, req *policy.Request) *failure {
	if d.Allowed {
		return x.allow(d)
	}
	return x.deny(strings.ReplaceAll(d.Message(req), x.st.ownerPrefix, x.st.maskedPrefix), denialFix(d, req))
}

// allow lets the call through.
func (x *exchange) allow(d policy.Decision) *failure {
	x.caller.authorize = attempt{made: true, status: http.StatusOK}
	x.note("allowed by", d.Source.String())
	return nil
}

// deny does not. fix is for people who read the trace.
func (x *exchange) deny(text, fix string) *failure {
	x.caller.authorize = attempt{made: true, status: http.StatusForbidden, err: text}
	fail := accessDenied(text)
	fail.fix = fix
	return fail
}

// accessDenied is the answer to callers whom a policy does not let in. Unlike
// all others it spells Message with a capital (measured).
func accessDenied(text string) *failure {
	return (&failure{status: http.StatusForbidden, kind: "ACCESS_DENIED", errorType: "AccessDeniedException",
		message: text, front: true, capital: true}).because(text)
}

// maskedPrefixes returns how the ARNs of an API begin and how answers print
// them: all but the last four digits of the account hidden (measured).
func maskedPrefixes(region, account string) (own, masked string) {
	hidden := max(0, len(account)-4)
	own = arn.New("execute-api", region, account, "").String()
	return own, arn.New("execute-api", region, strings.Repeat("*", hidden)+account[hidden:], "").String()
}

// methodARN is the call's own ARN: with the verb and the path that the client
// sent, where a function's SourceArn has those of the method.
func (x *exchange) methodARN() string {
	return arn.New("execute-api", x.st.region, x.st.account, x.st.apiID+"/"+x.st.arnStage+"/"+x.verb+x.target.Path).String()
}

// policyRequest is the question that policies answer about this call; who
// asks is still to be filled in.
func (x *exchange) policyRequest() *policy.Request {
	req := x.question()
	req.Context, req.ResourcePolicy = x.conditions(), x.st.policy
	return req
}

// resourceRequest is the question to the resource policy alone, by a caller
// who is nobody to IAM.
func (x *exchange) resourceRequest() *policy.Request {
	req := x.question()
	req.ResourcePolicy = x.st.policy
	if x.st.policy.ReadsContext() {
		req.Context = x.conditions()
	}
	return req
}

func (x *exchange) question() *policy.Request {
	return &policy.Request{Action: invokeAction, Resource: x.methodARN(), ResourceAccount: x.st.account}
}

// conditions are the condition keys that a call has ("AWS condition keys that
// can be used in API Gateway resource policies"), but for those that tell of
// a signer.
func (x *exchange) conditions() policy.Context {
	ctx := policy.Context{}
	ctx.Set("aws:CurrentTime", x.started.UTC().Format("2006-01-02T15:04:05Z"))
	ctx.Set("aws:EpochTime", strconv.FormatInt(x.started.Unix(), 10))
	ctx.Set("aws:RequestedRegion", x.st.region)
	ctx.Set("aws:SecureTransport", strconv.FormatBool(x.r.TLS != nil))
	ctx.Set("aws:SourceIp", x.sourceIP())
	if endpoint := x.target.VPCEndpoint; endpoint != "" {
		ctx.Set("aws:SourceVpce", endpoint)
	}
	if d := x.target.private; d != nil {
		ctx.Set("execute-api:viaDomainArn", d.arn)
	}
	for key, name := range map[string]string{"aws:UserAgent": "User-Agent", "aws:Referer": "Referer"} {
		if v := one(x.r.Header, name); v != "" {
			ctx.Set(key, v)
		}
	}
	return ctx
}

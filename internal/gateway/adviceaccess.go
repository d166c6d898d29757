package gateway

import (
	"fmt"
	"strings"

	"github.com/butai-dev/butai/internal/iam/policy"
)

// What to do about callers who were not let in.

// denialFix is for a call that policies don't allow.
func denialFix(d policy.Decision, req *policy.Request) string {
	switch {
	case d.Explicit:
		return fmt.Sprintf("A Deny statement (%s) covers %s on %s: take the call out of it, by a condition or its resources; resource policies act from the next deployment on.",
			d.Source, req.Action, req.Resource)
	case d.Source == policy.SourceResource:
		return fmt.Sprintf("The API's resource policy must allow %s on %s to this caller: add a statement (aws apigateway update-rest-api, path /policy) and deploy again.",
			req.Action, req.Resource)
	}
	return fmt.Sprintf("%s needs a policy that allows %s on %s, such as aws iam put-user-policy or put-role-policy attaches.",
		req.Principal.ARN, req.Action, req.Resource)
}

// verdictFix is for a call that the policy of a Lambda authorizer doesn't allow.
func (x *exchange) verdictFix(resource string, explicit bool) string {
	a := x.m.access.authorizer
	if explicit {
		return fmt.Sprintf("The policy that authorizer %s returned denies %s.", a.id, resource)
	}
	fix := fmt.Sprintf("The policy that authorizer %s returned doesn't allow %s.", a.id, resource)
	if a.ttl > 0 {
		fix += fmt.Sprintf(" It is kept for %d s and judged for every method that the same identity calls: let it allow all of them (%s%s/%s/*), or set authorizerResultTtlInSeconds to 0.",
			int(a.ttl.Seconds()), x.st.ownerPrefix, x.st.apiID, x.st.name)
	}
	return fix
}

// identityFix is for a request that lacks what an authorizer goes by.
func identityFix(a *authorizer) string {
	sources := make([]string, len(a.sources))
	for i, e := range a.sources {
		sources[i] = e.source
	}
	fix := fmt.Sprintf("Authorizer %s goes by %s, and every one of them must be in the request and not empty", a.id, strings.Join(sources, ", "))
	if a.validation != nil {
		fix += "; identityValidationExpression must match all of it"
	}
	return fix + "."
}

// resultFix is for an authorizer's function that answered something else than
// a policy.
func resultFix(fn *lambdaTarget, res *FunctionResult, err error) string {
	if res.FunctionError != "" {
		return "The authorizer's function failed: " + errorMessage(res.Payload) + ". Its output is in butai logs " + functionName(fn.arn) +
			"; to refuse a caller it must raise an error with the message Unauthorized."
	}
	return "The authorizer's function must return an object with principalId and policyDocument, and if it likes context (flat) and usageIdentifierKey: " + strings.TrimSuffix(err.Error(), ".") + "."
}

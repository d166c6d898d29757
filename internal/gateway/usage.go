package gateway

import (
	"strings"
)

// presentedKey is the API key that a request is made with, "" if it has none:
// the header X-API-Key, or what the authorizer says where the API asks it.
type presentedKey struct {
	value string
	id    string // of a key that the account has and that a plan lets in
}

// checkUsage stops requests without a valid API key, where the method wants
// one, and those that exceed a limit: of the key's usage plan for the method
// or altogether, of the stage for the method, or of the account (developer
// guide, "Throttle requests to your REST APIs for better throughput", order of
// throttling). Refused requests don't count against the quota.
func (x *exchange) checkUsage() *failure {
	x.at("throttle")
	c := x.gw.tables.Load().clients[planScope{x.st.account, x.st.region}]
	var sub *subscription
	if x.m.keyRequired {
		var fail *failure
		if sub, fail = x.identifyClient(c); fail != nil {
			return fail
		}
	}
	x.log.verifyingUsage(x)
	if sub != nil {
		if fail := x.throttleClient(sub); fail != nil {
			return fail
		}
	}
	if l := x.m.settings.limiter; !l.allow(x.started) {
		x.note("limit", "of the stage for the method")
		return tooManyRequests().because("Key throttle limit exceeded for " + x.methodLimit() + ". " + l.text())
	}
	if c != nil && !c.account.allow(x.started) {
		x.note("limit", "of the account")
		return tooManyRequests().because("Account throttle limit exceeded. " + c.account.text())
	}
	if sub != nil && sub.allowance != nil && !sub.allowance.take(x.started) {
		return limitExceeded().because(x.maskedKey() + " exceeded quota limit for API Stage " + x.apiStage() +
			": Key quota exhausted for Usage Plan ID " + sub.planID + ". " + sub.allowance.text())
	}
	return nil
}

// identifyClient finds the right under which the request's key may call the
// stage.
func (x *exchange) identifyClient(c *clients) (*subscription, *failure) {
	if x.st.keyFromAuthorizer {
		x.key.value = x.caller.usageKey
	} else {
		x.key.value = one(x.r.Header, "X-Api-Key")
	}
	var key *apiKey
	if c != nil && x.key.value != "" {
		key = c.keys[x.key.value]
	}
	if key != nil && key.enabled {
		x.key.id = key.id
		if sub := key.stages[stageKey{x.st.apiID, x.st.name}]; sub != nil {
			x.note("key", key.id)
			x.note("plan", sub.planID)
			return sub, nil
		}
	}
	x.log.verifyingUsage(x)
	fail := invalidAPIKey().because(x.maskedKey() + " not authorized because method '" + x.m.verb + " " + x.m.resourcePath +
		"' requires API Key and API Key is not associated with a Usage Plan for API Stage " + x.apiStage() +
		": No Usage Plan found for key and API Stage")
	switch {
	case x.key.value == "" && x.st.keyFromAuthorizer:
		return nil, fail.fixedBy("The authorizer returned no usageIdentifierKey, from which this API takes its API key.")
	case x.key.value == "":
		return nil, fail.fixedBy("The request has no X-API-Key header, which the method requires.")
	case key == nil:
		return nil, fail.fixedBy("No usage plan has a key of this value: subscribe it with aws apigateway create-usage-plan-key.")
	case !key.enabled:
		return nil, fail.fixedBy("The key is disabled: aws apigateway update-api-key --api-key " + key.id +
			" --patch-operations op=replace,path=/enabled,value=true")
	}
	return nil, fail.fixedBy("No usage plan of key " + key.id + " covers this stage: aws apigateway update-usage-plan --usage-plan-id ID" +
		" --patch-operations op=add,path=/apiStages,value=" + x.st.apiID + ":" + x.st.name)
}

// throttleClient applies the limits of a key's plan.
func (x *exchange) throttleClient(sub *subscription) *failure {
	exceeded := func(l *limiter, of string) *failure {
		x.note("limit", "of usage plan "+sub.planID)
		return tooManyRequests().because(x.maskedKey() + " exceeded throttle limit for API Stage " + x.apiStage() +
			": Key throttle limit exceeded for Usage Plan ID " + sub.planID + of + ". " + l.text())
	}
	if l := sub.ofMethod(x.m); !l.allow(x.started) {
		return exceeded(l, ", "+x.methodLimit())
	}
	if !sub.throttle.allow(x.started) {
		return exceeded(sub.throttle, "")
	}
	return nil
}

// ofMethod is the plan's own limit for a method, or for all of its resource's.
func (s *subscription) ofMethod(m *method) *limiter {
	if len(s.methods) == 0 {
		return nil
	}
	if l, ok := s.methods[m.resourcePath+"/"+m.verb]; ok {
		return l
	}
	return s.methods[m.resourcePath+"/*"]
}

// methodLimit names what a limit of a method is for, as the execution log does.
func (x *exchange) methodLimit() string {
	return "RestApi " + x.st.apiID + ", Stage " + x.st.name + ", Resource " + x.m.resourceID + ", HttpMethod " + x.m.verb
}

func (x *exchange) apiStage() string { return x.st.apiID + "/" + x.st.name }

func (x *exchange) maskedKey() string { return "API Key " + maskSecret(x.key.value) }

// verifyingUsage tells of the check of the usage plan.
func (l *executionLog) verifyingUsage(x *exchange) {
	if l == nil || !l.info {
		return
	}
	l.add("Verifying Usage Plan for request: ", x.requestID, ". API Key: ", maskSecret(x.key.value), " API Stage: ", x.apiStage())
}

// usageVerified tells that it let the request through.
func (l *executionLog) usageVerified(x *exchange) {
	if !x.m.keyRequired {
		l.add("API Key  authorized because method '", x.m.verb, " ", x.m.resourcePath,
			"' does not require API Key. Request will not contribute to throttle or quota limits")
	}
	l.add("Usage Plan check succeeded for ", x.maskedKey(), " and API Stage ", x.apiStage())
}

// maskSecret hides all but the tail of a secret.
func maskSecret(s string) string {
	const tail = 6
	hidden := max(0, len(s)-tail)
	return strings.Repeat("*", hidden) + s[hidden:]
}

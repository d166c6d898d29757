package gateway

import "strings"

// The execution log's lines about authorizers (measured on AWS). Each method
// may be called on nil.

func (l *executionLog) authorizerStarts(x *exchange, a *authorizer) {
	if l != nil && l.info {
		l.add("Starting authorizer: ", a.id, " for request: ", x.requestID)
	}
}

func (l *executionLog) authorizerIdentity(a *authorizer, values []string) {
	if l == nil || !l.info {
		return
	}
	if a.kind != authorizerRequest {
		l.add("Incoming identity: ", hide(strings.Join(values, "")))
		return
	}
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = a.sources[i].source + "=" + hide(v)
	}
	l.add("Incoming identity: {", strings.Join(parts, ", "), "}")
}

func (l *executionLog) authorizerRequest(x *exchange, fn *lambdaTarget, event []byte) {
	if l == nil || !l.info {
		return
	}
	l.add("Endpoint request URI: ", fn.url)
	if l.trace {
		l.add("Endpoint request headers: ", x.invokeHeaders(fn, event).inBuckets(sentCapacity).java())
		l.add("Endpoint request body after transformations: ", string(event))
	}
	l.add("Sending request to ", fn.url)
}

func (l *executionLog) authorizerResult(payload []byte) {
	if l != nil && l.info {
		l.add("Authorizer result body before parsing: ", string(payload))
	}
}

func (l *executionLog) authorizerCached(v *verdict) {
	if l != nil && l.info {
		l.add("Using cached authorizer policy for principal: ", hide(v.principalID))
		l.add("Successfully completed authorizer execution")
	}
}

func (l *executionLog) authorizerDone(v *verdict) {
	if l != nil && l.info {
		l.add("Using valid authorizer policy for principal: ", hide(v.principalID))
		l.add("Successfully completed authorizer execution")
	}
}

// shownTail is how much of a secret's end stays readable.
const shownTail = 6

// hide masks all but the tail of a secret; a short one altogether.
func hide(secret string) string {
	if len(secret) <= shownTail {
		return strings.Repeat("*", len(secret))
	}
	return strings.Repeat("*", len(secret)-shownTail) + secret[len(secret)-shownTail:]
}

package gateway

import (
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/gateway/vtl"
)

// requestTimeLayout is how $context.requestTime prints (Common Log Format).
const requestTimeLayout = "02/Jan/2006:15:04:05 -0700"

// contextSource is $context (developer guide, "Variables for data models and
// mapping templates for API Gateway"; key order recorded).
type contextSource struct{ x *exchange }

// identitySource is $context.identity. Without a signature or an API key only
// the client's address and user agent are known; the rest is null. An API key
// shows only where the method requires one, a VPC endpoint only where the client
// came through one, and both move their neighbours (a Java map's order).
type identitySource struct{ x *exchange }

// errorSource is $context.error.
type errorSource struct{ f *failure }

var _, _ vtl.TextSource = contextSource{}, identitySource{}
var _ vtl.Source = errorSource{}

func (contextSource) Keys() []string {
	return []string{"resourceId", "resourcePath", "httpMethod", "extendedRequestId", "requestTime", "path",
		"accountId", "protocol", "requestOverride", "stage", "domainPrefix", "requestTimeEpoch", "requestId", "identity",
		"domainName", "deploymentId", "responseOverride", "apiId"}
}

func (s contextSource) Lookup(name string) (vtl.Value, bool) {
	x := s.x
	switch name {
	case "requestTimeEpoch":
		return x.started.UnixMilli(), true
	case "identity":
		return identitySource{x}, true
	case "authorizer":
		return authorizerSource{x}, x.caller.verdict != nil
	case "error":
		if x.failed == nil {
			return nil, false
		}
		return errorSource{x.failed}, true
	}
	v := x.contextText(name)
	return v, v != ""
}

// Text implements vtl.TextSource.
func (s contextSource) Text(name string) (string, bool) {
	v := s.x.contextText(name)
	return v, v != ""
}

// contextText returns one of $context's plain texts, or "".
func (x *exchange) contextText(name string) string {
	switch name {
	case "requestId":
		return x.requestID
	case "extendedRequestId":
		return x.extendedID
	case "httpMethod":
		return x.verb
	case "path":
		return x.target.RequestPath
	case "protocol":
		return x.r.Proto
	case "requestTime":
		return x.started.Format(requestTimeLayout)
	case "domainName":
		return x.domainName()
	case "domainPrefix":
		prefix, _, _ := strings.Cut(x.domainName(), ".")
		return prefix
	case "apiId":
		return x.target.APIID
	case "stage":
		return x.target.Stage
	case "isCanaryRequest":
		return x.st.canaryRequest()
	}
	return x.staticText(name)
}

// staticText returns what the stage and the method alone determine.
func (x *exchange) staticText(name string) string {
	if x.st != nil {
		switch name {
		case "accountId":
			return x.st.account
		case "deploymentId":
			return x.st.deploymentID
		}
	}
	if x.m != nil {
		switch name {
		case "resourceId":
			return x.m.resourceID
		case "resourcePath":
			return x.m.resourcePath
		case "operationName":
			return x.m.operation
		}
	}
	return ""
}

// domainName is the host that the client asked, or the API's own where it
// came by one of butai's path forms.
func (x *exchange) domainName() string {
	if x.target.DomainName == "" && x.st != nil {
		x.target.DomainName = x.st.apiID + ".execute-api." + x.st.region + ".amazonaws.com"
	}
	return x.target.DomainName
}

func (s identitySource) Keys() []string {
	keys := s.knownKeys()
	if s.x.target.ClientCert != nil {
		keys = append([]string{"clientCert"}, keys...)
	}
	return keys
}

// knownKeys are those of clients without a certificate.
func (s identitySource) knownKeys() []string {
	if s.x.m != nil && s.x.m.keyRequired || s.x.test {
		return []string{"cognitoIdentityPoolId", "cognitoIdentityId", "apiKey", "principalOrgId", "cognitoAuthenticationType", "userArn",
			"apiKeyId", "userAgent", "accountId", "caller", "sourceIp", "accessKey", "cognitoAuthenticationProvider", "user"}
	}
	if s.x.target.VPCEndpoint != "" {
		return []string{"cognitoIdentityPoolId", "cognitoIdentityId", "vpceId", "principalOrgId", "cognitoAuthenticationType", "userArn",
			"userAgent", "accountId", "caller", "sourceIp", "accessKey", "vpcId", "cognitoAuthenticationProvider", "user"}
	}
	return []string{"cognitoIdentityPoolId", "accountId", "cognitoIdentityId", "caller", "sourceIp", "principalOrgId",
		"accessKey", "cognitoAuthenticationType", "cognitoAuthenticationProvider", "userArn", "userAgent", "user"}
}

func (s identitySource) Lookup(name string) (vtl.Value, bool) {
	if c := s.x.target.ClientCert; c != nil && name == "clientCert" {
		return clientCertSource{c}, true
	}
	if v, ok := s.Text(name); ok {
		return v, true
	}
	return nil, false
}

// Text implements vtl.TextSource.
func (s identitySource) Text(name string) (string, bool) {
	var v string
	switch name {
	case "sourceIp":
		return s.x.sourceIP(), true
	case "userAgent":
		v = one(s.x.r.Header, "User-Agent")
	case "vpceId":
		v = s.x.target.VPCEndpoint
	case "apiKey":
		v = s.x.key.value
	case "apiKeyId":
		v = s.x.key.id
	default:
		v = s.x.signerText(name)
	}
	return v, v != ""
}

func (errorSource) Keys() []string {
	return []string{"message", "messageString", "responseType", "validationErrorString"}
}

func (s errorSource) Lookup(name string) (vtl.Value, bool) {
	switch name {
	case "message":
		if s.f.null {
			return nil, true
		}
		return s.f.message, true
	case "messageString":
		return string(s.f.appendMessage(nil)), true
	case "responseType":
		return s.f.kind, true
	case "validationErrorString":
		return s.f.detail, s.f.detail != ""
	}
	return nil, false
}

// variable returns the text of a $context variable by its dotted name, for
// parameter mappings and access logs.
func (x *exchange) variable(name string) (string, bool) {
	var group vtl.Source = contextSource{x}
	for {
		key, rest, more := strings.Cut(name, ".")
		v, ok := group.Lookup(key)
		if !ok {
			return "", false
		}
		if !more {
			return textOf(v)
		}
		if group, ok = v.(vtl.Source); !ok {
			return "", false
		}
		name = rest
	}
}

func textOf(v vtl.Value) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	}
	return "", false
}

package openapi

import (
	"strconv"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// integration reads an integration. Members that the document leaves out are
// nil, but for the connection type, which an import sets (recorded).
func (r *reader) integration(path, verb string, ext *node) *apigatewayapi.Integration {
	i := &apigatewayapi.Integration{
		Type: upper(ext.get("type")), HttpMethod: upper(ext.get("httpMethod")), Uri: ext.get("uri").optional(),
		ConnectionType: upper(ext.get("connectionType")), ConnectionId: ext.get("connectionId").optional(),
		Credentials:       ext.get("credentials").optional(),
		RequestParameters: r.texts(path, verb, "requestParameters", ext.get("requestParameters")),
		RequestTemplates:  r.texts(path, verb, "requestTemplates", ext.get("requestTemplates")),

		PassthroughBehavior: upper(ext.get("passthroughBehavior")), ContentHandling: upper(ext.get("contentHandling")),
		CacheNamespace: ext.get("cacheNamespace").optional(), CacheKeyParameters: ext.get("cacheKeyParameters").texts(),
		ResponseTransferMode: upper(ext.get("responseTransferMode")), IntegrationTarget: ext.get("integrationTarget").optional(),
	}
	if kind := wire.Val(i.Type); i.ConnectionType == nil && (kind == apigatewayapi.IntegrationTypeHTTP || kind == apigatewayapi.IntegrationTypeHTTPPROXY) {
		i.ConnectionType = wire.Ptr(apigatewayapi.ConnectionTypeINTERNET)
	}
	if limit := ext.get("timeoutInMillis"); limit != nil {
		ms, err := strconv.ParseInt(limit.str(), 10, 64)
		if err != nil {
			r.fail("Unable to put integration on '%s' for resource at path '%s': Timeout should be between 50 ms and 29000 ms", verb, path)
		}
		i.TimeoutInMillis = &ms
	}
	if tls := ext.get("tlsConfig"); tls != nil {
		i.TlsConfig = &apigatewayapi.TlsConfig{InsecureSkipVerification: wire.Ptr(tls.get("insecureSkipVerification").isTrue())}
	}
	for pattern, res := range ext.get("responses").fields() {
		r.integrationResponse(path, verb, i, pattern, res)
	}
	return i
}

// integrationResponse reads a response, whose key is the pattern that selects
// it.
func (r *reader) integrationResponse(path, verb string, i *apigatewayapi.Integration, pattern string, res *node) {
	code := res.get("statusCode").str()
	if code == "" {
		r.fail("Unable to put integration response on '%s' for resource at path '%s': Status code must be non-empty", verb, path)
		return
	}
	out := apigatewayapi.IntegrationResponse{
		StatusCode: &code, ContentHandling: upper(res.get("contentHandling")),
		ResponseParameters: r.texts(path, verb, "responseParameters", res.get("responseParameters")),
		ResponseTemplates:  r.texts(path, verb, "responseTemplates", res.get("responseTemplates")),
	}
	if pattern != "default" {
		out.SelectionPattern = &pattern
	}
	if i.IntegrationResponses == nil {
		i.IntegrationResponses = map[string]apigatewayapi.IntegrationResponse{}
	}
	i.IntegrationResponses[code] = out
}

package openapi

import (
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// security is what a method asks of its callers.
func (e *exporter) security(m *apigatewayapi.Method) *node {
	needs := &node{kind: list}
	need := func(name string, scopes []string, def *node) {
		e.schemes.set(name, def)
		needs.items = append(needs.items, newObject().set(name, textList(scopes...)))
	}
	switch wire.Val(m.AuthorizationType) {
	case authIAM:
		need("sigv4", nil, apiKeyScheme("Authorization").set(extAuthType, textNode("awsSigv4")))
	case authCustom, authCognito:
		if a := e.authorizer[wire.Val(m.AuthorizerId)]; a != nil {
			need(*a.Name, m.AuthorizationScopes, e.authorizerScheme(a))
		}
	}
	if wire.Val(m.ApiKeyRequired) {
		need("api_key", nil, apiKeyScheme("x-api-key"))
	}
	if len(needs.items) == 0 {
		return nil
	}
	return needs
}

func apiKeyScheme(header string) *node {
	return newObject().set("type", textNode("apiKey")).set("name", textNode(header)).set("in", textNode("header"))
}

// authorizerScheme is an authorizer as a scheme. The header is that of its
// identity source, if that is one header; else there is none to name.
func (e *exporter) authorizerScheme(a *apigatewayapi.Authorizer) *node {
	const inHeader = "method.request.header."
	source := wire.Val(a.IdentitySource)
	header, ok := strings.CutPrefix(source, inHeader)
	request := wire.Val(a.Type) == "REQUEST"
	if !ok || request || strings.ContainsAny(header, ", ") {
		header = "Unused"
	}
	def := apiKeyScheme(header)
	if !e.Format.Authorizers {
		return def
	}
	ext := newObject()
	if len(a.ProviderARNs) > 0 {
		ext.set("providerARNs", textList(a.ProviderARNs...))
	}
	ext.setText("authorizerUri", a.AuthorizerUri).setText("authorizerCredentials", a.AuthorizerCredentials)
	if ttl := a.AuthorizerResultTtlInSeconds; ttl != nil {
		ext.set("authorizerResultTtlInSeconds", intNode(*ttl))
	}
	if request {
		ext.setText("identitySource", a.IdentitySource)
	}
	ext.setText("identityValidationExpression", a.IdentityValidationExpression)
	ext.set("type", textNode(strings.ToLower(wire.Val(a.Type))))
	return def.setText(extAuthType, a.AuthType).set(extAuthorizer, ext)
}

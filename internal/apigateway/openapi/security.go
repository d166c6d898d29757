package openapi

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// scheme is what a security scheme asks of a method.
type scheme struct {
	apiKey     bool
	auth       string // authorization type, or ""
	authorizer string // its name, or ""
}

const (
	authCognito = "COGNITO_USER_POOLS"
	authCustom  = "CUSTOM"
	authIAM     = "AWS_IAM"
	authNone    = "NONE"
)

// securitySchemes makes an authorizer of each scheme with that extension,
// used or not (recorded).
func (r *reader) securitySchemes() {
	r.schemes = map[string]scheme{}
	defined := r.root.get("components", "securitySchemes")
	if r.swagger {
		defined = r.root.get("securityDefinitions")
	}
	for name, def := range defined.fields() {
		def = r.resolve(def)
		authType, kind := def.get(extAuthType).str(), def.get("type").str()
		switch ext := r.resolve(def.get(extAuthorizer)); {
		case ext != nil:
			r.addAuthorizer(name, def, ext)
		case strings.EqualFold(authType, "awsSigv4"):
			r.schemes[name] = scheme{auth: authIAM}
		case kind == "apiKey" && strings.EqualFold(def.get("name").str(), "x-api-key") && def.get("in").str() == "header":
			r.schemes[name] = scheme{apiKey: true}
		default:
			r.warn("Unsupported security definition type '%s' for '%s'. Ignoring.", kind, name)
		}
	}
}

func (r *reader) addAuthorizer(name string, def, ext *node) {
	kind := strings.ToUpper(ext.get("type").str())
	a := apigatewayapi.Authorizer{
		Name: &name, Type: &kind, ProviderARNs: ext.get("providerARNs").texts(),
		AuthorizerUri: ext.get("authorizerUri").optional(), AuthorizerCredentials: ext.get("authorizerCredentials").optional(),
		IdentitySource:               ext.get("identitySource").optional(),
		IdentityValidationExpression: ext.get("identityValidationExpression").optional(),
	}
	s := scheme{auth: authCustom, authorizer: name}
	authType := "custom"
	if kind == authCognito {
		s.auth, authType = authCognito, "cognito_user_pools"
	}
	a.AuthType = wire.Ptr(cmp.Or(def.get(extAuthType).str(), authType))
	if header := def.get("name").str(); a.IdentitySource == nil && kind != "REQUEST" && header != "" && def.get("in").str() == "header" {
		a.IdentitySource = wire.Ptr("method.request.header." + header)
	}
	if ttl := ext.get("authorizerResultTtlInSeconds"); ttl != nil {
		seconds, err := strconv.ParseInt(ttl.str(), 10, 64)
		if err != nil {
			r.fail("Unable to create authorizer '%s': Authorizer result TTL in seconds must be between 0 and 3600", name)
			return
		}
		a.AuthorizerResultTtlInSeconds = &seconds
	}
	r.schemes[name] = s
	r.api.Authorizers = append(r.api.Authorizers, a)
}

// secure applies an operation's security requirements, or those of the whole
// document, to its method. A method has one authorizer: the first.
func (r *reader) secure(op *node, m *Method) {
	m.AuthorizationType, m.ApiKeyRequired = wire.Ptr(authNone), wire.Ptr(false)
	requirements := op.get("security")
	if requirements == nil {
		requirements = r.root.get("security")
	}
	for _, alternative := range requirements.elements() {
		for name, scopes := range alternative.fields() {
			s := r.schemes[name]
			if s.apiKey {
				m.ApiKeyRequired = wire.Ptr(true)
			}
			if s.auth != "" && *m.AuthorizationType == authNone {
				m.AuthorizationType, m.Authorizer = wire.Ptr(s.auth), s.authorizer
				if list := scopes.texts(); s.authorizer != "" && len(list) > 0 {
					m.AuthorizationScopes = list
				}
			}
		}
	}
	if kind := op.get(extAuth, "type").str(); kind != "" {
		m.AuthorizationType, m.Authorizer, m.AuthorizationScopes = wire.Ptr(strings.ToUpper(kind)), "", nil
	}
}

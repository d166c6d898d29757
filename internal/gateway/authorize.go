package gateway

import (
	"fmt"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/wire"
)

// authorizationType is a method's authorizationType.
type authorizationType string

// The authorization types.
const (
	authNone    authorizationType = "NONE"
	authIAM     authorizationType = "AWS_IAM"
	authCustom  authorizationType = "CUSTOM"
	authCognito authorizationType = "COGNITO_USER_POOLS"
)

// access is how a method's callers are let in.
type access struct {
	kind       authorizationType
	authorizer *authorizer // of CUSTOM and COGNITO_USER_POOLS
	scopes     []string    // of which an access token must hold one; none ask for an identity token
}

// compileAccess reads a method's authorization. An authorizer that cannot be
// found stops every request, as one that is set up wrong does.
func compileAccess(st *stage, config *apigatewayapi.Method) access {
	a := access{kind: authorizationType(wire.Val(config.AuthorizationType)), scopes: config.AuthorizationScopes}
	switch a.kind {
	case "":
		a.kind = authNone
	case authCustom, authCognito:
		if a.authorizer = st.authorizers[wire.Val(config.AuthorizerId)]; a.authorizer == nil {
			a.authorizer = &authorizer{problem: "Authorizer error"}
		}
	}
	return a
}

// compileAuthorization reads what decides who may call the stage.
func (st *stage) compileAuthorization(s *Stage) (err error) {
	st.arnStage, st.verdicts = st.name, newVerdictCache()
	st.ownerPrefix, st.maskedPrefix = maskedPrefixes(st.region, st.account)
	st.authorizers = compileAuthorizers(st, s.Deployment.Authorizers)
	if text := wire.Val(s.Deployment.API.Policy); text != "" {
		if st.policy, err = policy.Parse([]byte(text), policy.Resource); err != nil {
			return fmt.Errorf("resource policy: %w", err)
		}
	}
	return nil
}

// authorization is what the authorize stop found out about the caller.
type authorization struct {
	// signer is who signed the request, for AWS_IAM; nil otherwise.
	signer *wire.Caller
	// verdict is the authorizer's answer, or nil if none ran.
	verdict *verdict
	// usageKey is the usageIdentifierKey of a Lambda authorizer's answer, the
	// API key of APIs whose apiKeySource is AUTHORIZER; "" if there is none.
	usageKey string
	// given adds $context variables of a test, for identity sources.
	given map[string]string
	// call and the two attempts are for access logs.
	call         authorizerCall
	authenticate attempt
	authorize    attempt
}

// authorize stops callers whom the method's authorizer or the API's resource
// policy does not let in. It comes after the payload has been read, of which
// signatures hold a hash, and before API keys and throttling, which may go by
// what an authorizer says.
func (x *exchange) authorize() *failure {
	x.at("authorize")
	if fail := x.authorizeDomain(); fail != nil {
		return fail
	}
	switch x.m.access.kind {
	case authNone:
		return x.authorizeAnyone()
	case authIAM:
		return x.authorizeSigner()
	case authCustom:
		return x.authorizeByFunction(x.m.access.authorizer)
	case authCognito:
		return x.authorizeByToken(x.m.access.authorizer)
	}
	return notBuilt("authorization type " + string(x.m.access.kind))
}

package apigateway

import (
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// Security policies say which versions of TLS an API's own host, or a custom
// domain, speaks. Those that begin with SecurityPolicy_ are enhanced: they come
// with an endpoint access mode (developer guide, "Security policies for REST
// APIs in API Gateway", "Supported security policies").
//
// An API that was never given one doesn't show the default, TLS_1_0: that is
// what the recordings of its answers have.

func enhanced(policy *string) bool { return strings.HasPrefix(wire.Val(policy), "SecurityPolicy_") }

// checkSecurity holds a security policy against its access mode and against
// the endpoint that it is for. The words for the missing mode were measured.
func checkSecurity(policy, mode *string, endpoint *apigatewayapi.EndpointConfiguration) error {
	edge := slices.Contains(endpoint.Types, apigatewayapi.EndpointTypeEDGE)
	switch {
	case enhanced(policy) && mode == nil:
		return badRequest("Endpoint access mode is required for the specified security policy")
	case !enhanced(policy) && mode != nil:
		return badRequest("Endpoint access mode is not supported for the specified security policy")
	case enhanced(policy) && len(endpoint.Types) == 1 && strings.HasSuffix(*policy, "_EDGE") != edge,
		isPrivate(endpoint) && wire.Val(policy) == apigatewayapi.SecurityPolicyTLS10:
		return badRequest("Security policy %s is not supported for endpoint type %s", *policy, endpoint.Types[0])
	}
	return nil
}

// setSecurity gives an API a security policy and access mode, of which either
// may be nil.
func setSecurity(api *apigatewayapi.RestApi, policy, mode *string) error {
	api.SecurityPolicy, api.EndpointAccessMode, api.ApiStatus = policy, mode, nil
	if policy != nil {
		api.ApiStatus = wire.Ptr(apigatewayapi.ApiStatusAVAILABLE)
	}
	return checkSecurity(policy, mode, api.EndpointConfiguration)
}

// checkAPISecurity checks an API after a PATCH. One with an enhanced policy
// can't change its endpoint type and leave its policy to chance (measured).
func checkAPISecurity(api *apigatewayapi.RestApi, before []string, ops []apigatewayapi.PatchOperation) error {
	named := slices.ContainsFunc(ops, func(op apigatewayapi.PatchOperation) bool { return wire.Val(op.Path) == "/securityPolicy" })
	if enhanced(api.SecurityPolicy) && !named && !slices.Equal(before, api.EndpointConfiguration.Types) {
		return badRequest("Unable to update EndpointType. SecurityPolicy is required for EndpointType update.")
	}
	return setSecurity(api, api.SecurityPolicy, api.EndpointAccessMode)
}

func patchSecurityPolicy(field **string, op patchOp) error {
	*field = op.value
	return oneOf("SecurityPolicy", op.text(), securityPolicies...)
}

// patchAccessMode changes an endpoint access mode; an empty text removes it.
func patchAccessMode(field **string, op patchOp) error {
	if *field = nonEmpty(op.value); *field == nil {
		return nil
	}
	return oneOf("EndpointAccessMode", op.text(), apigatewayapi.EndpointAccessModeBASIC, apigatewayapi.EndpointAccessModeSTRICT)
}

// securityPolicies are those of the model.
var securityPolicies = []string{
	apigatewayapi.SecurityPolicyTLS10, apigatewayapi.SecurityPolicyTLS12,
	apigatewayapi.SecurityPolicySecurityPolicyTLS1313202509, apigatewayapi.SecurityPolicySecurityPolicyTLS1313FIPS202509,
	apigatewayapi.SecurityPolicySecurityPolicyTLS1312PFSPQ202509, apigatewayapi.SecurityPolicySecurityPolicyTLS1312FIPSPQ202509,
	apigatewayapi.SecurityPolicySecurityPolicyTLS1312FIPSPFSPQ202509, apigatewayapi.SecurityPolicySecurityPolicyTLS1312PQ202509,
	apigatewayapi.SecurityPolicySecurityPolicyTLS1312202106, apigatewayapi.SecurityPolicySecurityPolicyTLS132025EDGE,
	apigatewayapi.SecurityPolicySecurityPolicyTLS12PFS2025EDGE, apigatewayapi.SecurityPolicySecurityPolicyTLS122018EDGE,
}

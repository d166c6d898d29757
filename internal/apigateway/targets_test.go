package apigateway_test

import (
	"testing"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/apigateway"
	"github.com/butai-dev/butai/internal/wire"
)

// TestPassedRoles asks for iam:PassRole where a call hands a role to API
// Gateway.
func TestPassedRoles(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::111111111111:role/r"
	put := func(credentials string) any {
		return &apigatewayapi.PutIntegrationRequest{RestApiId: wire.Ptr("a"), ResourceId: wire.Ptr("r"), HttpMethod: wire.Ptr("GET"), Credentials: wire.Ptr(credentials)}
	}
	update := &apigatewayapi.UpdateIntegrationRequest{RestApiId: wire.Ptr("a"), ResourceId: wire.Ptr("r"), HttpMethod: wire.Ptr("GET"),
		PatchOperations: []apigatewayapi.PatchOperation{{Op: wire.Ptr("replace"), Path: wire.Ptr("/credentials"), Value: wire.Ptr(role)}}}
	for _, tt := range []struct {
		op   string
		in   any
		want bool
	}{
		{"PutIntegration", put(role), true},
		{"PutIntegration", put(""), false},
		{"PutIntegration", put("arn:aws:iam::111111111111:role/${stageVariables.r}"), false},
		{"PutIntegration", put("arn:aws:iam::*:user/*"), false},
		{"UpdateIntegration", update, true},
		{"CreateAuthorizer", &apigatewayapi.CreateAuthorizerRequest{RestApiId: wire.Ptr("a"), AuthorizerCredentials: wire.Ptr(role)}, true},
		{"UpdateAuthorizer", &apigatewayapi.UpdateAuthorizerRequest{RestApiId: wire.Ptr("a"), AuthorizerId: wire.Ptr("b"), PatchOperations: []apigatewayapi.PatchOperation{
			{Op: wire.Ptr("replace"), Path: wire.Ptr("/authorizerCredentials"), Value: wire.Ptr(role)}}}, true},
	} {
		ctx := wire.WithCaller(t.Context(), &wire.Caller{Region: "us-east-1"})
		targets := (&apigateway.Service{}).IAMTargets(ctx, apigatewayapi.Service.Operation(tt.op), tt.in)
		last := targets[len(targets)-1]
		if got := last.Action == "iam:PassRole" && last.Resource == role; got != tt.want {
			t.Errorf("%s %+v: asks for %+v", tt.op, tt.in, targets)
		}
	}
}

package apigateway_test

import (
	"context"
	"slices"
	"testing"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/apigateway"
	"github.com/butai-dev/butai/internal/wire"
)

// TestValidation has recorded texts.
func TestValidation(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id, method := h.newMock()
	const ops = "failed to satisfy constraint: Member must satisfy enum value set: [add, remove, move, test, replace, copy]"
	const code = `Value 'wrong' at 'statusCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [1-5]\d\d`
	for _, c := range []struct {
		message, method, path string
		body                  object
	}{
		{"1 validation error detected: Value 'wrong' at 'updateRestApiInput.patchOperations.1.member.op' " + ops, "PATCH", "/restapis/" + id, patch("wrong /name x")},
		{"2 validation errors detected: Value 'wrong_op' at 'updateMethodResponseInput.patchOperations.1.member.op' " + ops + "; " + code,
			"PATCH", method + "/responses/wrong", patch("wrong_op /responseModels/a~1b Empty")},
		{"1 validation error detected: " + code, "GET", method + "/responses/wrong", nil},
		{"2 validation errors detected: Value '[wrong]' at 'createRestApiInput.endpointConfiguration.types' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [PRIVATE, EDGE, REGIONAL]]; " +
			"Value 'wrong' at 'createRestApiInput.endpointConfiguration.ipAddressType' failed to satisfy constraint: Member must satisfy enum value set: [ipv4, dualstack]",
			"POST", "/restapis", object{"name": "a", "endpointConfiguration": object{"ipAddressType": "wrong", "types": []string{"wrong"}}}},
		{"1 validation error detected: Value 'X' at 'putIntegrationInput.type' failed to satisfy constraint: Member must satisfy enum value set: [HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]",
			"PUT", method + "/integration", object{"type": "X"}},
	} {
		h.fails("ValidationException", c.message, c.method, c.path, c.body)
	}
}

func TestIAMTargets(t *testing.T) {
	t.Parallel()
	const region = "arn:aws:apigateway:eu-west-1::"
	ctx := wire.WithCaller(t.Context(), &wire.Caller{Account: "111111111111", Region: "eu-west-1"})
	for _, c := range []struct {
		op   string
		in   any
		want []string
	}{
		{"GetRestApis", &apigatewayapi.GetRestApisRequest{}, []string{"apigateway:GET " + region + "/restapis"}},
		{"GetAccount", &apigatewayapi.GetAccountRequest{}, []string{"apigateway:GET " + region + "/account"}},
		{"PutIntegration", &apigatewayapi.PutIntegrationRequest{RestApiId: wire.Ptr("a"), ResourceId: wire.Ptr("b"), HttpMethod: wire.Ptr("GET"), IntegrationHttpMethod: wire.Ptr("POST")},
			[]string{"apigateway:PUT " + region + "/restapis/a/resources/b/methods/GET/integration"}},
		{"UpdateStage", &apigatewayapi.UpdateStageRequest{RestApiId: wire.Ptr("a"), StageName: wire.Ptr("prod")}, []string{"apigateway:PATCH " + region + "/restapis/a/stages/prod"}},
		{"TagResource", &apigatewayapi.TagResourceRequest{ResourceArn: wire.Ptr("arn:aws:apigateway:eu-west-1::/restapis/a")},
			[]string{"apigateway:PUT " + region + "/tags/arn:aws:apigateway:eu-west-1::%2Frestapis%2Fa"}},
		{"CreateRestApi", &apigatewayapi.CreateRestApiRequest{Policy: wire.Ptr("{}")},
			[]string{"apigateway:POST " + region + "/restapis", "apigateway:UpdateRestApiPolicy " + region + "/restapis"}},
		{"UpdateRestApi", &apigatewayapi.UpdateRestApiRequest{RestApiId: wire.Ptr("a"), PatchOperations: []apigatewayapi.PatchOperation{{Path: wire.Ptr("/policy")}}},
			[]string{"apigateway:PATCH " + region + "/restapis/a", "apigateway:UpdateRestApiPolicy " + region + "/restapis/a"}},
	} {
		var got []string
		for _, target := range targets(ctx, c.op, c.in) {
			got = append(got, target.Action+" "+target.Resource)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s needs %q, want %q", c.op, got, c.want)
		}
	}
}

func targets(ctx context.Context, op string, in any) []wire.IAMTarget {
	return new(apigateway.Service).IAMTargets(ctx, apigatewayapi.Service.Operation(op), in)
}

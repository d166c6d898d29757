package apigateway

import (
	"context"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/gateway"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// TestInvokeAuthorizer asks an authorizer as it is now, deployed or not, what
// it says to a made-up request, and tells how it went. Nothing is cached.
func (s *Service) TestInvokeAuthorizer(ctx context.Context, in *apigatewayapi.TestInvokeAuthorizerRequest) (*apigatewayapi.TestInvokeAuthorizerResponse, error) {
	sc, caller := scopeOf(ctx), wire.CallerFrom(ctx)
	if err := checkVariables(in.StageVariables); err != nil {
		return nil, err
	}
	a, err := view(ctx, s, func(r store.ReadTx) (*apigatewayapi.Authorizer, error) {
		return find(r, authorizers, noAuthorizer(), sc.id(*in.RestApiId, *in.AuthorizerId))
	})
	if err != nil {
		return nil, err
	}
	return s.Gateway.TestAuthorizer(ctx, &gateway.AuthorizerTest{
		Account: sc.Account, Region: sc.Region, APIID: *in.RestApiId, Authorizer: a, Caller: caller,
		Headers: testHeaders(in.Headers, in.MultiValueHeaders), Path: wire.Val(in.PathWithQueryString), Body: wire.Val(in.Body),
		StageVariables: in.StageVariables, Context: in.AdditionalContext,
	})
}

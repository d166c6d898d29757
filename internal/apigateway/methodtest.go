package apigateway

import (
	"context"
	"maps"
	"slices"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/gateway"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// TestInvokeMethod runs a method as it is now, deployed or not, and tells how
// it went.
func (s *Service) TestInvokeMethod(ctx context.Context, in *apigatewayapi.TestInvokeMethodRequest) (*apigatewayapi.TestInvokeMethodResponse, error) {
	at := methodAt(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	if err := checkVariables(in.StageVariables); err != nil {
		return nil, err
	}
	spec, err := view(ctx, s, func(r store.ReadTx) (*gateway.Stage, error) { return testSpec(r, at, in) })
	if err != nil {
		return nil, err
	}
	return s.Gateway.TestMethod(ctx, &gateway.MethodTest{
		Stage: spec, Verb: *in.HttpMethod, Caller: wire.CallerFrom(ctx), Headers: testHeaders(in.Headers, in.MultiValueHeaders),
		Path: wire.Val(in.PathWithQueryString), Body: wire.Val(in.Body),
	})
}

// testHeaders joins the two ways to give a test headers; those with several
// values win.
func testHeaders(single map[string]string, multi map[string][]string) map[string][]string {
	out := make(map[string][]string, len(single)+len(multi))
	for name, value := range single {
		out[name] = []string{value}
	}
	maps.Copy(out, multi)
	return out
}

// testSpec is a stage of one method, as it is now.
func testSpec(r store.ReadTx, at methodID, in *apigatewayapi.TestInvokeMethodRequest) (*gateway.Stage, error) {
	res, err := getResource(r, at.scope, at.api, at.resource)
	if err != nil {
		return nil, err
	}
	m, declared := res.ResourceMethods[at.verb]
	verb := at.verb
	if !declared && slices.Contains(verbs, verb) {
		verb = "ANY"
		m, declared = res.ResourceMethods[verb]
	}
	if !declared {
		return nil, noMethod()
	}
	only := *res
	only.ResourceMethods = map[string]apigatewayapi.Method{verb: m}
	d, err := frozen(r, at.scope, at.api)
	if err != nil {
		return nil, err
	}
	d.Resources, d.API.Policy = []apigatewayapi.Resource{only}, nil
	spec := &gateway.Stage{
		Account: at.Account, Region: at.Region, APIID: at.api, Deployment: d,
		Stage: &apigatewayapi.Stage{Variables: in.StageVariables, ClientCertificateId: nonEmpty(in.ClientCertificateId)},
	}
	if err := addConnections(r, at.scope, spec); err != nil {
		return nil, err
	}
	if nonEmpty(in.ClientCertificateId) != nil && spec.ClientCertificate == nil {
		return nil, noCertificate()
	}
	return spec, nil
}

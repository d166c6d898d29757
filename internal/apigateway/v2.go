package apigateway

import (
	"context"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayv2api"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/wire"
)

// V2 is what of API Gateway's second API concerns REST APIs: routing rules of
// custom domains, and VPC links. The rest of it makes HTTP and WebSocket APIs.
// Its errors are the first API's, which have the same names and bytes.
type V2 struct{ rest *Service }

// NewV2 returns the API over the custom domains of rest.
func NewV2(rest *Service) *V2 { return &V2{rest} }

// WhyNot implements wire.Explainer.
func (v *V2) WhyNot(*wire.Operation) string {
	return "butai serves REST APIs, which the apigateway API makes, and of apigatewayv2 only the routing rules of their custom domains, and VPC links"
}

// IAMTargets names what a call must be allowed (Service Authorization
// Reference, "Amazon API Gateway Management V2"): unlike the rest of API
// Gateway, where it is the HTTP verb on the path, routing rules have actions of
// their own, and ARNs with an account.
func (v *V2) IAMTargets(ctx context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	var name, domainID *string
	id, action := "*", op.Name
	switch in := in.(type) {
	case *apigatewayv2api.CreateRoutingRuleRequest:
		name, domainID = in.DomainName, in.DomainNameId
	case *apigatewayv2api.ListRoutingRulesRequest:
		name, domainID = in.DomainName, in.DomainNameId
	case *apigatewayv2api.GetRoutingRuleRequest:
		name, domainID, id = in.DomainName, in.DomainNameId, *in.RoutingRuleId
	case *apigatewayv2api.PutRoutingRuleRequest:
		name, domainID, id, action = in.DomainName, in.DomainNameId, *in.RoutingRuleId, "UpdateRoutingRule"
	case *apigatewayv2api.DeleteRoutingRuleRequest:
		name, domainID, id = in.DomainName, in.DomainNameId, *in.RoutingRuleId
	}
	if name == nil {
		path := strings.TrimPrefix(pathOf(&apigatewayv2api.Service, op, in), "/v2")
		return []wire.IAMTarget{{Action: "apigateway:" + op.Method,
			Resource: arn.ARN{Partition: "aws", Service: "apigateway", Region: scopeOf(ctx).Region, Resource: path}.String()}}
	}
	return []wire.IAMTarget{{Action: "apigateway:" + action, Resource: ruleARN(scopeOf(ctx), *name, domainID, id)}}
}

// Refused names the parameters that nothing would honour.
func (v *V2) Refused() []wire.Refusal {
	const first = "change it with UpdateDomainName of apigateway"
	return []wire.Refusal{
		{Operation: "UpdateDomainName", Member: "DomainNameConfigurations", Reason: first},
		{Operation: "UpdateDomainName", Member: "MutualTlsAuthentication", Reason: first},
	}
}

// limitV2 reads the size of a page, which the second API has as a text.
func limitV2(text *string) (*int64, error) {
	if wire.Val(text) == "" {
		return nil, nil
	}
	n, err := strconv.ParseInt(*text, 10, 64)
	if err != nil || n < 1 {
		return nil, badRequest("Invalid maxResults parameter specified")
	}
	return &n, nil
}

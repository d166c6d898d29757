package cloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	v1types "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"github.com/butai-dev/butai/internal/release"
)

// Domains are the account's custom domains, as far as they lead to one API.
// Their mappings are in API Gateway's first API, their rules in its second.
type Domains struct {
	v1  *apigateway.Client
	v2  *apigatewayv2.Client
	api string
}

var _ release.Domains = (*Domains)(nil)

// NewDomains are the domains of an API.
func NewDomains(cfg aws.Config, api string) *Domains {
	return &Domains{apigateway.NewFromConfig(cfg), apigatewayv2.NewFromConfig(cfg), api}
}

// noBasePath is how API Gateway names the mapping of a domain's root.
const noBasePath = "(none)"

// Domain implements release.Domains.
func (d *Domains) Domain(ctx context.Context, name string) (*release.Domain, error) {
	found, err := d.v1.GetDomainName(ctx, &apigateway.GetDomainNameInput{DomainName: &name})
	if is(err, "NotFoundException") {
		return &release.Domain{Name: name, Missing: true}, nil
	}
	if err != nil {
		return nil, err
	}
	out := &release.Domain{Name: name, Stages: map[string]string{}}
	out.ByRules = found.RoutingMode != "" && found.RoutingMode != v1types.RoutingModeBasePathMappingOnly
	if found.RoutingMode != v1types.RoutingModeRoutingRuleOnly {
		if err := d.mappings(ctx, out); err != nil {
			return nil, err
		}
	}
	if !out.ByRules {
		return out, nil
	}
	return out, d.rules(ctx, out)
}

func (d *Domains) mappings(ctx context.Context, out *release.Domain) error {
	pages := apigateway.NewGetBasePathMappingsPaginator(d.v1, &apigateway.GetBasePathMappingsInput{DomainName: &out.Name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, m := range page.Items {
			path := aws.ToString(m.BasePath)
			if path == noBasePath {
				path = ""
			}
			if aws.ToString(m.RestApiId) == d.api {
				out.Stages[path] = aws.ToString(m.Stage)
			}
		}
	}
	return nil
}

func (d *Domains) rules(ctx context.Context, out *release.Domain) error {
	pages := apigatewayv2.NewListRoutingRulesPaginator(d.v2, &apigatewayv2.ListRoutingRulesInput{DomainName: &out.Name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for i := range page.RoutingRules {
			out.Rules = append(out.Rules, d.read(&page.RoutingRules[i]))
		}
	}
	return nil
}

// read takes from a rule what a release looks at.
func (d *Domains) read(r *types.RoutingRule) release.Rule {
	rule := release.Rule{ID: aws.ToString(r.RoutingRuleId), Priority: aws.ToInt32(r.Priority)}
	for _, a := range r.Actions {
		if a.InvokeApi != nil && aws.ToString(a.InvokeApi.ApiId) == d.api {
			rule.Stage = aws.ToString(a.InvokeApi.Stage)
		}
	}
	for _, c := range r.Conditions {
		if c.MatchBasePaths != nil && len(c.MatchBasePaths.AnyOf) > 0 {
			rule.BasePath = c.MatchBasePaths.AnyOf[0]
		}
		if c.MatchHeaders != nil && len(c.MatchHeaders.AnyOf) > 0 {
			rule.Header, rule.Value = aws.ToString(c.MatchHeaders.AnyOf[0].Header), aws.ToString(c.MatchHeaders.AnyOf[0].ValueGlob)
		}
	}
	return rule
}

// CreateRule implements release.Domains. A base path is dropped from the
// path, as a mapping drops it.
func (d *Domains) CreateRule(ctx context.Context, domain string, r release.Rule) error {
	conditions := []types.RoutingRuleCondition{{MatchHeaders: &types.RoutingRuleMatchHeaders{
		AnyOf: []types.RoutingRuleMatchHeaderValue{{Header: &r.Header, ValueGlob: &r.Value}},
	}}}
	if r.BasePath != "" {
		conditions = append(conditions, types.RoutingRuleCondition{MatchBasePaths: &types.RoutingRuleMatchBasePaths{AnyOf: []string{r.BasePath}}})
	}
	_, err := d.v2.CreateRoutingRule(ctx, &apigatewayv2.CreateRoutingRuleInput{
		DomainName: &domain, Priority: &r.Priority, Conditions: conditions,
		Actions: []types.RoutingRuleAction{{InvokeApi: &types.RoutingRuleActionInvokeApi{
			ApiId: &d.api, Stage: &r.Stage, StripBasePath: aws.Bool(r.BasePath != ""),
		}}},
	})
	return err
}

// DeleteRule implements release.Domains.
func (d *Domains) DeleteRule(ctx context.Context, domain, id string) error {
	_, err := d.v2.DeleteRoutingRule(ctx, &apigatewayv2.DeleteRoutingRuleInput{DomainName: &domain, RoutingRuleId: &id})
	if is(err, "NotFoundException") {
		return nil
	}
	return err
}

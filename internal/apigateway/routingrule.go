package apigateway

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/api/apigatewayv2api"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

var routingRules = record.New[apigatewayv2api.RoutingRule]("apigateway", "routingrule")

func ruleARN(sc scope, domainName string, domainID *string, id string) string {
	if wire.Val(domainID) != "" {
		domainName += "+" + *domainID
	}
	return arn.ARN{Partition: "aws", Service: "apigateway", Region: sc.Region, Account: sc.Account,
		Resource: "/domainnames/" + domainName + "/routingrules/" + id}.String()
}

func noRule() error { return notFound("Invalid routing rule identifier specified") }

// CreateRoutingRule adds a rule to a custom domain.
func (v *V2) CreateRoutingRule(ctx context.Context, in *apigatewayv2api.CreateRoutingRuleRequest) (*apigatewayv2api.CreateRoutingRuleResponse, error) {
	id := ident.Lower(6)
	rule := &apigatewayv2api.RoutingRule{Actions: in.Actions, Conditions: in.Conditions, Priority: in.Priority, RoutingRuleId: &id}
	rule, err := v.put(ctx, *in.DomainName, in.DomainNameId, rule, func(_ store.Tx, d *domain) error {
		if !byRules(d) {
			return badRequest("Routing rules can't be created while the routing mode of the domain name is %s.", wire.Val(d.Domain.RoutingMode))
		}
		return nil
	})
	return (*apigatewayv2api.CreateRoutingRuleResponse)(rule), err
}

// PutRoutingRule replaces a rule.
func (v *V2) PutRoutingRule(ctx context.Context, in *apigatewayv2api.PutRoutingRuleRequest) (*apigatewayv2api.PutRoutingRuleResponse, error) {
	rule := &apigatewayv2api.RoutingRule{Actions: in.Actions, Conditions: in.Conditions, Priority: in.Priority, RoutingRuleId: in.RoutingRuleId}
	rule, err := v.put(ctx, *in.DomainName, in.DomainNameId, rule, func(tx store.Tx, d *domain) error {
		_, err := find(tx, routingRules, noRule(), d.id(*d.Domain.DomainName, *in.RoutingRuleId))
		return err
	})
	return (*apigatewayv2api.PutRoutingRuleResponse)(rule), err
}

// put stores and publishes a rule if allowed has nothing against it.
func (v *V2) put(ctx context.Context, domainName string, domainID *string, rule *apigatewayv2api.RoutingRule, allowed func(store.Tx, *domain) error) (*apigatewayv2api.RoutingRule, error) {
	sc, name := scopeOf(ctx), strings.ToLower(domainName)
	if err := checkRule(rule); err != nil {
		return nil, err
	}
	if invoke := rule.Actions[0].InvokeApi; invoke.StripBasePath == nil {
		invoke.StripBasePath = wire.Ptr(false)
	}
	rule.RoutingRuleArn = wire.Ptr(ruleARN(sc, name, domainID, *rule.RoutingRuleId))
	err := v.rest.Store.Update(ctx, func(tx store.Tx) error {
		d, err := getDomain(tx, sc, name, domainID)
		if err != nil {
			return err
		}
		if err := allowed(tx, d); err != nil {
			return err
		}
		target := rule.Actions[0].InvokeApi
		if err := checkMapping(tx, d, &apigatewayapi.BasePathMapping{RestApiId: target.ApiId, Stage: target.Stage}); err != nil {
			return err
		}
		if err := checkPriority(tx, d, rule); err != nil {
			return err
		}
		return routingRules.Put(tx, rule, sc.id(name, *rule.RoutingRuleId)...)
	})
	if err != nil {
		return nil, err
	}
	return rule, v.rest.publishDomain(ctx, sc, name)
}

// checkPriority keeps two rules of a domain from having one priority.
func checkPriority(r store.ReadTx, d *domain, rule *apigatewayv2api.RoutingRule) error {
	for other, err := range routingRules.All(r, d.id(*d.Domain.DomainName)...) {
		if err != nil {
			return err
		}
		if *other.Priority == *rule.Priority && *other.RoutingRuleId != *rule.RoutingRuleId {
			return conflict("A routing rule with priority %d already exists for this domain name", *rule.Priority)
		}
	}
	return nil
}

// GetRoutingRule returns a rule.
func (v *V2) GetRoutingRule(ctx context.Context, in *apigatewayv2api.GetRoutingRuleRequest) (*apigatewayv2api.GetRoutingRuleResponse, error) {
	sc := scopeOf(ctx)
	rule, err := view(ctx, v.rest, func(r store.ReadTx) (*apigatewayv2api.RoutingRule, error) {
		d, err := getDomain(r, sc, *in.DomainName, in.DomainNameId)
		if err != nil {
			return nil, err
		}
		return find(r, routingRules, noRule(), d.id(*d.Domain.DomainName, *in.RoutingRuleId))
	})
	return (*apigatewayv2api.GetRoutingRuleResponse)(rule), err
}

// ListRoutingRules lists a domain's rules in the order they are tried in.
func (v *V2) ListRoutingRules(ctx context.Context, in *apigatewayv2api.ListRoutingRulesRequest) (*apigatewayv2api.ListRoutingRulesResponse, error) {
	sc := scopeOf(ctx)
	return view(ctx, v.rest, func(r store.ReadTx) (*apigatewayv2api.ListRoutingRulesResponse, error) {
		d, err := getDomain(r, sc, *in.DomainName, in.DomainNameId)
		if err != nil {
			return nil, err
		}
		all, err := routingRules.List(r, d.id(*d.Domain.DomainName)...)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(all, func(a, b *apigatewayv2api.RoutingRule) int { return cmp.Compare(*a.Priority, *b.Priority) })
		items, next, err := pageOf(all, in.NextToken, in.MaxResults)
		return &apigatewayv2api.ListRoutingRulesResponse{NextToken: next, RoutingRules: values(items)}, err
	})
}

// DeleteRoutingRule deletes a rule.
func (v *V2) DeleteRoutingRule(ctx context.Context, in *apigatewayv2api.DeleteRoutingRuleRequest) error {
	sc, name := scopeOf(ctx), strings.ToLower(*in.DomainName)
	err := v.rest.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := getDomain(tx, sc, name, in.DomainNameId); err != nil {
			return err
		}
		if _, err := find(tx, routingRules, noRule(), sc.id(name, *in.RoutingRuleId)); err != nil {
			return err
		}
		return routingRules.Delete(tx, sc.id(name, *in.RoutingRuleId)...)
	})
	if err != nil {
		return err
	}
	return v.rest.publishDomain(ctx, sc, name)
}

// byRules and byMappings tell which of the two a domain's routing mode lets
// be made; what there is of the other stays, but leads nowhere (developer
// guide, "Set the routing mode for your custom domain name").
func byRules(d *domain) bool {
	return wire.Val(d.Domain.RoutingMode) != apigatewayapi.RoutingModeBASEPATHMAPPINGONLY
}

func byMappings(d *domain) bool {
	return wire.Val(d.Domain.RoutingMode) != apigatewayapi.RoutingModeROUTINGRULEONLY
}

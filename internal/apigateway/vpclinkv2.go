package apigateway

import (
	"cmp"
	"context"
	"regexp"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/api/apigatewayv2api"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// Links of the second API lead into subnets; which load balancer is meant,
// each integration says by its integrationTarget (developer guide, "Set up VPC
// links V2 in API Gateway"). Where that listens is told at the start, as for
// the first API's links.
var vpcLinksV2 = record.New[apigatewayv2api.VpcLink]("apigateway", "vpclinkv2")

var subnetID = pattern{regexp.MustCompile(`^subnet-[0-9a-z]+$`), 64}

// CreateVpcLink makes a VPC link.
func (v *V2) CreateVpcLink(ctx context.Context, in *apigatewayv2api.CreateVpcLinkRequest) (*apigatewayv2api.CreateVpcLinkResponse, error) {
	sc := scopeOf(ctx)
	if n := len(*in.Name); n < 1 || n > 128 {
		return nil, badRequest("Name must be between 1 and 128 characters")
	}
	if len(in.SubnetIds) == 0 {
		return nil, badRequest("At least one subnet must be specified")
	}
	for _, id := range in.SubnetIds {
		if !subnetID.matches(id) {
			return nil, badRequest("Invalid subnet specified: %s", id)
		}
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	link := &apigatewayv2api.VpcLink{
		CreatedDate: v.rest.now(), Name: in.Name, SecurityGroupIds: append([]string{}, in.SecurityGroupIds...), SubnetIds: in.SubnetIds, Tags: in.Tags,
		VpcLinkId: wire.Ptr(ident.Lower(6)), VpcLinkStatus: wire.Ptr(apigatewayv2api.VpcLinkStatusAVAILABLE),
		VpcLinkStatusMessage: wire.Ptr("VPC link is ready to route traffic"), VpcLinkVersion: wire.Ptr(apigatewayv2api.VpcLinkVersionV2),
	}
	if link.Tags == nil {
		link.Tags = map[string]string{}
	}
	if err := v.rest.Store.Update(ctx, func(tx store.Tx) error { return vpcLinksV2.Put(tx, link, sc.id(*link.VpcLinkId)...) }); err != nil {
		return nil, err
	}
	out := *link
	out.VpcLinkStatus, out.VpcLinkStatusMessage = wire.Ptr(apigatewayv2api.VpcLinkStatusPENDING), wire.Ptr("VPC link is provisioning ENIs")
	return (*apigatewayv2api.CreateVpcLinkResponse)(&out), v.rest.publishAccount(ctx, sc)
}

// GetVpcLink returns a VPC link.
func (v *V2) GetVpcLink(ctx context.Context, in *apigatewayv2api.GetVpcLinkRequest) (*apigatewayv2api.GetVpcLinkResponse, error) {
	sc := scopeOf(ctx)
	link, err := view(ctx, v.rest, func(r store.ReadTx) (*apigatewayv2api.VpcLink, error) {
		return find(r, vpcLinksV2, noVPCLink(), sc.id(*in.VpcLinkId))
	})
	return (*apigatewayv2api.GetVpcLinkResponse)(link), err
}

// GetVpcLinks lists the account's VPC links of the second API in the region.
func (v *V2) GetVpcLinks(ctx context.Context, in *apigatewayv2api.GetVpcLinksRequest) (*apigatewayv2api.GetVpcLinksResponse, error) {
	sc := scopeOf(ctx)
	limit, err := limitV2(in.MaxResults)
	if err != nil {
		return nil, err
	}
	return view(ctx, v.rest, func(r store.ReadTx) (*apigatewayv2api.GetVpcLinksResponse, error) {
		items, next, err := page(r, vpcLinksV2, in.NextToken, limit, func(l *apigatewayv2api.VpcLink) string { return *l.VpcLinkId }, sc.id())
		return &apigatewayv2api.GetVpcLinksResponse{NextToken: next, Items: values(items)}, err
	})
}

// UpdateVpcLink renames a VPC link.
func (v *V2) UpdateVpcLink(ctx context.Context, in *apigatewayv2api.UpdateVpcLinkRequest) (*apigatewayv2api.UpdateVpcLinkResponse, error) {
	sc := scopeOf(ctx)
	link, err := update(ctx, v.rest, func(tx store.Tx) (*apigatewayv2api.VpcLink, error) {
		link, err := find(tx, vpcLinksV2, noVPCLink(), sc.id(*in.VpcLinkId))
		if err != nil {
			return nil, err
		}
		if in.Name != nil {
			if n := len(*in.Name); n < 1 || n > 128 {
				return nil, badRequest("Name must be between 1 and 128 characters")
			}
			link.Name = in.Name
		}
		return link, vpcLinksV2.Put(tx, link, sc.id(*in.VpcLinkId)...)
	})
	if err != nil {
		return nil, err
	}
	return (*apigatewayv2api.UpdateVpcLinkResponse)(link), v.rest.publishAccount(ctx, sc)
}

// DeleteVpcLink deletes a VPC link that no stage's deployment uses.
func (v *V2) DeleteVpcLink(ctx context.Context, in *apigatewayv2api.DeleteVpcLinkRequest) (*apigatewayv2api.DeleteVpcLinkResponse, error) {
	sc, id := scopeOf(ctx), *in.VpcLinkId
	err := v.rest.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := find(tx, vpcLinksV2, noVPCLink(), sc.id(id)); err != nil {
			return err
		}
		if err := checkUnused(tx, sc, id); err != nil {
			return err
		}
		return vpcLinksV2.Delete(tx, sc.id(id)...)
	})
	if err != nil {
		return nil, err
	}
	return &apigatewayv2api.DeleteVpcLinkResponse{}, v.rest.publishAccount(ctx, sc)
}

// checkTarget checks what of a VPC link's network an integration means: links
// of the second API need a load balancer, those of the first have theirs.
func checkTarget(r store.ReadTx, sc scope, i *apigatewayapi.Integration) error {
	target, id := wire.Val(i.IntegrationTarget), wire.Val(i.ConnectionId)
	if wire.Val(i.ConnectionType) != apigatewayapi.ConnectionTypeVPCLINK {
		if target != "" {
			return badRequest("IntegrationTarget can only be specified for connection type VPC_LINK")
		}
		return nil
	}
	if target != "" && !strings.Contains(target, "${") {
		if err := checkTargets([]string{target}); err != nil {
			return err
		}
	}
	if strings.Contains(id, "${") {
		return nil
	}
	second, err := vpcLinksV2.Get(r, sc.id(id)...)
	switch {
	case err != nil:
		return err
	case second != nil && target == "":
		return badRequest("IntegrationTarget is required for VpcLinkV2 %s", id)
	case second != nil:
		return nil
	}
	first, err := vpcLinks.Get(r, sc.id(id)...)
	switch {
	case err != nil || first == nil:
		return cmp.Or(err, badRequest("Invalid Vpc Link identifier specified"))
	case target != "":
		return badRequest("IntegrationTarget can only be specified for a VpcLinkV2, not for %s", id)
	}
	return nil
}

package apigateway

import (
	"context"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/api/apigatewayv2api"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// AWS's guide to routing rules sets the routing mode of public custom domains
// through the second API, which knows these domains too, by other names of the
// same modes.
var routingModes = map[string]string{
	apigatewayv2api.RoutingModeAPIMAPPINGONLY:            apigatewayapi.RoutingModeBASEPATHMAPPINGONLY,
	apigatewayv2api.RoutingModeROUTINGRULEONLY:           apigatewayapi.RoutingModeROUTINGRULEONLY,
	apigatewayv2api.RoutingModeROUTINGRULETHENAPIMAPPING: apigatewayapi.RoutingModeROUTINGRULETHENBASEPATHMAPPING,
}

// domainV2 is a public custom domain as the second API shows it.
func domainV2(d *domain) *apigatewayv2api.DomainName {
	v := &d.Domain
	var configs []apigatewayv2api.DomainNameConfiguration
	for _, kind := range v.EndpointConfiguration.Types {
		config := apigatewayv2api.DomainNameConfiguration{
			ApiGatewayDomainName: v.RegionalDomainName, HostedZoneId: v.RegionalHostedZoneId, CertificateArn: v.RegionalCertificateArn,
			CertificateName: v.RegionalCertificateName, DomainNameStatus: v.DomainNameStatus, DomainNameStatusMessage: v.DomainNameStatusMessage,
			EndpointType: &kind, IpAddressType: v.EndpointConfiguration.IpAddressType, SecurityPolicy: v.SecurityPolicy,
			OwnershipVerificationCertificateArn: v.OwnershipVerificationCertificateArn,
		}
		if kind == apigatewayapi.EndpointTypeEDGE {
			config.ApiGatewayDomainName, config.HostedZoneId = v.DistributionDomainName, v.DistributionHostedZoneId
			config.CertificateArn, config.CertificateName, config.CertificateUploadDate = v.CertificateArn, v.CertificateName, v.CertificateUploadDate
		}
		configs = append(configs, config)
	}
	out := &apigatewayv2api.DomainName{
		ApiMappingSelectionExpression: wire.Ptr("$request.basepath"), DomainName: v.DomainName,
		DomainNameArn:            wire.Ptr(arn.ARN{Partition: "aws", Service: "apigateway", Region: d.Region, Resource: domainPath + *v.DomainName}.String()),
		DomainNameConfigurations: configs, Tags: v.Tags,
	}
	for mode, first := range routingModes {
		if first == wire.Val(v.RoutingMode) {
			out.RoutingMode = &mode
		}
	}
	if m := v.MutualTlsAuthentication; m != nil {
		out.MutualTlsAuthentication = &apigatewayv2api.MutualTlsAuthentication{
			TruststoreUri: m.TruststoreUri, TruststoreVersion: m.TruststoreVersion, TruststoreWarnings: m.TruststoreWarnings,
		}
	}
	if out.Tags == nil {
		out.Tags = map[string]string{}
	}
	return out
}

// GetDomainName returns a public custom domain.
func (v *V2) GetDomainName(ctx context.Context, in *apigatewayv2api.GetDomainNameRequest) (*apigatewayv2api.GetDomainNameResponse, error) {
	sc := scopeOf(ctx)
	return view(ctx, v.rest, func(r store.ReadTx) (*apigatewayv2api.GetDomainNameResponse, error) {
		d, err := getDomain(r, sc, *in.DomainName, nil)
		if err != nil {
			return nil, err
		}
		return (*apigatewayv2api.GetDomainNameResponse)(domainV2(d)), nil
	})
}

// GetDomainNames lists the public custom domains of the account's region.
func (v *V2) GetDomainNames(ctx context.Context, in *apigatewayv2api.GetDomainNamesRequest) (*apigatewayv2api.GetDomainNamesResponse, error) {
	sc := scopeOf(ctx)
	limit, err := limitV2(in.MaxResults)
	if err != nil {
		return nil, err
	}
	return view(ctx, v.rest, func(r store.ReadTx) (*apigatewayv2api.GetDomainNamesResponse, error) {
		public := func(d *domain) bool { return !d.private() }
		items, next, err := pageWhere(r, domains, in.NextToken, limit, public, func(d *domain) string { return *d.Domain.DomainName }, sc.id())
		out := &apigatewayv2api.GetDomainNamesResponse{NextToken: next, Items: []apigatewayv2api.DomainName{}}
		for _, d := range items {
			out.Items = append(out.Items, *domainV2(d))
		}
		return out, err
	})
}

// UpdateDomainName changes a public custom domain's routing mode.
func (v *V2) UpdateDomainName(ctx context.Context, in *apigatewayv2api.UpdateDomainNameRequest) (*apigatewayv2api.UpdateDomainNameResponse, error) {
	if in.RoutingMode != nil {
		mode, ok := routingModes[*in.RoutingMode]
		if !ok {
			return nil, badRequest("Invalid RoutingMode specified. Valid options are API_MAPPING_ONLY,ROUTING_RULE_ONLY,ROUTING_RULE_THEN_API_MAPPING")
		}
		_, err := v.rest.UpdateDomainName(ctx, &apigatewayapi.UpdateDomainNameRequest{DomainName: in.DomainName, PatchOperations: []apigatewayapi.PatchOperation{
			{Op: wire.Ptr(apigatewayapi.OpReplace), Path: wire.Ptr("/routingMode"), Value: &mode},
		}})
		if err != nil {
			return nil, err
		}
	}
	out, err := v.GetDomainName(ctx, &apigatewayv2api.GetDomainNameRequest{DomainName: in.DomainName})
	return (*apigatewayv2api.UpdateDomainNameResponse)(out), err
}

package apigateway

import (
	"context"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// Access associations join private custom domains with VPC endpoints. There
// are no private domains here, so there is none to make, list or take away.

func noAccessAssociation() error {
	return notFound("Invalid domain name access association identifier specified")
}

// CreateDomainNameAccessAssociation refuses every domain: the public ones as
// AWS does, and the private ones aren't built.
func (s *Service) CreateDomainNameAccessAssociation(ctx context.Context, in *apigatewayapi.CreateDomainNameAccessAssociationRequest) (*apigatewayapi.DomainNameAccessAssociation, error) {
	sc := scopeOf(ctx)
	a, err := arn.Parse(*in.DomainNameArn)
	const prefix = "/domainnames/"
	if err != nil || a.Service != "apigateway" || len(a.Resource) <= len(prefix) || a.Resource[:len(prefix)] != prefix {
		return nil, invalidARN()
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if _, err := view(ctx, s, func(r store.ReadTx) (*domain, error) { return getDomain(r, sc, a.Resource[len(prefix):]) }); err == nil {
		return nil, badRequest("Domain name access associations are only supported for private custom domain names.")
	}
	return nil, wire.NotBuilt("private custom domains (access of %s %s)", *in.AccessAssociationSourceType, *in.AccessAssociationSource)
}

// GetDomainNameAccessAssociations lists none.
func (s *Service) GetDomainNameAccessAssociations(_ context.Context, in *apigatewayapi.GetDomainNameAccessAssociationsRequest) (*apigatewayapi.DomainNameAccessAssociations, error) {
	if owner := wire.Val(in.ResourceOwner); owner != "" {
		if err := oneOf("ResourceOwner", owner, apigatewayapi.ResourceOwnerSELF, apigatewayapi.ResourceOwnerOTHERACCOUNTS); err != nil {
			return nil, err
		}
	}
	items, next, err := pageOf([]*apigatewayapi.DomainNameAccessAssociation{}, in.Position, in.Limit)
	return &apigatewayapi.DomainNameAccessAssociations{Position: next, Items: values(items)}, err
}

// DeleteDomainNameAccessAssociation finds none.
func (s *Service) DeleteDomainNameAccessAssociation(_ context.Context, in *apigatewayapi.DeleteDomainNameAccessAssociationRequest) error {
	if _, err := arn.Parse(*in.DomainNameAccessAssociationArn); err != nil {
		return invalidARN()
	}
	return noAccessAssociation()
}

// RejectDomainNameAccessAssociation finds none.
func (s *Service) RejectDomainNameAccessAssociation(_ context.Context, in *apigatewayapi.RejectDomainNameAccessAssociationRequest) error {
	for _, text := range []string{*in.DomainNameAccessAssociationArn, *in.DomainNameArn} {
		if _, err := arn.Parse(text); err != nil {
			return invalidARN()
		}
	}
	return noAccessAssociation()
}

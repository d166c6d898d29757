package apigateway

import (
	"cmp"
	"context"
	"regexp"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// Access associations join private custom domains with VPC endpoints: through
// which of them a domain can be reached.

// accessAssociations are kept below their domain, by their endpoint.
var accessAssociations = record.New[apigatewayapi.DomainNameAccessAssociation]("apigateway", "accessassociation")

const (
	domainPath      = "/domainnames/"
	associationPath = "/domainnameaccessassociations/domainname/"
	sourcePath      = "/vpcesource/"
)

var vpcEndpoint = pattern{regexp.MustCompile(`^vpce-[0-9a-z]+$`), 64}

func noAccessAssociation() error {
	return notFound("Invalid domain name access association identifier specified")
}

// cutARN returns what follows the path in an API Gateway ARN.
func cutARN(text, path string) (rest string, err error) {
	a, err := arn.Parse(text)
	rest, ok := strings.CutPrefix(a.Resource, path)
	if err != nil || !ok || a.Service != "apigateway" || rest == "" {
		return "", invalidARN()
	}
	return rest, nil
}

// CreateDomainNameAccessAssociation lets a VPC endpoint reach a private custom
// domain of the same account.
func (s *Service) CreateDomainNameAccessAssociation(ctx context.Context, in *apigatewayapi.CreateDomainNameAccessAssociationRequest) (*apigatewayapi.DomainNameAccessAssociation, error) {
	sc, source := scopeOf(ctx), *in.AccessAssociationSource
	full, err := cutARN(*in.DomainNameArn, domainPath)
	if err != nil {
		return nil, err
	}
	if a, _ := arn.Parse(*in.DomainNameArn); a.Account != "" && a.Account != sc.Account {
		return nil, noDomain() // nobody shares theirs
	}
	if !vpcEndpoint.matches(source) {
		return nil, badRequest("Invalid access association source specified: %s", source)
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	name, id := splitPrivateName(full)
	name = strings.ToLower(name)
	a := &apigatewayapi.DomainNameAccessAssociation{
		DomainNameAccessAssociationArn: wire.Ptr(arn.ARN{Partition: "aws", Service: "apigateway", Region: sc.Region, Account: sc.Account,
			Resource: associationPath + full + sourcePath + source}.String()),
		DomainNameArn: in.DomainNameArn, AccessAssociationSource: &source, AccessAssociationSourceType: in.AccessAssociationSourceType, Tags: nonEmptyMap(in.Tags),
	}
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		d, err := getDomain(tx, sc, name, id)
		if err != nil {
			return err
		}
		if !d.private() {
			return badRequest("Domain name access associations are only supported for private custom domain names.")
		}
		if have, err := accessAssociations.Get(tx, sc.id(name, source)...); err != nil || have != nil {
			return cmp.Or(err, conflict("The domain name access association already exists."))
		}
		return accessAssociations.Put(tx, a, sc.id(name, source)...)
	})
	if err != nil {
		return nil, err
	}
	return a, s.publishDomain(ctx, sc, name)
}

// GetDomainNameAccessAssociations lists the account's. There are none of other
// accounts.
func (s *Service) GetDomainNameAccessAssociations(ctx context.Context, in *apigatewayapi.GetDomainNameAccessAssociationsRequest) (*apigatewayapi.DomainNameAccessAssociations, error) {
	sc, owner := scopeOf(ctx), wire.Val(in.ResourceOwner)
	if owner != "" {
		if err := oneOf("ResourceOwner", owner, apigatewayapi.ResourceOwnerSELF, apigatewayapi.ResourceOwnerOTHERACCOUNTS); err != nil {
			return nil, err
		}
	}
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.DomainNameAccessAssociations, error) {
		all := []*apigatewayapi.DomainNameAccessAssociation{}
		if owner != apigatewayapi.ResourceOwnerOTHERACCOUNTS {
			var err error
			if all, err = accessAssociations.List(r, sc.id()...); err != nil {
				return nil, err
			}
		}
		items, next, err := pageOf(all, in.Position, in.Limit)
		return &apigatewayapi.DomainNameAccessAssociations{Position: next, Items: values(items)}, err
	})
}

// getAssociation finds an access association by the names in its ARN.
func getAssociation(r store.ReadTx, sc scope, full, source string) (a *apigatewayapi.DomainNameAccessAssociation, id []string, err error) {
	name, _ := splitPrivateName(full)
	id = sc.id(strings.ToLower(name), source)
	a, err = find(r, accessAssociations, noAccessAssociation(), id)
	if err == nil && !strings.HasSuffix(*a.DomainNameArn, domainPath+full) {
		err = noAccessAssociation()
	}
	return a, id, err
}

// associationOf finds what identifies an access association by its ARN. There
// is one.
func associationOf(r store.ReadTx, sc scope, text string) (id []string, err error) {
	rest, err := cutARN(text, associationPath)
	if err != nil {
		return nil, err
	}
	full, source, _ := strings.Cut(rest, sourcePath)
	_, id, err = getAssociation(r, sc, full, source)
	return id, err
}

// DeleteDomainNameAccessAssociation keeps a VPC endpoint from reaching a
// domain again.
func (s *Service) DeleteDomainNameAccessAssociation(ctx context.Context, in *apigatewayapi.DeleteDomainNameAccessAssociationRequest) error {
	sc := scopeOf(ctx)
	name, err := update(ctx, s, func(tx store.Tx) (string, error) {
		id, err := associationOf(tx, sc, *in.DomainNameAccessAssociationArn)
		if err != nil {
			return "", err
		}
		return id[len(id)-2], accessAssociations.Delete(tx, id...)
	})
	if err != nil {
		return err
	}
	return s.publishDomain(ctx, sc, name)
}

// RejectDomainNameAccessAssociation is for domains that other accounts have
// associated, of which there are none.
func (s *Service) RejectDomainNameAccessAssociation(ctx context.Context, in *apigatewayapi.RejectDomainNameAccessAssociationRequest) error {
	sc := scopeOf(ctx)
	if _, err := cutARN(*in.DomainNameArn, domainPath); err != nil {
		return err
	}
	return s.Store.View(ctx, func(r store.ReadTx) error {
		if _, err := associationOf(r, sc, *in.DomainNameAccessAssociationArn); err != nil {
			return err
		}
		return badRequest("Domain name access associations in your own account can't be rejected. Delete them instead.")
	})
}

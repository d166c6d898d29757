package apigateway

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// cloudFrontZone is the hosted zone of every CloudFront distribution (AWS
// General Reference, "Amazon CloudFront endpoints").
const cloudFrontZone = "Z2FDTNDATAQYW2"

// domain is a custom domain's record; see stage.
type domain struct {
	scope
	Domain     apigatewayapi.DomainName
	Truststore string `json:",omitzero"` // of mutual TLS, in PEM; see truststore
}

// DomainCertificates looks certificates of ACM up.
type DomainCertificates interface {
	// Covers tells whether an issued certificate exists, and covers a name.
	Covers(ctx context.Context, certificate arn.ARN, name string) (exists, covers bool, err error)
}

// CreateDomainName makes a custom domain.
func (s *Service) CreateDomainName(ctx context.Context, in *apigatewayapi.CreateDomainNameRequest) (*apigatewayapi.DomainName, error) {
	sc := scopeOf(ctx)
	d, err := s.newDomain(ctx, sc, in)
	if err != nil {
		return nil, err
	}
	trusted, err := s.readTruststore(ctx, sc, d.Domain.MutualTlsAuthentication)
	if err != nil {
		return nil, err
	}
	d.setTruststore(trusted)
	name := *d.Domain.DomainName
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		switch owner, err := owners.Get(tx, name); {
		case err != nil:
			return err
		case owner != nil && d.private():
			return wire.NotBuilt("two custom domains of one name (%s), which only the VPC endpoints of their callers would tell apart", name)
		case owner != nil:
			return badRequest("The domain name you provided already exists.")
		}
		if err := owners.Put(tx, &sc, name); err != nil {
			return err
		}
		return domains.Put(tx, d, sc.id(name)...)
	})
	if err != nil {
		return nil, err
	}
	return &d.Domain, s.publishDomain(ctx, sc, name)
}

func (s *Service) newDomain(ctx context.Context, sc scope, in *apigatewayapi.CreateDomainNameRequest) (*domain, error) {
	endpoint, err := defaultEndpoint(in.EndpointConfiguration)
	if err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	d := &domain{scope: sc, Domain: apigatewayapi.DomainName{
		DomainName: wire.Ptr(strings.ToLower(*in.DomainName)), CertificateName: nonEmpty(in.CertificateName), CertificateArn: nonEmpty(in.CertificateArn),
		RegionalCertificateName: nonEmpty(in.RegionalCertificateName), RegionalCertificateArn: nonEmpty(in.RegionalCertificateArn),
		EndpointConfiguration: endpoint, DomainNameStatus: wire.Ptr(apigatewayapi.DomainNameStatusAVAILABLE),
		SecurityPolicy: nonEmpty(in.SecurityPolicy), EndpointAccessMode: nonEmpty(in.EndpointAccessMode), Policy: nonEmpty(in.Policy), RoutingMode: nonEmpty(in.RoutingMode), Tags: nonEmptyMap(in.Tags),
	}}
	if d.Domain.SecurityPolicy == nil {
		d.Domain.SecurityPolicy = wire.Ptr(apigatewayapi.SecurityPolicyTLS12)
	}
	if d.Domain.RoutingMode == nil {
		d.Domain.RoutingMode = wire.Ptr(apigatewayapi.RoutingModeBASEPATHMAPPINGONLY)
	}
	d.Domain.OwnershipVerificationCertificateArn = nonEmpty(in.OwnershipVerificationCertificateArn)
	if m := in.MutualTlsAuthentication; m != nil {
		d.Domain.MutualTlsAuthentication = &apigatewayapi.MutualTlsAuthentication{
			TruststoreUri: nonEmpty(m.TruststoreUri), TruststoreVersion: nonEmpty(m.TruststoreVersion),
		}
		dropEmpty(&d.Domain)
	}
	if d.private() {
		d.identify()
	}
	return d, s.connect(ctx, d)
}

// GetDomainName returns a custom domain.
func (s *Service) GetDomainName(ctx context.Context, in *apigatewayapi.GetDomainNameRequest) (*apigatewayapi.DomainName, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.DomainName, error) {
		d, err := getDomain(r, sc, *in.DomainName, in.DomainNameId)
		if err != nil {
			return nil, err
		}
		return &d.Domain, nil
	})
}

// GetDomainNames lists the custom domains of the account's region. No other
// account shares domains with it.
func (s *Service) GetDomainNames(ctx context.Context, in *apigatewayapi.GetDomainNamesRequest) (*apigatewayapi.DomainNames, error) {
	sc := scopeOf(ctx)
	if wire.Val(in.ResourceOwner) == apigatewayapi.ResourceOwnerOTHERACCOUNTS {
		return &apigatewayapi.DomainNames{Items: []apigatewayapi.DomainName{}}, nil
	}
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.DomainNames, error) {
		items, next, err := page(r, domains, in.Position, in.Limit, func(d *domain) string { return *d.Domain.DomainName }, sc.id())
		out := &apigatewayapi.DomainNames{Position: next, Items: []apigatewayapi.DomainName{}}
		for _, d := range items {
			out.Items = append(out.Items, d.Domain)
		}
		return out, err
	})
}

var domainPatch = patchTable[apigatewayapi.DomainName]{rows: []patchRow[apigatewayapi.DomainName]{
	optionalRow("/certificateArn", func(d *apigatewayapi.DomainName) **string { return &d.CertificateArn }),
	optionalRow("/certificateName", func(d *apigatewayapi.DomainName) **string { return &d.CertificateName }),
	optionalRow("/regionalCertificateArn", func(d *apigatewayapi.DomainName) **string { return &d.RegionalCertificateArn }),
	optionalRow("/regionalCertificateName", func(d *apigatewayapi.DomainName) **string { return &d.RegionalCertificateName }),
	{"/securityPolicy", replaceOnly, func(d *apigatewayapi.DomainName, op patchOp) error { return patchSecurityPolicy(&d.SecurityPolicy, op) }},
	{"/endpointAccessMode", replaceOnly, func(d *apigatewayapi.DomainName, op patchOp) error { return patchAccessMode(&d.EndpointAccessMode, op) }},
	{"/endpointConfiguration/types", addRemove, patchDomainType},
	{"/endpointConfiguration/types/{}", []string{"add", "copy", "move", "remove", "replace", "test"}, func(_ *apigatewayapi.DomainName, op patchOp) error {
		return badRequest("%s Invalid request input", op.path) // measured
	}},
	{"/endpointConfiguration/ipAddressType", replaceOnly, func(d *apigatewayapi.DomainName, op patchOp) error {
		return patchIPAddressType(d.EndpointConfiguration, op)
	}},
	{"/mutualTlsAuthentication/truststoreUri", anyEdit,
		patchTruststore(func(m *apigatewayapi.MutualTlsAuthentication) **string { return &m.TruststoreUri })},
	{"/mutualTlsAuthentication/truststoreVersion", anyEdit,
		patchTruststore(func(m *apigatewayapi.MutualTlsAuthentication) **string { return &m.TruststoreVersion })},
	optionalRow("/ownershipVerificationCertificateArn", func(d *apigatewayapi.DomainName) **string { return &d.OwnershipVerificationCertificateArn }),
	textRow("/policy", func(d *apigatewayapi.DomainName) **string { return &d.Policy }),
	notBuiltRow[apigatewayapi.DomainName]("/managementPolicy", "sharing of private custom domains with other accounts"),
	{"/routingMode", replaceOnly, func(d *apigatewayapi.DomainName, op patchOp) error {
		d.RoutingMode = op.value
		return oneOf("RoutingMode", op.text(), apigatewayapi.RoutingModeBASEPATHMAPPINGONLY, apigatewayapi.RoutingModeROUTINGRULEONLY,
			apigatewayapi.RoutingModeROUTINGRULETHENBASEPATHMAPPING)
	}},
}}

// UpdateDomainName changes a custom domain. A truststore is read again if the
// call names one.
func (s *Service) UpdateDomainName(ctx context.Context, in *apigatewayapi.UpdateDomainNameRequest) (*apigatewayapi.DomainName, error) {
	sc, name := scopeOf(ctx), strings.ToLower(*in.DomainName)
	edit := func(r store.ReadTx) (*domain, error) {
		d, err := getDomain(r, sc, name, in.DomainNameId)
		if err != nil {
			return nil, err
		}
		before := d.Domain
		before.EndpointConfiguration = wire.Ptr(*before.EndpointConfiguration)
		if err := domainPatch.apply(&d.Domain, rooted(in.PatchOperations)); err != nil {
			return nil, err
		}
		dropEmpty(&d.Domain)
		return d, cmp.Or(checkMigration(&before, &d.Domain), checkPrivate(d, s.Principals),
			checkSecurity(d.Domain.SecurityPolicy, d.Domain.EndpointAccessMode, d.Domain.EndpointConfiguration))
	}
	wanted, err := view(ctx, s, edit)
	if err != nil {
		return nil, err
	}
	if err := s.connect(ctx, wanted); err != nil {
		return nil, err
	}
	var trusted *truststore
	if reads := namesTruststore(in.PatchOperations); reads {
		if trusted, err = s.readTruststore(ctx, sc, wanted.Domain.MutualTlsAuthentication); err != nil {
			return nil, err
		}
	}
	d, err := update(ctx, s, func(tx store.Tx) (*domain, error) {
		d, err := edit(tx)
		if err != nil {
			return nil, err
		}
		if trusted != nil || d.Domain.MutualTlsAuthentication == nil {
			d.setTruststore(trusted)
		}
		d.address(s.now())
		return d, domains.Put(tx, d, sc.id(name)...)
	})
	if err != nil {
		return nil, err
	}
	return &d.Domain, s.publishDomain(ctx, sc, name)
}

// DeleteDomainName deletes a custom domain with its base path mappings and
// routing rules. A private one must have no access associations any more.
func (s *Service) DeleteDomainName(ctx context.Context, in *apigatewayapi.DeleteDomainNameRequest) error {
	sc, name := scopeOf(ctx), strings.ToLower(*in.DomainName)
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := getDomain(tx, sc, name, in.DomainNameId); err != nil {
			return err
		}
		for _, err := range accessAssociations.All(tx, sc.id(name)...) {
			return cmp.Or(err, badRequest("The domain name has domain name access associations. Delete them first."))
		}
		if err := errors.Join(mappings.DeleteAll(tx, sc.id(name)...), routingRules.DeleteAll(tx, sc.id(name)...)); err != nil {
			return err
		}
		if err := owners.Delete(tx, name); err != nil {
			return err
		}
		return domains.Delete(tx, sc.id(name)...)
	})
	if err != nil {
		return err
	}
	return s.publishDomain(ctx, sc, name)
}

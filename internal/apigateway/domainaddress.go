package apigateway

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/wire"
)

// connect checks what the domain's endpoint type asks for and gives the domain
// its addresses.
func (s *Service) connect(ctx context.Context, d *domain) error {
	v := &d.Domain
	if err := checkMutualTLS(d); err != nil {
		return err
	}
	if err := cmp.Or(checkPrivate(d, s.Principals), checkSecurity(v.SecurityPolicy, v.EndpointAccessMode, v.EndpointConfiguration)); err != nil {
		return err
	}
	for _, kind := range v.EndpointConfiguration.Types {
		certificate, region := v.CertificateArn, d.Region
		switch kind {
		case apigatewayapi.EndpointTypeEDGE:
			region = "us-east-1"
		case apigatewayapi.EndpointTypeREGIONAL:
			certificate = v.RegionalCertificateArn
		}
		if err := s.checkCertificate(ctx, d, kind, certificate, region); err != nil {
			return err
		}
	}
	d.address(s.now())
	return nil
}

// address gives the domain the names that DNS records point at.
func (d *domain) address(now *time.Time) {
	v := &d.Domain
	if d.private() { // the DNS records point at VPC endpoints
		if v.CertificateUploadDate == nil {
			v.CertificateUploadDate = now
		}
		return
	}
	switch {
	case !slices.Contains(v.EndpointConfiguration.Types, apigatewayapi.EndpointTypeEDGE):
		v.DistributionDomainName, v.DistributionHostedZoneId, v.CertificateUploadDate = nil, nil, nil
	case v.DistributionDomainName == nil:
		v.DistributionDomainName = wire.Ptr("d" + ident.Lower(13) + ".cloudfront.net")
		v.DistributionHostedZoneId = wire.Ptr(cloudFrontZone)
		v.CertificateUploadDate = now
	}
	switch {
	case !slices.Contains(v.EndpointConfiguration.Types, apigatewayapi.EndpointTypeREGIONAL):
		v.RegionalDomainName, v.RegionalHostedZoneId = nil, nil
	case v.RegionalDomainName == nil:
		v.RegionalDomainName = wire.Ptr("d-" + ident.Lower(10) + ".execute-api." + d.Region + ".amazonaws.com")
		v.RegionalHostedZoneId = nonEmpty(wire.Ptr(regionalZone(d.Region)))
	}
}

// checkCertificate holds a domain's certificate for a type of endpoint against
// ACM.
func (s *Service) checkCertificate(ctx context.Context, d *domain, kind string, certificate *string, region string) error {
	if certificate == nil {
		return badRequest("A certificate was not provided for the endpoint type %s.", kind)
	}
	c, err := arn.Parse(*certificate)
	switch {
	case err != nil || c.Service != "acm" || !strings.HasPrefix(c.Resource, "certificate/"):
		return badRequest("Invalid certificate ARN: %s.", *certificate)
	case c.Region != region:
		return badRequest("Invalid certificate ARN: %s. Certificate must be in '%s'.", *certificate, region)
	}
	exists, covers, err := s.DomainCertificates.Covers(ctx, c, *d.Domain.DomainName)
	switch {
	case err != nil:
		return err
	case !exists || c.Account != d.Account:
		return badRequest("The provided certificate does not exist.")
	case !covers:
		return badRequest("The domain name to be created must be covered by the certificate %s.", *certificate)
	}
	return nil
}

// domainCertificate is the ARN of the certificate that a domain shows: that of
// its edge, if it has both.
func domainCertificate(d *apigatewayapi.DomainName) string {
	if d.EndpointConfiguration.Types[0] == apigatewayapi.EndpointTypeREGIONAL {
		return wire.Val(d.RegionalCertificateArn)
	}
	return wire.Val(d.CertificateArn)
}

// regionalZone is the hosted zone of regional domains (AWS General Reference,
// "Amazon API Gateway endpoints"), "" for a region that it doesn't list.
func regionalZone(region string) string {
	return map[string]string{
		"ap-northeast-1": "Z1YSHQZHG15GKL", "ap-northeast-2": "Z20JF4UZKIW1U8", "ap-south-1": "Z3VO1THU9YC4UR",
		"ap-southeast-1": "ZL327KTPIQFUL", "ap-southeast-2": "Z2RPCDW04V8134", "ca-central-1": "Z19DQILCV0OWEC",
		"eu-central-1": "Z1U9ULNL0V5AJ3", "eu-north-1": "Z3UWIKFBOOGXPP", "eu-west-1": "ZLY8HYME6SFDD",
		"eu-west-2": "ZJ5UAJN8Y3Z2Q", "eu-west-3": "Z3KY65QIEKYHQQ", "sa-east-1": "ZCMLWB8V5SYIT",
		"us-east-1": "Z1UJRXOUMOOFQ8", "us-east-2": "ZOJJZC49E0EPZ", "us-west-1": "Z2MUQ32089INYE", "us-west-2": "Z2OJLYMUO9EFXC",
	}[region]
}

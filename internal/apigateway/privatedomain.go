package apigateway

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/arn"
	iampolicy "github.com/butai-dev/butai/internal/iam/policy"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// Private custom domains lead from VPC endpoints to private APIs (developer
// guide, "Custom domain names for private APIs in API Gateway"). Requests must
// name them by name and id. On AWS several may have one name, as callers of
// different endpoints see different ones; butai has no VPCs to tell callers
// apart by, and so one domain of a name.

func (d *domain) private() bool { return isPrivate(d.Domain.EndpointConfiguration) }

// identify gives a private domain its id and ARN.
func (d *domain) identify() {
	d.Domain.DomainNameId = wire.Ptr(ident.Lower(10))
	d.Domain.DomainNameArn = wire.Ptr(arn.ARN{Partition: "aws", Service: "apigateway", Region: d.Region, Account: d.Account,
		Resource: "/domainnames/" + d.privateName()}.String())
}

// privateName is what ARNs call the domain; of a public one its name.
func (d *domain) privateName() string {
	if id := wire.Val(d.Domain.DomainNameId); id != "" {
		return *d.Domain.DomainName + "+" + id
	}
	return *d.Domain.DomainName
}

// invokeARN is the domain as policies of execute-api name it.
func (d *domain) invokeARN() string {
	return arn.ARN{Partition: "aws", Service: "execute-api", Region: d.Region, Account: d.Account, Resource: "/domainnames/" + d.privateName()}.String()
}

// splitPrivateName reads what ARNs call a domain.
func splitPrivateName(text string) (name string, id *string) {
	name, after, found := strings.Cut(text, "+")
	if !found {
		return name, nil
	}
	return name, &after
}

// getDomain finds a domain. A private one is only found with its id, a public
// one only without.
func getDomain(r store.ReadTx, sc scope, name string, id *string) (*domain, error) {
	d, err := find(r, domains, noDomain(), sc.id(strings.ToLower(name)))
	if err != nil {
		return nil, err
	}
	if wire.Val(d.Domain.DomainNameId) != wire.Val(id) {
		return nil, noDomain()
	}
	return d, nil
}

// checkPrivate holds what only private domains can have against what only
// public ones can.
func checkPrivate(d *domain, known Principals) error {
	v := &d.Domain
	if !d.private() {
		if v.Policy != nil {
			return badRequest("Resource policies are only supported for private custom domain names.")
		}
		return nil
	}
	switch {
	case strings.HasPrefix(*v.DomainName, "*."):
		return badRequest("Wildcard custom domain names are not supported for private custom domain names.")
	case *v.SecurityPolicy != "TLS_1_2":
		return badRequest("Private custom domain names only support the security policy TLS_1_2.")
	case v.Policy == nil:
		return nil // which lets nobody in
	}
	var compact bytes.Buffer
	doc, err := iampolicy.Parse([]byte(*v.Policy), iampolicy.Resource)
	if err != nil || json.Compact(&compact, []byte(*v.Policy)) != nil || slices.ContainsFunc(doc.Principals(), unknown(known)) {
		return badPolicy()
	}
	v.Policy = wire.Ptr(compact.String())
	return nil
}

// invokePolicy is the domain's policy with its short form of resources spelled
// out, as the data plane reads it.
func (d *domain) invokePolicy() string {
	return strings.ReplaceAll(wire.Val(d.Domain.Policy), `"execute-api:/*"`, `"`+d.invokeARN()+`"`)
}

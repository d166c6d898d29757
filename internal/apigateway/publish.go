package apigateway

import (
	"context"
	"fmt"
	"slices"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/gateway"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// publishStages makes the data plane show what the store says about stages of
// an API: a stage that is gone is removed there.
func (s *Service) publishStages(ctx context.Context, sc scope, apiID string, names ...string) error {
	s.publishing.Lock()
	defer s.publishing.Unlock()
	if !slices.Contains(s.counting, sc) {
		if err := s.publishPlansLocked(ctx, sc); err != nil {
			return err
		}
	}
	for _, name := range names {
		spec, err := view(ctx, s, func(r store.ReadTx) (*gateway.Stage, error) {
			return stageSpec(r, sc, apiID, name)
		})
		switch {
		case err != nil:
			return err
		case spec == nil:
			s.Gateway.RemoveStage(apiID, name)
		default:
			if err := s.Gateway.PublishStage(spec); err != nil {
				return fmt.Errorf("publish stage %s of API %s: %w", name, apiID, err)
			}
		}
	}
	return nil
}

// stageSpec reads what the data plane needs of a stage; nil if there is none.
func stageSpec(r store.ReadTx, sc scope, apiID, name string) (*gateway.Stage, error) {
	st, err := stages.Get(r, sc.id(apiID, name)...)
	if st == nil || err != nil {
		return nil, err
	}
	snapshot, err := snapshots.Get(r, sc.id(apiID, *st.Stage.DeploymentId)...)
	if err != nil {
		return nil, err
	}
	if snapshot == nil {
		return nil, fmt.Errorf("stage %s of API %s has no snapshot of deployment %s", name, apiID, *st.Stage.DeploymentId)
	}
	role, err := logRole(r, sc)
	if err != nil {
		return nil, err
	}
	spec := &gateway.Stage{
		Account: sc.Account, Region: sc.Region, APIID: apiID,
		Stage: &st.Stage, Deployment: snapshot, CloudWatchRole: role,
	}
	if c := st.Stage.CanarySettings; c != nil {
		if spec.Canary, err = snapshots.Get(r, sc.id(apiID, *c.DeploymentId)...); err != nil {
			return nil, err
		}
	}
	return spec, addConnections(r, sc, spec)
}

// addConnections adds what a stage's integrations reach HTTP backends with.
func addConnections(r store.ReadTx, sc scope, spec *gateway.Stage) error {
	for link, err := range vpcLinks.All(r, sc.id()...) {
		if err != nil {
			return err
		}
		if spec.VPCLinks == nil {
			spec.VPCLinks = map[string]apigatewayapi.VpcLink{}
		}
		spec.VPCLinks[*link.Id] = *link
	}
	for link, err := range vpcLinksV2.All(r, sc.id()...) {
		if err != nil {
			return err
		}
		if spec.VPCLinks == nil {
			spec.VPCLinks = map[string]apigatewayapi.VpcLink{}
		}
		spec.VPCLinks[*link.VpcLinkId] = apigatewayapi.VpcLink{Id: link.VpcLinkId, Name: link.Name, Status: link.VpcLinkStatus}
	}
	id := wire.Val(spec.Stage.ClientCertificateId)
	if id == "" {
		return nil
	}
	c, err := clientCertificates.Get(r, sc.id(id)...)
	if err != nil || c == nil {
		return err
	}
	spec.ClientCertificate = &gateway.ClientCertificate{ID: id, Certificate: *c.Certificate.PemEncodedCertificate, PKCS8: c.Key}
	return nil
}

// publishDomain does for a custom domain what publishStages does for stages.
func (s *Service) publishDomain(ctx context.Context, sc scope, name string) error {
	s.publishing.Lock()
	defer s.publishing.Unlock()
	spec, err := view(ctx, s, func(r store.ReadTx) (*gateway.DomainName, error) {
		d, err := domains.Get(r, sc.id(name)...)
		if d == nil || err != nil {
			return nil, err
		}
		routes, err := mappings.List(r, sc.id(name)...)
		if err != nil {
			return nil, err
		}
		rules, err := routingRules.List(r, sc.id(name)...)
		if err != nil {
			return nil, err
		}
		private, err := privateSpec(r, d)
		return &gateway.DomainName{
			Account: sc.Account, Region: sc.Region, Name: name,
			Mappings: values(routes), RoutingRules: values(rules), RoutingMode: wire.Val(d.Domain.RoutingMode),
			Certificate: domainCertificate(&d.Domain), SecurityPolicy: wire.Val(d.Domain.SecurityPolicy),
			Strict: wire.Val(d.Domain.EndpointAccessMode) == apigatewayapi.EndpointAccessModeSTRICT, Truststore: d.Truststore, Private: private,
		}, err
	})
	switch {
	case err != nil:
		return err
	case spec == nil:
		s.Gateway.RemoveDomain(name)
	default:
		return s.Gateway.PublishDomain(spec)
	}
	return nil
}

// privateSpec is what a private domain has besides; nil for a public one.
func privateSpec(r store.ReadTx, d *domain) (*gateway.PrivateDomain, error) {
	if !d.private() {
		return nil, nil
	}
	associations, err := accessAssociations.List(r, d.id(*d.Domain.DomainName)...)
	spec := &gateway.PrivateDomain{ARN: d.invokeARN(), Policy: d.invokePolicy()}
	for _, a := range associations {
		spec.VPCEndpoints = append(spec.VPCEndpoints, *a.AccessAssociationSource)
	}
	return spec, err
}

// publishAccount publishes every stage of an account's region again: the role
// for logs is the account's.
func (s *Service) publishAccount(ctx context.Context, sc scope) error {
	all, err := view(ctx, s, func(r store.ReadTx) ([]*stage, error) { return stages.List(r, sc.id()...) })
	if err != nil {
		return err
	}
	if err := s.publishPlans(ctx, sc); err != nil {
		return err
	}
	for _, st := range all {
		if err := s.publishStages(ctx, sc, st.API, *st.Stage.StageName); err != nil {
			return err
		}
	}
	return nil
}

// publishAll publishes the whole store. A stage or domain that can't be served
// doesn't keep the others from starting.
func (s *Service) publishAll(ctx context.Context) error {
	var routed []*stage
	var named []*domain
	var plans []*usagePlan
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		if routed, err = stages.List(r); err != nil {
			return err
		}
		if plans, err = usagePlans.List(r); err != nil {
			return err
		}
		named, err = domains.List(r)
		return err
	})
	if err != nil {
		return fmt.Errorf("read stages and domains: %w", err)
	}
	for _, p := range plans {
		if slices.Contains(s.counting, p.scope) {
			continue
		}
		if err := s.publishPlans(ctx, p.scope); err != nil {
			return err
		}
	}
	for _, st := range routed {
		if err := s.publishStages(ctx, st.scope, st.API, *st.Stage.StageName); err != nil {
			s.Log.Error("stage is not served: "+err.Error(), "api", st.API, "stage", wire.Val(st.Stage.StageName))
		}
	}
	for _, d := range named {
		if err := s.publishDomain(ctx, d.scope, *d.Domain.DomainName); err != nil {
			s.Log.Error("custom domain is not served: "+err.Error(), "domain", *d.Domain.DomainName)
		}
	}
	return nil
}

package apigateway

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/gateway"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// A VPC link is a name for an address that butai is told at its start
// (`--vpc-link`): there is no VPC behind it. It is ready at once; only the
// answer of its creation still says PENDING, as AWS's does.

func noVPCLink() error { return notFound("Invalid Vpc Link identifier specified") }

// CreateVpcLink makes a VPC link.
func (s *Service) CreateVpcLink(ctx context.Context, in *apigatewayapi.CreateVpcLinkRequest) (*apigatewayapi.VpcLink, error) {
	sc := scopeOf(ctx)
	if wire.Val(in.Name) == "" {
		return nil, badRequest("Name cannot be empty")
	}
	if err := checkTargets(in.TargetArns); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	link := &apigatewayapi.VpcLink{
		Id: wire.Ptr(ident.Lower(6)), Name: in.Name, Description: nonEmpty(in.Description), TargetArns: in.TargetArns, Tags: nonEmptyMap(in.Tags),
		Status: wire.Ptr(apigatewayapi.VpcLinkStatusAVAILABLE), StatusMessage: wire.Ptr("Your vpc link is ready for use"),
	}
	err := s.Store.Update(ctx, func(tx store.Tx) error { return vpcLinks.Put(tx, link, sc.id(*link.Id)...) })
	if err != nil {
		return nil, err
	}
	out := *link
	out.Status, out.StatusMessage = wire.Ptr(apigatewayapi.VpcLinkStatusPENDING), nil
	return &out, s.publishAccount(ctx, sc)
}

func checkTargets(targets []string) error {
	for _, target := range targets {
		if a, err := arn.Parse(target); err != nil || a.Service != "elasticloadbalancing" {
			return badRequest("Invalid ARN. ARN is not well formed %s", target)
		}
	}
	return nil
}

// answerVPCLink is a link as the calls that read it print it.
func answerVPCLink(link *apigatewayapi.VpcLink) *apigatewayapi.VpcLink {
	out := *link
	if out.Tags == nil {
		out.Tags = map[string]string{}
	}
	return &out
}

// GetVpcLink returns a VPC link.
func (s *Service) GetVpcLink(ctx context.Context, in *apigatewayapi.GetVpcLinkRequest) (*apigatewayapi.VpcLink, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.VpcLink, error) {
		link, err := find(r, vpcLinks, noVPCLink(), sc.id(*in.VpcLinkId))
		if err != nil {
			return nil, err
		}
		return answerVPCLink(link), nil
	})
}

// GetVpcLinks lists the account's VPC links in the region.
func (s *Service) GetVpcLinks(ctx context.Context, in *apigatewayapi.GetVpcLinksRequest) (*apigatewayapi.VpcLinks, error) {
	sc := scopeOf(ctx)
	return view(ctx, s, func(r store.ReadTx) (*apigatewayapi.VpcLinks, error) {
		items, next, err := page(r, vpcLinks, in.Position, in.Limit, func(v *apigatewayapi.VpcLink) string { return *v.Id }, sc.id())
		if err != nil {
			return nil, err
		}
		for i, link := range items {
			items[i] = answerVPCLink(link)
		}
		return &apigatewayapi.VpcLinks{Position: next, Items: values(items)}, nil
	})
}

var vpcLinkPatch = patchTable[apigatewayapi.VpcLink]{picky: true, rows: []patchRow[apigatewayapi.VpcLink]{
	{"/name", replaceOnly, func(v *apigatewayapi.VpcLink, op patchOp) error {
		if v.Name = op.value; op.text() == "" {
			return badRequest("Name cannot be empty")
		}
		return nil
	}},
	textRow("/description", func(v *apigatewayapi.VpcLink) **string { return &v.Description }),
}}

// UpdateVpcLink changes a VPC link's name or description.
func (s *Service) UpdateVpcLink(ctx context.Context, in *apigatewayapi.UpdateVpcLinkRequest) (*apigatewayapi.VpcLink, error) {
	sc := scopeOf(ctx)
	link, err := update(ctx, s, func(tx store.Tx) (*apigatewayapi.VpcLink, error) {
		link, err := find(tx, vpcLinks, noVPCLink(), sc.id(*in.VpcLinkId))
		if err != nil {
			return nil, err
		}
		if err := vpcLinkPatch.apply(link, in.PatchOperations); err != nil {
			return nil, err
		}
		return link, vpcLinks.Put(tx, link, sc.id(*in.VpcLinkId)...)
	})
	if err != nil {
		return nil, err
	}
	return answerVPCLink(link), s.publishAccount(ctx, sc)
}

// DeleteVpcLink deletes a VPC link that no stage's deployment uses.
func (s *Service) DeleteVpcLink(ctx context.Context, in *apigatewayapi.DeleteVpcLinkRequest) error {
	sc, id := scopeOf(ctx), *in.VpcLinkId
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := find(tx, vpcLinks, noVPCLink(), sc.id(id)); err != nil {
			return err
		}
		if err := checkUnused(tx, sc, id); err != nil {
			return err
		}
		return vpcLinks.Delete(tx, sc.id(id)...)
	})
	if err != nil {
		return err
	}
	return s.publishAccount(ctx, sc)
}

// checkUnused keeps links that stages use from being deleted.
func checkUnused(r store.ReadTx, sc scope, id string) error {
	users, err := usersOfLink(r, sc, id)
	if err != nil {
		return err
	}
	if len(users) > 0 {
		return badRequest("Cannot delete vpc link. Vpc link '%s', is referenced in [%s] in format of [Method:Resource:Stage].",
			id, strings.Join(users, ", "))
	}
	return nil
}

// usersOfLink lists the methods that lead through a link, as
// method:resource:stage.
func usersOfLink(r store.ReadTx, sc scope, id string) ([]string, error) {
	var users []string
	for st, err := range stages.All(r, sc.id()...) {
		if err != nil {
			return nil, err
		}
		spec, err := stageSpec(r, sc, st.API, *st.Stage.StageName)
		if err != nil {
			return nil, err
		}
		users = append(users, linked(spec.Deployment, st.Stage.Variables, id, *st.Stage.StageName)...)
		if spec.Canary != nil {
			variables := maps.Clone(st.Stage.Variables)
			if variables == nil {
				variables = map[string]string{}
			}
			maps.Copy(variables, st.Stage.CanarySettings.StageVariableOverrides)
			users = append(users, linked(spec.Canary, variables, id, *st.Stage.StageName)...)
		}
	}
	return users, nil
}

func linked(d *gateway.Deployment, variables map[string]string, id, stage string) []string {
	var users []string
	for _, res := range d.Resources {
		for _, verb := range slices.Sorted(maps.Keys(res.ResourceMethods)) {
			if linkOf(res.ResourceMethods[verb].MethodIntegration, variables) == id {
				users = append(users, verb+":"+*res.Id+":"+stage)
			}
		}
	}
	return users
}

// linkOf is the id of the link that an integration leads through, "" if none.
func linkOf(i *apigatewayapi.Integration, variables map[string]string) string {
	if i == nil || wire.Val(i.ConnectionType) != apigatewayapi.ConnectionTypeVPCLINK {
		return ""
	}
	id := wire.Val(i.ConnectionId)
	if name, ok := strings.CutPrefix(id, "${stageVariables."); ok {
		return variables[strings.TrimSuffix(name, "}")]
	}
	return id
}

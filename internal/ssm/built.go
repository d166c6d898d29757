package ssm

import (
	"context"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/ssmapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// The operations that Service offers; a method with another signature would
// count as not built.
var _ interface {
	ssmapi.AddTagsToResourceAPI
	ssmapi.DeleteParameterAPI
	ssmapi.DeleteParametersAPI
	ssmapi.DescribeParametersAPI
	ssmapi.GetParameterAPI
	ssmapi.GetParameterHistoryAPI
	ssmapi.GetParametersAPI
	ssmapi.GetParametersByPathAPI
	ssmapi.LabelParameterVersionAPI
	ssmapi.ListTagsForResourceAPI
	ssmapi.PutParameterAPI
	ssmapi.RemoveTagsFromResourceAPI
	ssmapi.UnlabelParameterVersionAPI
} = (*Service)(nil)

var (
	_ wire.Refuser   = (*Service)(nil)
	_ wire.IAMNamer  = (*Service)(nil)
	_ wire.Explainer = (*Service)(nil)
)

// WhyNot says why operations aren't built.
func (*Service) WhyNot(*wire.Operation) string {
	return "of Systems Manager only Parameter Store is here"
}

// Refused lists the parameters that butai can't honour.
func (*Service) Refused() []wire.Refusal {
	return []wire.Refusal{
		{Operation: "PutParameter", Member: "Policies", Reason: "parameters neither expire nor tell that they will"},
		{Operation: "DescribeParameters", Member: "Shared", Reason: "parameters are not shared between accounts"},
	}
}

// IAMTargets names the parameters that a call is about (Service Authorization
// Reference: AWS Systems Manager). A path is named as the request does.
func (s *Service) IAMTargets(ctx context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	c := wire.CallerFrom(ctx)
	switch in := in.(type) {
	case *ssmapi.DescribeParametersRequest:
		return []wire.IAMTarget{{Action: "ssm:" + op.Name, Resource: arn.New("ssm", c.Region, c.Account, "*").String()}}
	case *ssmapi.GetParametersByPathRequest:
		return []wire.IAMTarget{{
			Action: "ssm:" + op.Name, Resource: arnOf(c.Account, c.Region, *in.Path),
			Context: map[string][]string{"ssm:Recursive": {strconv.FormatBool(wire.Val(in.Recursive))}},
		}}
	case *ssmapi.GetParametersRequest:
		return s.targets(ctx, op.Name, in.Names...)
	case *ssmapi.DeleteParametersRequest:
		return s.targets(ctx, op.Name, in.Names...)
	case *ssmapi.PutParameterRequest:
		return s.putTargets(ctx, in)
	case *ssmapi.GetParameterRequest:
		return s.targets(ctx, op.Name, *in.Name)
	case *ssmapi.GetParameterHistoryRequest:
		return s.targets(ctx, op.Name, *in.Name)
	case *ssmapi.DeleteParameterRequest:
		return s.targets(ctx, op.Name, *in.Name)
	case *ssmapi.LabelParameterVersionRequest:
		return s.targets(ctx, op.Name, *in.Name)
	case *ssmapi.UnlabelParameterVersionRequest:
		return s.targets(ctx, op.Name, *in.Name)
	case *ssmapi.AddTagsToResourceRequest:
		targets := s.targets(ctx, op.Name, *in.ResourceId)
		requestTags(targets[0].Context, in.Tags)
		return targets
	case *ssmapi.RemoveTagsFromResourceRequest:
		targets := s.targets(ctx, op.Name, *in.ResourceId)
		targets[0].Context["aws:TagKeys"] = in.TagKeys
		return targets
	case *ssmapi.ListTagsForResourceRequest:
		return s.targets(ctx, op.Name, *in.ResourceId)
	}
	return []wire.IAMTarget{{Action: "ssm:" + op.Name, Resource: "*"}}
}

// targets are an action on parameters, with their tags.
func (s *Service) targets(ctx context.Context, operation string, names ...string) (targets []wire.IAMTarget) {
	for _, name := range names {
		target := wire.IAMTarget{Action: "ssm:" + operation, Context: map[string][]string{}}
		ref, err := parse(ctx, name)
		if plain, _, ok := strings.Cut(name, ":"); ok && err != nil {
			ref.name = plain // a reference to a secret has no form that is checked here
		}
		target.Resource = arnOf(ref.account, ref.region, ref.name)
		_ = s.Store.View(ctx, func(r store.ReadTx) error { // a failure shows again in the call itself
			p, err := find(ctx, r, ref)
			if err != nil || p == nil {
				return err
			}
			for _, t := range p.Tags {
				target.Context["aws:ResourceTag/"+*t.Key] = []string{*t.Value}
				target.Context["ssm:resourceTag/"+*t.Key] = []string{*t.Value}
			}
			return nil
		})
		targets = append(targets, target)
	}
	return targets
}

// putTargets are what making a parameter needs: tags are allowed apart.
func (s *Service) putTargets(ctx context.Context, in *ssmapi.PutParameterRequest) []wire.IAMTarget {
	targets := s.targets(ctx, "PutParameter", *in.Name)
	targets[0].Context["ssm:Overwrite"] = []string{strconv.FormatBool(wire.Val(in.Overwrite))}
	if len(in.Tags) > 0 {
		targets = append(targets, s.targets(ctx, "AddTagsToResource", *in.Name)...)
		for _, t := range targets {
			requestTags(t.Context, in.Tags)
		}
	}
	return targets
}

func requestTags(to map[string][]string, tags []ssmapi.Tag) {
	for _, t := range tags {
		to["aws:RequestTag/"+*t.Key] = []string{*t.Value}
		to["aws:TagKeys"] = append(to["aws:TagKeys"], *t.Key)
	}
}

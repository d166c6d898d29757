package events

import (
	"context"
	"strings"

	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// The operations that Service offers; a method with another signature would
// count as not built.
var _ interface {
	eventsapi.CreateEventBusAPI
	eventsapi.DeleteEventBusAPI
	eventsapi.DeleteRuleAPI
	eventsapi.DescribeEventBusAPI
	eventsapi.DescribeRuleAPI
	eventsapi.DisableRuleAPI
	eventsapi.EnableRuleAPI
	eventsapi.ListEventBusesAPI
	eventsapi.ListRuleNamesByTargetAPI
	eventsapi.ListRulesAPI
	eventsapi.ListTagsForResourceAPI
	eventsapi.ListTargetsByRuleAPI
	eventsapi.PutEventsAPI
	eventsapi.PutPermissionAPI
	eventsapi.PutRuleAPI
	eventsapi.PutTargetsAPI
	eventsapi.RemovePermissionAPI
	eventsapi.RemoveTargetsAPI
	eventsapi.TagResourceAPI
	eventsapi.TestEventPatternAPI
	eventsapi.UntagResourceAPI
	eventsapi.UpdateEventBusAPI
} = (*Service)(nil)

// WhyNot implements wire.Explainer.
func (*Service) WhyNot(op *wire.Operation) string {
	for part, why := range map[string]string{
		"Archive": "events aren't archived", "Replay": "events aren't archived, so that none can be replayed",
		"Connection": "there are no API destinations", "ApiDestination": "there are no API destinations",
		"Partner": "there are no partners", "EventSource": "there are no partners", "Endpoint": "there are no global endpoints",
	} {
		if strings.Contains(op.Name, part) {
			return why
		}
	}
	return ""
}

// Refused lists the parameters that butai can't honour.
func (*Service) Refused() []wire.Refusal {
	const (
		kms   = "events aren't encrypted with KMS keys yet"
		trail = "buses write no logs"
		kind  = "rules send to Lambda functions, SQS queues, SNS topics, CloudWatch Logs groups and event buses"
	)
	out := []wire.Refusal{
		{Operation: "CreateEventBus", Member: "EventSourceName", Reason: "there are no partners"},
		{Operation: "CreateEventBus", Member: "KmsKeyIdentifier", Reason: kms},
		{Operation: "CreateEventBus", Member: "LogConfig", Reason: trail},
		{Operation: "UpdateEventBus", Member: "KmsKeyIdentifier", Reason: kms},
		{Operation: "UpdateEventBus", Member: "LogConfig", Reason: trail},
		{Operation: "PutEvents", Member: "EndpointId", Reason: "there are no global endpoints"},
	}
	for _, member := range []string{
		"KinesisParameters", "RunCommandParameters", "EcsParameters", "BatchParameters", "HttpParameters", "RedshiftDataParameters",
		"SageMakerPipelineParameters", "AppSyncParameters",
	} {
		out = append(out, wire.Refusal{Operation: "PutTargets", Member: "Targets." + member, Reason: kind})
	}
	return out
}

// IAMTargets names the bus or rule that a call is about, with the bus's policy
// (Service Authorization Reference: Amazon EventBridge).
func (s *Service) IAMTargets(ctx context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	if put, ok := in.(*eventsapi.PutEventsRequest); ok {
		return s.putTargets(ctx, put)
	}
	target := wire.IAMTarget{Action: "events:" + op.Name, Resource: "*"}
	bus, rule := subject(ctx, in)
	if bus == nil {
		return []wire.IAMTarget{target}
	}
	if target.Resource = bus.arn(); rule != "" {
		target.Resource = rulePlace{*bus, rule}.arn()
	}
	target.Context = conditions(in)
	target.Policy = s.policyFor(ctx, *bus)
	return []wire.IAMTarget{target}
}

// putTargets are the buses that events are put on, each event by itself:
// policies may ask for their sources and kinds.
func (s *Service) putTargets(ctx context.Context, in *eventsapi.PutEventsRequest) (out []wire.IAMTarget) {
	for i := range in.Entries {
		e := &in.Entries[i]
		p := busPlace(ctx, e.EventBusName)
		out = append(out, wire.IAMTarget{
			Action: "events:PutEvents", Resource: p.arn(), Policy: s.policyFor(ctx, p),
			Context: map[string][]string{"events:source": {wire.Val(e.Source)}, "events:detail-type": {wire.Val(e.DetailType)}},
		})
	}
	return out
}

// policyFor is the policy of a bus, unless the caller is the root user of its
// account, who needs none.
func (s *Service) policyFor(ctx context.Context, p place) (text string) {
	c := wire.CallerFrom(ctx)
	if c.ARN == "arn:"+c.Partition+":iam::"+p.Account+":root" {
		return ""
	}
	_ = s.Store.View(ctx, func(r store.ReadTx) error { // a failure shows again in the call itself
		if b, err := buses.Get(r, p.key()...); err == nil && b != nil {
			text = b.Policy
		}
		return nil
	})
	if text == "" && c.Account != p.Account {
		return ownOnly(p)
	}
	return text
}

// ownOnly is what a bus without a policy is to callers of other accounts.
func ownOnly(p place) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + p.Account + `"},"Action":"events:*","Resource":"*"}]}`
}

// conditions are the condition keys of a call that tell of targets.
func conditions(in any) map[string][]string {
	put, ok := in.(*eventsapi.PutTargetsRequest)
	if !ok {
		return nil
	}
	var arns []string
	for _, t := range put.Targets {
		arns = append(arns, wire.Val(t.Arn))
	}
	return map[string][]string{"events:TargetArn": arns}
}

// subject is the bus, and the rule if it is one, that a call is about.
func subject(ctx context.Context, in any) (bus *place, rule string) {
	named := func(bus *string, rule *string) (*place, string) {
		p := busPlace(ctx, bus)
		return &p, wire.Val(rule)
	}
	switch in := in.(type) {
	case *eventsapi.CreateEventBusRequest:
		return named(in.Name, nil)
	case *eventsapi.DeleteEventBusRequest:
		return named(in.Name, nil)
	case *eventsapi.DescribeEventBusRequest:
		return named(in.Name, nil)
	case *eventsapi.UpdateEventBusRequest:
		return named(in.Name, nil)
	case *eventsapi.PutPermissionRequest:
		return named(in.EventBusName, nil)
	case *eventsapi.RemovePermissionRequest:
		return named(in.EventBusName, nil)
	case *eventsapi.DeleteRuleRequest:
		return named(in.EventBusName, in.Name)
	case *eventsapi.DescribeRuleRequest:
		return named(in.EventBusName, in.Name)
	case *eventsapi.DisableRuleRequest:
		return named(in.EventBusName, in.Name)
	case *eventsapi.EnableRuleRequest:
		return named(in.EventBusName, in.Name)
	case *eventsapi.PutRuleRequest:
		return named(in.EventBusName, in.Name)
	case *eventsapi.PutTargetsRequest:
		return named(in.EventBusName, in.Rule)
	case *eventsapi.RemoveTargetsRequest:
		return named(in.EventBusName, in.Rule)
	case *eventsapi.ListTargetsByRuleRequest:
		return named(in.EventBusName, in.Rule)
	case *eventsapi.TagResourceRequest:
		return taggedSubject(in.ResourceARN)
	case *eventsapi.UntagResourceRequest:
		return taggedSubject(in.ResourceARN)
	case *eventsapi.ListTagsForResourceRequest:
		return taggedSubject(in.ResourceARN)
	}
	return nil, "" // listings and tests of patterns are about no resource
}

func taggedSubject(resource *string) (*place, string) {
	bus, rule, err := tagged(wire.Val(resource))
	switch {
	case err != nil:
		return nil, "" // the call itself will say what is wrong
	case rule != nil:
		return &bus, rule.Name
	}
	return &bus, ""
}

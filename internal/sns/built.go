package sns

import (
	"context"
	"strings"

	"github.com/butai-dev/butai/internal/api/snsapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// The operations that Service offers; a method with another signature would
// count as not built.
var _ interface {
	snsapi.AddPermissionAPI
	snsapi.ConfirmSubscriptionAPI
	snsapi.CreateTopicAPI
	snsapi.DeleteTopicAPI
	snsapi.GetSubscriptionAttributesAPI
	snsapi.GetTopicAttributesAPI
	snsapi.ListSubscriptionsAPI
	snsapi.ListSubscriptionsByTopicAPI
	snsapi.ListTagsForResourceAPI
	snsapi.ListTopicsAPI
	snsapi.PublishAPI
	snsapi.PublishBatchAPI
	snsapi.RemovePermissionAPI
	snsapi.SetSubscriptionAttributesAPI
	snsapi.SetTopicAttributesAPI
	snsapi.SubscribeAPI
	snsapi.TagResourceAPI
	snsapi.UnsubscribeAPI
	snsapi.UntagResourceAPI
} = (*Service)(nil)

// Refused lists the parameters that butai can't honour.
func (*Service) Refused() []wire.Refusal {
	return []wire.Refusal{
		{Operation: "CreateTopic", Member: "DataProtectionPolicy", Reason: "messages aren't looked through for personal data"},
	}
}

// ValidateInput words what the model rules out as SNS does, which names one
// fault at a time.
func (*Service) ValidateInput(op *wire.Operation, in any) error {
	found := snsapi.Service.Schema.Validate(op.Input, in, func(*wire.Shape) bool { return false })
	switch {
	case len(found) == 0:
		return nil
	case found[0].IsMissing():
		return wire.Errorf("ValidationError", "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", lowerFirst(found[0].Path))
	}
	return invalid("%s", found[0].Path)
}

func lowerFirst(path string) string { return strings.ToLower(path[:1]) + path[1:] }

// IAMTargets names the topic that a call is about, with its policy. A batch
// needs the permission of its single form; what is about subscriptions alone
// has no resource (Service Authorization Reference: Amazon SNS).
func (s *Service) IAMTargets(ctx context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	target := wire.IAMTarget{Action: "SNS:" + strings.TrimSuffix(op.Name, "Batch"), Resource: "*"}
	c := wire.CallerFrom(ctx)
	var p place
	var err error
	switch in := in.(type) {
	case *snsapi.CreateTopicInput:
		p = place{c.Account, c.Region, wire.Val(in.Name)}
	case *snsapi.PublishInput:
		p, err = destination(in)
	default:
		topicARN := topicOf(in)
		if topicARN == nil {
			return []wire.IAMTarget{target}
		}
		p, err = parseTopic("TopicArn", topicARN)
	}
	if err != nil {
		return []wire.IAMTarget{target} // the call itself will say what is wrong
	}
	target.Resource = p.arn()
	if c.ARN == "arn:"+c.Partition+":iam::"+p.Account+":root" {
		return []wire.IAMTarget{target} // the account's own root user needs no policy
	}
	_ = s.Store.View(ctx, func(r store.ReadTx) error { // a failure shows again in the call itself
		if t, err := topics.Get(r, p.key()...); err == nil && t != nil {
			target.Policy = t.policy()
		}
		return nil
	})
	return []wire.IAMTarget{target}
}

// topicOf is the topic's ARN in an input that has one.
func topicOf(in any) *string {
	switch in := in.(type) {
	case *snsapi.AddPermissionInput:
		return in.TopicArn
	case *snsapi.ConfirmSubscriptionInput:
		return in.TopicArn
	case *snsapi.DeleteTopicInput:
		return in.TopicArn
	case *snsapi.GetTopicAttributesInput:
		return in.TopicArn
	case *snsapi.ListSubscriptionsByTopicInput:
		return in.TopicArn
	case *snsapi.ListTagsForResourceRequest:
		return in.ResourceArn
	case *snsapi.PublishBatchInput:
		return in.TopicArn
	case *snsapi.RemovePermissionInput:
		return in.TopicArn
	case *snsapi.SetTopicAttributesInput:
		return in.TopicArn
	case *snsapi.SubscribeInput:
		return in.TopicArn
	case *snsapi.TagResourceRequest:
		return in.ResourceArn
	case *snsapi.UntagResourceRequest:
		return in.ResourceArn
	}
	return nil
}

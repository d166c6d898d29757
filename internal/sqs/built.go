package sqs

import (
	"context"
	"strings"

	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// The operations that Service offers; a method with another signature would
// count as not built.
var _ interface {
	sqsapi.ChangeMessageVisibilityAPI
	sqsapi.ChangeMessageVisibilityBatchAPI
	sqsapi.CreateQueueAPI
	sqsapi.DeleteMessageAPI
	sqsapi.DeleteMessageBatchAPI
	sqsapi.DeleteQueueAPI
	sqsapi.GetQueueAttributesAPI
	sqsapi.GetQueueUrlAPI
	sqsapi.ListDeadLetterSourceQueuesAPI
	sqsapi.ListQueueTagsAPI
	sqsapi.ListQueuesAPI
	sqsapi.PurgeQueueAPI
	sqsapi.ReceiveMessageAPI
	sqsapi.SendMessageAPI
	sqsapi.SendMessageBatchAPI
	sqsapi.SetQueueAttributesAPI
	sqsapi.TagQueueAPI
	sqsapi.UntagQueueAPI
} = (*Service)(nil)

// Refused lists the parameters that butai can't honour.
func (*Service) Refused() []wire.Refusal {
	return []wire.Refusal{
		{Operation: "ReceiveMessage", Member: "ReceiveRequestAttemptId", Reason: "a receive that failed on the way can't be repeated"},
		{Member: "MessageAttributes.StringListValues", Reason: "SQS has reserved it and never implemented it"},
		{Member: "MessageAttributes.BinaryListValues", Reason: "SQS has reserved it and never implemented it"},
		{Member: "MessageSystemAttributes.StringListValues", Reason: "SQS has reserved it and never implemented it"},
		{Member: "MessageSystemAttributes.BinaryListValues", Reason: "SQS has reserved it and never implemented it"},
		{Operation: "SendMessageBatch", Member: "Entries.MessageAttributes.StringListValues", Reason: "SQS has reserved it and never implemented it"},
		{Operation: "SendMessageBatch", Member: "Entries.MessageAttributes.BinaryListValues", Reason: "SQS has reserved it and never implemented it"},
		{Operation: "SendMessageBatch", Member: "Entries.MessageSystemAttributes.StringListValues", Reason: "SQS has reserved it and never implemented it"},
		{Operation: "SendMessageBatch", Member: "Entries.MessageSystemAttributes.BinaryListValues", Reason: "SQS has reserved it and never implemented it"},
	}
}

// ValidateInput words a missing parameter as SQS does; other constraints are
// not in the model.
func (*Service) ValidateInput(op *wire.Operation, in any) error {
	for _, v := range sqsapi.Service.Schema.Validate(op.Input, in, func(*wire.Shape) bool { return false }) {
		if v.IsMissing() {
			return missingParameter(strings.ToUpper(v.Path[:1]) + v.Path[1:])
		}
	}
	return nil
}

// IAMTargets names the queue that a call is about, with its policy. A batch
// needs the permission of its single form, and listings are about the account
// (Service Authorization Reference: Amazon SQS).
func (s *Service) IAMTargets(ctx context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	target := wire.IAMTarget{Action: "sqs:" + strings.TrimSuffix(op.Name, "Batch"), Resource: "*"}
	var p place
	var err error
	c := wire.CallerFrom(ctx)
	switch in := in.(type) {
	case *sqsapi.CreateQueueRequest:
		p = place{c.Account, c.Region, wire.Val(in.QueueName)}
	case *sqsapi.GetQueueUrlRequest:
		p = place{c.Account, c.Region, wire.Val(in.QueueName)}
		if in.QueueOwnerAWSAccountId != nil {
			p.account = *in.QueueOwnerAWSAccountId
		}
	case *sqsapi.ListQueuesRequest:
		return []wire.IAMTarget{target}
	default:
		p, err = placeOfURL(ctx, queueURLOf(in))
	}
	if err != nil {
		return []wire.IAMTarget{target} // the call itself will say what is wrong
	}
	target.Resource = (&queueRecord{Account: p.account, Region: p.region, Name: p.name}).arn()
	if c.ARN == "arn:"+c.Partition+":iam::"+p.account+":root" {
		return []wire.IAMTarget{target} // the account's own root user needs no policy
	}
	_ = s.Store.View(ctx, func(r store.ReadTx) error { // a failure shows again in the call itself
		if q, err := queues.Get(r, p.account, p.region, p.name); err == nil && q != nil {
			target.Policy = q.Attributes[sqsapi.QueueAttributeNamePolicy]
		}
		return nil
	})
	return []wire.IAMTarget{target}
}

// queueURLOf is the QueueUrl that every other input has.
func queueURLOf(in any) *string {
	switch in := in.(type) {
	case *sqsapi.ChangeMessageVisibilityRequest:
		return in.QueueUrl
	case *sqsapi.ChangeMessageVisibilityBatchRequest:
		return in.QueueUrl
	case *sqsapi.DeleteMessageRequest:
		return in.QueueUrl
	case *sqsapi.DeleteMessageBatchRequest:
		return in.QueueUrl
	case *sqsapi.DeleteQueueRequest:
		return in.QueueUrl
	case *sqsapi.GetQueueAttributesRequest:
		return in.QueueUrl
	case *sqsapi.ListDeadLetterSourceQueuesRequest:
		return in.QueueUrl
	case *sqsapi.ListQueueTagsRequest:
		return in.QueueUrl
	case *sqsapi.PurgeQueueRequest:
		return in.QueueUrl
	case *sqsapi.ReceiveMessageRequest:
		return in.QueueUrl
	case *sqsapi.SendMessageRequest:
		return in.QueueUrl
	case *sqsapi.SendMessageBatchRequest:
		return in.QueueUrl
	case *sqsapi.SetQueueAttributesRequest:
		return in.QueueUrl
	case *sqsapi.TagQueueRequest:
		return in.QueueUrl
	case *sqsapi.UntagQueueRequest:
		return in.QueueUrl
	}
	return nil
}

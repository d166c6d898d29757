package logs

import (
	"context"

	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/wire"
)

// IAMTargets names the log stream or group that a call is about. As in AWS's
// own AccessDenied messages, a group is named as its stream without a name
// (log-group:NAME:log-stream:), which policies on NAME:* match; only the tag
// operations on ARNs are about the bare group (Service Authorization
// Reference: CloudWatch Logs).
func (s *Service) IAMTargets(ctx context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	group, stream := "", ""
	switch in := in.(type) {
	case *logsapi.ListTagsForResourceRequest:
		return bareGroup(op, *in.ResourceArn)
	case *logsapi.TagResourceRequest:
		return bareGroup(op, *in.ResourceArn)
	case *logsapi.UntagResourceRequest:
		return bareGroup(op, *in.ResourceArn)
	case *logsapi.AssociateKmsKeyRequest:
		group = either(in.LogGroupName, in.ResourceIdentifier)
	case *logsapi.DisassociateKmsKeyRequest:
		group = either(in.LogGroupName, in.ResourceIdentifier)
	case *logsapi.CreateLogGroupRequest:
		group = *in.LogGroupName
	case *logsapi.DeleteLogGroupRequest:
		group = *in.LogGroupName
	case *logsapi.PutRetentionPolicyRequest:
		group = *in.LogGroupName
	case *logsapi.DeleteRetentionPolicyRequest:
		group = *in.LogGroupName
	case *logsapi.ListTagsLogGroupRequest:
		group = *in.LogGroupName
	case *logsapi.TagLogGroupRequest:
		group = *in.LogGroupName
	case *logsapi.UntagLogGroupRequest:
		group = *in.LogGroupName
	case *logsapi.PutMetricFilterRequest:
		group = *in.LogGroupName
	case *logsapi.DeleteMetricFilterRequest:
		group = *in.LogGroupName
	case *logsapi.DescribeMetricFiltersRequest:
		group = wire.Val(in.LogGroupName)
	case *logsapi.TestMetricFilterRequest, *logsapi.PutResourcePolicyRequest, *logsapi.DescribeResourcePoliciesRequest, *logsapi.DeleteResourcePolicyRequest:
		return []wire.IAMTarget{{Action: "logs:" + op.Name, Resource: "*"}}
	case *logsapi.PutSubscriptionFilterRequest:
		group = *in.LogGroupName
	case *logsapi.DeleteSubscriptionFilterRequest:
		group = *in.LogGroupName
	case *logsapi.DescribeSubscriptionFiltersRequest:
		group = *in.LogGroupName
	case *logsapi.CreateLogStreamRequest:
		group, stream = *in.LogGroupName, *in.LogStreamName
	case *logsapi.DeleteLogStreamRequest:
		group, stream = *in.LogGroupName, *in.LogStreamName
	case *logsapi.PutLogEventsRequest:
		group, stream = *in.LogGroupName, *in.LogStreamName
	case *logsapi.DescribeLogStreamsRequest:
		group = either(in.LogGroupName, in.LogGroupIdentifier)
	case *logsapi.FilterLogEventsRequest:
		group = either(in.LogGroupName, in.LogGroupIdentifier)
	case *logsapi.GetLogEventsRequest:
		group, stream = either(in.LogGroupName, in.LogGroupIdentifier), *in.LogStreamName
	}
	return []wire.IAMTarget{{Action: "logs:" + op.Name, Resource: placeOf(ctx).arn("log-group:" + group + ":log-stream:" + stream)}}
}

func bareGroup(op *wire.Operation, arn string) []wire.IAMTarget {
	return []wire.IAMTarget{{Action: "logs:" + op.Name, Resource: arn}}
}

func either(name, identifier *string) string {
	if name != nil {
		return *name
	}
	return groupName(wire.Val(identifier))
}

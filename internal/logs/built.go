package logs

import (
	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/function"
)

// The operations that Service offers; a method with another signature would
// count as not built.
var _ interface {
	logsapi.AssociateKmsKeyAPI
	logsapi.CreateLogGroupAPI
	logsapi.CreateLogStreamAPI
	logsapi.DeleteLogGroupAPI
	logsapi.DeleteLogStreamAPI
	logsapi.DeleteMetricFilterAPI
	logsapi.DeleteResourcePolicyAPI
	logsapi.DeleteRetentionPolicyAPI
	logsapi.DeleteSubscriptionFilterAPI
	logsapi.DescribeLogGroupsAPI
	logsapi.DescribeLogStreamsAPI
	logsapi.DescribeMetricFiltersAPI
	logsapi.DescribeResourcePoliciesAPI
	logsapi.DescribeSubscriptionFiltersAPI
	logsapi.DisassociateKmsKeyAPI
	logsapi.FilterLogEventsAPI
	logsapi.GetLogEventsAPI
	logsapi.ListTagsForResourceAPI
	logsapi.ListTagsLogGroupAPI
	logsapi.PutLogEventsAPI
	logsapi.PutMetricFilterAPI
	logsapi.PutResourcePolicyAPI
	logsapi.PutRetentionPolicyAPI
	logsapi.PutSubscriptionFilterAPI
	logsapi.TagLogGroupAPI
	logsapi.TagResourceAPI
	logsapi.TestMetricFilterAPI
	logsapi.UntagLogGroupAPI
	logsapi.UntagResourceAPI
} = (*Service)(nil)

var _ function.LogSink = (*Service)(nil)

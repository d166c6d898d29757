package cloudwatch

import "github.com/butai-dev/butai/internal/api/cloudwatchapi"

// The operations that Service offers; a method with another signature would
// count as not built.
var _ interface {
	cloudwatchapi.DeleteAlarmsAPI
	cloudwatchapi.DeleteDashboardsAPI
	cloudwatchapi.DescribeAlarmHistoryAPI
	cloudwatchapi.DescribeAlarmsAPI
	cloudwatchapi.DescribeAlarmsForMetricAPI
	cloudwatchapi.DisableAlarmActionsAPI
	cloudwatchapi.EnableAlarmActionsAPI
	cloudwatchapi.GetDashboardAPI
	cloudwatchapi.GetMetricDataAPI
	cloudwatchapi.GetMetricStatisticsAPI
	cloudwatchapi.ListDashboardsAPI
	cloudwatchapi.ListMetricsAPI
	cloudwatchapi.ListTagsForResourceAPI
	cloudwatchapi.PutDashboardAPI
	cloudwatchapi.PutMetricAlarmAPI
	cloudwatchapi.PutMetricDataAPI
	cloudwatchapi.SetAlarmStateAPI
	cloudwatchapi.TagResourceAPI
	cloudwatchapi.UntagResourceAPI
} = (*Service)(nil)

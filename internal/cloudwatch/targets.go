package cloudwatch

import (
	"context"

	"github.com/butai-dev/butai/internal/api/cloudwatchapi"
	"github.com/butai-dev/butai/internal/wire"
)

// IAMTargets names the alarm or dashboard that a call is about; metrics have
// no ARNs (Service Authorization Reference: CloudWatch).
func (s *Service) IAMTargets(ctx context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	p := placeOf(ctx)
	resources := []string{"*"}
	context := map[string][]string{}
	switch in := in.(type) {
	case *cloudwatchapi.PutMetricDataInput:
		context["cloudwatch:namespace"] = []string{wire.Val(in.Namespace)}
	case *cloudwatchapi.PutMetricAlarmInput:
		resources = p.alarmARNs(*in.AlarmName)
	case *cloudwatchapi.SetAlarmStateInput:
		resources = p.alarmARNs(*in.AlarmName)
	case *cloudwatchapi.DeleteAlarmsInput:
		resources = p.alarmARNs(in.AlarmNames...)
	case *cloudwatchapi.EnableAlarmActionsInput:
		resources = p.alarmARNs(in.AlarmNames...)
	case *cloudwatchapi.DisableAlarmActionsInput:
		resources = p.alarmARNs(in.AlarmNames...)
	case *cloudwatchapi.PutDashboardInput:
		resources = []string{*dashboardARN(p.account, *in.DashboardName)}
	case *cloudwatchapi.GetDashboardInput:
		resources = []string{*dashboardARN(p.account, *in.DashboardName)}
	case *cloudwatchapi.DeleteDashboardsInput:
		resources = nil
		for _, name := range in.DashboardNames {
			resources = append(resources, *dashboardARN(p.account, name))
		}
	case *cloudwatchapi.ListTagsForResourceInput:
		resources = []string{*in.ResourceARN}
	case *cloudwatchapi.TagResourceInput:
		resources = []string{*in.ResourceARN}
	case *cloudwatchapi.UntagResourceInput:
		resources = []string{*in.ResourceARN}
	}
	targets := make([]wire.IAMTarget, len(resources))
	for i, resource := range resources {
		targets[i] = wire.IAMTarget{Action: "cloudwatch:" + op.Name, Resource: resource, Context: context}
	}
	return targets
}

func (p place) alarmARNs(names ...string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = p.alarmARN(name)
	}
	return out
}

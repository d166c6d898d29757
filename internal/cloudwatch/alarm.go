package cloudwatch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/cloudwatchapi"
	"github.com/butai-dev/butai/internal/metric"
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// alarm is a metric alarm as it is stored.
type alarm struct {
	cloudwatchapi.MetricAlarm
	Tags []cloudwatchapi.Tag `json:",omitempty"`
}

var alarms = record.New[alarm]("cloudwatch", "alarm") // account, region, name

const (
	// maxNames bounds the alarms that one request names, and maxActions the
	// actions of one state (API Reference).
	maxNames   = 100
	maxActions = 5
	// maxDay is how long an alarm may look back: a week for periods of an
	// hour and more, else a day.
	maxDay, maxWeek = 86_400, 7 * 86_400
)

func noAlarm() error { return &cloudwatchapi.ResourceNotFound{} } // without a message (recorded)

// PutMetricAlarm makes an alarm, or changes one, which keeps its state.
func (s *Service) PutMetricAlarm(ctx context.Context, in *cloudwatchapi.PutMetricAlarmInput) error {
	p := placeOf(ctx)
	if err := s.checkAlarm(p, in); err != nil {
		return err
	}
	now := s.Clock.Now().Truncate(time.Millisecond)
	a := &alarm{MetricAlarm: alarmOf(in), Tags: in.Tags}
	a.AlarmArn, a.AlarmConfigurationUpdatedTimestamp = wire.Ptr(p.alarmARN(*in.AlarmName)), &now
	return s.Store.Update(ctx, func(tx store.Tx) error {
		have, err := alarms.Get(tx, p.account, p.region, *in.AlarmName)
		if err != nil {
			return err
		}
		next := *a
		summary, kind := fmt.Sprintf("Alarm %q created", *in.AlarmName), "Create"
		if have == nil {
			next.StateValue, next.StateReason = wire.Ptr(cloudwatchapi.StateValueINSUFFICIENTDATA), wire.Ptr("Unchecked: Initial alarm creation")
			next.StateUpdatedTimestamp, next.StateTransitionedTimestamp = &now, &now
		} else {
			next.keepState(have)
			summary, kind = fmt.Sprintf("Alarm %q updated", *in.AlarmName), "Update"
		}
		if err := next.note(tx, p, now, "ConfigurationUpdate", summary, map[string]any{"version": "1.0", "type": kind}); err != nil {
			return err
		}
		return alarms.Put(tx, &next, p.account, p.region, *in.AlarmName)
	})
}

// keepState takes over what changing an alarm leaves alone. Tags given with
// the change of an alarm are ignored, as the API Reference says.
func (a *alarm) keepState(have *alarm) {
	a.StateValue, a.StateReason, a.StateReasonData = have.StateValue, have.StateReason, have.StateReasonData
	a.StateUpdatedTimestamp, a.StateTransitionedTimestamp = have.StateUpdatedTimestamp, have.StateTransitionedTimestamp
	a.Tags = have.Tags
}

func alarmOf(in *cloudwatchapi.PutMetricAlarmInput) cloudwatchapi.MetricAlarm {
	out := cloudwatchapi.MetricAlarm{
		AlarmName: in.AlarmName, AlarmDescription: in.AlarmDescription, ActionsEnabled: in.ActionsEnabled,
		OKActions: in.OKActions, AlarmActions: in.AlarmActions, InsufficientDataActions: in.InsufficientDataActions,
		MetricName: in.MetricName, Namespace: in.Namespace, Statistic: in.Statistic, ExtendedStatistic: in.ExtendedStatistic,
		Dimensions: in.Dimensions, Period: in.Period, Unit: in.Unit, EvaluationPeriods: in.EvaluationPeriods,
		DatapointsToAlarm: in.DatapointsToAlarm, Threshold: in.Threshold, ComparisonOperator: in.ComparisonOperator,
		TreatMissingData: in.TreatMissingData, EvaluateLowSampleCountPercentile: in.EvaluateLowSampleCountPercentile, Metrics: in.Metrics,
	}
	if out.ActionsEnabled == nil {
		out.ActionsEnabled = wire.Ptr(true)
	}
	return out
}

// DeleteAlarms deletes alarms: all of them, or none if one doesn't exist.
func (s *Service) DeleteAlarms(ctx context.Context, in *cloudwatchapi.DeleteAlarmsInput) error {
	p := placeOf(ctx)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		for _, name := range in.AlarmNames {
			have, err := alarms.Get(tx, p.account, p.region, name)
			if err != nil {
				return err
			}
			if have == nil {
				return noAlarm()
			}
			err = have.note(tx, p, s.Clock.Now(), "ConfigurationUpdate", fmt.Sprintf("Alarm %q deleted", name), map[string]any{"version": "1.0", "type": "Delete"})
			if err != nil {
				return err
			}
			if err := alarms.Delete(tx, p.account, p.region, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// EnableAlarmActions makes alarms take their actions.
func (s *Service) EnableAlarmActions(ctx context.Context, in *cloudwatchapi.EnableAlarmActionsInput) error {
	return s.switchActions(ctx, in.AlarmNames, true)
}

// DisableAlarmActions makes alarms take no actions.
func (s *Service) DisableAlarmActions(ctx context.Context, in *cloudwatchapi.DisableAlarmActionsInput) error {
	return s.switchActions(ctx, in.AlarmNames, false)
}

// switchActions ignores names that no alarm has, as AWS does.
func (s *Service) switchActions(ctx context.Context, names []string, on bool) error {
	p := placeOf(ctx)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		for _, name := range names {
			have, err := alarms.Get(tx, p.account, p.region, name)
			if err != nil {
				return err
			}
			if have == nil {
				continue
			}
			have.ActionsEnabled = &on
			if err := alarms.Put(tx, have, p.account, p.region, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// answer is the alarm as it is described: lists are there even if empty
// (recorded).
func (a *alarm) answer() cloudwatchapi.MetricAlarm {
	out := a.MetricAlarm
	for _, list := range []*[]string{&out.OKActions, &out.AlarmActions, &out.InsufficientDataActions} {
		if *list == nil {
			*list = []string{}
		}
	}
	if out.Dimensions == nil {
		out.Dimensions = []cloudwatchapi.Dimension{}
	}
	return out
}

// DescribeAlarms lists alarms by name.
func (s *Service) DescribeAlarms(ctx context.Context, in *cloudwatchapi.DescribeAlarmsInput) (*cloudwatchapi.DescribeAlarmsOutput, error) {
	switch {
	case in.AlarmNames != nil && in.AlarmNamePrefix != nil:
		return nil, validation("AlarmNamePrefix cannot be specified together with AlarmNames.")
	case len(in.AlarmNames) > maxNames:
		return nil, validation("The collection AlarmNames must not have a size greater than 100.")
	}
	after, err := readToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	limit := 50
	if in.MaxRecords != nil {
		limit = int(*in.MaxRecords)
	}
	p := placeOf(ctx)
	out := &cloudwatchapi.DescribeAlarmsOutput{MetricAlarms: []cloudwatchapi.MetricAlarm{}, CompositeAlarms: []cloudwatchapi.CompositeAlarm{}}
	if in.AlarmTypes != nil && !slices.Contains(in.AlarmTypes, "MetricAlarm") {
		return out, nil
	}
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		for a, err := range alarms.After(r, after, p.account, p.region) {
			if err != nil {
				return err
			}
			if !a.picked(in) {
				continue
			}
			if len(out.MetricAlarms) == limit {
				out.NextToken = paging.Token(*out.MetricAlarms[limit-1].AlarmName)
				return nil
			}
			out.MetricAlarms = append(out.MetricAlarms, a.answer())
		}
		return nil
	})
	return out, err
}

func (a *alarm) picked(in *cloudwatchapi.DescribeAlarmsInput) bool {
	switch {
	case in.AlarmNames != nil && !slices.Contains(in.AlarmNames, *a.AlarmName):
		return false
	case in.AlarmNamePrefix != nil && !strings.HasPrefix(*a.AlarmName, *in.AlarmNamePrefix):
		return false
	case in.StateValue != nil && *in.StateValue != *a.StateValue:
		return false
	}
	return in.ActionPrefix == nil || slices.ContainsFunc(slices.Concat(a.OKActions, a.AlarmActions, a.InsufficientDataActions),
		func(action string) bool { return strings.HasPrefix(action, *in.ActionPrefix) })
}

// DescribeAlarmsForMetric lists the alarms that watch just this metric.
func (s *Service) DescribeAlarmsForMetric(ctx context.Context, in *cloudwatchapi.DescribeAlarmsForMetricInput) (*cloudwatchapi.DescribeAlarmsForMetricOutput, error) {
	p := placeOf(ctx)
	want := metric.ID{Dimensions: dimensionsOf(in.Dimensions)}
	out := &cloudwatchapi.DescribeAlarmsForMetricOutput{MetricAlarms: []cloudwatchapi.MetricAlarm{}}
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		for a, err := range alarms.All(r, p.account, p.region) {
			if err != nil {
				return err
			}
			have := metric.ID{Dimensions: dimensionsOf(a.Dimensions)}
			if wire.Val(a.MetricName) == *in.MetricName && wire.Val(a.Namespace) == *in.Namespace && have.Key() == want.Key() &&
				matches(in.Statistic, a.Statistic) && matches(in.ExtendedStatistic, a.ExtendedStatistic) &&
				matches(in.Period, a.Period) && matches(in.Unit, a.Unit) {
				out.MetricAlarms = append(out.MetricAlarms, a.answer())
			}
		}
		return nil
	})
	return out, err
}

// matches reports whether have is what is wanted; nil wants anything.
func matches[T comparable](want, have *T) bool {
	return want == nil || have != nil && *have == *want
}

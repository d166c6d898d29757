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

// The states of an alarm.
const (
	stateOK           = "OK"
	stateAlarm        = "ALARM"
	stateInsufficient = "INSUFFICIENT_DATA"
)

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
			next.StateValue, next.StateReason = wire.Ptr(stateInsufficient), wire.Ptr("Unchecked: Initial alarm creation")
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

func (s *Service) checkAlarm(p place, in *cloudwatchapi.PutMetricAlarmInput) error {
	for name, actions := range map[string][]string{"OKActions": in.OKActions, "AlarmActions": in.AlarmActions, "InsufficientDataActions": in.InsufficientDataActions} {
		if len(actions) > maxActions {
			return validation(fmt.Sprintf("The collection %s must not have a size greater than %d.", name, maxActions))
		}
		for _, action := range actions {
			if !strings.HasPrefix(action, "arn:") {
				return validation("Invalid arn syntax: " + action)
			}
		}
	}
	switch { // the model asks for neither
	case in.ComparisonOperator == nil:
		return validation("The parameter ComparisonOperator is required.")
	case in.EvaluationPeriods == nil:
		return validation("The parameter EvaluationPeriods is required.")
	}
	switch *in.ComparisonOperator {
	case "LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold":
		return wire.NotBuilt("alarms with anomaly detection")
	}
	if in.Threshold == nil {
		return validation("The parameter Threshold is required.")
	}
	if n := wire.Val(in.DatapointsToAlarm); n > *in.EvaluationPeriods {
		return validation("The parameter DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
	}
	switch wire.Val(in.TreatMissingData) {
	case "", "breaching", "notBreaching", "ignore", "missing":
	default:
		return validation(fmt.Sprintf("The value %s is not valid for TreatMissingData parameter.", *in.TreatMissingData))
	}
	if in.Metrics != nil {
		return checkAlarmQueries(p, in)
	}
	return checkAlarmMetric(in)
}

func checkAlarmMetric(in *cloudwatchapi.PutMetricAlarmInput) error {
	switch {
	case in.MetricName == nil:
		return validation("The parameter MetricName must be specified.")
	case in.Namespace == nil:
		return validation("The parameter Namespace must be specified.")
	case in.Period == nil:
		return validation("The parameter Period must be specified.")
	case (in.Statistic == nil) == (in.ExtendedStatistic == nil):
		return validation("Exactly one element from the Statistic and ExtendedStatistic parameters must be specified.")
	}
	if in.ExtendedStatistic != nil {
		if s, err := metric.ParseStat(*in.ExtendedStatistic); err != nil || !s.Percentile() {
			return validation(fmt.Sprintf("The value %s for parameter ExtendedStatistic is not supported.", *in.ExtendedStatistic))
		}
	}
	switch wire.Val(in.EvaluateLowSampleCountPercentile) {
	case "", "evaluate", "ignore":
	default:
		return validation(fmt.Sprintf("The value %s is not valid for EvaluateLowSampleCountPercentile parameter.", *in.EvaluateLowSampleCountPercentile))
	}
	if *in.Period != 10 && *in.Period != 20 && *in.Period != 30 && (*in.Period < 60 || *in.Period%60 != 0) {
		return validation("Metric periods must be 10, 20, 30, or any multiple of 60.")
	}
	return checkReach(*in.Period * *in.EvaluationPeriods)
}

func checkReach(seconds int64) error {
	if seconds > maxWeek {
		return validation("Metrics cannot be checked across more than 604800 seconds (EvaluationPeriods * Period must be <= 604800).")
	}
	return nil
}

func checkAlarmQueries(p place, in *cloudwatchapi.PutMetricAlarmInput) error {
	if in.MetricName != nil || in.Namespace != nil || in.Period != nil || in.Statistic != nil || in.ExtendedStatistic != nil || in.Dimensions != nil || in.Unit != nil {
		return validation("The parameters MetricName, Namespace, Dimensions, Period, Unit, Statistic and ExtendedStatistic must not be specified together with Metrics.")
	}
	q, err := newQueries(p, in.Metrics, "Metrics")
	if err != nil {
		return err
	}
	if _, err := q.returned(); err != nil {
		return err
	}
	x := q.over(nil, span{})
	query, _ := q.returned()
	return checkReach(x.period(*query.Id) * *in.EvaluationPeriods)
}

// returned is the one query whose data an alarm watches.
func (q *queries) returned() (*cloudwatchapi.MetricDataQuery, error) {
	var found *cloudwatchapi.MetricDataQuery
	for i := range q.list {
		if r := q.list[i].ReturnData; r == nil || *r {
			if found != nil {
				return nil, validation("Exactly one element of the metrics list should return data.")
			}
			found = &q.list[i]
		}
	}
	if found == nil {
		return nil, validation("Exactly one element of the metrics list should return data.")
	}
	return found, nil
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

package cloudwatch

import (
	"fmt"
	"strings"

	"github.com/butai-dev/butai/internal/api/cloudwatchapi"
	"github.com/butai-dev/butai/internal/metric"
	"github.com/butai-dev/butai/internal/wire"
)

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

// Package cloudwatch is Amazon CloudWatch: metrics with their statistics, math
// over them (package expr below), alarms and dashboards. What butai's own
// services measure comes in through Put and Gather, what clients measure by
// PutMetricData.
//
// Values are summed up by minute in memory (pending.go) and kept by the hour
// in the store (series.go); old hours are thinned out (sweep.go). One
// goroutine writes and evaluates alarms.
package cloudwatch

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/api/cloudwatchapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/metric"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// Config is what New needs; every field is required.
type Config struct {
	Store store.Store
	Clock clock.Clock
	Log   *slog.Logger
}

// Service implements CloudWatch.
type Service struct {
	Config
	pending pending
	stop    chan struct{}
	stopped sync.Once
	running sync.WaitGroup
}

var _ metric.Sink = (*Service)(nil)

// flushEvery is how often what was measured is stored, and alarms are looked
// at. Reads and PutMetricData store it at once.
const flushEvery = 5 * time.Second

// New opens the service over its store and starts its goroutine, which runs
// until Close.
func New(ctx context.Context, cfg Config) (*Service, error) {
	s := &Service{Config: cfg, stop: make(chan struct{})}
	ctx = context.WithoutCancel(ctx)
	s.running.Go(func() { s.run(ctx) })
	return s, nil
}

// Close stores what was measured and stops.
func (s *Service) Close() error {
	s.stopped.Do(func() { close(s.stop) })
	s.running.Wait()
	return nil
}

func (s *Service) run(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		stopping := false
		select {
		case <-tick.C:
		case <-s.stop:
			stopping = true
		}
		if err := s.Flush(ctx); err != nil {
			s.Log.Error("metrics couldn't be stored", "error", err)
		}
		if stopping {
			return
		}
		if err := s.evaluateAlarms(ctx); err != nil {
			s.Log.Error("alarms couldn't be evaluated", "error", err)
		}
		if err := s.sweep(ctx); err != nil {
			s.Log.Error("old metrics couldn't be thinned out", "error", err)
		}
	}
}

// place is an account's region.
type place struct{ account, region string }

func placeOf(ctx context.Context) place {
	c := wire.CallerFrom(ctx)
	return place{c.Account, c.Region}
}

func (p place) alarmARN(name string) string {
	return arn.New("cloudwatch", p.region, p.account, "alarm:"+name).String()
}

func invalidValue(text string) error {
	return &cloudwatchapi.InvalidParameterValueException{Message: &text}
}

func invalidCombination(text string) error {
	return &cloudwatchapi.InvalidParameterCombinationException{Message: &text}
}

func missingParameter(text string) error {
	return &cloudwatchapi.MissingRequiredParameterException{Message: &text}
}

// validation is how CloudWatch words what its model doesn't name.
func validation(text string) error {
	return &wire.Error{Code: "ValidationError", Status: 400, Message: text}
}

// dimensionsOf reads a metric's dimensions, in the order of their names.
func dimensionsOf(in []cloudwatchapi.Dimension) []metric.Dimension {
	out := make([]metric.Dimension, len(in))
	for i, d := range in {
		out[i] = metric.Dimension{Name: *d.Name, Value: *d.Value}
	}
	return metric.Sorted(out)
}

func dimensionsOut(in []metric.Dimension) []cloudwatchapi.Dimension {
	out := make([]cloudwatchapi.Dimension, len(in))
	for i := range in {
		out[i] = cloudwatchapi.Dimension{Name: &in[i].Name, Value: &in[i].Value}
	}
	return out
}

// Refused lists the parameters that butai can't honour.
func (*Service) Refused() []wire.Refusal {
	const (
		accounts = "metrics of other accounts can't be reached"
		entities = "metrics aren't linked with entities"
		promQL   = "alarms on PromQL queries aren't evaluated"
	)
	return []wire.Refusal{
		{Operation: "PutMetricData", Member: "EntityMetricData", Reason: entities},
		{Operation: "PutMetricData", Member: "StrictEntityValidation", Reason: entities},
		{Operation: "ListMetrics", Member: "IncludeLinkedAccounts", Reason: accounts},
		{Operation: "ListMetrics", Member: "OwningAccount", Reason: accounts},
		{Operation: "GetMetricData", Member: "MetricDataQueries.AccountId", Reason: accounts},
		{Operation: "GetMetricData", Member: "LabelOptions", Reason: "labels hold no times"},
		{Operation: "PutMetricAlarm", Member: "Metrics.AccountId", Reason: accounts},
		{Operation: "PutMetricAlarm", Member: "ThresholdMetricId", Reason: "there is no anomaly detection"},
		{Operation: "PutMetricAlarm", Member: "EvaluationCriteria", Reason: promQL},
		{Operation: "PutMetricAlarm", Member: "EvaluationInterval", Reason: promQL},
		{Operation: "DescribeAlarms", Member: "ChildrenOfAlarmName", Reason: "there are no composite alarms"},
		{Operation: "DescribeAlarms", Member: "ParentsOfAlarmName", Reason: "there are no composite alarms"},
		{Operation: "DescribeAlarmHistory", Member: "AlarmContributorId", Reason: "alarms have no contributors"},
	}
}

// isAlarm reports whether resource is the ARN of an alarm of p, and its name.
func (p place) isAlarm(resource string) (string, bool) {
	a, err := arn.Parse(resource)
	name, ok := strings.CutPrefix(a.Resource, "alarm:")
	return name, err == nil && ok && a.Service == "cloudwatch" && a.Account == p.account && a.Region == p.region
}

package events

import (
	"github.com/butai-dev/butai/internal/metric"
)

// metricNamespace is the namespace of EventBridge's metrics (User Guide:
// "Monitoring Amazon EventBridge", as the rest of this file).
const metricNamespace = "AWS/Events"

// metricColumns are in the order of the constants below.
var metricColumns = []metric.Column{
	{Name: "MatchedEvents", Unit: metric.Count}, {Name: "TriggeredRules", Unit: metric.Count}, {Name: "Invocations", Unit: metric.Count},
	{Name: "FailedInvocations", Unit: metric.Count}, {Name: "RetryInvocationAttempts", Unit: metric.Count},
	{Name: "InvocationsSentToDlq", Unit: metric.Count}, {Name: "InvocationsFailedToBeSentToDlq", Unit: metric.Count},
}

const (
	matchedEvents = iota
	triggeredRules
	invocations       // successes, and failures for good
	failedInvocations // that no dead-letter queue got
	retries
	sentToDLQ
	notSentToDLQ
)

// count adds 1 to each of some metrics of a rule.
func (s *Service) count(p rulePlace, columns ...int) {
	row := make([]float64, len(metricColumns))
	for i := range row {
		row[i] = metric.Unmeasured
	}
	for _, i := range columns {
		row[i] = 1
	}
	s.meters.Get(p, func() *metric.Meter {
		rule := metric.Dimension{Name: "RuleName", Value: p.Name}
		dimensions := [][]metric.Dimension{nil, {rule}}
		if p.Bus.Name != defaultBus {
			bus := metric.Dimension{Name: "EventBusName", Value: p.Bus.Name}
			dimensions = [][]metric.Dimension{nil, {bus}, {bus, rule}}
		}
		return &metric.Meter{Account: p.Bus.Account, Region: p.Bus.Region, Namespace: metricNamespace, Columns: metricColumns, Dimensions: dimensions}
	}).Take(s.Clock.Now(), row...)
}

// countMatches counts the rules that have made deliveries, for each event.
func (s *Service) countMatches(made []*deliveryRecord) {
	for i, d := range made {
		if i == 0 || made[i-1].Event.ID != d.Event.ID || made[i-1].Rule != d.Rule {
			s.count(d.Rule, matchedEvents, triggeredRules)
		}
	}
}

// DrainMetrics hands sink what was measured since the last time.
func (s *Service) DrainMetrics(sink metric.Sink) { s.meters.Drain(sink) }

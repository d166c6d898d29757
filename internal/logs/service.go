// Package logs is Amazon CloudWatch Logs: log groups, streams and events, and
// a sink that takes the log lines of functions and stages off their hands.
// Package pattern below it understands filter patterns.
//
// Events are kept in compressed batches (batch.go) that one goroutine writes
// (sink.go); the oldest are dropped when a group's retention ends or its size
// passes a cap (trim.go).
package logs

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/metric"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// DefaultGroupBytes is how much a log group holds before its oldest events
// are dropped. AWS has no such limit; a laptop's disk does.
const DefaultGroupBytes = 256 << 20

// Config is what New needs. Store, Clock, Log and Metrics are required.
type Config struct {
	Store store.Store
	Clock clock.Clock
	Log   *slog.Logger
	// Metrics takes what log events say in numbers.
	Metrics metric.Sink
	Keys    Keys
	// GroupBytes caps the events of one log group, counted as AWS counts
	// them: message bytes plus 26 an event. 0 means DefaultGroupBytes.
	GroupBytes int64
}

// Service implements CloudWatch Logs.
type Service struct {
	Config
	sink      sink
	functions atomic.Pointer[Functions]
	stop      chan struct{}
	stopped   sync.Once
	running   sync.WaitGroup
}

var (
	groups  = record.New[group]("logs", "group")
	streams = record.New[stream]("logs", "stream")
)

// New opens the service over its store and starts its writer and its sweeper,
// which run until Close.
func New(ctx context.Context, cfg Config) (*Service, error) {
	if cfg.GroupBytes == 0 {
		cfg.GroupBytes = DefaultGroupBytes
	}
	s := &Service{Config: cfg, sink: newSink(), stop: make(chan struct{})}
	ctx = context.WithoutCancel(ctx)
	s.running.Go(func() { s.write(ctx) })
	s.running.Go(func() { s.sweep(ctx) })
	return s, nil
}

// Close stores what Put has taken and stops. Events put later are dropped.
func (s *Service) Close() error {
	s.stopped.Do(func() { close(s.stop) })
	s.running.Wait()
	return nil
}

// place is an account's region: where a group's name is unique.
type place struct{ account, region string }

func placeOf(ctx context.Context) place {
	c := wire.CallerFrom(ctx)
	return place{c.Account, c.Region}
}

func (p place) arn(resource string) string {
	return arn.New("logs", p.region, p.account, resource).String()
}

func notFound(what string) error {
	return &logsapi.ResourceNotFoundException{Message: wire.Ptr("The specified " + what + " does not exist.")}
}

func alreadyExists(what string) error {
	return &logsapi.ResourceAlreadyExistsException{Message: wire.Ptr("The specified " + what + " already exists")}
}

// limitExceeded is the answer to one filter or policy too many.
func limitExceeded() error {
	return &logsapi.LimitExceededException{Message: wire.Ptr("Resource limit exceeded.")}
}

func invalid(text string) error {
	return &logsapi.InvalidParameterException{Message: &text}
}

// groupName reads a log group's name or ARN, with or without the ":*" that
// the ARNs of DescribeLogGroups end with.
func groupName(identifier string) string {
	if a, err := arn.Parse(identifier); err == nil {
		if name, ok := strings.CutPrefix(a.Resource, "log-group:"); ok {
			return strings.TrimSuffix(name, ":*")
		}
	}
	return identifier
}

// oneGroup picks the group's name from the two members that may give it.
func oneGroup(name, identifier *string) (string, error) {
	switch {
	case name != nil && identifier != nil:
		return "", invalid("LogGroup name and LogGroup ARN are mutually exclusive parameters.")
	case name != nil:
		return *name, nil
	case identifier != nil:
		return groupName(*identifier), nil
	}
	return "", invalid("Either LogGroup name or LogGroup ARN must be specified.")
}

// Refused lists the parameters that butai can't honour.
func (*Service) Refused() []wire.Refusal {
	const (
		accounts = "log groups of other accounts can't be reached"
		fields   = "log groups aren't centralized, so that events have no system fields"
		ofGroups = "resource policies are the account's; log groups have none of their own"
	)
	return []wire.Refusal{
		{Operation: "CreateLogGroup", Member: "deletionProtectionEnabled", Reason: "log groups can't be protected from deletion"},
		{Operation: "DescribeLogGroups", Member: "accountIdentifiers", Reason: accounts},
		{Operation: "DescribeLogGroups", Member: "includeLinkedAccounts", Reason: accounts},
		{Operation: "PutMetricFilter", Member: "applyOnTransformedLogs", Reason: "logs aren't transformed"},
		{Operation: "PutMetricFilter", Member: "fieldSelectionCriteria", Reason: fields},
		{Operation: "PutMetricFilter", Member: "emitSystemFieldDimensions", Reason: fields},
		{Operation: "PutSubscriptionFilter", Member: "applyOnTransformedLogs", Reason: "logs aren't transformed"},
		{Operation: "PutSubscriptionFilter", Member: "fieldSelectionCriteria", Reason: fields},
		{Operation: "PutSubscriptionFilter", Member: "emitSystemFields", Reason: fields},
		{Operation: "PutResourcePolicy", Member: "resourceArn", Reason: ofGroups},
		{Operation: "PutResourcePolicy", Member: "expectedRevisionId", Reason: ofGroups},
		{Operation: "DescribeResourcePolicies", Member: "resourceArn", Reason: ofGroups},
		{Operation: "DescribeResourcePolicies", Member: "policyScope", Reason: ofGroups},
		{Operation: "DeleteResourcePolicy", Member: "resourceArn", Reason: ofGroups},
		{Operation: "DeleteResourcePolicy", Member: "expectedRevisionId", Reason: ofGroups},
		{Operation: "PutLogEvents", Member: "entity", Reason: "events aren't linked with entities"},
	}
}

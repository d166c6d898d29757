package lambda

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/lambda/poll"
	"github.com/butai-dev/butai/internal/pattern"
	"github.com/butai-dev/butai/internal/wire"
)

// mappingSettings are the members that creating and updating a mapping share;
// absent ones are left as they are.
type mappingSettings struct {
	BatchSize, Window, Parallel, MaxAge, Retries *int64
	Bisect                                       *bool
	Filters                                      *lambdaapi.FilterCriteria
	Destinations                                 *lambdaapi.DestinationConfig
	Scaling                                      *lambdaapi.ScalingConfig
}

func creationOf(in *lambdaapi.CreateEventSourceMappingRequest) *mappingSettings {
	return &mappingSettings{
		in.BatchSize, in.MaximumBatchingWindowInSeconds, in.ParallelizationFactor, in.MaximumRecordAgeInSeconds, in.MaximumRetryAttempts,
		in.BisectBatchOnFunctionError, in.FilterCriteria, in.DestinationConfig, in.ScalingConfig,
	}
}

func updateOf(in *lambdaapi.UpdateEventSourceMappingRequest) *mappingSettings {
	return &mappingSettings{
		in.BatchSize, in.MaximumBatchingWindowInSeconds, in.ParallelizationFactor, in.MaximumRecordAgeInSeconds, in.MaximumRetryAttempts,
		in.BisectBatchOnFunctionError, in.FilterCriteria, in.DestinationConfig, in.ScalingConfig,
	}
}

// begin gives a new mapping the defaults of its kind (recorded), and where it
// starts.
func (m *mappingRecord) begin(kind string, in *lambdaapi.CreateEventSourceMappingRequest) error {
	c := &m.Config
	if kind == sourceQueue {
		c.BatchSize, c.MaximumBatchingWindowInSeconds = wire.Ptr(int64(10)), wire.Ptr(int64(0))
		c.StateTransitionReason = wire.Ptr("USER_INITIATED")
		if in.StartingPosition != nil {
			return invalid("StartingPosition is not valid for SQS event sources.")
		}
		return nil
	}
	c.BatchSize, c.MaximumBatchingWindowInSeconds = wire.Ptr(int64(100)), wire.Ptr(int64(0))
	c.ParallelizationFactor, c.MaximumRecordAgeInSeconds, c.MaximumRetryAttempts = wire.Ptr(int64(1)), wire.Ptr(int64(-1)), wire.Ptr(int64(-1))
	c.BisectBatchOnFunctionError, c.TumblingWindowInSeconds = wire.Ptr(false), wire.Ptr(int64(0))
	c.DestinationConfig = &lambdaapi.DestinationConfig{OnFailure: &lambdaapi.OnFailure{}}
	c.LastProcessingResult, c.StateTransitionReason = wire.Ptr(noneProcessed), wire.Ptr("User action")
	if in.StartingPosition == nil {
		return invalid("1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.")
	}
	if *in.StartingPosition != lambdaapi.EventSourcePositionATTIMESTAMP && in.StartingPositionTimestamp != nil {
		return invalid("Timestamp only valid with StartingPosition AT_TIMESTAMP")
	}
	if *in.StartingPosition == lambdaapi.EventSourcePositionATTIMESTAMP {
		return invalid("Unsupported starting position for arn type: %s", *in.EventSourceArn) // DynamoDB has none
	}
	c.StartingPosition = in.StartingPosition
	return nil
}

// checkPosition is the model's constraint with the values in AWS's order, which
// is another than the model's (recorded).
func checkPosition(position *string) error {
	known := []string{lambdaapi.EventSourcePositionLATEST, lambdaapi.EventSourcePositionATTIMESTAMP, lambdaapi.EventSourcePositionTRIMHORIZON}
	if position == nil || slices.Contains(known, *position) {
		return nil
	}
	return wire.Errorf("ValidationException", "%s", violation("startingPosition", *position, "Member must satisfy enum value set: ["+strings.Join(known, ", ")+"]"))
}

// Limits beside the model's (Developer Guide: "Lambda event source mappings").
const (
	maxQueueWindowless = 10
	maxFilters         = 5
	maxStreamBatch     = 10000
)

// set sets what is set, and checks the whole.
func (m *mappingRecord) set(kind string, in *mappingSettings) error {
	c := &m.Config
	setIf(&c.BatchSize, in.BatchSize)
	setIf(&c.MaximumBatchingWindowInSeconds, in.Window)
	setIf(&c.FilterCriteria, in.Filters)
	if c.FilterCriteria != nil && len(c.FilterCriteria.Filters) == 0 {
		c.FilterCriteria = nil
	}
	if _, err := compileFilters(c.FilterCriteria); err != nil {
		return err
	}
	if *c.BatchSize > maxStreamBatch {
		return invalid("BatchSize must be between 1 and %d", maxStreamBatch)
	}
	if kind == sourceQueue {
		if in.Parallel != nil || in.MaxAge != nil || in.Retries != nil || in.Bisect != nil || in.Destinations != nil && onFailure(in.Destinations) != "" {
			return invalid("Unsupported parameter for given event source mapping type.")
		}
		if *c.BatchSize > maxQueueWindowless && *c.MaximumBatchingWindowInSeconds == 0 {
			return invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
		}
		if *c.MaximumBatchingWindowInSeconds > 0 && strings.HasSuffix(*c.EventSourceArn, ".fifo") {
			return invalid("Batching window is not supported for FIFO queues") // as users report it
		}
		setIf(&c.ScalingConfig, in.Scaling)
		if c.ScalingConfig != nil && c.ScalingConfig.MaximumConcurrency == nil {
			c.ScalingConfig = nil
		}
		return nil
	}
	if in.Scaling != nil && in.Scaling.MaximumConcurrency != nil {
		return invalid("Unsupported parameter for given event source mapping type.")
	}
	setIf(&c.ParallelizationFactor, in.Parallel)
	setIf(&c.MaximumRecordAgeInSeconds, in.MaxAge)
	setIf(&c.MaximumRetryAttempts, in.Retries)
	setIf(&c.BisectBatchOnFunctionError, in.Bisect)
	if in.Destinations != nil {
		c.DestinationConfig = &lambdaapi.DestinationConfig{OnFailure: &lambdaapi.OnFailure{}}
		setIf(&c.DestinationConfig.OnFailure, in.Destinations.OnFailure)
		if in.Destinations.OnSuccess != nil && wire.Val(in.Destinations.OnSuccess.Destination) != "" {
			return invalid("Unsupported DestinationConfig parameter for given event source mapping type.")
		}
	}
	if age := *c.MaximumRecordAgeInSeconds; age >= 0 && age < 60 {
		return invalid("Maximum record age in seconds must be -1 or between 60 and 604800")
	}
	return nil
}

func compileFilters(c *lambdaapi.FilterCriteria) ([]*pattern.Pattern, error) {
	if c == nil {
		return nil, nil
	}
	if len(c.Filters) > maxFilters {
		return nil, invalid("The number of filters exceeds the limit of %d.", maxFilters)
	}
	var out []*pattern.Pattern
	for _, f := range c.Filters {
		p, err := pattern.Compile(wire.Val(f.Pattern))
		if err != nil {
			return nil, invalid("Invalid filter pattern definition.")
		}
		out = append(out, p)
	}
	return out, nil
}

// checkSource checks that the source of a mapping exists and that the
// function's role may read it.
func (s *Service) checkSource(ctx context.Context, kind string, m *mappingRecord, f *lambdaapi.FunctionConfiguration) error {
	source := *m.Config.EventSourceArn
	if kind == sourceQueue {
		exists, may, visibility := s.Sources.CheckQueue(ctx, *f.Role, source)
		timeout := time.Duration(*f.Timeout) * time.Second
		switch {
		case !may:
			return invalid("The function execution role does not have permissions to call ReceiveMessage on SQS")
		case !exists:
			return invalid("Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist.")
		case visibility < timeout:
			return invalid("Queue visibility timeout: %d seconds is less than Function timeout: %d seconds", visibility/time.Second, timeout/time.Second)
		}
		return s.checkMappingTarget(ctx, m.Config.DestinationConfig, f)
	}
	exists, may := s.Sources.CheckStream(ctx, *f.Role, source)
	switch {
	case !may:
		return invalid("Cannot access stream %s. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM.", source)
	case !exists:
		return invalid("Stream not found: %s", source)
	}
	return s.checkMappingTarget(ctx, m.Config.DestinationConfig, f)
}

// checkMappingTarget checks the destination of a mapping's failed batches.
func (s *Service) checkMappingTarget(ctx context.Context, d *lambdaapi.DestinationConfig, f *lambdaapi.FunctionConfiguration) error {
	target := onFailure(d)
	if target == "" {
		return nil
	}
	if service := serviceOf(target); service == "lambda" || service == "events" { // they are for asynchronous invocations
		return invalid("The destination ARN %s is invalid.", target)
	}
	return s.checkTarget(ctx, *f.Role, target)
}

// defaultPollers is how many batches of a queue Lambda begins with at a time.
const defaultPollers = 5

// compileMapping makes what the poller runs on.
func compileMapping(m *mappingRecord) (poll.Mapping, error) {
	c := &m.Config
	filters, err := compileFilters(c.FilterCriteria)
	out := poll.Mapping{
		Source: *c.EventSourceArn, FunctionARN: *c.FunctionArn, BatchSize: int(*c.BatchSize),
		Window: time.Duration(*c.MaximumBatchingWindowInSeconds) * time.Second, Filters: filters, Partial: len(c.FunctionResponseTypes) > 0,
		Concurrency: defaultPollers, Start: wire.Val(c.StartingPosition), Parallel: int(wire.Val(c.ParallelizationFactor)),
		Bisect: wire.Val(c.BisectBatchOnFunctionError), MaxAge: -1, Retries: -1, OnFailure: onFailure(c.DestinationConfig) != "",
	}
	if c.ScalingConfig != nil {
		out.Concurrency = int(*c.ScalingConfig.MaximumConcurrency)
	}
	if n := c.MaximumRecordAgeInSeconds; n != nil && *n >= 0 {
		out.MaxAge = time.Duration(*n) * time.Second
	}
	if n := c.MaximumRetryAttempts; n != nil {
		out.Retries = int(*n)
	}
	return out, err
}

package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/api/dynamodbstreamsapi"
	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/lambda"
	"github.com/butai-dev/butai/internal/lambda/poll"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/jsonbody"
)

// lambdaSources are the queues and streams that Lambda reads with a function's
// role, which must be allowed each call.
type lambdaSources struct{ services *services }

var _ lambda.Sources = (*lambdaSources)(nil)

// denied asks whether a role may make a call of a service.
func (l *lambdaSources) denied(role string, targets ...wire.IAMTarget) error {
	for _, target := range targets {
		if denial := l.services.iam.RoleMay(role, lambdaPrincipal, target); denial != "" {
			return &wire.Error{Code: "AccessDenied", Status: http.StatusForbidden, Message: denial}
		}
	}
	return nil
}

// Queue implements lambda.Sources.
func (l *lambdaSources) Queue(role func() string, queueARN string) poll.Queue {
	a, _ := arn.Parse(queueARN) // it was checked when the mapping was made
	return &queueSource{l, role, a}
}

// Stream implements lambda.Sources.
func (l *lambdaSources) Stream(role func() string, streamARN string) poll.Stream {
	a, _ := arn.Parse(streamARN) // it was checked when the mapping was made
	return &streamSource{l, role, a}
}

// CheckQueue implements lambda.Sources.
func (l *lambdaSources) CheckQueue(ctx context.Context, role, queueARN string) (exists, may bool, visibility time.Duration) {
	a, err := arn.Parse(queueARN)
	if err != nil {
		return false, true, 0
	}
	q := &queueSource{l, func() string { return role }, a}
	ctx = asFunctionRole(ctx, role, a.Region)
	for _, name := range []string{"ReceiveMessage", "DeleteMessage", "GetQueueAttributes"} {
		if err := q.allowed(ctx, role, name); err != nil {
			return true, false, 0
		}
	}
	out, err := l.services.sqs.GetQueueAttributes(ctx, &sqsapi.GetQueueAttributesRequest{
		QueueUrl: queueURL(a), AttributeNames: []string{sqsapi.QueueAttributeNameVisibilityTimeout},
	})
	if err != nil {
		return false, true, 0
	}
	seconds, _ := strconv.Atoi(out.Attributes[sqsapi.QueueAttributeNameVisibilityTimeout]) // SQS has checked it
	return true, true, time.Duration(seconds) * time.Second
}

// CheckStream implements lambda.Sources.
func (l *lambdaSources) CheckStream(ctx context.Context, role, streamARN string) (exists, may bool) {
	for _, action := range []string{"DescribeStream", "GetShardIterator", "GetRecords"} {
		if err := l.denied(role, wire.IAMTarget{Action: "dynamodb:" + action, Resource: streamARN}); err != nil {
			return true, false
		}
	}
	a, err := arn.Parse(streamARN)
	if err != nil {
		return false, true
	}
	_, err = l.services.streams.DescribeStream(asFunctionRole(ctx, role, a.Region), &dynamodbstreamsapi.DescribeStreamInput{StreamArn: &streamARN})
	_, missing := errors.AsType[*dynamodbstreamsapi.ResourceNotFoundException](err)
	return !missing, true
}

// queueSource reads one queue.
type queueSource struct {
	*lambdaSources
	role func() string
	arn  arn.ARN
}

func (q *queueSource) allowed(ctx context.Context, role, operation string) error {
	in := &sqsapi.ReceiveMessageRequest{QueueUrl: queueURL(q.arn)}
	targets := q.services.sqs.IAMTargets(ctx, sqsapi.Service.Operation(operation), in)
	return q.denied(role, targets...)
}

// Receive implements poll.Queue.
func (q *queueSource) Receive(ctx context.Context, most int, wait time.Duration) ([]poll.Message, error) {
	role := q.role()
	ctx = asFunctionRole(ctx, role, q.arn.Region)
	if err := q.allowed(ctx, role, "ReceiveMessage"); err != nil {
		return nil, err
	}
	out, err := q.services.sqs.ReceiveMessage(ctx, &sqsapi.ReceiveMessageRequest{
		QueueUrl: queueURL(q.arn), MaxNumberOfMessages: wire.Ptr(int64(most)), WaitTimeSeconds: wire.Ptr(int64((wait + time.Second - 1) / time.Second)),
		MessageSystemAttributeNames: []string{"All"}, MessageAttributeNames: []string{"All"},
	})
	if err != nil {
		return nil, err
	}
	var messages []poll.Message
	for _, m := range out.Messages {
		event, err := queueEvent(q.arn, &m)
		if err != nil {
			return nil, err
		}
		messages = append(messages, poll.Message{ID: *m.MessageId, Handle: *m.ReceiptHandle, Body: *m.Body, Event: event, Trace: m.Attributes[sqsapi.MessageSystemAttributeNameAWSTraceHeader]})
	}
	return messages, nil
}

// Delete implements poll.Queue.
func (q *queueSource) Delete(ctx context.Context, handles []string) error {
	role := q.role()
	ctx = asFunctionRole(ctx, role, q.arn.Region)
	if err := q.allowed(ctx, role, "DeleteMessage"); err != nil {
		return err
	}
	for _, handle := range handles {
		if err := q.services.sqs.DeleteMessage(ctx, &sqsapi.DeleteMessageRequest{QueueUrl: queueURL(q.arn), ReceiptHandle: &handle}); err != nil {
			return err
		}
	}
	return nil
}

// messageEvent is a message in a function's event; the order of its members is
// AWS's (Developer Guide: "Using Lambda with Amazon SQS").
type messageEvent struct {
	ID            string                      `json:"messageId"`
	Handle        string                      `json:"receiptHandle"`
	Body          string                      `json:"body"`
	System        map[string]string           `json:"attributes"`
	Attributes    map[string]messageAttribute `json:"messageAttributes"`
	MD5Attributes string                      `json:"md5OfMessageAttributes,omitzero"`
	MD5Body       string                      `json:"md5OfBody"`
	Source        string                      `json:"eventSource"`
	SourceARN     string                      `json:"eventSourceARN"`
	Region        string                      `json:"awsRegion"`
}

type messageAttribute struct {
	String  *string  `json:"stringValue,omitzero"`
	Binary  []byte   `json:"binaryValue,omitempty"`
	Strings []string `json:"stringListValues"`
	Blobs   []string `json:"binaryListValues"`
	Type    string   `json:"dataType"`
}

func queueEvent(a arn.ARN, m *sqsapi.Message) ([]byte, error) {
	e := messageEvent{
		ID: *m.MessageId, Handle: *m.ReceiptHandle, Body: *m.Body, System: m.Attributes, Attributes: map[string]messageAttribute{},
		MD5Attributes: wire.Val(m.MD5OfMessageAttributes), MD5Body: *m.MD5OfBody, Source: "aws:sqs", SourceARN: a.String(), Region: a.Region,
	}
	for name, v := range m.MessageAttributes {
		e.Attributes[name] = messageAttribute{String: v.StringValue, Binary: v.BinaryValue, Strings: []string{}, Blobs: []string{}, Type: *v.DataType}
	}
	return json.Marshal(&e, json.Deterministic(true))
}

// streamSource reads one stream.
type streamSource struct {
	*lambdaSources
	role func() string
	arn  arn.ARN
}

// as returns the context of a call that the role must be allowed.
func (s *streamSource) as(ctx context.Context, action string) (context.Context, error) {
	role := s.role()
	return asFunctionRole(ctx, role, s.arn.Region), s.denied(role, wire.IAMTarget{Action: "dynamodb:" + action, Resource: s.arn.String()})
}

// Shards implements poll.Stream.
func (s *streamSource) Shards(ctx context.Context) ([]string, error) {
	ctx, err := s.as(ctx, "DescribeStream")
	if err != nil {
		return nil, err
	}
	out, err := s.services.streams.DescribeStream(ctx, &dynamodbstreamsapi.DescribeStreamInput{StreamArn: wire.Ptr(s.arn.String())})
	if err != nil {
		return nil, err
	}
	var shards []string
	for _, shard := range out.StreamDescription.Shards {
		shards = append(shards, *shard.ShardId)
	}
	return shards, nil
}

// Iterator implements poll.Stream.
func (s *streamSource) Iterator(ctx context.Context, shard, start, after string) (string, error) {
	ctx, err := s.as(ctx, "GetShardIterator")
	if err != nil {
		return "", err
	}
	in := &dynamodbstreamsapi.GetShardIteratorInput{StreamArn: wire.Ptr(s.arn.String()), ShardId: &shard, ShardIteratorType: &start}
	if after != "" {
		in.ShardIteratorType, in.SequenceNumber = wire.Ptr(dynamodbstreamsapi.ShardIteratorTypeAFTERSEQUENCENUMBER), &after
	}
	out, err := s.services.streams.GetShardIterator(ctx, in)
	if _, trimmed := errors.AsType[*dynamodbstreamsapi.TrimmedDataAccessException](err); trimmed {
		// What was to be read next is gone: go on with the oldest that is left.
		in.ShardIteratorType, in.SequenceNumber = wire.Ptr(dynamodbstreamsapi.ShardIteratorTypeTRIMHORIZON), nil
		out, err = s.services.streams.GetShardIterator(ctx, in)
	}
	if err != nil {
		return "", err
	}
	return *out.ShardIterator, nil
}

// Tail implements poll.Stream.
func (s *streamSource) Tail(ctx context.Context, _ string) (string, error) {
	ctx, err := s.as(ctx, "GetShardIterator")
	if err != nil {
		return "", err
	}
	return s.services.streams.Tail(ctx, s.arn.String())
}

// Records implements poll.Stream.
func (s *streamSource) Records(ctx context.Context, iterator string, most int) (records []poll.Record, next string, err error) {
	if ctx, err = s.as(ctx, "GetRecords"); err != nil {
		return nil, "", err
	}
	out, err := s.services.streams.GetRecords(ctx, &dynamodbstreamsapi.GetRecordsInput{ShardIterator: &iterator, Limit: wire.Ptr(int64(most))})
	if err != nil {
		return nil, "", err
	}
	for _, r := range out.Records {
		event, err := streamEvent(s.arn, &r)
		if err != nil {
			return nil, "", err
		}
		key, err := json.Marshal(r.Dynamodb.Keys, json.Deterministic(true))
		if err != nil {
			return nil, "", err
		}
		records = append(records, poll.Record{
			Sequence: *r.Dynamodb.SequenceNumber, Key: string(key), At: *r.Dynamodb.ApproximateCreationDateTime, Event: event,
		})
	}
	return records, wire.Val(out.NextShardIterator), nil
}

// Changed implements poll.Stream.
func (s *streamSource) Changed(ctx context.Context) <-chan struct{} {
	return s.services.streams.Changed(ctx, s.arn.String())
}

// streamEvent is a record in a function's event: as the stream's own API shows
// it, with the stream's name at the end.
func streamEvent(a arn.ARN, r *dynamodbstreamsapi.Record) ([]byte, error) {
	schema := dynamodbstreamsapi.Service.Schema
	text, err := jsonbody.Encode(schema, schema.ID("Record"), r)
	if err != nil {
		return nil, err
	}
	body, ok := strings.CutSuffix(string(text), "}")
	if !ok {
		return nil, fmt.Errorf("a stream record is no object: %s", text)
	}
	name, err := jsontext.AppendQuote(nil, a.String())
	return []byte(body + `,"eventSourceARN":` + string(name) + "}"), err
}

package dynamodb

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/dynamodbstreamsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// Streams implements the API of DynamoDB Streams over the tables of a Service.
// A stream has one shard, so that a table's changes come in one order.
type Streams struct{ service *Service }

// NewStreams returns the API over s.
func NewStreams(s *Service) *Streams { return &Streams{s} }

// IAMTargets names the stream that a call is about (Service Authorization
// Reference: Amazon DynamoDB).
func (s *Streams) IAMTargets(ctx context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	target := wire.IAMTarget{Action: "dynamodb:" + op.Name, Resource: "*"}
	switch in := in.(type) {
	case *dynamodbstreamsapi.DescribeStreamInput:
		target.Resource = *in.StreamArn
	case *dynamodbstreamsapi.GetShardIteratorInput:
		target.Resource = *in.StreamArn
	case *dynamodbstreamsapi.GetRecordsInput:
		if it, err := readIterator(*in.ShardIterator); err == nil {
			target.Resource = it.Stream
		}
	case *dynamodbstreamsapi.ListStreamsInput:
		c := wire.CallerFrom(ctx)
		target.Resource = tableKey{c.Account, c.Region, "*"}.arn() + "/stream/*"
		if in.TableName != nil {
			target.Resource = tableKey{c.Account, c.Region, *in.TableName}.arn() + "/stream/*"
		}
	}
	return []wire.IAMTarget{target}
}

func noStream(streamARN string) error {
	return &dynamodbstreamsapi.ResourceNotFoundException{Message: wire.Ptr("Requested resource not found: Stream: " + streamARN + " not found")}
}

// streamTable is the table of a stream's ARN.
func streamTable(streamARN string) (tableKey, bool) {
	a, err := arn.Parse(streamARN)
	resource, isTable := strings.CutPrefix(a.Resource, "table/")
	name, _, isStream := strings.Cut(resource, "/stream/")
	return tableKey{a.Account, a.Region, name}, err == nil && a.Service == "dynamodb" && isTable && isStream
}

// find reads a stream of the caller's.
func (s *Streams) find(ctx context.Context, streamARN string) (st *streamRecord, err error) {
	c := wire.CallerFrom(ctx)
	key, ok := streamTable(streamARN)
	if !ok {
		return nil, validation("Invalid StreamArn: Invalid ResourceArn provided as input %s", streamARN)
	}
	if key.account != c.Account || key.region != c.Region {
		return nil, noStream(streamARN)
	}
	_, label, _ := strings.Cut(streamARN, "/stream/")
	err = s.service.store.View(ctx, func(tx store.ReadTx) error {
		st, err = streams.Get(tx, key.account, key.region, key.name, label)
		return err
	})
	if err == nil && st == nil {
		err = noStream(streamARN)
	}
	return st, err
}

// open reports whether the caller may use the key of a stream's table.
func (s *Streams) open(ctx context.Context, streamARN string) error {
	key, _ := streamTable(streamARN) // it was found by that
	t, err := s.service.lookup(ctx, key)
	if err != nil || t == nil {
		return err // records outlive their table
	}
	return s.service.open(ctx, t.record)
}

// ListStreams lists streams, all or those of one table.
func (s *Streams) ListStreams(ctx context.Context, in *dynamodbstreamsapi.ListStreamsInput) (*dynamodbstreamsapi.ListStreamsOutput, error) {
	const most = 100
	limit := int64(most)
	if in.Limit != nil {
		limit = min(limit, *in.Limit)
	}
	c := wire.CallerFrom(ctx)
	prefix := []string{c.Account, c.Region}
	if in.TableName != nil {
		prefix = append(prefix, *in.TableName)
	}
	out := &dynamodbstreamsapi.ListStreamsOutput{Streams: []dynamodbstreamsapi.Stream{}}
	err := s.service.store.View(ctx, func(tx store.ReadTx) error {
		past := in.ExclusiveStartStreamArn == nil
		for st, err := range streams.All(tx, prefix...) {
			switch {
			case err != nil:
				return err
			case !past:
				past = st.ARN == *in.ExclusiveStartStreamArn
			case int64(len(out.Streams)) == limit:
				out.LastEvaluatedStreamArn = out.Streams[limit-1].StreamArn
				return nil
			default:
				out.Streams = append(out.Streams, dynamodbstreamsapi.Stream{StreamArn: &st.ARN, TableName: &st.Table, StreamLabel: &st.Label})
			}
		}
		return nil
	})
	return out, err
}

// DescribeStream returns a stream's settings and its shard.
func (s *Streams) DescribeStream(ctx context.Context, in *dynamodbstreamsapi.DescribeStreamInput) (*dynamodbstreamsapi.DescribeStreamOutput, error) {
	st, err := s.find(ctx, *in.StreamArn)
	if err != nil {
		return nil, err
	}
	status := dynamodbstreamsapi.StreamStatusENABLED
	shard := dynamodbstreamsapi.Shard{ShardId: &st.Shard, SequenceNumberRange: &dynamodbstreamsapi.SequenceNumberRange{
		StartingSequenceNumber: wire.Ptr(sequenceNumber(0))}}
	if !st.Ended.IsZero() {
		status = dynamodbstreamsapi.StreamStatusDISABLED
		last, err := s.tail(ctx, st)
		if err != nil {
			return nil, err
		}
		shard.SequenceNumberRange.EndingSequenceNumber = wire.Ptr(sequenceNumber(last))
	}
	d := &dynamodbstreamsapi.StreamDescription{
		StreamArn: &st.ARN, StreamLabel: &st.Label, StreamStatus: &status, StreamViewType: &st.View, CreationRequestDateTime: &st.Created,
		TableName: &st.Table, Shards: []dynamodbstreamsapi.Shard{},
	}
	for _, k := range st.KeySchema {
		d.KeySchema = append(d.KeySchema, dynamodbstreamsapi.KeySchemaElement{AttributeName: k.AttributeName, KeyType: k.KeyType})
	}
	// The one shard has neither children nor successors.
	children := in.ShardFilter != nil && wire.Val(in.ShardFilter.Type) == dynamodbstreamsapi.ShardFilterTypeCHILDSHARDS && in.ShardFilter.ShardId != nil
	if limit := in.Limit; !children && in.ExclusiveStartShardId == nil && (limit == nil || *limit > 0) {
		d.Shards = append(d.Shards, shard)
	}
	return &dynamodbstreamsapi.DescribeStreamOutput{StreamDescription: d}, nil
}

// shardID is the id of a shard that opens now.
func shardID(now time.Time) string {
	return fmt.Sprintf("shardId-%020d-%s", now.UnixMilli(), ident.Hex(4))
}

// sequenceNumber is a feed's position as clients see it: 21 digits.
func sequenceNumber(position uint64) string { return fmt.Sprintf("1%020d", position) }

func position(sequence string) (uint64, bool) {
	digits, ok := strings.CutPrefix(sequence, "1")
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, ok && len(digits) == 20 && err == nil
}

// tail is the position of a stream's last change.
func (s *Streams) tail(ctx context.Context, st *streamRecord) (uint64, error) {
	at := st.Trimmed
	if known, ok := s.service.tails.Load(st.Feed); ok {
		at = max(at, known.(uint64))
	}
	for {
		page, err := s.service.store.Feed(ctx, st.Feed, at, maxRecords)
		if err != nil {
			return 0, err
		}
		if len(page) > 0 {
			at = page[len(page)-1].Position
		}
		if len(page) < maxRecords {
			s.service.tails.Store(st.Feed, at)
			return at, nil
		}
	}
}

// Tail returns the sequence number of a stream's last change.
func (s *Streams) Tail(ctx context.Context, streamARN string) (string, error) {
	st, err := s.find(ctx, streamARN)
	if err != nil {
		return "", err
	}
	at, err := s.tail(ctx, st)
	return sequenceNumber(at), err
}

// Changed returns a channel that is closed when the stream next has a change
// that this process has made; nil if there is no such stream.
func (s *Streams) Changed(ctx context.Context, streamARN string) <-chan struct{} {
	key, ok := streamTable(streamARN)
	if !ok {
		return nil
	}
	t, err := s.service.lookup(ctx, key)
	if err != nil || t == nil || t.stream == nil {
		return nil
	}
	return s.service.feeds.wait(t.stream.feed)
}

var _ interface {
	dynamodbstreamsapi.DescribeStreamAPI
	dynamodbstreamsapi.GetRecordsAPI
	dynamodbstreamsapi.GetShardIteratorAPI
	dynamodbstreamsapi.ListStreamsAPI
} = (*Streams)(nil)

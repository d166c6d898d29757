package dynamodb

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/dynamodbstreamsapi"
	"github.com/butai-dev/butai/internal/dynamodb/attr"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// iterator is a place in a shard. Clients see it as opaque text.
type iterator struct {
	Stream string
	After  uint64
	Made   int64 // epoch seconds
}

// iteratorLife is how long an iterator is good for (API Reference: GetShardIterator).
const iteratorLife = 15 * time.Minute

func (s *Streams) iterator(streamARN string, after uint64) *string {
	text, _ := json.Marshal(iterator{streamARN, after, s.service.clock.Now().Unix()}) // plain text and numbers: it can't fail
	return wire.Ptr(streamARN + "|1|" + base64.StdEncoding.EncodeToString(text))
}

func readIterator(text string) (it iterator, err error) {
	_, after, ok := strings.Cut(text, "|1|")
	raw, err := base64.StdEncoding.DecodeString(after)
	if !ok || err != nil || json.Unmarshal(raw, &it) != nil {
		return it, validation("Invalid ShardIterator")
	}
	return it, nil
}

// GetShardIterator returns a place to read from.
func (s *Streams) GetShardIterator(ctx context.Context, in *dynamodbstreamsapi.GetShardIteratorInput) (*dynamodbstreamsapi.GetShardIteratorOutput, error) {
	st, err := s.find(ctx, *in.StreamArn)
	if err != nil {
		return nil, err
	}
	if *in.ShardId != st.Shard {
		return nil, &dynamodbstreamsapi.ResourceNotFoundException{Message: wire.Ptr("Requested resource not found: Shard does not exist")}
	}
	var after uint64
	switch kind := *in.ShardIteratorType; kind {
	case dynamodbstreamsapi.ShardIteratorTypeTRIMHORIZON:
		after = st.Trimmed
	case dynamodbstreamsapi.ShardIteratorTypeLATEST:
		if after, err = s.tail(ctx, st); err != nil {
			return nil, err
		}
	default:
		at, ok := position(wire.Val(in.SequenceNumber))
		if !ok {
			return nil, validation("Invalid SequenceNumber")
		}
		if kind == dynamodbstreamsapi.ShardIteratorTypeATSEQUENCENUMBER && at > 0 {
			at--
		}
		if at < st.Trimmed {
			return nil, &dynamodbstreamsapi.TrimmedDataAccessException{Message: wire.Ptr("Attempt to access trimmed data")}
		}
		after = at
	}
	return &dynamodbstreamsapi.GetShardIteratorOutput{ShardIterator: s.iterator(st.ARN, after)}, nil
}

// Limits of one answer of GetRecords (API Reference).
const (
	maxRecords     = 1000
	maxRecordBytes = 1 << 20
)

// GetRecords reads on from an iterator. An open shard always has a next one.
func (s *Streams) GetRecords(ctx context.Context, in *dynamodbstreamsapi.GetRecordsInput) (*dynamodbstreamsapi.GetRecordsOutput, error) {
	it, err := readIterator(*in.ShardIterator)
	if err != nil {
		return nil, err
	}
	if s.service.clock.Now().Sub(time.Unix(it.Made, 0)) > iteratorLife {
		return nil, &dynamodbstreamsapi.ExpiredIteratorException{Message: wire.Ptr("Iterator expired")}
	}
	st, err := s.find(ctx, it.Stream)
	if err != nil {
		return nil, err
	}
	if it.After < st.Trimmed {
		return nil, &dynamodbstreamsapi.TrimmedDataAccessException{Message: wire.Ptr("Attempt to access trimmed data")}
	}
	if err := s.open(ctx, it.Stream); err != nil {
		return nil, err
	}
	limit := maxRecords
	if in.Limit != nil {
		limit = min(limit, int(*in.Limit))
	}
	page, err := s.service.store.Feed(ctx, st.Feed, it.After, limit)
	if err != nil {
		return nil, err
	}
	out := &dynamodbstreamsapi.GetRecordsOutput{Records: []dynamodbstreamsapi.Record{}}
	bytes, after := int64(0), it.After
	for _, rec := range page {
		r, err := s.shown(ctx, st, &rec)
		if err != nil {
			return nil, err
		}
		if bytes += *r.Dynamodb.SizeBytes; bytes > maxRecordBytes && len(out.Records) > 0 {
			break
		}
		out.Records, after = append(out.Records, *r), rec.Position
	}
	if st.Ended.IsZero() || len(page) == limit {
		out.NextShardIterator = s.iterator(st.ARN, after)
	}
	return out, nil
}

// shown is a change as readers see it.
func (s *Streams) shown(ctx context.Context, st *streamRecord, rec *store.Record) (*dynamodbstreamsapi.Record, error) {
	var c change
	if err := json.Unmarshal(rec.Payload, &c); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", st.Feed, rec.Position))
	when := c.At.Truncate(time.Second)
	d := &dynamodbstreamsapi.StreamRecord{
		ApproximateCreationDateTime: &when, SequenceNumber: wire.Ptr(sequenceNumber(rec.Position)), StreamViewType: &st.View,
	}
	size := 0
	for _, part := range []struct {
		from []byte
		to   *map[string]attr.Value
	}{{c.Keys, &d.Keys}, {c.New, &d.NewImage}, {c.Old, &d.OldImage}} {
		if part.from == nil {
			continue
		}
		item, err := attr.DecodeItem(part.from)
		if err != nil {
			return nil, err
		}
		*part.to = item
		size += item.Size()
	}
	d.SizeBytes = wire.Ptr(int64(size))
	r := &dynamodbstreamsapi.Record{
		EventID: wire.Ptr(hex.EncodeToString(sum[:16])), EventName: &c.Event, EventVersion: wire.Ptr("1.1"), EventSource: wire.Ptr("aws:dynamodb"),
		AwsRegion: wire.Ptr(wire.CallerFrom(ctx).Region), Dynamodb: d,
	}
	if c.Expired {
		r.UserIdentity = &dynamodbstreamsapi.Identity{PrincipalId: wire.Ptr("dynamodb.amazonaws.com"), Type: wire.Ptr("Service")}
	}
	return r, nil
}

package logs

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// stream is a log stream as it is stored. Batches carry its id.
type stream struct {
	ID       string
	Name     string
	Created  int64 // ms, like all times here
	First    int64 `json:",omitzero"` // of events; 0 before there are any
	Last     int64 `json:",omitzero"`
	Ingested int64 `json:",omitzero"`
}

func (s *Service) newStream(name string) *stream {
	return &stream{ID: ident.Hex(8), Name: name, Created: s.Clock.Now().UnixMilli()}
}

// took notes a batch of events.
func (st *stream) took(first, last, now int64) {
	if st.Ingested == 0 || first < st.First {
		st.First = first
	}
	st.Last, st.Ingested = max(st.Last, last), now
}

func (st *stream) answer(p place, group string) logsapi.LogStream {
	out := logsapi.LogStream{
		LogStreamName: &st.Name, CreationTime: &st.Created, StoredBytes: wire.Ptr(int64(0)), // always 0 since 2019
		Arn:                 wire.Ptr(p.arn("log-group:" + group + ":log-stream:" + st.Name)),
		UploadSequenceToken: wire.Ptr(position{ts: st.Ingested}.String()),
	}
	if st.Ingested > 0 {
		out.FirstEventTimestamp, out.LastEventTimestamp, out.LastIngestionTime = &st.First, &st.Last, &st.Ingested
	}
	return out
}

func getStream(r store.ReadTx, p place, g *group, name string) (*stream, error) {
	st, err := streams.Get(r, p.account, p.region, g.ID, name)
	if err == nil && st == nil {
		err = notFound("log stream")
	}
	return st, err
}

// CreateLogStream makes a stream.
func (s *Service) CreateLogStream(ctx context.Context, in *logsapi.CreateLogStreamRequest) error {
	p := placeOf(ctx)
	st := s.newStream(*in.LogStreamName)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		g, err := getGroup(tx, p, *in.LogGroupName)
		if err != nil {
			return err
		}
		have, err := streams.Get(tx, p.account, p.region, g.ID, st.Name)
		if err != nil {
			return err
		}
		if have != nil {
			return alreadyExists("log stream")
		}
		return streams.Put(tx, st, p.account, p.region, g.ID, st.Name)
	})
}

// DeleteLogStream deletes a stream and its events. Batches that a crash
// leaves behind can't be read any more, and go when the group's oldest do.
func (s *Service) DeleteLogStream(ctx context.Context, in *logsapi.DeleteLogStreamRequest) error {
	if err := s.Flush(ctx); err != nil {
		return err
	}
	p := placeOf(ctx)
	var st *stream
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		g, err := getGroup(tx, p, *in.LogGroupName)
		if err != nil {
			return err
		}
		if st, err = getStream(tx, p, g, *in.LogStreamName); err != nil {
			return err
		}
		return streams.Delete(tx, p.account, p.region, g.ID, st.Name)
	})
	if err != nil {
		return err
	}
	return s.dropStream(ctx, p, *in.LogGroupName, st)
}

// DescribeLogStreams lists a group's streams by name or by their last event.
func (s *Service) DescribeLogStreams(ctx context.Context, in *logsapi.DescribeLogStreamsRequest) (*logsapi.DescribeLogStreamsResponse, error) {
	name, err := oneGroup(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	byTime := wire.Val(in.OrderBy) == logsapi.OrderByLastEventTime
	if byTime && in.LogStreamNamePrefix != nil {
		return nil, invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	after, err := readToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	if err := s.Flush(ctx); err != nil {
		return nil, err
	}
	p := placeOf(ctx)
	found, err := s.streamsOf(ctx, p, name, wire.Val(in.LogStreamNamePrefix))
	if err != nil {
		return nil, err
	}
	compare := func(a, b *stream) int { return cmp.Compare(a.Name, b.Name) }
	if byTime {
		compare = func(a, b *stream) int { return cmp.Or(cmp.Compare(a.Last, b.Last), cmp.Compare(a.Name, b.Name)) }
	}
	if wire.Val(in.Descending) {
		ascending := compare
		compare = func(a, b *stream) int { return ascending(b, a) }
	}
	slices.SortFunc(found, compare)
	if in.NextToken != nil {
		last, _, _ := strings.Cut(after, " ")
		mark := &stream{Name: after[len(last)+1:]}
		mark.Last, _ = strconv.ParseInt(last, 10, 64)
		found = slices.DeleteFunc(found, func(st *stream) bool { return compare(st, mark) <= 0 })
	}
	return describe(found, limitOr(in.Limit, 50), p, name), nil
}

// describe is one page of streams; the token keeps what any order needs.
func describe(found []*stream, limit int, p place, group string) *logsapi.DescribeLogStreamsResponse {
	out := &logsapi.DescribeLogStreamsResponse{LogStreams: []logsapi.LogStream{}}
	if len(found) > limit {
		last := found[limit-1]
		out.NextToken = paging.Token(strconv.FormatInt(last.Last, 10) + " " + last.Name)
		found = found[:limit]
	}
	for _, st := range found {
		out.LogStreams = append(out.LogStreams, st.answer(p, group))
	}
	return out
}

func (s *Service) streamsOf(ctx context.Context, p place, groupName, prefix string) (found []*stream, err error) {
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		g, err := getGroup(r, p, groupName)
		if err != nil {
			return err
		}
		found, err = streams.List(r, p.account, p.region, g.ID)
		return err
	})
	return slices.DeleteFunc(found, func(st *stream) bool { return !strings.HasPrefix(st.Name, prefix) }), err
}

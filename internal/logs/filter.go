package logs

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/logs/pattern"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxExamined bounds how many events one FilterLogEvents looks at. A rare
// match may then come only on a later page, as AWS warns it can.
const maxExamined = 500_000

// FilterLogEvents searches the events of a group, its streams interleaved.
func (s *Service) FilterLogEvents(ctx context.Context, in *logsapi.FilterLogEventsRequest) (*logsapi.FilterLogEventsResponse, error) {
	name, err := oneGroup(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if in.LogStreamNames != nil && in.LogStreamNamePrefix != nil {
		return nil, invalid("LogStreamNames and LogStreamNamePrefix are mutually exclusive parameters.")
	}
	match, err := pattern.Parse(wire.Val(in.FilterPattern))
	if err != nil {
		return nil, invalid("Invalid filter pattern: " + err.Error())
	}
	q := query{place: placeOf(ctx), to: math.MaxInt64 - 1}
	if in.EndTime != nil {
		q.to = *in.EndTime
	}
	if in.NextToken != nil {
		past, err := parsePosition(*in.NextToken)
		if err != nil {
			return nil, err
		}
		q.past = &past
	}
	_ = in.Interleaved // AWS interleaves whatever it says since June 2019
	_ = in.Unmask      // nothing is masked: there are no data protection policies
	if err := s.Flush(ctx); err != nil {
		return nil, err
	}
	out := &logsapi.FilterLogEventsResponse{}
	var used map[string]bool
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		g, err := getGroup(r, q.place, name)
		if err != nil {
			return err
		}
		run := q
		run.group, run.from = g.ID, max(wire.Val(in.StartTime), s.expiry(g))
		if run.streams, err = searched(r, q.place, g, in); err != nil {
			return err
		}
		out.Events, out.NextToken, err = run.filter(r, match, limitOr(in.Limit, maxPage))
		used = run.used
		return err
	})
	if err == nil {
		err = s.readable(ctx, q.plainARN(name), used)
	}
	out.SearchedLogStreams = []logsapi.SearchedLogStream{} // AWS deprecated it and answers it empty
	return out, err
}

// searched finds the streams to search, names by id.
func searched(r store.ReadTx, p place, g *group, in *logsapi.FilterLogEventsRequest) (map[string]string, error) {
	found := map[string]string{}
	if in.LogStreamNames != nil {
		for _, name := range in.LogStreamNames {
			st, err := getStream(r, p, g, name)
			if err != nil {
				return nil, err
			}
			found[st.ID] = st.Name
		}
		return found, nil
	}
	for st, err := range streams.All(r, p.account, p.region, g.ID) {
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(st.Name, wire.Val(in.LogStreamNamePrefix)) {
			found[st.ID] = st.Name
		}
	}
	return found, nil
}

// filter collects a page of matching events and the token of the next.
func (q *query) filter(r store.ReadTx, match *pattern.Pattern, limit int) ([]logsapi.FilteredLogEvent, *string, error) {
	out := []logsapi.FilteredLogEvent{}
	size := 0
	var last position
	for e, err := range q.walk(r) {
		if err != nil {
			return nil, nil, err
		}
		matched := match.Matches(e.message)
		full := len(out) == limit || len(out) > 0 && size+len(e.message) > maxPageBytes
		if matched && full || q.examined > maxExamined && e.ts > last.ts {
			return slices.Clip(out), wire.Ptr(last.String()), nil
		}
		last = e.position
		if matched {
			size += len(e.message) + eventOverhead
			out = append(out, logsapi.FilteredLogEvent{
				LogStreamName: wire.Ptr(q.streams[e.stream]), Timestamp: &e.ts, Message: &e.message,
				IngestionTime: &e.ingested, EventId: wire.Ptr(e.position.String()),
			})
		}
	}
	return out, nil, nil
}

package logs

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// Limits of PutLogEvents and of the pages of events (API Reference).
const (
	maxPut       = 1_048_576
	maxPutSpan   = 24 * time.Hour
	maxTooNew    = 2 * time.Hour
	maxTooOld    = 14 * 24 * time.Hour
	maxPage      = 10_000
	maxPageBytes = 1 << 20
)

// PutLogEvents stores events in a stream that exists.
func (s *Service) PutLogEvents(ctx context.Context, in *logsapi.PutLogEventsRequest) (*logsapi.PutLogEventsResponse, error) {
	if err := checkEvents(in.LogEvents); err != nil {
		return nil, err
	}
	p := placeOf(ctx)
	var g *group
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		if g, err = getGroup(r, p, *in.LogGroupName); err != nil {
			return err
		}
		_, err = getStream(r, p, g, *in.LogStreamName)
		return err
	})
	if err != nil {
		return nil, err
	}
	accepted, rejected := s.sift(g, in.LogEvents)
	events := make([]event, len(accepted))
	for i, e := range accepted {
		events[i] = event{position: position{ts: *e.Timestamp}, message: *e.Message}
	}
	if !s.sink.add(address{p, *in.LogGroupName, *in.LogStreamName}, events) {
		return nil, &logsapi.ServiceUnavailableException{Message: wire.Ptr("The service cannot complete the request.")}
	}
	if err := s.Flush(ctx); err != nil {
		return nil, err
	}
	_ = in.SequenceToken // AWS takes any since January 2023, too
	next := position{ts: s.Clock.Now().UnixMilli()}
	return &logsapi.PutLogEventsResponse{NextSequenceToken: wire.Ptr(next.String()), RejectedLogEventsInfo: rejected}, nil
}

// checkEvents refuses batches that break the rules of PutLogEvents.
func checkEvents(events []logsapi.InputLogEvent) error {
	size := 0
	for i, e := range events {
		size += len(*e.Message) + eventOverhead
		if i > 0 && *e.Timestamp < *events[i-1].Timestamp {
			return invalid("Log events in a single PutLogEvents request must be in chronological order.")
		}
	}
	if size > maxPut {
		return invalid("Upload too large: " + strconv.Itoa(size) + " bytes exceeds limit of " + strconv.Itoa(maxPut))
	}
	if span := *events[len(events)-1].Timestamp - *events[0].Timestamp; span > maxPutSpan.Milliseconds() {
		return invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return nil
}

// sift leaves out events that are too old, expired or too new.
func (s *Service) sift(g *group, events []logsapi.InputLogEvent) ([]logsapi.InputLogEvent, *logsapi.RejectedLogEventsInfo) {
	now := s.Clock.Now()
	oldest, newest, expired := now.Add(-maxTooOld).UnixMilli(), now.Add(maxTooNew).UnixMilli(), s.expiry(g)
	var info logsapi.RejectedLogEventsInfo
	accepted := make([]logsapi.InputLogEvent, 0, len(events))
	for i, e := range events {
		index := int64(i)
		switch ts := *e.Timestamp; {
		case ts < expired:
			info.ExpiredLogEventEndIndex = wire.Ptr(index + 1)
		case ts < oldest:
			info.TooOldLogEventEndIndex = wire.Ptr(index + 1)
		case ts > newest:
			if info.TooNewLogEventStartIndex == nil {
				info.TooNewLogEventStartIndex = &index
			}
		default:
			accepted = append(accepted, e)
		}
	}
	if len(accepted) == len(events) {
		return accepted, nil
	}
	return accepted, &info
}

// GetLogEvents reads one stream forwards or backwards. A token is the place
// of an event and a direction: f/… goes on behind it, b/… before it. At an
// end the caller gets its own token back.
func (s *Service) GetLogEvents(ctx context.Context, in *logsapi.GetLogEventsRequest) (*logsapi.GetLogEventsResponse, error) {
	name, err := oneGroup(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	forward, mark, err := readEventsToken(in.NextToken, wire.Val(in.StartFromHead))
	if err != nil {
		return nil, err
	}
	if err := s.Flush(ctx); err != nil {
		return nil, err
	}
	_ = in.Unmask // nothing is masked: there are no data protection policies
	p := placeOf(ctx)
	var page []event
	var used map[string]bool
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		g, err := getGroup(r, p, name)
		if err != nil {
			return err
		}
		st, err := getStream(r, p, g, *in.LogStreamName)
		if err != nil {
			return err
		}
		q := query{place: p, group: g.ID, streams: map[string]string{st.ID: st.Name}, backward: !forward}
		q.from, q.to = max(wire.Val(in.StartTime), s.expiry(g), st.First), st.Last
		if in.EndTime != nil {
			q.to = min(q.to, *in.EndTime-1)
		}
		if in.NextToken != nil {
			q.past = &mark
		}
		page, err = collect(q.walk(r), limitOr(in.Limit, maxPage))
		used = q.used
		return err
	})
	if err == nil {
		err = s.readable(ctx, p.plainARN(name), used)
	}
	if err != nil {
		return nil, err
	}
	return eventsPage(page, mark, forward), nil
}

func readEventsToken(token *string, fromHead bool) (forward bool, mark position, err error) {
	if token == nil {
		return fromHead, position{}, nil
	}
	direction, rest, _ := strings.Cut(*token, "/")
	digits, ok := strings.CutSuffix(rest, "/s")
	if !ok || direction != "f" && direction != "b" {
		return false, position{}, errToken()
	}
	mark, err = parsePosition(digits)
	return direction == "f", mark, err
}

// eventsPage is the answer for the events found, in the order of the walk.
func eventsPage(page []event, mark position, forward bool) *logsapi.GetLogEventsResponse {
	first, last := mark, mark
	if n := len(page); n > 0 {
		first, last = page[0].position, page[n-1].position
		if !forward {
			first, last = last, first
		}
	}
	out := &logsapi.GetLogEventsResponse{
		Events:           make([]logsapi.OutputLogEvent, len(page)),
		NextForwardToken: wire.Ptr("f/" + last.String() + "/s"), NextBackwardToken: wire.Ptr("b/" + first.String() + "/s"),
	}
	for i := range page {
		e := &page[i]
		at := i
		if !forward {
			at = len(page) - 1 - i
		}
		out.Events[at] = logsapi.OutputLogEvent{Timestamp: &e.ts, Message: &e.message, IngestionTime: &e.ingested}
	}
	return out
}

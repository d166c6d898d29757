package events

import (
	"context"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	// maxEntries is the limit of a request in bytes (User Guide: "EventBridge
	// quotas"; 256 KB until January 2026).
	maxEntries = 1 << 20
	// timeSize is what an entry's time counts for ("Calculating PutEvents event
	// entry size").
	timeSize = 14
)

// PutEvents sends events to buses. The deliveries of those that got an id are
// durable when it returns. An event for a bus that isn't there gets one too, as
// recorded, and is lost.
func (s *Service) PutEvents(ctx context.Context, in *eventsapi.PutEventsRequest) (*eventsapi.PutEventsResponse, error) {
	size := 0
	for i := range in.Entries {
		size += sizeOf(&in.Entries[i])
	}
	if size > maxEntries {
		return nil, invalid("Total size of the entries in the request is over the limit.")
	}
	out := &eventsapi.PutEventsResponse{FailedEntryCount: wire.Ptr(int64(0)), Entries: []eventsapi.PutEventsResultEntry{}}
	now := s.Clock.Now().UTC()
	var accepted []arrival
	for i := range in.Entries {
		entry := &in.Entries[i]
		if code, text := refuse(entry); code != "" {
			*out.FailedEntryCount++
			out.Entries = append(out.Entries, eventsapi.PutEventsResultEntry{ErrorCode: &code, ErrorMessage: &text})
			continue
		}
		a := newArrival(ctx, entry, now)
		accepted = append(accepted, a)
		out.Entries = append(out.Entries, eventsapi.PutEventsResultEntry{EventId: &a.event.ID})
	}
	return out, s.receive(ctx, accepted)
}

func sizeOf(entry *eventsapi.PutEventsRequestEntry) int {
	n := len(wire.Val(entry.Source)) + len(wire.Val(entry.DetailType)) + len(wire.Val(entry.Detail))
	if entry.Time != nil {
		n += timeSize
	}
	for _, resource := range entry.Resources {
		n += len(resource)
	}
	return n
}

// refuse says what is wrong with an entry; the code is "" if nothing is.
func refuse(entry *eventsapi.PutEventsRequestEntry) (code, text string) {
	for _, parameter := range []struct {
		name  string
		value *string
	}{{"Source", entry.Source}, {"DetailType", entry.DetailType}, {"Detail", entry.Detail}} {
		if wire.Val(parameter.value) == "" {
			return "InvalidArgument", "Parameter " + parameter.name + " is not valid. Reason: " + parameter.name + " is a required argument."
		}
	}
	if isAWS(*entry.Source) {
		return "NotAuthorizedForSourceException", "Not authorized for the source."
	}
	detail := jsontext.Value(*entry.Detail)
	if !detail.IsValid(jsontext.AllowDuplicateNames(true)) || detail.Kind() != '{' {
		return "MalformedDetail", "Detail is malformed."
	}
	return "", ""
}

// arrival is an event at a bus.
type arrival struct {
	bus   place
	event *event
}

func newArrival(ctx context.Context, entry *eventsapi.PutEventsRequestEntry, now time.Time) arrival {
	c := wire.CallerFrom(ctx)
	detail := jsontext.Value(*entry.Detail)
	_ = detail.Compact(jsontext.AllowDuplicateNames(true)) // it is valid
	e := &event{
		ID: ident.UUID(), DetailType: *entry.DetailType, Source: *entry.Source, Account: c.Account, Region: c.Region, Time: now,
		Resources: append([]string{}, entry.Resources...), Detail: detail, Ingested: now, Trace: wire.Val(entry.TraceHeader),
	}
	if entry.Time != nil {
		e.Time = *entry.Time
	}
	a := arrival{busPlace(ctx, entry.EventBusName), e}
	if a.bus.Account != c.Account {
		e.From = c.Account
	}
	return a
}

// receive stores the deliveries of events to the targets of the rules that
// match them, and schedules them.
func (s *Service) receive(ctx context.Context, arrivals []arrival) error {
	var made []*deliveryRecord
	for _, a := range arrivals {
		found, err := s.matchers(ctx, a.bus)
		if err != nil {
			return err
		}
		more, err := s.match(found, a.event)
		if err != nil {
			return err
		}
		made = append(made, more...)
	}
	if len(made) == 0 {
		return nil
	}
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		for _, d := range made {
			if err := deliveries.Put(tx, d, d.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.enqueue(made)
	}
	return err
}

// Notice is what a service of AWS tells a bus.
type Notice struct {
	Bus        string // ARN
	Source     string
	DetailType string
	Resources  []string
	Detail     []byte
}

// Notify puts an event of a service about a resource on a bus; it is durable
// when Notify returns. The error is a *Refusal if there is no such bus.
func (s *Service) Notify(ctx context.Context, about arn.ARN, n *Notice) error {
	ctx = wire.WithCaller(ctx, &wire.Caller{Account: about.Account, Region: about.Region, Partition: about.Partition})
	entry := &eventsapi.PutEventsRequestEntry{
		Source: &n.Source, DetailType: &n.DetailType, Resources: n.Resources, Detail: wire.Ptr(string(n.Detail)), EventBusName: &n.Bus,
	}
	arrived := newArrival(ctx, entry, s.Clock.Now().UTC())
	if !s.Exists(ctx, n.Bus) {
		return &Refusal{NoResource, "Event bus " + arrived.bus.Name + " does not exist."}
	}
	return s.receive(ctx, []arrival{arrived})
}

// Exists reports whether there is a bus of the ARN.
func (s *Service) Exists(ctx context.Context, busARN string) bool {
	p, ok := parseBus(busARN)
	if !ok {
		return false
	}
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		_, err := getBus(r, p)
		return err
	})
	return err == nil
}

package events

import (
	"context"
	"strings"

	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxBuses is the quota of an account's region (User Guide: "EventBridge quotas").
const maxBuses = 100

// CreateEventBus makes an event bus.
func (s *Service) CreateEventBus(ctx context.Context, in *eventsapi.CreateEventBusRequest) (*eventsapi.CreateEventBusResponse, error) {
	p := busPlace(ctx, nil)
	p.Name = *in.Name
	if strings.Contains(p.Name, "/") {
		return nil, invalid("Event bus name must not contain '/'.") // partners' have it
	}
	now := s.Clock.Now().UTC()
	b := &busRecord{Account: p.Account, Region: p.Region, Name: p.Name, Description: in.Description, DeadLetters: in.DeadLetterConfig, Created: now, Modified: now}
	if err := checkDeadLetters(b.DeadLetters); err != nil {
		return nil, err
	}
	var err error
	if b.Tags, err = mergeTags(nil, in.Tags); err != nil {
		return nil, err
	}
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		have, err := buses.List(tx, p.Account, p.Region)
		if err != nil {
			return err
		}
		exists := p.Name == defaultBus
		for _, other := range have {
			exists = exists || other.Name == p.Name
		}
		switch {
		case exists:
			return &eventsapi.ResourceAlreadyExistsException{Message: wire.Ptr("Event bus " + p.Name + " already exists.")}
		case len(have) >= maxBuses:
			return tooMany()
		}
		return buses.Put(tx, b, p.key()...)
	})
	if err != nil {
		return nil, err
	}
	return &eventsapi.CreateEventBusResponse{EventBusArn: wire.Ptr(p.arn()), Description: b.Description, DeadLetterConfig: b.DeadLetters}, nil
}

// checkDeadLetters checks that failed events can go to a queue.
func checkDeadLetters(c *eventsapi.DeadLetterConfig) error {
	if c == nil || c.Arn == nil {
		return nil
	}
	a, err := arn.Parse(*c.Arn)
	switch {
	case err != nil || a.Service != "sqs":
		return badARN(*c.Arn)
	case strings.HasSuffix(a.Resource, ".fifo"):
		return invalid("Parameter %s is not valid. Reason: FIFO queues can't be dead-letter queues.", *c.Arn)
	}
	return nil
}

// getBus reads a bus that must exist. The default one always does.
func getBus(r store.ReadTx, p place) (*busRecord, error) {
	b, err := buses.Get(r, p.key()...)
	switch {
	case err != nil || b != nil:
		return b, err
	case p.Name == defaultBus:
		return &busRecord{Account: p.Account, Region: p.Region, Name: p.Name}, nil
	}
	return nil, noBus(p.Name)
}

// editBus changes a bus in place.
func (s *Service) editBus(ctx context.Context, p place, fn func(*busRecord) error) error {
	return s.Store.Update(ctx, func(tx store.Tx) error {
		b, err := getBus(tx, p)
		if err == nil {
			err = fn(b)
		}
		if err != nil {
			return err
		}
		if b.Modified = s.Clock.Now().UTC(); b.Created.IsZero() {
			b.Created = b.Modified
		}
		return buses.Put(tx, b, p.key()...)
	})
}

// touch gives the caller's default bus its record, with the time at which
// somebody first looked at it: AWS's exists since the account does.
func (s *Service) touch(ctx context.Context) error {
	p := busPlace(ctx, nil)
	missing := false
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		b, err := buses.Get(r, p.key()...)
		missing = b == nil
		return err
	})
	if err != nil || !missing {
		return err
	}
	return s.editBus(ctx, p, func(*busRecord) error { return nil })
}

// DescribeEventBus returns a bus with its policy.
func (s *Service) DescribeEventBus(ctx context.Context, in *eventsapi.DescribeEventBusRequest) (*eventsapi.DescribeEventBusResponse, error) {
	if err := s.touch(ctx); err != nil {
		return nil, err
	}
	p := busPlace(ctx, in.Name)
	out := &eventsapi.DescribeEventBusResponse{}
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		b, err := getBus(r, p)
		if err != nil {
			return err
		}
		*out = eventsapi.DescribeEventBusResponse{
			Name: &b.Name, Arn: wire.Ptr(p.arn()), Description: b.Description, DeadLetterConfig: b.DeadLetters,
			Policy: policyOf(b), CreationTime: &b.Created, LastModifiedTime: &b.Modified,
		}
		return nil
	})
	return out, err
}

func policyOf(b *busRecord) *string {
	if b.Policy == "" {
		return nil
	}
	return &b.Policy
}

// ListEventBuses lists the caller's buses by name.
func (s *Service) ListEventBuses(ctx context.Context, in *eventsapi.ListEventBusesRequest) (*eventsapi.ListEventBusesResponse, error) {
	if err := s.touch(ctx); err != nil {
		return nil, err
	}
	c := wire.CallerFrom(ctx)
	out := &eventsapi.ListEventBusesResponse{}
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		out.EventBuses, out.NextToken, err = page(in.NextToken, in.Limit, in.NamePrefix,
			func(after string) records[busRecord] { return buses.After(r, after, c.Account, c.Region) },
			func(b *busRecord) string { return b.Name },
			func(b *busRecord) eventsapi.EventBus {
				return eventsapi.EventBus{
					Name: &b.Name, Arn: wire.Ptr(b.place().arn()), Description: b.Description, Policy: policyOf(b),
					CreationTime: &b.Created, LastModifiedTime: &b.Modified,
				}
			})
		return err
	})
	return out, err
}

// UpdateEventBus changes what the request names.
func (s *Service) UpdateEventBus(ctx context.Context, in *eventsapi.UpdateEventBusRequest) (*eventsapi.UpdateEventBusResponse, error) {
	p := busPlace(ctx, in.Name)
	if err := checkDeadLetters(in.DeadLetterConfig); err != nil {
		return nil, err
	}
	out := &eventsapi.UpdateEventBusResponse{}
	err := s.editBus(ctx, p, func(b *busRecord) error {
		if in.Description != nil {
			b.Description = in.Description
		}
		if in.DeadLetterConfig != nil {
			b.DeadLetters = in.DeadLetterConfig
		}
		*out = eventsapi.UpdateEventBusResponse{Arn: wire.Ptr(p.arn()), Name: &b.Name, Description: b.Description, DeadLetterConfig: b.DeadLetters}
		return nil
	})
	return out, err
}

// DeleteEventBus deletes a bus without rules; a missing one is no error.
func (s *Service) DeleteEventBus(ctx context.Context, in *eventsapi.DeleteEventBusRequest) error {
	p := busPlace(ctx, in.Name)
	if p.Name == defaultBus {
		return invalid("Cannot delete event bus default.")
	}
	return s.Store.Update(ctx, func(tx store.Tx) error {
		for _, err := range rules.All(tx, p.key()...) {
			if err != nil {
				return err
			}
			return invalid("Event bus can't be deleted since it has rules.")
		}
		return buses.Delete(tx, p.key()...)
	})
}

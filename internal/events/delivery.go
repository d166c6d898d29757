package events

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/due"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// deliveryRecord is an event on its way to one target, as the target was when
// the event came.
type deliveryRecord struct {
	ID       string
	Rule     rulePlace
	Target   eventsapi.Target
	Event    event
	Input    []byte
	Unfit    string `json:",omitzero"` // why there is no input
	Created  time.Time
	Due      time.Time
	Attempts int         `json:",omitzero"` // that have failed
	Dead     *deadLetter `json:",omitzero"` // it goes to the target's dead-letter queue
}

// Delivery is what a target gets.
type Delivery struct {
	RuleARN  string
	Account  string // the rule's owner
	Region   string // the rule's
	Target   string // ARN
	TargetID string
	RoleARN  string // as which EventBridge sends; "" is as itself
	Input    []byte
	Group    string // of the message, if the target is a FIFO queue
	Trace    string // X-Ray header
	// Attributes are those of a message to a dead-letter queue.
	Attributes map[string]string
	// Event is for targets that are buses.
	Event *Forwarded
}

// Forwarded is an event on its way to another bus.
type Forwarded struct{ event event }

// Refusal is an answer of a target that will stay the same: its delivery isn't
// repeated. Codes are EventBridge's (User Guide: "Using dead-letter queues to
// process undelivered events").
type Refusal struct{ Code, Message string }

// Error implements error.
func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

// Codes of failed deliveries.
const (
	NoPermissions   = "NO_PERMISSIONS"
	NoResource      = "NO_RESOURCE"
	RoleNotAssumed  = "FAILED_TO_ASSUME_ROLE"
	FromTarget      = "ERROR_FROM_TARGET"
	InvalidJSON     = "INVALID_JSON"
	InternalFailure = "INTERNAL_ERROR"
	ThirdAccount    = "THIRD_ACCOUNT_HOP_DETECTED"
)

// newDelivery makes a delivery that is due. An event of which no input can be
// made is for the dead-letter queue, not for who has put it.
func (s *Service) newDelivery(r *ruleRecord, t *eventsapi.Target, e *event) *deliveryRecord {
	now := s.Clock.Now().UTC()
	d := &deliveryRecord{ID: ident.UUID(), Rule: r.place(), Target: *t, Event: *e, Created: now, Due: now}
	var err error
	if d.Input, err = inputOf(r, t, e); err != nil {
		d.Unfit = err.Error()
	}
	return d
}

func (d *deliveryRecord) ticket() due.Ticket {
	return due.Ticket{ID: d.ID, Lane: d.Rule.arn() + " " + *d.Target.Id, Due: d.Due}
}

// enqueue schedules deliveries that are stored.
func (s *Service) enqueue(made []*deliveryRecord) {
	s.countMatches(made)
	for _, d := range made {
		s.queue.Add(d.ticket())
	}
}

// attempt delivers an event and stores what comes of it. It returns when to try
// again, or the zero time if the delivery is done.
func (s *Service) attempt(ctx context.Context, id string) (again time.Time, err error) {
	var d *deliveryRecord
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		d, err = deliveries.Get(r, id)
		return err
	})
	if err != nil || d == nil {
		return time.Time{}, err
	}
	failure := s.send(ctx, d)
	if ctx.Err() != nil && failure != nil {
		return time.Time{}, ctx.Err()
	}
	// What has happened is recorded even if the server is ending.
	ctx = context.WithoutCancel(ctx)
	switch {
	case failure == nil && d.Dead == nil:
		s.count(d.Rule, invocations)
	case failure == nil:
		s.count(d.Rule, invocations, sentToDLQ)
	case s.goesOn(d, failure):
		return d.Due, s.Store.Update(ctx, func(tx store.Tx) error { return deliveries.Put(tx, d, d.ID) })
	}
	return time.Time{}, s.Store.Update(ctx, func(tx store.Tx) error { return deliveries.Delete(tx, id) })
}

// send makes a delivery, to the dead-letter queue if it has come to that.
func (s *Service) send(ctx context.Context, d *deliveryRecord) error {
	out := &Delivery{
		RuleARN: d.Rule.arn(), Account: d.Rule.Bus.Account, Region: d.Rule.Bus.Region, Target: *d.Target.Arn, TargetID: *d.Target.Id,
		RoleARN: wire.Val(d.Target.RoleArn), Input: d.Input, Trace: d.Event.Trace,
	}
	if d.Dead != nil {
		text, err := d.Event.text()
		out.Target, out.RoleARN, out.Input, out.Attributes = *d.Target.DeadLetterConfig.Arn, "", text, d.Dead.attributes(d)
		if err != nil {
			return err
		}
		return s.Targets.Deliver(ctx, out)
	}
	if d.Unfit != "" {
		return &Refusal{InvalidJSON, d.Unfit}
	}
	if d.Target.InputTransformer != nil && strings.HasPrefix(*d.Target.InputTransformer.InputTemplate, "{") &&
		!jsontext.Value(d.Input).IsValid(jsontext.AllowDuplicateNames(true)) {
		return &Refusal{InvalidJSON, "The input transformer has made no JSON of the event."}
	}
	if d.Target.SqsParameters != nil {
		out.Group = wire.Val(d.Target.SqsParameters.MessageGroupId)
	}
	out.Event = &Forwarded{d.Event}
	return s.Targets.Deliver(ctx, out)
}

// Forward puts an event of a rule on another bus, for which the caller has made
// sure of the permission.
func (s *Service) Forward(ctx context.Context, busARN, account string, f *Forwarded) error {
	p, _ := parseBus(busARN) // it was checked when it became a target
	e := f.event
	if p.Account != account {
		if e.From != "" {
			return &Refusal{ThirdAccount, "The event has come from another account and goes to no third."}
		}
		e.From = account
	}
	if !s.Exists(ctx, busARN) {
		return &Refusal{NoResource, "Event bus " + p.Name + " does not exist."}
	}
	return s.receive(ctx, []arrival{{p, &e}})
}

// goesOn decides what becomes of a delivery that has failed: it is tried again,
// or becomes a dead letter; d.Due is then set.
func (s *Service) goesOn(d *deliveryRecord, failure error) bool {
	now := s.Clock.Now().UTC()
	refusal, permanent := errors.AsType[*Refusal](failure)
	exhausted := ""
	if !permanent {
		if exhausted = d.retry(now); exhausted == "" {
			s.count(d.Rule, retries)
			return true
		}
		refusal = &Refusal{InternalFailure, failure.Error()}
	}
	if d.Dead == nil && d.Target.DeadLetterConfig != nil && d.Target.DeadLetterConfig.Arn != nil {
		d.Dead = &deadLetter{refusal.Code, refusal.Message, exhausted, d.Attempts}
		d.Attempts, d.Created, d.Due = 0, now, now
		return true
	}
	if s.count(d.Rule, invocations, failedInvocations); d.Dead != nil {
		s.count(d.Rule, notSentToDLQ)
	}
	s.Log.Warn("an event was lost", "rule", d.Rule.arn(), "target", *d.Target.Arn, "event", d.Event.ID, "error", failure)
	return false
}

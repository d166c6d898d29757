package sns

import (
	"context"
	"time"

	"github.com/butai-dev/butai/internal/api/snsapi"
	"github.com/butai-dev/butai/internal/due"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// deliveryRecord is a message on its way to one subscription.
type deliveryRecord struct {
	ID           string
	Topic        place
	Subscription string // id
	Token        string `json:",omitzero"` // of the confirmation that is asked for; then there is no message but this
	Message      message
	Due          time.Time
	Attempts     int  `json:",omitzero"`
	Dead         bool `json:",omitzero"` // it goes to the dead-letter queue
}

// Delivery is what a target gets.
type Delivery struct {
	Protocol string // "lambda", "sqs", "http" or "https"
	Endpoint string
	TopicARN string
	Account  string // the topic's owner
	Body     []byte
	Trace    string // tracing header of who published it, or ""
	// Attributes are those of a message to a queue.
	Attributes map[string]snsapi.MessageAttributeValue
	// Header is that of a message to an HTTP endpoint.
	Header map[string]string
}

func (d *deliveryRecord) ticket() due.Ticket {
	return due.Ticket{ID: d.ID, Lane: d.Topic.arn() + ":" + d.Subscription, Due: d.Due}
}

// confirmation asks a subscription's endpoint to confirm it.
func (s *Service) confirmation(sub *subscriptionRecord) *deliveryRecord {
	now := s.Clock.Now().UTC()
	topicARN := sub.Topic.arn()
	return &deliveryRecord{
		ID: ident.UUID(), Topic: sub.Topic, Subscription: sub.ID, Token: sub.Token, Due: now,
		Message: message{
			ID: ident.UUID(), At: now,
			Text: "You have chosen to subscribe to the topic " + topicARN + ".\nTo confirm the subscription, visit the SubscribeURL included in this message.",
		},
	}
}

// attempt delivers a message and stores what comes of it. It returns when to
// try again, or the zero time if the delivery is done.
func (s *Service) attempt(ctx context.Context, id string) (again time.Time, err error) {
	var d *deliveryRecord
	var sub *subscriptionRecord
	var topic *topicRecord
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		if d, err = deliveries.Get(r, id); err != nil || d == nil {
			return err
		}
		if sub, err = subscriptions.Get(r, d.Topic.key(d.Subscription)...); err != nil {
			return err
		}
		topic, err = topics.Get(r, d.Topic.key()...)
		return err
	})
	if err != nil || d == nil {
		return time.Time{}, err
	}
	if sub != nil && topic != nil {
		out, err := s.render(ctx, d, sub, topic)
		if err != nil {
			return time.Time{}, err
		}
		failure := s.Targets.Deliver(ctx, out)
		if ctx.Err() != nil {
			return time.Time{}, ctx.Err()
		}
		if failure != nil && s.goesOn(d, sub, topic, failure) {
			return d.Due, s.Store.Update(ctx, func(tx store.Tx) error { return deliveries.Put(tx, d, d.ID) })
		}
	}
	return time.Time{}, s.Store.Update(context.WithoutCancel(ctx), func(tx store.Tx) error { return deliveries.Delete(tx, id) })
}

// goesOn decides what becomes of a delivery that has failed: it is tried again,
// or becomes a dead letter; d.Due is then set.
func (s *Service) goesOn(d *deliveryRecord, sub *subscriptionRecord, topic *topicRecord, failure error) bool {
	now := s.Clock.Now().UTC()
	retries := serviceRetries
	if sub.isHTTP() {
		p, err := parseEndpointPolicy(sub.Attributes[attrDeliveryPolicy], parsedOrDefault(topic.Attributes[attrDeliveryPolicy]))
		if err == nil { // it was checked when it was set
			retries = p.Retry
		}
	}
	wait, more := retries.delay(d.Attempts)
	if more && !wire.Lasting(failure) {
		d.Attempts++
		d.Due = now.Add(wait)
		return true
	}
	if !d.Dead && d.Token == "" && sub.deadLetters() != "" {
		d.Dead, d.Attempts, d.Due = true, 0, now
		return true
	}
	s.Log.Warn("a message of a topic was lost", "subscription", sub.arn(), "endpoint", sub.Endpoint, "message", d.Message.ID, "error", failure)
	return false
}

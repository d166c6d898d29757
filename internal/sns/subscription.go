package sns

import (
	"context"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/butai-dev/butai/internal/api/snsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// Protocols of subscriptions.
const (
	protocolHTTP   = "http"
	protocolHTTPS  = "https"
	protocolLambda = "lambda"
	protocolSQS    = "sqs"
)

const (
	pendingARN = "pending confirmation" // in the answer to Subscribe
	listedARN  = "PendingConfirmation"  // in listings
	tokenBytes = 128
)

// Subscribe subscribes an endpoint to a topic. HTTP endpoints, and queues of
// other accounts, have to confirm first.
func (s *Service) Subscribe(ctx context.Context, in *snsapi.SubscribeInput) (*snsapi.SubscribeResponse, error) {
	c := wire.CallerFrom(ctx)
	p, err := parseTopic("TopicArn", in.TopicArn)
	if err != nil {
		return nil, err
	}
	sub := &subscriptionRecord{
		ID: ident.UUID(), Topic: p, Owner: c.Account, Principal: c.ARN, Protocol: *in.Protocol, Endpoint: wire.Val(in.Endpoint),
		Attributes: map[string]string{}, Created: s.Clock.Now(),
	}
	foreign, err := sub.checkEndpoint(c.Account)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(in.Attributes)) {
		if err := sub.set("Attributes Reason: ", name, in.Attributes[name]); err != nil {
			return nil, err
		}
	}
	if sub.isHTTP() || foreign {
		sub.Token = ident.Hex(tokenBytes)
	}
	var confirmation *deliveryRecord
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		confirmation = nil
		if _, err := getTopic(tx, p); err != nil {
			return err
		}
		have, err := sub.twin(tx)
		if err != nil {
			return err
		}
		if have != nil && !maps.Equal(have.Attributes, sub.Attributes) {
			return invalid("Attributes Reason: Subscription already exists with different attributes")
		}
		if have != nil {
			sub = have
		}
		if sub.pending() { // a repeated request repeats the question too
			confirmation = s.confirmation(sub)
			if err := deliveries.Put(tx, confirmation, confirmation.ID); err != nil {
				return err
			}
		}
		return subscriptions.Put(tx, sub, p.key(sub.ID)...)
	})
	if err != nil {
		return nil, err
	}
	if confirmation != nil {
		s.queue.Add(confirmation.ticket())
	}
	if sub.pending() && !wire.Val(in.ReturnSubscriptionArn) {
		return &snsapi.SubscribeResponse{SubscriptionArn: wire.Ptr(pendingARN)}, nil
	}
	return &snsapi.SubscribeResponse{SubscriptionArn: wire.Ptr(sub.arn())}, nil
}

// twin is the topic's subscription of the same endpoint, or nil.
func (s *subscriptionRecord) twin(r store.ReadTx) (*subscriptionRecord, error) {
	for other, err := range subscriptions.All(r, s.Topic.key()...) {
		if err != nil {
			return nil, err
		}
		if other.Protocol == s.Protocol && other.Endpoint == s.Endpoint {
			return other, nil
		}
	}
	return nil, nil
}

func (s *subscriptionRecord) isHTTP() bool {
	return s.Protocol == protocolHTTP || s.Protocol == protocolHTTPS
}

// checkEndpoint checks that the endpoint is one of its protocol; foreign tells
// that it is a queue of another account.
func (s *subscriptionRecord) checkEndpoint(account string) (foreign bool, err error) {
	a, arnErr := arn.Parse(s.Endpoint)
	switch s.Protocol {
	case protocolSQS:
		switch {
		case arnErr != nil || a.Service != "sqs":
			return false, invalid("SQS endpoint ARN")
		case strings.HasSuffix(a.Resource, ".fifo"):
			return false, invalid("Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")
		}
		return a.Account != account, nil
	case protocolLambda:
		if arnErr != nil || a.Service != "lambda" || !strings.HasPrefix(a.Resource, "function:") {
			return false, invalid("Lambda endpoint ARN")
		}
		return false, nil // the function's own policy has the say
	case protocolHTTP, protocolHTTPS:
		u, err := url.Parse(s.Endpoint)
		switch {
		case !strings.HasPrefix(s.Endpoint, s.Protocol+"://"):
			return false, invalid("Endpoint must match the specified protocol")
		case err != nil || u.Host == "":
			return false, invalid("Endpoint Reason: Invalid HTTP endpoint")
		}
		return false, nil
	case "email", "email-json", "sms", "application", "firehose":
		return false, wire.NotBuilt("SNS subscriptions of the protocol %s", s.Protocol)
	}
	return false, invalid("Amazon SNS does not support this protocol string: %s", s.Protocol)
}

var tokenForm = regexp.MustCompile(`^[0-9a-f]{200,}$`)

// ConfirmSubscription confirms a subscription by the token that its endpoint
// was sent.
func (s *Service) ConfirmSubscription(ctx context.Context, in *snsapi.ConfirmSubscriptionInput) (*snsapi.ConfirmSubscriptionResponse, error) {
	p, err := parseTopic("TopicArn", in.TopicArn)
	if err != nil {
		return nil, err
	}
	// As recorded: texts that can't be tokens are told from unknown ones, but
	// topics that aren't there from nothing.
	var subscriptionARN string
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		if topic, err := topics.Get(tx, p.key()...); err != nil {
			return err
		} else if topic != nil && !tokenForm.MatchString(*in.Token) {
			return &snsapi.InvalidParameterException{Message: wire.Ptr("Invalid token")}
		}
		for sub, err := range subscriptions.All(tx, p.key()...) {
			if err != nil {
				return err
			}
			if sub.Token != *in.Token || !sub.pending() {
				continue
			}
			subscriptionARN = sub.arn()
			sub.Token = ""
			sub.Unsigned = wire.CallerFrom(ctx).ARN == ""
			sub.SignedCancels = !sub.Unsigned && wire.Val(in.AuthenticateOnUnsubscribe) == "true"
			return subscriptions.Put(tx, sub, p.key(sub.ID)...)
		}
		return invalid("Token")
	})
	if err != nil {
		return nil, err
	}
	return &snsapi.ConfirmSubscriptionResponse{SubscriptionArn: &subscriptionARN}, nil
}

// Unsubscribe ends a subscription; a missing one is no error.
func (s *Service) Unsubscribe(ctx context.Context, in *snsapi.UnsubscribeInput) error {
	p, id, err := parseSubscription(in.SubscriptionArn)
	if err != nil {
		return err
	}
	c := wire.CallerFrom(ctx)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		sub, err := subscriptions.Get(tx, p.key(id)...)
		if err != nil || sub == nil {
			return err
		}
		switch {
		case sub.pending():
			return invalid("This operation is not supported for subscriptions pending confirmation")
		case c.ARN == "" && sub.SignedCancels, c.ARN != "" && c.Account != sub.Owner && c.Account != p.Account:
			return &snsapi.AuthorizationErrorException{Message: wire.Ptr("Only the owner of the topic or of the subscription may end it")}
		}
		topic, err := topics.Get(tx, p.key()...)
		if err != nil {
			return err
		}
		if topic != nil {
			topic.Deleted++
			if err := topics.Put(tx, topic, p.key()...); err != nil {
				return err
			}
		}
		return subscriptions.Delete(tx, p.key(id)...)
	})
}

// ListSubscriptions lists the caller's subscriptions.
func (s *Service) ListSubscriptions(ctx context.Context, in *snsapi.ListSubscriptionsInput) (*snsapi.ListSubscriptionsResponse, error) {
	c := wire.CallerFrom(ctx)
	list, next, err := s.list(ctx, in.NextToken, func(sub *subscriptionRecord) bool {
		return sub.Owner == c.Account && sub.Topic.Region == c.Region
	})
	return &snsapi.ListSubscriptionsResponse{Subscriptions: list, NextToken: next}, err
}

// ListSubscriptionsByTopic lists a topic's subscriptions.
func (s *Service) ListSubscriptionsByTopic(ctx context.Context, in *snsapi.ListSubscriptionsByTopicInput) (*snsapi.ListSubscriptionsByTopicResponse, error) {
	p, err := parseTopic("TopicArn", in.TopicArn)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		_, err := getTopic(r, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	list, next, err := s.list(ctx, in.NextToken, func(sub *subscriptionRecord) bool { return sub.Topic == p }, p.key()...)
	return &snsapi.ListSubscriptionsByTopicResponse{Subscriptions: list, NextToken: next}, err
}

// list pages through the subscriptions below a prefix; the token is the ARN of
// the last.
func (s *Service) list(ctx context.Context, from *string, want func(*subscriptionRecord) bool, prefix ...string) (list []snsapi.Subscription, next *string, err error) {
	after, err := readToken(from)
	if err != nil {
		return nil, nil, err
	}
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		list, next = []snsapi.Subscription{}, nil
		reached, last := after == "", ""
		for sub, err := range subscriptions.All(r, prefix...) {
			switch {
			case err != nil:
				return err
			case !reached:
				reached = sub.arn() == after
				continue
			case !want(sub):
				continue
			case len(list) == pageSize:
				next = paging.Token(last)
				return nil
			}
			last = sub.arn()
			one := snsapi.Subscription{
				SubscriptionArn: wire.Ptr(last), Owner: &sub.Owner, Protocol: &sub.Protocol, Endpoint: &sub.Endpoint, TopicArn: wire.Ptr(sub.Topic.arn()),
			}
			if sub.pending() {
				one.SubscriptionArn = wire.Ptr(listedARN)
			}
			list = append(list, one)
		}
		return nil
	})
	return list, next, err
}

package sns

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/butai-dev/butai/internal/api/snsapi"
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// pageSize is how many topics or subscriptions a listing has (API Reference:
// ListTopics).
const pageSize = 100

// CreateTopic makes a topic. One of the same name and settings is the answer
// if there is one.
func (s *Service) CreateTopic(ctx context.Context, in *snsapi.CreateTopicInput) (*snsapi.CreateTopicResponse, error) {
	c := wire.CallerFrom(ctx)
	t := &topicRecord{Account: c.Account, Region: c.Region, Name: *in.Name, Attributes: map[string]string{}}
	if in.Attributes["FifoTopic"] == "true" {
		return nil, wire.NotBuilt("FIFO topics of SNS")
	}
	if !nameForm.MatchString(t.Name) {
		return nil, invalid("Topic Name")
	}
	for _, name := range slices.Sorted(maps.Keys(in.Attributes)) {
		if err := t.set("Attributes Reason: ", name, in.Attributes[name]); err != nil {
			return nil, err
		}
	}
	if err := t.tag(in.Tags); err != nil {
		return nil, err
	}
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		have, err := topics.Get(tx, t.place().key()...)
		if err != nil {
			return err
		}
		if have != nil {
			return have.sameAs(in)
		}
		return topics.Put(tx, t, t.place().key()...)
	})
	if err != nil {
		return nil, err
	}
	return &snsapi.CreateTopicResponse{TopicArn: wire.Ptr(t.place().arn())}, nil
}

// sameAs reports what a repeated creation wants otherwise.
func (t *topicRecord) sameAs(in *snsapi.CreateTopicInput) error {
	shown := t.shown()
	for name, value := range in.Attributes {
		if shown[name] != value {
			return invalid("Attributes Reason: Topic already exists with different attributes")
		}
	}
	for _, tag := range in.Tags {
		if !slices.ContainsFunc(t.Tags, func(have snsapi.Tag) bool { return *have.Key == *tag.Key && *have.Value == *tag.Value }) {
			return invalid("Tags Reason: Topic already exists with different tags")
		}
	}
	return nil
}

// edit changes the topic that a parameter names.
func (s *Service) edit(ctx context.Context, parameter string, topicARN *string, fn func(*topicRecord) error) error {
	p, err := parseTopic(parameter, topicARN)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx store.Tx) error {
		t, err := getTopic(tx, p)
		if err == nil {
			err = fn(t)
		}
		if err != nil {
			return err
		}
		return topics.Put(tx, t, p.key()...)
	})
}

// getTopic reads a topic that must exist.
func getTopic(r store.ReadTx, p place) (*topicRecord, error) {
	t, err := topics.Get(r, p.key()...)
	if err == nil && t == nil {
		err = noTopic()
	}
	return t, err
}

// DeleteTopic deletes a topic with its subscriptions; a missing one is no error.
func (s *Service) DeleteTopic(ctx context.Context, in *snsapi.DeleteTopicInput) error {
	p, err := parseTopic("TopicArn", in.TopicArn)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx store.Tx) error {
		if err := topics.Delete(tx, p.key()...); err != nil {
			return err
		}
		return subscriptions.DeleteAll(tx, p.key()...)
	})
}

// ListTopics lists the caller's topics by name.
func (s *Service) ListTopics(ctx context.Context, in *snsapi.ListTopicsInput) (*snsapi.ListTopicsResponse, error) {
	c := wire.CallerFrom(ctx)
	after, err := readToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &snsapi.ListTopicsResponse{}
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		out.Topics, out.NextToken = []snsapi.Topic{}, nil
		last := ""
		for t, err := range topics.After(r, after, c.Account, c.Region) {
			switch {
			case err != nil:
				return err
			case len(out.Topics) == pageSize:
				out.NextToken = paging.Token(last)
				return nil
			}
			out.Topics, last = append(out.Topics, snsapi.Topic{TopicArn: wire.Ptr(t.place().arn())}), t.Name
		}
		return nil
	})
	return out, err
}

// readToken returns where a listing goes on.
func readToken(token *string) (string, error) {
	after, err := paging.After(token)
	if err != nil {
		return "", invalid("NextToken")
	}
	return after, nil
}

// GetTopicAttributes returns a topic's settings and how many subscriptions it has.
func (s *Service) GetTopicAttributes(ctx context.Context, in *snsapi.GetTopicAttributesInput) (*snsapi.GetTopicAttributesResponse, error) {
	p, err := parseTopic("TopicArn", in.TopicArn)
	if err != nil {
		return nil, err
	}
	out := &snsapi.GetTopicAttributesResponse{}
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		t, err := getTopic(r, p)
		if err != nil {
			return err
		}
		confirmed, pending := 0, 0
		for sub, err := range subscriptions.All(r, p.key()...) {
			if err != nil {
				return err
			}
			if sub.pending() {
				pending++
			} else {
				confirmed++
			}
		}
		out.Attributes = t.shown()
		out.Attributes["SubscriptionsConfirmed"] = strconv.Itoa(confirmed)
		out.Attributes["SubscriptionsPending"] = strconv.Itoa(pending)
		out.Attributes["SubscriptionsDeleted"] = strconv.Itoa(t.Deleted)
		return nil
	})
	return out, err
}

// SetTopicAttributes changes one of a topic's settings.
func (s *Service) SetTopicAttributes(ctx context.Context, in *snsapi.SetTopicAttributesInput) error {
	return s.edit(ctx, "TopicArn", in.TopicArn, func(t *topicRecord) error {
		return t.set("", *in.AttributeName, wire.Val(in.AttributeValue))
	})
}

package sqs

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

const fifoSuffix = ".fifo"

var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func checkName(name string, fifo bool) error {
	base := name
	if fifo {
		base = strings.TrimSuffix(name, fifoSuffix)
	}
	switch {
	case fifo && base == name:
		return invalidParameter("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.")
	case !nameForm.MatchString(base) || len(name) > 80:
		return invalidParameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	return nil
}

// CreateQueue makes a queue. One of the same name and settings is the answer
// if there is one.
func (s *Service) CreateQueue(ctx context.Context, in *sqsapi.CreateQueueRequest) (*sqsapi.CreateQueueResult, error) {
	c := wire.CallerFrom(ctx)
	if err := checkName(*in.QueueName, in.Attributes[sqsapi.QueueAttributeNameFifoQueue] == "true"); err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	q := &queueRecord{
		ID: ident.Hex(8), Account: c.Account, Region: c.Region, Name: *in.QueueName,
		Attributes: map[string]string{}, Tags: in.Tags, Created: now, Modified: now,
	}
	if err := q.set(in.Attributes); err != nil {
		return nil, err
	}
	if len(in.Tags) > maxTags {
		return nil, invalidParameter("Too many tags added for queue %s.", q.Name)
	}
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		have, err := queues.Get(tx, q.Account, q.Region, q.Name)
		if err != nil {
			return err
		}
		if have != nil {
			return have.sameAs(in.Attributes)
		}
		return queues.Put(tx, q, q.Account, q.Region, q.Name)
	})
	if err != nil {
		return nil, err
	}
	return &sqsapi.CreateQueueResult{QueueUrl: wire.Ptr(q.url(c.Endpoint))}, nil
}

// set sets attributes; the empty text takes one back to its default.
func (q *queueRecord) set(attributes map[string]string) error {
	if err := q.setKey(attributes); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		value := attributes[name]
		if err := checkAttribute(q, name, value); err != nil {
			return err
		}
		if q.Attributes[name] = value; value == "" {
			delete(q.Attributes, name)
		}
	}
	return nil
}

// sameAs reports an attribute that a repeated creation wants otherwise.
func (q *queueRecord) sameAs(attributes map[string]string) error {
	shown := q.shown()
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if attributes[name] != shown[name] {
			return &sqsapi.QueueNameExists{Message: wire.Ptr("A queue already exists with the same name and a different value for attribute " + name)}
		}
	}
	return nil
}

// GetQueueUrl returns the URL of a queue by its name.
func (s *Service) GetQueueUrl(ctx context.Context, in *sqsapi.GetQueueUrlRequest) (*sqsapi.GetQueueUrlResult, error) {
	c := wire.CallerFrom(ctx)
	p := place{c.Account, c.Region, *in.QueueName}
	if in.QueueOwnerAWSAccountId != nil {
		p.account = *in.QueueOwnerAWSAccountId
	}
	q, err := s.find(ctx, wire.Ptr("/"+p.account+"/"+p.name))
	if err != nil {
		return nil, err
	}
	return &sqsapi.GetQueueUrlResult{QueueUrl: wire.Ptr(q.url(c.Endpoint))}, nil
}

// GetQueueAttributes returns those attributes that are asked for.
func (s *Service) GetQueueAttributes(ctx context.Context, in *sqsapi.GetQueueAttributesRequest) (*sqsapi.GetQueueAttributesResult, error) {
	q, err := s.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	known := sqsapi.Service.Schema.Enum("QueueAttributeName")
	all := slices.Contains(in.AttributeNames, sqsapi.QueueAttributeNameAll)
	for _, name := range in.AttributeNames {
		if !slices.Contains(known, name) {
			return nil, &sqsapi.InvalidAttributeName{Message: wire.Ptr("Unknown Attribute " + name + ".")}
		}
	}
	shown := q.shown()
	if err := s.count(ctx, q, shown); err != nil {
		return nil, err
	}
	out := &sqsapi.GetQueueAttributesResult{}
	for name, value := range shown {
		if all || slices.Contains(in.AttributeNames, name) {
			if out.Attributes == nil {
				out.Attributes = map[string]string{}
			}
			out.Attributes[name] = value
		}
	}
	return out, nil
}

// count adds how many messages there are.
func (s *Service) count(ctx context.Context, q *queueRecord, to map[string]string) error {
	var visible, delayed, inFlight int
	now := s.Clock.Now()
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		visible, delayed, inFlight = 0, 0, 0
		for m, err := range messages.All(r, q.ID) {
			switch {
			case err != nil:
				return err
			case q.expired(m, now):
			case !m.Due.After(now):
				visible++
			case m.Receives == 0:
				delayed++
			default:
				inFlight++
			}
		}
		return nil
	})
	to[sqsapi.QueueAttributeNameApproximateNumberOfMessages] = strconv.Itoa(visible)
	to[sqsapi.QueueAttributeNameApproximateNumberOfMessagesDelayed] = strconv.Itoa(delayed)
	to[sqsapi.QueueAttributeNameApproximateNumberOfMessagesNotVisible] = strconv.Itoa(inFlight)
	return err
}

// SetQueueAttributes changes a queue's settings.
func (s *Service) SetQueueAttributes(ctx context.Context, in *sqsapi.SetQueueAttributesRequest) error {
	now := s.Clock.Now()
	return s.edit(ctx, in.QueueUrl, func(_ store.Tx, q *queueRecord) error {
		q.Modified = now
		return q.set(in.Attributes)
	})
}

const maxQueuesPage = 1000

// ListQueues lists the caller's queues by name.
func (s *Service) ListQueues(ctx context.Context, in *sqsapi.ListQueuesRequest) (*sqsapi.ListQueuesResult, error) {
	c := wire.CallerFrom(ctx)
	return s.list(ctx, in.NextToken, in.MaxResults, func(q *queueRecord) bool {
		return strings.HasPrefix(q.Name, wire.Val(in.QueueNamePrefix)) && q.Account == c.Account
	})
}

// list pages through the caller's queues; the token is the last name.
func (s *Service) list(ctx context.Context, token *string, limit *int64, want func(*queueRecord) bool) (*sqsapi.ListQueuesResult, error) {
	c := wire.CallerFrom(ctx)
	after, err := paging.After(token)
	if err != nil {
		return nil, invalidParameter("Invalid or expired next token.")
	}
	most := int64(maxQueuesPage)
	if n := wire.Val(limit); limit != nil && (n < 1 || n > maxQueuesPage) {
		return nil, invalidParameter("Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000.")
	} else if limit != nil {
		most = n
	}
	out := &sqsapi.ListQueuesResult{}
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		out.QueueUrls, out.NextToken = nil, nil
		last := ""
		for q, err := range queues.After(r, after, c.Account, c.Region) {
			switch {
			case err != nil:
				return err
			case !want(q):
				continue
			case int64(len(out.QueueUrls)) == most:
				if limit != nil { // without MaxResults there is no token
					out.NextToken = paging.Token(last)
				}
				return nil
			}
			out.QueueUrls, last = append(out.QueueUrls, q.url(c.Endpoint)), q.Name
		}
		return nil
	})
	return out, err
}

// ListDeadLetterSourceQueues lists the queues whose redrive policy names this one.
func (s *Service) ListDeadLetterSourceQueues(ctx context.Context, in *sqsapi.ListDeadLetterSourceQueuesRequest) (*sqsapi.ListDeadLetterSourceQueuesResult, error) {
	q, err := s.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	found, err := s.list(ctx, in.NextToken, in.MaxResults, func(other *queueRecord) bool {
		target, _ := other.redrive()
		return target == q.arn()
	})
	if err != nil {
		return nil, err
	}
	return &sqsapi.ListDeadLetterSourceQueuesResult{QueueUrls: append([]string{}, found.QueueUrls...), NextToken: found.NextToken}, nil
}

// DeleteQueue deletes a queue with its messages.
func (s *Service) DeleteQueue(ctx context.Context, in *sqsapi.DeleteQueueRequest) error {
	q, err := s.find(ctx, in.QueueUrl)
	if err != nil {
		return err
	}
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		if err := queues.Delete(tx, q.Account, q.Region, q.Name); err != nil {
			return err
		}
		return clearMessages(tx, q.ID)
	})
	s.waiters.wake(q.ID)
	return err
}

// purgeInterval is how long a queue can't be purged again.
const purgeInterval = time.Minute

// PurgeQueue deletes a queue's messages.
func (s *Service) PurgeQueue(ctx context.Context, in *sqsapi.PurgeQueueRequest) error {
	now := s.Clock.Now()
	return s.edit(ctx, in.QueueUrl, func(tx store.Tx, q *queueRecord) error {
		if now.Before(q.Purged.Add(purgeInterval)) {
			return &sqsapi.PurgeQueueInProgress{Message: wire.Ptr("Only one PurgeQueue operation on " + q.Name + " is allowed every 60 seconds.")}
		}
		q.Purged = now
		return clearMessages(tx, q.ID)
	})
}

// Package sqs is Amazon SQS: standard and FIFO queues, kept in the store.
// Messages are ordered by when they next become visible, so that receiving is
// one short scan (message.go); a receive is durable before it is answered.
package sqs

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// Config is what New needs; every field is required.
type Config struct {
	Store store.Store
	Clock clock.Clock
	Log   *slog.Logger
	Keys  Keys
}

// Service implements SQS.
type Service struct {
	Config
	waiters  waiters
	sequence sequence
}

// New returns the service over its store.
func New(cfg Config) *Service { return &Service{Config: cfg} }

// queueRecord is one queue.
type queueRecord struct {
	ID         string // of this life of the queue: its messages hang on it
	Account    string
	Region     string
	Name       string
	Attributes map[string]string // as they are set, without the defaults
	Tags       map[string]string `json:",omitzero"`
	Created    time.Time
	Modified   time.Time
	Purged     time.Time `json:",omitzero"`
}

// queues are found by account, region and name.
var queues = record.New[queueRecord]("sqs", "queue")

func (q *queueRecord) arn() string {
	return arn.New("sqs", q.Region, q.Account, q.Name).String()
}

func (q *queueRecord) url(endpoint string) string { return endpoint + "/" + q.Account + "/" + q.Name }

func (q *queueRecord) fifo() bool { return strings.HasSuffix(q.Name, fifoSuffix) }

// place is where a queue's name is unique.
type place struct{ account, region, name string }

// placeOfURL reads a queue's URL. Its host doesn't matter: AWS too goes by
// the last two parts of the path, and by the region that signs.
func placeOfURL(ctx context.Context, queueURL *string) (place, error) {
	c := wire.CallerFrom(ctx)
	text := wire.Val(queueURL)
	u, err := url.Parse(text)
	if err != nil {
		return place{}, invalidAddress(text)
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	switch name := parts[len(parts)-1]; {
	case name == "":
		return place{}, invalidAddress(text)
	case len(parts) == 1:
		return place{c.Account, c.Region, name}, nil
	default:
		return place{parts[len(parts)-2], c.Region, name}, nil
	}
}

// placeOfARN reads a queue's ARN.
func placeOfARN(queueARN string) (place, bool) {
	a, err := arn.Parse(queueARN)
	return place{a.Account, a.Region, a.Resource}, err == nil && a.Service == "sqs"
}

// get reads a queue that must exist.
func get(r store.ReadTx, p place) (*queueRecord, error) {
	q, err := queues.Get(r, p.account, p.region, p.name)
	if err == nil && q == nil {
		err = &sqsapi.QueueDoesNotExist{Message: wire.Ptr("The specified queue does not exist.")}
	}
	return q, err
}

// find reads the queue that a request's URL names. A queue of another account
// is open only through its policy, which was evaluated with the caller's.
func (s *Service) find(ctx context.Context, queueURL *string) (*queueRecord, error) {
	p, err := placeOfURL(ctx, queueURL)
	if err != nil {
		return nil, err
	}
	var q *queueRecord
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		q, err = get(r, p)
		return err
	})
	if err == nil && q.Account != wire.CallerFrom(ctx).Account && q.Attributes[sqsapi.QueueAttributeNamePolicy] == "" {
		return nil, &wire.Error{Code: "AccessDenied", Status: 403, Message: "Access to the resource " + wire.Val(queueURL) + " is denied."}
	}
	return q, err
}

// edit changes a queue.
func (s *Service) edit(ctx context.Context, queueURL *string, fn func(tx store.Tx, q *queueRecord) error) error {
	found, err := s.find(ctx, queueURL)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx store.Tx) error {
		q, err := get(tx, place{found.Account, found.Region, found.Name})
		if err != nil {
			return err
		}
		if err := fn(tx, q); err != nil {
			return err
		}
		return queues.Put(tx, q, q.Account, q.Region, q.Name)
	})
}

// sequence gives numbers that grow with every message, across restarts too
// as they follow the clock.
type sequence struct {
	mu   sync.Mutex
	last int64
}

func (s *sequence) next(now time.Time) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = max(s.last+1, now.UnixNano())
	return s.last
}

// waiters are the receivers that wait for messages, by queue id.
type waiters struct {
	mu     sync.Mutex
	queues map[string]chan struct{}
}

// wait returns a channel that is closed when the queue next changes.
func (w *waiters) wait(queueID string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.queues == nil {
		w.queues = map[string]chan struct{}{}
	}
	ch := w.queues[queueID]
	if ch == nil {
		ch = make(chan struct{})
		w.queues[queueID] = ch
	}
	return ch
}

func (w *waiters) wake(queueID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ch := w.queues[queueID]; ch != nil {
		close(ch)
		delete(w.queues, queueID)
	}
}

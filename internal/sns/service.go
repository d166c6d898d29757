// Package sns is Amazon SNS: standard topics whose messages go to functions,
// queues and HTTP endpoints. A message is acknowledged when its deliveries are
// in the store; they are made in the background and repeated until they succeed
// or the retries are used up (delivery.go).
package sns

import (
	"context"
	"crypto/rsa"
	"log/slog"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/api/snsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/due"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
)

// Targets are the endpoints of other services, and HTTP endpoints.
type Targets interface {
	// Deliver makes one delivery. An AWS error below 500 says that repeating it
	// is of no use.
	Deliver(ctx context.Context, d *Delivery) error
}

// Config is what New needs; every field is required.
type Config struct {
	Store   store.Store
	Clock   clock.Clock
	Log     *slog.Logger
	Targets Targets
	// URL is the server's own, of the links in messages.
	URL string
	// Certificate issues a certificate with its RSA key, in PEM, for signing
	// messages. It is asked once in the life of a store.
	Certificate func() (certificate, key []byte, err error)
	Keys        Keys
}

// Service implements SNS.
type Service struct {
	Config
	queue *due.Queue

	signing sync.Mutex
	signer  *signerRecord // guarded by signing, with key
	key     *rsa.PrivateKey
}

// topicRecord is one topic.
type topicRecord struct {
	Account, Region, Name string
	Attributes            map[string]string // as they are set, without the defaults
	Tags                  []snsapi.Tag      `json:",omitzero"`
	Deleted               int               `json:",omitzero"` // subscriptions that there were
}

// subscriptionRecord is one subscription.
type subscriptionRecord struct {
	ID            string
	Topic         place
	Owner         string // account
	Principal     string // ARN of who subscribed
	Protocol      string
	Endpoint      string
	Attributes    map[string]string // as they are set, without the defaults
	Token         string            `json:",omitzero"` // while it isn't confirmed
	Unsigned      bool              `json:",omitzero"` // it was confirmed by whoever had the token
	SignedCancels bool              `json:",omitzero"` // unsubscribing takes a signature
	Created       time.Time
}

var (
	topics        = record.New[topicRecord]("sns", "topic")               // by account, region, name
	subscriptions = record.New[subscriptionRecord]("sns", "subscription") // by those of the topic, id
	deliveries    = record.New[deliveryRecord]("sns", "delivery")         // by id
	signers       = record.New[signerRecord]("sns", "signer")             // by the empty text
)

// place is where a topic's name is unique.
type place struct{ Account, Region, Name string }

func (p place) key(more ...string) []string {
	return append([]string{p.Account, p.Region, p.Name}, more...)
}

func (p place) arn() string { return arn.New("sns", p.Region, p.Account, p.Name).String() }

func (t *topicRecord) place() place { return place{t.Account, t.Region, t.Name} }

func (s *subscriptionRecord) arn() string { return s.Topic.arn() + ":" + s.ID }

func (s *subscriptionRecord) pending() bool { return s.Token != "" }

// New opens the service over its store and takes up the deliveries that an
// earlier process has left. They begin with Start. Close ends the service.
func New(ctx context.Context, cfg Config) (*Service, error) {
	s := &Service{Config: cfg}
	s.queue = due.Held(due.Attempts(s.attempt, cfg.Clock, cfg.Log), cfg.Clock)
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		for d, err := range deliveries.All(r) {
			if err != nil {
				return err
			}
			s.queue.Add(d.ticket())
		}
		return nil
	})
	if err != nil {
		s.queue.Close(ctx)
		return nil, err
	}
	return s, nil
}

// Start lets deliveries begin: their targets are there now.
func (s *Service) Start() { s.queue.Start() }

// Close stops delivering and waits for what is under way until ctx ends.
func (s *Service) Close(ctx context.Context) error {
	s.queue.Close(ctx)
	return nil
}

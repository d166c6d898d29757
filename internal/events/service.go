// Package events is Amazon EventBridge: event buses, rules by pattern and by
// schedule, and the delivery of what they match to functions, queues, topics,
// log groups and other buses. An event is acknowledged when its deliveries are
// in the store; they are made in the background and repeated until they succeed
// or the target's retry policy is used up (delivery.go). Package schedule below
// it reads rate and cron expressions, package input makes what a target is given.
package events

import (
	"cmp"
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/due"
	"github.com/butai-dev/butai/internal/metric"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

// Principal is the service as which EventBridge acts.
const Principal = "events.amazonaws.com"

// Roles knows the roles that targets name.
type Roles interface {
	// Assumable reports whether a service may assume the role, which must exist.
	Assumable(roleARN, service string) bool
}

// Targets are the resources of other services that events go to.
type Targets interface {
	// Deliver makes one delivery. A *Refusal is a target's answer; any other
	// error is an internal failure.
	Deliver(ctx context.Context, d *Delivery) error
}

// Config is what New needs; every field is required.
type Config struct {
	Store   store.Store
	Clock   clock.Clock
	Log     *slog.Logger
	Roles   Roles
	Targets Targets
}

// Service implements EventBridge.
type Service struct {
	Config
	queue     *due.Queue // of deliveries
	clockwork *due.Queue // of schedules
	meters    metric.Meters[rulePlace]

	rulesChanged atomic.Uint64 // counts changes of rules
	compiled     sync.Map      // of place: *busMatchers
}

// busRecord is one event bus.
type busRecord struct {
	Account, Region, Name string
	Description           *string                     `json:",omitzero"`
	DeadLetters           *eventsapi.DeadLetterConfig `json:",omitzero"` // for what can't be encrypted; nothing is here
	Policy                string                      `json:",omitzero"`
	Tags                  []eventsapi.Tag             `json:",omitzero"`
	Created, Modified     time.Time
}

// ruleRecord is one rule with its targets, of which there are few.
type ruleRecord struct {
	Bus         place
	Name        string
	Pattern     *string `json:",omitzero"`
	Schedule    *string `json:",omitzero"`
	ScheduleID  string  `json:",omitzero"` // of its scheduleRecord, while the rule is enabled
	State       string
	Description *string `json:",omitzero"`
	RoleARN     *string `json:",omitzero"`
	CreatedBy   string
	Tags        []eventsapi.Tag    `json:",omitzero"`
	Targets     []eventsapi.Target `json:",omitzero"` // by id
}

// scheduleRecord says when a scheduled rule is due next. A rule whose schedule
// changes gets another one, so that what is still queued for the old means nothing.
type scheduleRecord struct {
	ID   string
	Rule rulePlace
	Next time.Time
}

var (
	buses      = record.New[busRecord]("events", "bus")           // by account, region, name
	rules      = record.New[ruleRecord]("events", "rule")         // by those of the bus, name
	schedules  = record.New[scheduleRecord]("events", "schedule") // by id
	deliveries = record.New[deliveryRecord]("events", "delivery") // by id
)

// defaultBus is the bus that every region of an account has.
const defaultBus = "default"

// place is where a bus's name is unique.
type place struct{ Account, Region, Name string }

func (p place) key(more ...string) []string {
	return append([]string{p.Account, p.Region, p.Name}, more...)
}

func (p place) arn() string {
	return arn.New("events", p.Region, p.Account, "event-bus/"+p.Name).String()
}

// rulePlace is where a rule is found.
type rulePlace struct {
	Bus  place
	Name string
}

func (p rulePlace) key() []string { return p.Bus.key(p.Name) }

// arn of a rule names its bus, unless that is the default one.
func (p rulePlace) arn() string {
	resource := "rule/" + p.Name
	if p.Bus.Name != defaultBus {
		resource = "rule/" + p.Bus.Name + "/" + p.Name
	}
	return arn.New("events", p.Bus.Region, p.Bus.Account, resource).String()
}

func (r *ruleRecord) place() rulePlace { return rulePlace{r.Bus, r.Name} }

func (b *busRecord) place() place { return place{b.Account, b.Region, b.Name} }

// busPlace reads a bus's name or ARN; none is the caller's default bus.
func busPlace(ctx context.Context, nameOrARN *string) place {
	if p, ok := parseBus(wire.Val(nameOrARN)); ok {
		return p
	}
	c := wire.CallerFrom(ctx)
	return place{c.Account, c.Region, cmp.Or(wire.Val(nameOrARN), defaultBus)}
}

// parseBus reads a bus's ARN.
func parseBus(text string) (place, bool) {
	a, err := arn.Parse(text)
	return place{a.Account, a.Region, strings.TrimPrefix(a.Resource, "event-bus/")}, err == nil
}

// New opens the service over its store and takes up what an earlier process
// has left. Deliveries and schedules begin with Start. Close ends the service.
func New(ctx context.Context, cfg Config) (*Service, error) {
	s := &Service{Config: cfg}
	s.queue = due.Held(due.Attempts(s.attempt, cfg.Clock, cfg.Log), cfg.Clock)
	s.clockwork = due.Held(due.Attempts(s.fire, cfg.Clock, cfg.Log), cfg.Clock)
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		for d, err := range deliveries.All(r) {
			if err != nil {
				return err
			}
			s.queue.Add(d.ticket())
		}
		for sched, err := range schedules.All(r) {
			if err != nil {
				return err
			}
			s.clockwork.Add(sched.ticket())
		}
		return nil
	})
	if err != nil {
		_ = s.Close(ctx) // it has nothing to fail
		return nil, err
	}
	return s, nil
}

// Start lets deliveries begin: their targets are there now.
func (s *Service) Start() {
	s.queue.Start()
	s.clockwork.Start()
}

// Close stops delivering and waits for what is under way until ctx ends.
func (s *Service) Close(ctx context.Context) error {
	s.clockwork.Close(ctx)
	s.queue.Close(ctx)
	return nil
}

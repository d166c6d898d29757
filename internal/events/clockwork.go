package events

import (
	"context"
	"time"

	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/due"
	"github.com/butai-dev/butai/internal/events/schedule"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/store"
)

func (sched *scheduleRecord) ticket() due.Ticket {
	return due.Ticket{ID: sched.ID, Lane: sched.Rule.arn(), Due: sched.Next}
}

// reschedule brings a rule's schedule in line with its expression and state;
// again says that the one it has is for this expression. It returns the schedule
// to wind when the transaction is done, nil for none or the same as before.
func (s *Service) reschedule(tx store.Tx, r *ruleRecord, again bool) (*scheduleRecord, error) {
	enabled := r.Schedule != nil && r.State == eventsapi.RuleStateENABLED
	if again && enabled {
		return nil, nil
	}
	if err := schedules.Delete(tx, r.ScheduleID); err != nil {
		return nil, err
	}
	if r.ScheduleID = ""; !enabled {
		return nil, nil
	}
	expression, err := schedule.Parse(*r.Schedule)
	if err != nil {
		return nil, err // it was checked when it was set
	}
	sched := &scheduleRecord{ID: ident.UUID(), Rule: r.place(), Next: expression.Next(s.Clock.Now().UTC())}
	if sched.Next.IsZero() {
		return nil, nil // it is never due again
	}
	r.ScheduleID = sched.ID
	return sched, schedules.Put(tx, sched, sched.ID)
}

// wind queues a schedule.
func (s *Service) wind(sched *scheduleRecord) {
	if sched != nil {
		s.clockwork.Add(sched.ticket())
	}
}

// fire sends the event of a schedule that is due. It returns when the schedule
// is due again.
func (s *Service) fire(ctx context.Context, id string) (again time.Time, err error) {
	var made []*deliveryRecord
	err = s.Store.Update(ctx, func(tx store.Tx) (err error) {
		made, again, err = s.tick(tx, id)
		return err
	})
	if err == nil {
		s.enqueue(made)
	}
	return again, err
}

// tick stores the deliveries of a schedule that is due, and when it is due
// next. Times that have passed meanwhile, while the server was down, are made
// up for by this one event: AWS's schedules don't stop.
func (s *Service) tick(tx store.Tx, id string) (made []*deliveryRecord, again time.Time, err error) {
	sched, err := schedules.Get(tx, id)
	if err != nil || sched == nil {
		return nil, again, err // the rule has another one by now, or none
	}
	r, err := rules.Get(tx, sched.Rule.key()...)
	if err != nil || r == nil {
		return nil, again, err
	}
	e := scheduledEvent(sched)
	for i := range r.Targets {
		d := s.newDelivery(r, &r.Targets[i], e)
		if err := deliveries.Put(tx, d, d.ID); err != nil {
			return nil, again, err
		}
		made = append(made, d)
	}
	expression, err := schedule.Parse(*r.Schedule)
	if err != nil {
		return nil, again, err
	}
	now := s.Clock.Now().UTC()
	for again = expression.Next(sched.Next); !again.IsZero() && !again.After(now); {
		again = expression.Next(again)
	}
	if again.IsZero() {
		return made, again, schedules.Delete(tx, id)
	}
	sched.Next = again
	return made, again, schedules.Put(tx, sched, id)
}

// scheduledEvent is what a scheduled rule's targets get.
func scheduledEvent(sched *scheduleRecord) *event {
	bus := sched.Rule.Bus
	return &event{
		ID: ident.UUID(), DetailType: "Scheduled Event", Source: "aws.events", Account: bus.Account, Region: bus.Region,
		Time: sched.Next, Resources: []string{sched.Rule.arn()}, Detail: []byte("{}"), Ingested: sched.Next,
	}
}

package lambda

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/butai-dev/butai/internal/due"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// eventRecord is an asynchronous invocation that isn't done yet.
type eventRecord struct {
	RequestID     string // the same in every attempt
	FunctionARN   string // as invoked
	Payload       []byte `json:",omitzero"`
	ClientContext []byte `json:",omitzero"`
	TraceID       string `json:",omitzero"`
	Received, Due time.Time
	Attempts      int `json:",omitzero"` // that reached the function
	Failures      int `json:",omitzero"` // attempts that ended in a function error
	Delays        int `json:",omitzero"` // attempts in a row that didn't reach the function

	// An event that is over stays until everybody who is to be told has been.
	Over   bool      `json:",omitzero"`
	Outbox []Message `json:",omitzero"`
	Role   string    `json:",omitzero"` // with which it is sent
}

// How Lambda retries events ("How Lambda handles errors and retries with
// asynchronous invocation").
const (
	maxEventAge = 6 * time.Hour
	firstDelay  = time.Second
	longDelay   = 5 * time.Minute
)

// DefaultRetries are AWS's waits after the first and the second failure.
var DefaultRetries = []time.Duration{time.Minute, 2 * time.Minute}

// enqueue stores an event and schedules it. It is durable when enqueue returns.
func (s *Service) enqueue(ctx context.Context, e *eventRecord) error {
	err := s.Store.Update(ctx, func(tx store.Tx) error { return events.Put(tx, e, e.RequestID) })
	if err == nil {
		s.queue.Add(e.ticket())
	}
	return err
}

// ticket is what the queue knows of an event.
func (e *eventRecord) ticket() due.Ticket {
	base, _ := catalog.Split(e.FunctionARN)
	return due.Ticket{ID: e.RequestID, Lane: base, Due: e.Due}
}

// resumeEvents schedules what an earlier process has left.
func (s *Service) resumeEvents(ctx context.Context) error {
	return s.Store.View(ctx, func(r store.ReadTx) error {
		for e, err := range events.All(r) {
			if err != nil {
				return err
			}
			s.queue.Add(e.ticket())
		}
		return nil
	})
}

// deliver makes one attempt at an event. It returns when to try again, or the
// zero time if the event is done.
func (s *Service) deliver(ctx context.Context, requestID string) (again time.Time) {
	e, err := s.attempt(ctx, requestID)
	switch {
	case ctx.Err() != nil:
		return time.Time{} // the next start takes it up as it is stored
	case err != nil:
		s.Log.Error("deliver event", "request", requestID, "error", err)
		return s.Clock.Now().Add(longDelay)
	case e == nil:
		return time.Time{}
	}
	return e.Due
}

// attempt runs an event's function and stores what comes of it; it returns
// nil if the event is done.
func (s *Service) attempt(ctx context.Context, requestID string) (*eventRecord, error) {
	e, rules, err := s.readEvent(ctx, requestID)
	if err != nil || e == nil {
		return nil, err
	}
	if !e.Over {
		var out *catalog.Outcome
		if !rules.stopped {
			out, err = s.Catalog.Invoke(ctx, &catalog.Call{
				FunctionARN: e.FunctionARN, Payload: e.Payload, KnownJSON: true, ClientContext: e.ClientContext, RequestID: e.RequestID, TraceID: e.TraceID,
			})
		}
		if ctx.Err() != nil && (err != nil || out != nil && out.FunctionError != "") {
			return nil, ctx.Err() // it may have failed because the server is ending
		}
		if err := s.settle(e, rules, out, err); err != nil {
			return nil, err
		}
	}
	// What has happened is recorded even if the server is ending.
	ctx = context.WithoutCancel(ctx)
	if !e.Over || len(e.Outbox) > 0 {
		if err := s.Store.Update(ctx, func(tx store.Tx) error { return events.Put(tx, e, e.RequestID) }); err != nil {
			return nil, err
		}
	}
	if !e.Over {
		return e, nil
	}
	if err := s.post(ctx, e); err != nil {
		return nil, err
	}
	return nil, s.Store.Update(ctx, func(tx store.Tx) error { return events.Delete(tx, e.RequestID) })
}

// rules say what becomes of the events of a function.
type rules struct {
	retries              int
	age                  time.Duration
	onSuccess, onFailure string // destinations, "" for none
	deadLetters          string // queue, "" for none
	role                 string
	stopped              bool // the function's reserved concurrency is 0
}

// readEvent reads an event and the rules that hold for it now.
func (s *Service) readEvent(ctx context.Context, requestID string) (e *eventRecord, r *rules, err error) {
	err = s.Store.View(ctx, func(tx store.ReadTx) error {
		if e, err = events.Get(tx, requestID); err != nil || e == nil || e.Over {
			return err
		}
		r, err = s.rulesFor(tx, e.FunctionARN)
		return err
	})
	return e, r, err
}

// rulesFor are the rules of a function as it was invoked. A function that is
// gone has the default ones.
func (s *Service) rulesFor(tx store.ReadTx, functionARN string) (*rules, error) {
	out := &rules{retries: len(s.Retries), age: maxEventAge}
	base, qualifier := catalog.Split(functionARN)
	i, err := parseID(base)
	if err != nil {
		return out, nil
	}
	f, v, err := find(tx, ref{i, qualifier})
	if err != nil {
		if permanent(err) {
			err = nil
		}
		return out, err
	}
	out.role, out.stopped = *v.Config.Role, f.Reserved != nil && *f.Reserved == 0
	if v.Config.DeadLetterConfig != nil {
		out.deadLetters = *v.Config.DeadLetterConfig.TargetArn
	}
	c, err := eventConfigs.Get(tx, i.key(cmp.Or(qualifier, catalog.Latest))...)
	if err != nil || c == nil {
		return out, err
	}
	if c.MaximumRetryAttempts != nil {
		out.retries = int(*c.MaximumRetryAttempts)
	}
	if c.MaximumEventAgeInSeconds != nil {
		out.age = time.Duration(*c.MaximumEventAgeInSeconds) * time.Second
	}
	out.onSuccess, out.onFailure = wire.Val(c.DestinationConfig.OnSuccess.Destination), onFailure(c.DestinationConfig)
	return out, nil
}

// settle decides what becomes of an event after an attempt: it is over, or
// its Due is set.
func (s *Service) settle(e *eventRecord, r *rules, out *catalog.Outcome, err error) error {
	now := s.Clock.Now()
	if out != nil {
		e.Attempts++
	}
	refusal, refused := errors.AsType[*catalog.Refusal](err)
	switch {
	case r.stopped:
		return s.finish(e, r, conditionZero, nil)
	case err == nil && out.FunctionError == "":
		return s.finish(e, r, conditionSuccess, out)
	case refused && refusal.Code == catalog.Recursive:
		return s.finish(e, r, conditionRecursive, nil)
	case refused && refusal.Status != http.StatusTooManyRequests:
		s.Log.Info("event dropped", "function", e.FunctionARN, "request", e.RequestID, "reason", refusal.Message)
		e.Over = true
		return nil
	case err != nil:
		e.Due = now.Add(min(firstDelay<<min(e.Delays, 20), longDelay))
		e.Delays++
	case e.Failures >= min(r.retries, len(s.Retries)):
		return s.finish(e, r, conditionExhausted, out)
	default:
		e.Delays = 0
		e.Due = now.Add(s.Retries[e.Failures])
		e.Failures++
	}
	if e.Due.Sub(e.Received) >= r.age {
		return s.finish(e, r, conditionAge, out)
	}
	return nil
}

// finish ends an event and writes the messages that tell of it.
func (s *Service) finish(e *eventRecord, r *rules, condition string, out *catalog.Outcome) error {
	e.Over, e.Role = true, r.role
	target := r.onSuccess
	if condition != conditionSuccess {
		s.Log.Info("event dropped", "function", e.FunctionARN, "request", e.RequestID, "reason", condition)
		target = r.onFailure
		if r.deadLetters != "" {
			e.Outbox = append(e.Outbox, e.deadLetter(r.deadLetters, out))
		}
	}
	if target == "" {
		return nil
	}
	now := s.Clock.Now()
	body, err := e.record(condition, out, now)
	if err != nil {
		return fmt.Errorf("write the record of event %s: %w", e.RequestID, err)
	}
	e.Outbox = append(e.Outbox, e.message(target, condition, body, now))
	return nil
}

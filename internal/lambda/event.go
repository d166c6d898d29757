package lambda

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/store"
)

// eventRecord is an asynchronous invocation that isn't done yet.
type eventRecord struct {
	RequestID     string // the same in every attempt
	FunctionARN   string // as invoked
	Payload       []byte `json:",omitzero"`
	ClientContext []byte `json:",omitzero"`
	TraceID       string `json:",omitzero"`
	Received, Due time.Time
	Failures      int `json:",omitzero"` // attempts that ended in a function error
	Delays        int `json:",omitzero"` // attempts in a row that didn't reach the function
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
		s.queue.add(e.ticket())
	}
	return err
}

// ticket is what the queue knows of an event.
func (e *eventRecord) ticket() ticket {
	base, _ := catalog.Split(e.FunctionARN)
	return ticket{requestID: e.RequestID, lane: base, due: e.Due}
}

// resumeEvents schedules what an earlier process has left.
func (s *Service) resumeEvents(ctx context.Context) error {
	return s.Store.View(ctx, func(r store.ReadTx) error {
		for e, err := range events.All(r) {
			if err != nil {
				return err
			}
			s.queue.add(e.ticket())
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
	var e *eventRecord
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		e, err = events.Get(r, requestID)
		return err
	})
	if err != nil || e == nil {
		return nil, err
	}
	out, err := s.Catalog.Invoke(ctx, &catalog.Call{
		FunctionARN: e.FunctionARN, Payload: e.Payload, KnownJSON: true, ClientContext: e.ClientContext, RequestID: e.RequestID, TraceID: e.TraceID,
	})
	if ctx.Err() != nil && (err != nil || out.FunctionError != "") {
		return nil, ctx.Err() // it may have failed because the server is ending
	}
	done := s.settle(e, out, err)
	// What has happened is recorded even if the server is ending.
	err = s.Store.Update(context.WithoutCancel(ctx), func(tx store.Tx) error {
		if done {
			return events.Delete(tx, e.RequestID)
		}
		return events.Put(tx, e, e.RequestID)
	})
	if done || err != nil {
		return nil, err
	}
	return e, nil
}

// settle decides what becomes of an event after an attempt: it is done, or
// its Due is set.
func (s *Service) settle(e *eventRecord, out *catalog.Outcome, err error) (done bool) {
	now := s.Clock.Now()
	refusal, refused := errors.AsType[*catalog.Refusal](err)
	switch {
	case err == nil && out.FunctionError == "":
		return true
	case refused && refusal.Status != http.StatusTooManyRequests:
		s.Log.Info("event dropped", "function", e.FunctionARN, "request", e.RequestID, "reason", refusal.Message)
		return true
	case err != nil:
		e.Due = now.Add(min(firstDelay<<min(e.Delays, 20), longDelay))
		e.Delays++
		if e.Due.Sub(e.Received) > maxEventAge {
			s.Log.Warn("event dropped", "function", e.FunctionARN, "request", e.RequestID, "reason", "older than six hours")
			return true
		}
		return false
	}
	e.Delays = 0
	if e.Failures == len(s.Retries) {
		s.Log.Info("event dropped", "function", e.FunctionARN, "request", e.RequestID, "reason", "all attempts failed")
		return true
	}
	e.Due = now.Add(s.Retries[e.Failures])
	e.Failures++
	return false
}

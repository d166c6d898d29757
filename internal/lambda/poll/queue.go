package poll

import (
	"context"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/pattern"
)

// Queue is a source of messages that come back unless they are deleted.
type Queue interface {
	// Receive takes up to ten messages, or waits for one.
	Receive(ctx context.Context, most int, wait time.Duration) ([]Message, error)
	Delete(ctx context.Context, handles []string) error
}

// Message is one message of a queue.
type Message struct {
	ID, Handle, Body string
	Event            []byte // its record in the function's event
	Trace            string // the tracing header that it was sent with, or ""
}

const (
	maxReceive  = 10
	receiveWait = 20 * time.Second
	// maxPayload is the limit of a synchronous call, less the brackets.
	maxPayload = 6291456 - 64
)

// RunQueue passes a queue's messages to the function until ctx ends.
func (r *Runner) RunQueue(ctx context.Context, q Queue) {
	var lanes sync.WaitGroup
	for range max(1, r.Concurrency) {
		lanes.Go(func() { r.drain(ctx, q) })
	}
	lanes.Wait()
}

// drain is one lane: one batch at a time.
func (r *Runner) drain(ctx context.Context, q Queue) {
	for ctx.Err() == nil {
		batch, err := r.gather(ctx, q)
		if err != nil && ctx.Err() == nil {
			r.Log.Warn("an event source could not be read", "source", r.Source, "function", r.FunctionARN, "error", err)
			r.Report("PROBLEM: " + err.Error())
			sleep(ctx, sourceRest)
		}
		if len(batch) > 0 {
			r.deliver(ctx, q, batch)
		}
	}
}

// gather receives a batch: until it is full, the window has passed, or without
// a window until the first receive that has any.
func (r *Runner) gather(ctx context.Context, q Queue) (batch []Message, err error) {
	end := time.Time{}
	for len(batch) < r.BatchSize {
		wait := receiveWait
		if !end.IsZero() {
			if wait = min(wait, end.Sub(r.Clock.Now())); wait <= 0 {
				break
			}
		}
		got, err := q.Receive(ctx, min(maxReceive, r.BatchSize-len(batch)), wait)
		if err != nil {
			return batch, err
		}
		got, rejected := r.sift(got)
		if len(rejected) > 0 {
			if err := q.Delete(ctx, rejected); err != nil {
				return append(batch, got...), err
			}
		}
		if batch = append(batch, got...); len(batch) > 0 && end.IsZero() {
			if r.Window == 0 {
				break
			}
			end = r.Clock.Now().Add(r.Window)
		}
	}
	return batch, nil
}

// sift takes out the messages that fit no filter; Lambda deletes them.
func (r *Runner) sift(got []Message) (fit []Message, rejected []string) {
	for _, m := range got {
		fits := r.fits(func(p *pattern.Pattern) (any, error) {
			event, err := pattern.Decode(m.Event)
			if object, ok := event.(map[string]any); ok && p.Asks("body") {
				object["body"], err = pattern.Decode([]byte(m.Body)) // a body that isn't JSON fits no such pattern
			}
			return event, err
		})
		if fits {
			fit = append(fit, m)
		} else {
			rejected = append(rejected, m.Handle)
		}
	}
	return fit, rejected
}

// deliver calls the function with a batch, in as many calls as its size needs,
// and deletes what the function has dealt with. The rest comes back by itself.
func (r *Runner) deliver(ctx context.Context, q Queue, batch []Message) {
	for len(batch) > 0 {
		n, size := 0, 0
		for n < len(batch) && (n == 0 || size+len(batch[n].Event) < maxPayload) {
			size += len(batch[n].Event) + 1
			n++
		}
		if !r.call(ctx, q, batch[:n]) {
			pause(ctx, 0)
		}
		batch = batch[n:]
	}
}

func (r *Runner) call(ctx context.Context, q Queue, batch []Message) (ok bool) {
	events, ids := make([][]byte, len(batch)), make([]string, len(batch))
	for i, m := range batch {
		events[i], ids[i] = m.Event, m.ID
	}
	out, err := r.Invoke(ctx, payload(events), batch[0].Trace)
	if err != nil || out.FunctionError != "" {
		r.Report(resultFailed)
		return false
	}
	failed, all := map[string]bool(nil), false
	if r.Partial {
		failed, all = failures(out.Payload, ids)
	}
	if all {
		r.Report(resultFailed)
		return false
	}
	var done []string
	for _, m := range batch {
		if !failed[m.ID] {
			done = append(done, m.Handle)
		}
	}
	// What has been done is recorded even if the mapping is ending.
	if err := q.Delete(context.WithoutCancel(ctx), done); err != nil {
		r.Log.Warn("messages that were processed could not be deleted", "source", r.Source, "error", err)
		return false
	}
	r.Report(resultOK)
	return true
}

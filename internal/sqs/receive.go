package sqs

import (
	"context"
	"time"

	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/store"
)

// request is a receive with the queue's settings filled in.
type request struct {
	most       int
	wait       time.Duration
	visibility time.Duration
}

func readRequest(q *queueRecord, in *sqsapi.ReceiveMessageRequest) (request, error) {
	r := request{
		most: 1, wait: q.seconds(sqsapi.QueueAttributeNameReceiveMessageWaitTimeSeconds),
		visibility: q.seconds(sqsapi.QueueAttributeNameVisibilityTimeout),
	}
	if n := in.MaxNumberOfMessages; n != nil {
		if *n < 1 || *n > 10 {
			return r, invalidParameter("Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.", *n)
		}
		r.most = int(*n)
	}
	if n := in.WaitTimeSeconds; n != nil {
		if *n < 0 || *n > 20 {
			return r, invalidParameter("Value %d for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.", *n)
		}
		r.wait = time.Duration(*n) * time.Second
	}
	if n := in.VisibilityTimeout; n != nil {
		if err := checkVisibility(*n); err != nil {
			return r, err
		}
		r.visibility = time.Duration(*n) * time.Second
	}
	return r, nil
}

// ReceiveMessage takes messages that are visible, or waits for one.
func (s *Service) ReceiveMessage(ctx context.Context, in *sqsapi.ReceiveMessageRequest) (*sqsapi.ReceiveMessageResult, error) {
	q, err := s.find(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	want, err := readRequest(q, in)
	if err != nil {
		return nil, err
	}
	deadline := time.NewTimer(want.wait)
	defer deadline.Stop()
	for {
		changed := s.waiters.wait(q.ID)
		got, next, err := s.take(ctx, q, want)
		if err != nil || len(got) > 0 || want.wait == 0 {
			out := &sqsapi.ReceiveMessageResult{}
			for _, m := range got {
				out.Messages = append(out.Messages, m.shown(q, in))
			}
			return out, err
		}
		soon := time.NewTimer(next)
		select {
		case <-changed:
		case <-soon.C:
		case <-deadline.C:
			want.wait = 0 // the last look
		case <-ctx.Done():
			soon.Stop()
			return nil, ctx.Err()
		}
		soon.Stop()
	}
}

// longest is how long a receiver waits for a message that nobody has sent.
const longest = 20 * time.Second

// take receives what is visible now; next is the wait until there may be more.
func (s *Service) take(ctx context.Context, q *queueRecord, want request) (got []*message, next time.Duration, err error) {
	now := s.Clock.Now()
	// Most looks find nothing: they don't hold up writers.
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		got, next, err = s.visible(r, q, want.most, now)
		return err
	})
	if err != nil || len(got) == 0 {
		return nil, next, err
	}
	open, err := s.decrypt(ctx, q, got)
	if err != nil {
		return nil, 0, err
	}
	moved := false
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		moved = false
		present, err := get(tx, place{q.Account, q.Region, q.Name})
		if err != nil {
			return err
		}
		found, _, err := s.visible(tx, present, want.most, now)
		if err != nil {
			return err
		}
		got = nil
		for _, m := range found {
			gone, err := s.retire(tx, present, m, now)
			if err != nil {
				return err
			}
			if moved = moved || gone; gone {
				continue
			}
			if !open[m.sealing()] { // sent meanwhile with another key
				moved = true
				continue
			}
			was := m.Due
			if m.Due = now.Add(want.visibility); m.Receives == 0 {
				m.First = now
			}
			m.Receives++
			if err := putMessage(tx, present, m, was); err != nil {
				return err
			}
			got = append(got, m)
		}
		return nil
	})
	if moved {
		next = 0 // there may be others behind those that went
	}
	return got, next, err
}

// retire takes a message out of its queue that is too old, or was received
// too often.
func (s *Service) retire(tx store.Tx, q *queueRecord, m *message, now time.Time) (gone bool, err error) {
	if q.expired(m, now) {
		return true, deleteMessage(tx, q, m)
	}
	target, after := q.redrive()
	if target == "" || int64(m.Receives) < after {
		return false, nil
	}
	p, _ := placeOfARN(target)
	dead, err := queues.Get(tx, p.account, p.region, p.name)
	if err != nil || dead == nil || !dead.takes(q.arn()) {
		return false, err // without its dead-letter queue a message stays
	}
	if err := deleteMessage(tx, q, m); err != nil {
		return false, err
	}
	letter := *m
	letter.Receives, letter.First, letter.Due, letter.Source = 0, time.Time{}, now, q.arn()
	letter.Sequence = s.sequence.next(now)
	s.waiters.wake(dead.ID)
	return true, putMessage(tx, dead, &letter, time.Time{})
}

// visible lists messages that can be received, and the wait until the next.
func (s *Service) visible(r store.ReadTx, q *queueRecord, most int, now time.Time) (found []*message, next time.Duration, err error) {
	if q.fifo() {
		return inOrder(r, q, most, now)
	}
	for d, err := range dues.All(r, q.ID) {
		if err != nil {
			return nil, 0, err
		}
		if wait := d.At.Sub(now); wait > 0 {
			return found, wait, nil
		}
		if len(found) == most {
			return found, 0, nil
		}
		m, err := messages.Get(r, q.ID, ordered(d.Sequence))
		if err != nil {
			return nil, 0, err
		}
		if m != nil {
			found = append(found, m)
		}
	}
	return found, longest, nil
}

// inOrder is visible for FIFO queues: a message in flight holds up its group.
func inOrder(r store.ReadTx, q *queueRecord, most int, now time.Time) (found []*message, next time.Duration, err error) {
	held := map[string]bool{}
	next = longest
	for m, err := range messages.All(r, q.ID) {
		if err != nil {
			return nil, 0, err
		}
		if wait := m.Due.Sub(now); wait > 0 {
			held[m.Group], next = true, min(next, wait)
		}
		if held[m.Group] {
			continue
		}
		if found = append(found, m); len(found) == most {
			break
		}
	}
	return found, next, nil
}

// DeleteMessage takes a received message out of its queue; one that is gone
// already is no error.
func (s *Service) DeleteMessage(ctx context.Context, in *sqsapi.DeleteMessageRequest) error {
	q, err := s.find(ctx, in.QueueUrl)
	if err != nil {
		return err
	}
	return s.remove(ctx, q, *in.ReceiptHandle)
}

func (s *Service) remove(ctx context.Context, q *queueRecord, handle string) error {
	now := s.Clock.Now()
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		m, latest, err := readHandle(tx, q, handle)
		if err != nil || m == nil {
			return err
		}
		if q.fifo() && (!latest || !m.Due.After(now)) {
			return invalidParameter("Value %s for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.", handle)
		}
		return deleteMessage(tx, q, m)
	})
	if q.fifo() {
		s.waiters.wake(q.ID) // the group's next message is free
	}
	return err
}

func checkVisibility(seconds int64) error {
	if seconds < 0 || seconds > 43200 {
		return invalidParameter("Value %d for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be an integer between 0 and 43200.", seconds)
	}
	return nil
}

// ChangeMessageVisibility sets when a message in flight becomes visible.
func (s *Service) ChangeMessageVisibility(ctx context.Context, in *sqsapi.ChangeMessageVisibilityRequest) error {
	q, err := s.find(ctx, in.QueueUrl)
	if err != nil {
		return err
	}
	return s.postpone(ctx, q, *in.ReceiptHandle, *in.VisibilityTimeout)
}

func (s *Service) postpone(ctx context.Context, q *queueRecord, handle string, seconds int64) error {
	if err := checkVisibility(seconds); err != nil {
		return err
	}
	now := s.Clock.Now()
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		m, latest, err := readHandle(tx, q, handle)
		if err != nil {
			return err
		}
		if m == nil || !latest || !m.Due.After(now) {
			return &sqsapi.MessageNotInflight{}
		}
		was := m.Due
		m.Due = now.Add(time.Duration(seconds) * time.Second)
		return putMessage(tx, q, m, was)
	})
	s.waiters.wake(q.ID)
	return err
}

package sqs_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/sqs"
	"github.com/butai-dev/butai/internal/store/sqlite"
	"github.com/butai-dev/butai/internal/wire"
)

const account = "123456789012"

// rig is a service over a store in memory, used by the account's root.
type rig struct {
	*sqs.Service
	t     *testing.T
	ctx   context.Context
	clock *clock.Fake
}

func newRig(t *testing.T) *rig {
	t.Helper()
	st, err := sqlite.OpenMemory(t.Context(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	c := clock.NewFake(time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC))
	s := sqs.New(sqs.Config{Store: st, Clock: c, Log: slog.New(slog.DiscardHandler)})
	return &rig{s, t, wire.WithCaller(t.Context(), &wire.Caller{
		Account: account, Region: "us-east-1", Partition: "aws", ARN: "arn:aws:iam::" + account + ":root", UserID: account, Endpoint: "http://host",
	}), c}
}

func (r *rig) create(name string, attributes ...string) *string {
	r.t.Helper()
	in := &sqsapi.CreateQueueRequest{QueueName: &name, Attributes: map[string]string{}}
	for i := 0; i < len(attributes); i += 2 {
		in.Attributes[attributes[i]] = attributes[i+1]
	}
	out, err := r.CreateQueue(r.ctx, in)
	if err != nil {
		r.t.Fatal(err)
	}
	return out.QueueUrl
}

func (r *rig) send(url *string, body, group string) {
	r.t.Helper()
	in := &sqsapi.SendMessageRequest{QueueUrl: url, MessageBody: &body}
	if group != "" {
		in.MessageGroupId = &group
	}
	if _, err := r.SendMessage(r.ctx, in); err != nil {
		r.t.Fatal(err)
	}
}

// receive takes up to most messages without waiting.
func (r *rig) receive(url *string, most int64) (bodies, handles []string) {
	r.t.Helper()
	out, err := r.ReceiveMessage(r.ctx, &sqsapi.ReceiveMessageRequest{QueueUrl: url, MaxNumberOfMessages: &most, WaitTimeSeconds: wire.Ptr(int64(0))})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, m := range out.Messages {
		bodies, handles = append(bodies, *m.Body), append(handles, *m.ReceiptHandle)
	}
	return bodies, handles
}

func (r *rig) want(url *string, most int64, bodies ...string) []string {
	r.t.Helper()
	got, handles := r.receive(url, most)
	if !slices.Equal(got, bodies) {
		r.t.Errorf("received %q, want %q", got, bodies)
	}
	return handles
}

func TestMessagesComeBackUntilTheyAreDeleted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	q := r.create("q", "VisibilityTimeout", "30", "MessageRetentionPeriod", "3600")
	r.send(q, "a", "")
	r.send(q, "b", "")
	first := r.want(q, 10, "a", "b")
	r.want(q, 10)
	r.clock.Advance(30 * time.Second)
	again := r.want(q, 1, "a")
	// An older receipt still deletes, as in AWS's standard queues.
	if err := r.DeleteMessage(r.ctx, &sqsapi.DeleteMessageRequest{QueueUrl: q, ReceiptHandle: &first[0]}); err != nil {
		t.Error(err)
	}
	err := r.ChangeMessageVisibility(r.ctx, &sqsapi.ChangeMessageVisibilityRequest{QueueUrl: q, ReceiptHandle: &again[0], VisibilityTimeout: wire.Ptr(int64(0))})
	if _, gone := errors.AsType[*sqsapi.MessageNotInflight](err); !gone {
		t.Errorf("a deleted message: %v", err)
	}
	r.want(q, 10, "b")
	r.clock.Advance(time.Hour)
	r.want(q, 10) // past its retention
}

func TestDelaysHoldMessagesBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	q := r.create("q", "DelaySeconds", "5")
	r.send(q, "late", "")
	r.want(q, 1)
	r.clock.Advance(5 * time.Second)
	r.want(q, 1, "late")
}

func TestOftenReceivedMessagesBecomeDeadLetters(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	dead := r.create("dead")
	q := r.create("q", "VisibilityTimeout", "0", "RedrivePolicy", `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:`+account+`:dead","maxReceiveCount":"2"}`)
	r.send(q, "bad", "")
	r.want(q, 1, "bad")
	r.want(q, 1, "bad")
	r.want(q, 1)
	r.want(dead, 1, "bad")
}

func TestQueuesTakeDeadLettersOfWhomTheyAllow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	dead := r.create("dead", "RedriveAllowPolicy", `{"redrivePermission":"byQueue","sourceQueueArns":["arn:aws:sqs:us-east-1:`+account+`:other"]}`)
	q := r.create("q", "VisibilityTimeout", "0", "RedrivePolicy", `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:`+account+`:dead","maxReceiveCount":"1"}`)
	r.send(q, "bad", "")
	r.want(q, 1, "bad")
	r.want(q, 1, "bad")
	r.want(dead, 1)
}

func TestGroupsOfFIFOQueuesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	q := r.create("q.fifo", "FifoQueue", "true", "ContentBasedDeduplication", "true")
	for _, m := range []string{"a1", "a2", "a1", "a3"} { // the second a1 is a duplicate
		r.send(q, m, "a")
	}
	r.send(q, "b1", "b")
	handles := r.want(q, 1, "a1")
	r.want(q, 10, "b1") // group a waits for a1
	if err := r.DeleteMessage(r.ctx, &sqsapi.DeleteMessageRequest{QueueUrl: q, ReceiptHandle: &handles[0]}); err != nil {
		t.Fatal(err)
	}
	r.want(q, 10, "a2", "a3")
	r.clock.Advance(5 * time.Minute)
	r.send(q, "a1", "c") // no duplicate any more
	r.want(q, 10, "a2", "a3", "b1", "a1")
}

func TestReceiversWaitForMessages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	q := r.create("q")
	got := make(chan string, 1)
	go func() {
		out, err := r.ReceiveMessage(r.ctx, &sqsapi.ReceiveMessageRequest{QueueUrl: q, WaitTimeSeconds: wire.Ptr(int64(20))})
		if err != nil || len(out.Messages) != 1 {
			got <- "nothing"
			return
		}
		got <- *out.Messages[0].Body
	}()
	r.send(q, "now", "")
	if body := <-got; body != "now" {
		t.Errorf("the receiver got %q", body)
	}
}

func TestAttributesAreChecked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, value := range map[string]string{
		"VisibilityTimeout": "43201", "DelaySeconds": "-1", "MaximumMessageSize": "x", "Policy": "{", "FifoQueue": "false",
		"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:` + account + `:dead"}`, "KmsDataKeyReusePeriodSeconds": "59", "Colour": "red",
		"ContentBasedDeduplication": "true",
	} {
		_, err := r.CreateQueue(r.ctx, &sqsapi.CreateQueueRequest{QueueName: wire.Ptr("q"), Attributes: map[string]string{name: value}})
		if err == nil {
			t.Errorf("%s = %s was taken", name, value)
		}
	}
}

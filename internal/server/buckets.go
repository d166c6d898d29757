package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/butai-dev/butai/internal/api/snsapi"
	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/events"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/s3"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	s3Principal = "s3.amazonaws.com"
	s3Source    = "aws.s3" // of events on buses
	s3Subject   = "Amazon S3 Notification"
)

// bucketTargets are what buckets notify.
type bucketTargets struct{ services *services }

var _ s3.Targets = (*bucketTargets)(nil)

func (t *bucketTargets) call(n *s3.Notice) *byService {
	return &byService{services: t.services, principal: s3Principal, sourceARN: n.BucketARN, sourceAccount: n.Account, trace: n.Trace}
}

// Check implements s3.Targets.
func (t *bucketTargets) Check(ctx context.Context, n *s3.Notice) (reason string, err error) {
	call := t.call(n)
	a, err := arn.Parse(n.Target)
	if err != nil {
		return "", err
	}
	ctx = call.in(ctx, a.Account, a.Region)
	switch a.Service {
	case "lambda":
		_, err := t.services.lambda.Catalog.Admit(&catalog.Call{
			FunctionARN: n.Target, Principal: s3Principal, SourceARN: n.BucketARN, SourceAccount: n.Account,
		})
		if _, refused := errors.AsType[*catalog.Refusal](err); refused {
			return "Not authorized to invoke function [" + n.Target + "]", nil
		}
		return "", err
	case "sqs":
		_, err = t.services.sqs.GetQueueAttributes(ctx, &sqsapi.GetQueueAttributesRequest{QueueUrl: queueURL(a)})
		if err == nil {
			in := &sqsapi.SendMessageRequest{QueueUrl: queueURL(a)}
			err = call.denied(ctx, t.services.sqs.IAMTargets(ctx, sqsapi.Service.Operation("SendMessage"), in)[0])
		}
		if err == nil {
			err = keyDenied(t.services.sqs.MaySend(ctx, queueURL(a)))
		}
		return refusedTarget(err, "queue")
	case "sns":
		_, err = t.services.sns.GetTopicAttributes(ctx, &snsapi.GetTopicAttributesInput{TopicArn: &n.Target})
		if err == nil {
			in := &snsapi.PublishInput{TopicArn: &n.Target}
			err = call.denied(ctx, t.services.sns.IAMTargets(ctx, snsapi.Service.Operation("Publish"), in)[0])
		}
		if err == nil {
			err = keyDenied(t.services.sns.MayPublish(ctx, &n.Target))
		}
		return refusedTarget(err, "topic")
	}
	return "", nil
}

// keyDenied makes of a queue's or topic's key that S3 can't use what S3 says of
// a target that it may not send to.
func keyDenied(err error) error {
	if wire.Lasting(err) {
		return &wire.Error{Code: "AccessDenied", Status: http.StatusForbidden, Message: err.Error()}
	}
	return err
}

// refusedTarget words in S3's way what is wrong with a queue or a topic.
func refusedTarget(err error, kind string) (reason string, other error) {
	plain, ok := errors.AsType[*wire.Error](err)
	switch {
	case ok && plain.Status == http.StatusForbidden:
		return "Permissions on the destination " + kind + " do not allow S3 to publish notifications from this bucket", nil
	case wire.Lasting(err):
		return "The destination " + kind + " does not exist", nil
	}
	return "", err
}

// Notify implements s3.Targets.
func (t *bucketTargets) Notify(ctx context.Context, n *s3.Notice) error {
	call := t.call(n)
	if n.Target == "" {
		return t.event(ctx, n)
	}
	a, err := arn.Parse(n.Target)
	if err != nil {
		return wire.Errorf("InvalidArgument", "%s is no target", n.Target)
	}
	switch a.Service {
	case "lambda":
		return call.invoke(ctx, n.Target, n.Body)
	case "sqs":
		return call.send(ctx, a, &sqsapi.SendMessageRequest{MessageBody: wire.Ptr(string(n.Body))})
	}
	ctx = call.in(ctx, a.Account, a.Region)
	in := &snsapi.PublishInput{TopicArn: &n.Target, Subject: wire.Ptr(s3Subject), Message: wire.Ptr(string(n.Body))}
	if err := call.denied(ctx, t.services.sns.IAMTargets(ctx, snsapi.Service.Operation("Publish"), in)[0]); err != nil {
		return err
	}
	_, err = t.services.sns.Publish(ctx, in)
	return err
}

// event puts a notice on the default bus of the bucket's account and region.
func (t *bucketTargets) event(ctx context.Context, n *s3.Notice) error {
	bus := arn.New("events", n.Region, n.Account, "event-bus/default")
	err := t.services.events.Notify(ctx, bus, &events.Notice{
		Bus: bus.String(), Source: s3Source, DetailType: n.DetailType, Resources: []string{n.BucketARN}, Detail: n.Body,
	})
	if refusal, ok := errors.AsType[*events.Refusal](err); ok {
		return wire.Errorf("InvalidArgument", "%s", refusal.Message)
	}
	return err
}

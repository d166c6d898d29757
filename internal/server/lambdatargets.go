package server

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/api/s3api"
	"github.com/butai-dev/butai/internal/api/snsapi"
	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/events"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/functionurl"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/lambda"
	"github.com/butai-dev/butai/internal/wire"
)

// asFunctionRole is a context in which Lambda calls another service with a
// function's role.
func asFunctionRole(ctx context.Context, role, region string) context.Context {
	a, _ := arn.Parse(role) // a role without an account may do nothing anyway
	session := arn.New("sts", "", a.Account, "assumed-role/"+role[strings.LastIndexByte(role, '/')+1:]+"/awslambda").String()
	return wire.WithCaller(ctx, &wire.Caller{
		Account: a.Account, Region: region, Partition: "aws", ARN: session, UserID: session, RequestID: ident.UUID(),
		Service: lambdaPrincipal, Role: role,
	})
}

// lambdaTargets are the resources that Lambda sends to.
type lambdaTargets struct{ services *services }

var _ lambda.Targets = (*lambdaTargets)(nil)

// queueURL is a queue's URL as any caller of its region may write it.
func queueURL(a arn.ARN) *string { return wire.Ptr("/" + a.Account + "/" + a.Resource) }

// Check implements lambda.Targets.
func (l *lambdaTargets) Check(ctx context.Context, role, target string) (exists, may bool) {
	a, err := arn.Parse(target)
	if err != nil {
		return false, false
	}
	ctx = asFunctionRole(ctx, role, a.Region)
	switch a.Service {
	case "sqs":
		_, err := l.services.sqs.GetQueueAttributes(ctx, &sqsapi.GetQueueAttributesRequest{QueueUrl: queueURL(a)})
		_, missing := errors.AsType[*sqsapi.QueueDoesNotExist](err)
		exists = !missing
	case "s3":
		_, err := l.services.s3.HeadBucket(ctx, &s3api.HeadBucketRequest{Bucket: &a.Resource})
		exists = err == nil
	case "sns":
		_, err := l.services.sns.GetTopicAttributes(ctx, &snsapi.GetTopicAttributesInput{TopicArn: &target})
		exists = err == nil
	case "events":
		exists = l.services.events.Exists(ctx, target)
	case "lambda":
		exists = l.services.lambda.Catalog.Resolve(target) != nil
	}
	return exists, l.denial(ctx, role, a, "") == ""
}

// denial is "" if the role may send to the target, and otherwise says why not.
func (l *lambdaTargets) denial(ctx context.Context, role string, a arn.ARN, key string) string {
	target := wire.IAMTarget{Resource: a.String()}
	switch a.Service {
	case "sqs":
		in := &sqsapi.SendMessageRequest{QueueUrl: queueURL(a)}
		target = l.services.sqs.IAMTargets(ctx, sqsapi.Service.Operation("SendMessage"), in)[0]
	case "sns":
		in := &snsapi.PublishInput{TopicArn: &target.Resource}
		target = l.services.sns.IAMTargets(ctx, snsapi.Service.Operation("Publish"), in)[0]
	case "s3":
		in := &s3api.PutObjectRequest{Bucket: &a.Resource, Key: &key}
		target = l.services.s3.IAMTargets(ctx, s3api.Service.Operation("PutObject"), in)[0]
	case "events":
		in := &eventsapi.PutEventsRequest{Entries: []eventsapi.PutEventsRequestEntry{{EventBusName: &target.Resource, Source: wire.Ptr(lambda.EventSource)}}}
		target = l.services.events.IAMTargets(ctx, eventsapi.Service.Operation("PutEvents"), in)[0]
	case "lambda":
		target.Action = "lambda:InvokeFunction"
	}
	return l.services.iam.RoleMay(role, lambdaPrincipal, target)
}

// Send implements lambda.Targets.
func (l *lambdaTargets) Send(ctx context.Context, role string, m *lambda.Message) error {
	a, err := arn.Parse(m.Target)
	if err != nil {
		return wire.Errorf("InvalidParameterValue", "%s is not a target", m.Target)
	}
	ctx = asFunctionRole(ctx, role, a.Region)
	if denial := l.denial(ctx, role, a, m.Key); denial != "" {
		return &wire.Error{Code: "AccessDenied", Status: http.StatusForbidden, Message: denial}
	}
	switch a.Service {
	case "sqs":
		_, err = l.services.sqs.SendMessage(ctx, queueMessage(a, m))
	case "sns":
		_, err = l.services.sns.Publish(ctx, topicMessage(m))
	case "s3":
		_, err = l.services.s3.PutObject(ctx, &s3api.PutObjectRequest{
			Bucket: &a.Resource, Key: &m.Key, Body: m.Body, ContentType: wire.Ptr("application/json"),
		})
	case "events":
		function, _ := arn.Parse(m.Event.Resources[len(m.Event.Resources)-1])
		err = l.services.events.Notify(ctx, function, &events.Notice{
			Bus: m.Target, Source: lambda.EventSource, DetailType: m.Event.DetailType, Resources: m.Event.Resources, Detail: m.Body,
		})
		if refusal, ok := errors.AsType[*events.Refusal](err); ok {
			err = &wire.Error{Code: "ResourceNotFoundException", Status: http.StatusBadRequest, Message: refusal.Message}
		}
	case "lambda":
		_, err = l.services.lambda.Call(ctx, &catalog.Call{FunctionARN: m.Target, Payload: m.Body}, true)
		if refusal, ok := errors.AsType[*catalog.Refusal](err); ok {
			err = &wire.Error{Code: refusal.Code, Status: refusal.Status, Message: refusal.Message}
		}
	}
	return err
}

func queueMessage(a arn.ARN, m *lambda.Message) *sqsapi.SendMessageRequest {
	in := &sqsapi.SendMessageRequest{
		QueueUrl: queueURL(a), MessageBody: wire.Ptr(string(m.Body)), MessageAttributes: map[string]sqsapi.MessageAttributeValue{},
	}
	for kind, values := range map[string]map[string]string{"String": m.Strings, "Number": m.Numbers} {
		for name, value := range values {
			in.MessageAttributes[name] = sqsapi.MessageAttributeValue{DataType: &kind, StringValue: &value}
		}
	}
	if strings.HasSuffix(a.Resource, ".fifo") {
		in.MessageGroupId, in.MessageDeduplicationId = wire.Ptr("lambda"), wire.Ptr(ident.UUID())
	}
	return in
}

func topicMessage(m *lambda.Message) *snsapi.PublishInput {
	in := &snsapi.PublishInput{TopicArn: &m.Target, Message: wire.Ptr(string(m.Body)), MessageAttributes: map[string]snsapi.MessageAttributeValue{}}
	for kind, values := range map[string]map[string]string{"String": m.Strings, "Number": m.Numbers} {
		for name, value := range values {
			in.MessageAttributes[name] = snsapi.MessageAttributeValue{DataType: &kind, StringValue: &value}
		}
	}
	return in
}

// urlSigners lets function URLs verify signatures by the rules of the AWS APIs.
type urlSigners struct{ gatewaySigners }

var _ functionurl.Signers = urlSigners{}

// Authenticate implements functionurl.Signers.
func (u urlSigners) Authenticate(r *http.Request, body []byte, region string) (*wire.Caller, error) {
	return u.signers.Authenticate(r, body, "lambda", region)
}

package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/api/eventsapi"
	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/api/snsapi"
	"github.com/butai-dev/butai/internal/api/sqsapi"
	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/events"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/xray"
)

func (s *Server) startEvents(ctx context.Context) (err error) {
	s.services.events, err = events.New(ctx, events.Config{
		Store: s.store, Clock: s.cfg.Clock, Log: s.cfg.Log, Roles: s.services.iam, Targets: &eventTargets{&s.services},
	})
	if err == nil {
		s.services.cloudwatch.Gather(s.services.events.DrainMetrics)
		s.onClose(func() error { return s.services.events.Close(ctx) })
	}
	return err
}

// eventTargets are what rules of EventBridge send to. What sends is EventBridge
// itself, which the target's own policy must allow, or the role that the target
// names.
type eventTargets struct{ services *services }

var _ events.Targets = (*eventTargets)(nil)

// Deliver implements events.Targets.
func (t *eventTargets) Deliver(ctx context.Context, d *events.Delivery) error {
	a, err := arn.Parse(d.Target)
	if err != nil {
		return &events.Refusal{Code: events.NoResource, Message: d.Target + " is no target"}
	}
	call := &byService{services: t.services, principal: events.Principal, sourceARN: d.RuleARN, sourceAccount: d.Account, role: d.RoleARN}
	switch a.Service {
	case "lambda":
		err = t.invoke(ctx, call, d)
	case "sqs":
		err = t.send(ctx, call, a, d)
	case "sns":
		err = t.publish(ctx, call, a, d)
	case "logs":
		err = t.log(ctx, call, a, d)
	case "events":
		err = t.forward(ctx, d)
	}
	return refusalOf(err)
}

// refusalOf turns the answer of a service into EventBridge's own.
func refusalOf(err error) error {
	if _, already := errors.AsType[*events.Refusal](err); err == nil || already {
		return err
	}
	code, message, status := "", err.Error(), 0
	if modelled, ok := errors.AsType[wire.ModelledError](err); ok {
		code, status, _, message = wire.ErrorFacts(modelled)
	} else if plain, ok := errors.AsType[*wire.Error](err); ok {
		code, status, message = plain.Code, plain.Status, plain.Message
	}
	switch {
	case status == 0 || status >= http.StatusInternalServerError:
		return err
	case strings.Contains(code, "AccessDenied"):
		return &events.Refusal{Code: events.NoPermissions, Message: message}
	case status == http.StatusNotFound || strings.Contains(code, "NotFound") || strings.Contains(code, "NotExist"):
		return &events.Refusal{Code: events.NoResource, Message: message}
	}
	return &events.Refusal{Code: events.FromTarget, Message: message}
}

// denied asks whether a call may be made: the target's role, or the policy of
// what is called.
func (t *eventTargets) denied(ctx context.Context, call *byService, target wire.IAMTarget) error {
	if call.role != "" && !t.services.iam.Assumable(call.role, events.Principal) {
		return &events.Refusal{Code: events.RoleNotAssumed, Message: events.Principal + " may not assume the role " + call.role}
	}
	return call.denied(ctx, target)
}

// invoke leaves an event with a function.
func (t *eventTargets) invoke(ctx context.Context, call *byService, d *events.Delivery) error {
	in := &catalog.Call{FunctionARN: d.Target, Payload: d.Input, KnownJSON: true, TraceID: xray.Join(d.Trace, t.services.lambda.Clock.Now(), d.Target)}
	if d.RoleARN == "" {
		in.Principal, in.SourceARN, in.SourceAccount = call.principal, call.sourceARN, call.sourceAccount
	} else if err := t.denied(call.in(ctx, d.Account, d.Region), call, wire.IAMTarget{Action: "lambda:InvokeFunction", Resource: d.Target}); err != nil {
		return err
	}
	_, err := t.services.lambda.Call(ctx, in, true)
	if refusal, ok := errors.AsType[*catalog.Refusal](err); ok && refusal.Status != http.StatusTooManyRequests {
		return &wire.Error{Code: refusal.Code, Status: refusal.Status, Message: refusal.Message}
	}
	return err
}

// send puts an event, or a dead letter, into a queue.
func (t *eventTargets) send(ctx context.Context, call *byService, a arn.ARN, d *events.Delivery) error {
	in := &sqsapi.SendMessageRequest{QueueUrl: queueURL(a), MessageBody: wire.Ptr(string(d.Input)), MessageAttributes: map[string]sqsapi.MessageAttributeValue{}}
	for name, value := range d.Attributes {
		in.MessageAttributes[name] = sqsapi.MessageAttributeValue{DataType: wire.Ptr("String"), StringValue: &value}
	}
	if d.Group != "" {
		in.MessageGroupId = &d.Group
	}
	if d.Trace != "" {
		in.MessageSystemAttributes = map[string]sqsapi.MessageSystemAttributeValue{
			sqsapi.MessageSystemAttributeNameForSendsAWSTraceHeader: {DataType: wire.Ptr("String"), StringValue: &d.Trace},
		}
	}
	ctx = call.in(ctx, a.Account, a.Region)
	if err := t.denied(ctx, call, t.services.sqs.IAMTargets(ctx, sqsapi.Service.Operation("SendMessage"), in)[0]); err != nil {
		return err
	}
	_, err := t.services.sqs.SendMessage(ctx, in)
	return err
}

// publish sends an event to a topic.
func (t *eventTargets) publish(ctx context.Context, call *byService, a arn.ARN, d *events.Delivery) error {
	in := &snsapi.PublishInput{TopicArn: &d.Target, Message: wire.Ptr(string(d.Input))}
	ctx = call.in(ctx, a.Account, a.Region)
	if err := t.denied(ctx, call, t.services.sns.IAMTargets(ctx, snsapi.Service.Operation("Publish"), in)[0]); err != nil {
		return err
	}
	_, err := t.services.sns.Publish(ctx, in)
	return err
}

// logged is what an input transformer makes for a log group.
type logged struct {
	Timestamp *int64         `json:"timestamp"` // ms
	Message   jsontext.Value `json:"message"`
}

// log writes an event to a log group, in a stream of the rule's target.
func (t *eventTargets) log(ctx context.Context, call *byService, a arn.ARN, d *events.Delivery) error {
	group := strings.TrimSuffix(strings.TrimPrefix(a.Resource, "log-group:"), ":*")
	sum := sha256.Sum256([]byte(d.RuleARN + " " + d.TargetID))
	stream := hex.EncodeToString(sum[:16])
	ctx = call.in(ctx, a.Account, a.Region)
	at, message := t.services.logs.Clock.Now().UnixMilli(), string(d.Input)
	var made logged
	if json.Unmarshal(d.Input, &made, json.RejectUnknownMembers(true)) == nil && made.Timestamp != nil && made.Message != nil {
		at, message = *made.Timestamp, string(made.Message)
		if made.Message.Kind() == '"' {
			_ = json.Unmarshal(made.Message, &message) // it is a text
		}
	}
	create := &logsapi.CreateLogStreamRequest{LogGroupName: &group, LogStreamName: &stream}
	put := &logsapi.PutLogEventsRequest{LogGroupName: &group, LogStreamName: &stream, LogEvents: []logsapi.InputLogEvent{{Timestamp: &at, Message: &message}}}
	for name, in := range map[string]any{"CreateLogStream": create, "PutLogEvents": put} {
		target := t.services.logs.IAMTargets(ctx, logsapi.Service.Operation(name), in)[0]
		target.Policy = t.services.logs.ResourcePolicy(ctx)
		if err := t.denied(ctx, call, target); err != nil {
			return err
		}
	}
	err := t.services.logs.CreateLogStream(ctx, create)
	if _, exists := errors.AsType[*logsapi.ResourceAlreadyExistsException](err); err != nil && !exists {
		return err
	}
	_, err = t.services.logs.PutLogEvents(ctx, put)
	return err
}

// forward puts an event on another bus. Between buses of one account and region
// no role is asked for.
func (t *eventTargets) forward(ctx context.Context, d *events.Delivery) error {
	if d.RoleARN != "" {
		in := &eventsapi.PutEventsRequest{Entries: []eventsapi.PutEventsRequestEntry{{EventBusName: &d.Target}}}
		call := &byService{services: t.services, principal: events.Principal, role: d.RoleARN}
		ctx := call.in(ctx, d.Account, d.Region)
		targets := t.services.events.IAMTargets(ctx, eventsapi.Service.Operation("PutEvents"), in)
		if err := t.denied(ctx, call, targets[0]); err != nil {
			return err
		}
	}
	return t.services.events.Forward(ctx, d.Target, d.Account, d.Event)
}

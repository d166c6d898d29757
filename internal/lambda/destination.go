package lambda

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/arn"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/wire"
)

// Targets are the resources of other services that Lambda sends to with a
// function's role: queues, topics, buckets, functions and event buses, named by ARN.
type Targets interface {
	// Check reports whether the target exists, and whether the role may send
	// to it.
	Check(ctx context.Context, role, target string) (exists, may bool)
	// Send delivers one message. The error is an AWS error if the target or a
	// permission is missing, and an internal failure otherwise.
	Send(ctx context.Context, role string, m *Message) error
}

// Message is what is sent to a target.
type Message struct {
	Target  string // ARN
	Body    []byte
	Key     string            // of the object, if the target is a bucket
	Event   *EventHead        `json:",omitzero"` // if it is an event bus; Body is the detail then
	Strings map[string]string // message attributes, if it is a queue
	Numbers map[string]string
}

// EventHead is what an event bus is told beside the record of an invocation.
type EventHead struct {
	DetailType string
	Resources  []string
}

// EventSource is the source of the events that Lambda puts on buses.
const EventSource = "lambda"

// message is what a destination gets: the record of an event that is over.
func (e *eventRecord) message(target, condition string, record []byte, now time.Time) Message {
	m := Message{Target: target, Body: record, Key: e.objectKey(now)}
	if serviceOf(target) == "events" {
		outcome := "Failure"
		if condition == conditionSuccess {
			outcome = "Success"
		}
		m.Event = &EventHead{"Lambda Function Invocation Result - " + outcome, []string{target, e.qualifiedARN()}}
	}
	return m
}

// qualifiedARN is the function's, with $LATEST if it was invoked without a
// qualifier.
func (e *eventRecord) qualifiedARN() string {
	base, qualifier := catalog.Split(e.FunctionARN)
	return base + ":" + cmp.Or(qualifier, catalog.Latest)
}

// Conditions of destination records (Developer Guide: "Capturing records of
// Lambda asynchronous invocations").
const (
	conditionSuccess   = "Success"
	conditionExhausted = "RetriesExhausted"
	conditionAge       = "EventAgeExceeded"
	conditionZero      = "ZeroReservedConcurrency"
	conditionRecursive = "RecursiveInvocation" // AWS's name for it isn't known
)

// invocationRecord tells a destination about an invocation; the order of its
// members is AWS's.
type invocationRecord struct {
	Version         string           `json:"version"`
	Timestamp       string           `json:"timestamp"`
	RequestContext  requestContext   `json:"requestContext"`
	RequestPayload  jsontext.Value   `json:"requestPayload"`
	ResponseContext *responseContext `json:"responseContext,omitzero"`
	ResponsePayload jsontext.Value   `json:"responsePayload,omitzero"`
}

type requestContext struct {
	RequestID   string `json:"requestId"`
	FunctionARN string `json:"functionArn"`
	Condition   string `json:"condition"`
	Invocations int    `json:"approximateInvokeCount"`
}

type responseContext struct {
	Status   int    `json:"statusCode"`
	Version  string `json:"executedVersion"`
	Function string `json:"functionError,omitzero"`
}

const recordTime = "2006-01-02T15:04:05.000Z"

// record makes the record of an event that is over; out is its last outcome,
// nil if the function was not reached.
func (e *eventRecord) record(condition string, out *catalog.Outcome, now time.Time) ([]byte, error) {
	rec := invocationRecord{
		Version: "1.0", Timestamp: now.UTC().Format(recordTime),
		RequestContext: requestContext{e.RequestID, e.qualifiedARN(), condition, e.Attempts},
		RequestPayload: jsonOr(e.Payload, "{}"),
	}
	if out != nil {
		rec.ResponseContext = &responseContext{http.StatusOK, out.ExecutedVersion, out.FunctionError}
		rec.ResponsePayload = jsonOr(out.Payload, "null")
	}
	return json.Marshal(&rec, jsontext.AllowDuplicateNames(true))
}

// quoted is text as a JSON string.
func quoted(text []byte) []byte {
	out, _ := jsontext.AppendQuote(nil, text) // bad UTF-8 is replaced: it can't fail
	return out
}

func jsonOr(text []byte, otherwise string) jsontext.Value {
	if len(text) == 0 {
		return jsontext.Value(otherwise)
	}
	return text
}

// deadLetter is the message to the dead-letter queue: the event itself, with
// what went wrong in the attributes.
func (e *eventRecord) deadLetter(target string, out *catalog.Outcome) Message {
	m := Message{Target: target, Body: jsonOr(e.Payload, "{}"), Strings: map[string]string{"RequestID": e.RequestID}}
	if out != nil {
		var failure struct {
			Message string `json:"errorMessage"`
		}
		_ = json.Unmarshal(out.Payload, &failure) // a payload of another form has no message
		m.Numbers = map[string]string{"ErrorCode": strconv.Itoa(http.StatusOK)}
		m.Strings["ErrorMessage"] = failure.Message[:min(len(failure.Message), 1024)]
		if failure.Message == "" {
			delete(m.Strings, "ErrorMessage") // attributes can't be empty
		}
	}
	return m
}

// objectKey is where an event's record goes in a bucket.
func (e *eventRecord) objectKey(now time.Time) string {
	base, _ := catalog.Split(e.FunctionARN)
	name := base
	if a, err := arn.Parse(base); err == nil {
		name = a.Resource[len("function:"):]
	}
	return "aws/lambda/async/" + name + now.UTC().Format("/2006/01/02/2006-01-02T15.04.05-") + ident.UUID()
}

// post sends what an event that is over has left to send. A target that is
// gone or closed to the role loses its message, as AWS's does.
func (s *Service) post(ctx context.Context, e *eventRecord) error {
	for _, m := range e.Outbox {
		err := s.Targets.Send(ctx, e.Role, &m)
		if permanent(err) {
			s.Log.Warn("a message of a function was lost", "function", e.FunctionARN, "request", e.RequestID, "target", m.Target, "error", err)
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// permanent reports whether err is AWS's answer rather than an internal failure.
func permanent(err error) bool {
	var modelled wire.ModelledError
	var plain *wire.Error
	return errors.As(err, &modelled) || errors.As(err, &plain) && plain.Status < 500
}

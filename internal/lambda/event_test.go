package lambda_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/lambda"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	failures = "arn:aws:sqs:eu-west-1:123456789012:failures"
	letters  = "arn:aws:sqs:eu-west-1:123456789012:letters"
)

func (h *house) putEventConfig(t testing.TB, change func(*lambdaapi.PutFunctionEventInvokeConfigRequest)) {
	t.Helper()
	in := &lambdaapi.PutFunctionEventInvokeConfigRequest{FunctionName: wire.Ptr("example")}
	change(in)
	must(h.PutFunctionEventInvokeConfig(as(t), in))(t)
}

func fails(*function.Spec, *function.Request) (*function.Result, error) {
	return &function.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"boom"}`)}, nil
}

// inBubble runs a test over a house whose time passes by itself.
func inBubble(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.Close(t.Context())
		h.openInBubble(t)
		defer func() { h.Close(t.Context()) }()
		test(t, h)
	})
}

func TestDestinationsAndDeadLettersLearnOfFailures(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, h *house) {
		h.create(t, func(in *lambdaapi.CreateFunctionRequest) {
			in.DeadLetterConfig = &lambdaapi.DeadLetterConfig{TargetArn: wire.Ptr(letters)}
		})
		h.putEventConfig(t, func(in *lambdaapi.PutFunctionEventInvokeConfigRequest) {
			in.MaximumRetryAttempts = wire.Ptr(int64(1))
			in.DestinationConfig = &lambdaapi.DestinationConfig{OnFailure: &lambdaapi.OnFailure{Destination: wire.Ptr(failures)}}
		})
		h.engine.answer = fails
		h.send(t, `{"n":1}`)
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(h.engine.reqs) != 2 || len(h.sent) != 2 {
			t.Fatalf("%d attempts, %d messages", len(h.engine.reqs), len(h.sent))
		}
		letter, record := h.sent[0], h.sent[1]
		if letter.Target != letters || string(letter.Body) != `{"n":1}` || letter.Numbers["ErrorCode"] != "200" ||
			letter.Strings["ErrorMessage"] != "boom" || letter.Strings["RequestID"] != "11111111-2222-3333-4444-555555555555" {
			t.Errorf("the dead letter is %+v", letter)
		}
		const want = `,"requestContext":{"requestId":"11111111-2222-3333-4444-555555555555","functionArn":"` + fnARN + `:$LATEST",` +
			`"condition":"RetriesExhausted","approximateInvokeCount":2},"requestPayload":{"n":1},` +
			`"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorMessage":"boom"}}`
		if _, rest, _ := strings.Cut(string(record.Body), `Z"`); rest != want || record.Target != failures {
			t.Errorf("the record is %s", record.Body)
		}
	})
}

func TestConditionsOfDestinations(t *testing.T) {
	t.Parallel()
	throttled := func(*function.Spec, *function.Request) (*function.Result, error) {
		return nil, &function.ThrottledError{Reason: "ConcurrentInvocationLimitExceeded"}
	}
	for want, tc := range map[string]struct {
		answer   func(*function.Spec, *function.Request) (*function.Result, error)
		reserved *int64
		runs     string
	}{
		"Success":                 {nil, nil, `"approximateInvokeCount":1`},
		"EventAgeExceeded":        {throttled, nil, `"approximateInvokeCount":0`},
		"ZeroReservedConcurrency": {nil, wire.Ptr(int64(0)), `"approximateInvokeCount":0`},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, h *house) {
				h.create(t)
				if tc.reserved != nil {
					must(h.PutFunctionConcurrency(as(t), &lambdaapi.PutFunctionConcurrencyRequest{FunctionName: wire.Ptr("example"), ReservedConcurrentExecutions: tc.reserved}))(t)
				}
				h.putEventConfig(t, func(in *lambdaapi.PutFunctionEventInvokeConfigRequest) {
					in.MaximumEventAgeInSeconds = wire.Ptr(int64(60))
					in.DestinationConfig = &lambdaapi.DestinationConfig{
						OnFailure: &lambdaapi.OnFailure{Destination: wire.Ptr(failures)}, OnSuccess: &lambdaapi.OnSuccess{Destination: wire.Ptr(letters)},
					}
				})
				h.engine.answer = tc.answer
				h.send(t, `1`)
				time.Sleep(time.Hour)
				synctest.Wait()
				if len(h.sent) != 1 {
					t.Fatalf("%d messages", len(h.sent))
				}
				if text := string(h.sent[0].Body); !strings.Contains(text, `"condition":"`+want+`"`) || !strings.Contains(text, tc.runs) {
					t.Errorf("the record is %s", text)
				}
			})
		})
	}
}

// TestRecordsAreDeliveredAfterARestart: the function isn't run again only
// because its destination couldn't be reached.
func TestRecordsAreDeliveredAfterARestart(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, h *house) {
		h.create(t)
		h.putEventConfig(t, func(in *lambdaapi.PutFunctionEventInvokeConfigRequest) {
			in.DestinationConfig = &lambdaapi.DestinationConfig{OnSuccess: &lambdaapi.OnSuccess{Destination: wire.Ptr(letters)}}
		})
		h.sendError = errors.New("the store is full")
		h.send(t, `1`)
		synctest.Wait()
		h.Close(t.Context())
		h.sendError = nil
		h.openInBubble(t)
		synctest.Wait()
		if len(h.sent) != 1 || len(h.engine.reqs) != 1 {
			t.Errorf("%d messages after %d runs", len(h.sent), len(h.engine.reqs))
		}
	})
}

func TestEventConfigs(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	name := wire.Ptr("example")
	_, err := h.GetFunctionEventInvokeConfig(as(t), &lambdaapi.GetFunctionEventInvokeConfigRequest{FunctionName: name})
	wantError(t, err, "ResourceNotFoundException: The function "+fnARN+":$LATEST doesn't have an EventInvokeConfig")
	_, err = h.PutFunctionEventInvokeConfig(as(t), &lambdaapi.PutFunctionEventInvokeConfigRequest{FunctionName: name})
	wantError(t, err, "InvalidParameterValueException: You must specify at least one of error handling or destination setting.")
	_, err = h.PutFunctionEventInvokeConfig(as(t), &lambdaapi.PutFunctionEventInvokeConfigRequest{FunctionName: wire.Ptr("other"), MaximumRetryAttempts: wire.Ptr(int64(1))})
	wantError(t, err, "ResourceNotFoundException: The function doesn't exist.")
	for target, want := range map[string]string{
		fnARN: "InvalidParameterValueException: You can't specify the function as a destination for itself.",
		"arn:aws:sqs:eu-west-1:123456789012:missing": "InvalidParameterValueException: The destination ARN arn:aws:sqs:eu-west-1:123456789012:missing is invalid.",
		"arn:aws:sqs:eu-west-1:123456789012:closed":  "InvalidParameterValueException: The function's execution role does not have permissions to call SendMessage on arn:aws:sqs:eu-west-1:123456789012:closed",
	} {
		_, err = h.PutFunctionEventInvokeConfig(as(t), &lambdaapi.PutFunctionEventInvokeConfigRequest{
			FunctionName: name, DestinationConfig: &lambdaapi.DestinationConfig{OnFailure: &lambdaapi.OnFailure{Destination: &target}},
		})
		wantError(t, err, want)
	}
	h.putEventConfig(t, func(in *lambdaapi.PutFunctionEventInvokeConfigRequest) { in.MaximumRetryAttempts = wire.Ptr(int64(1)) })
	c := must(h.UpdateFunctionEventInvokeConfig(as(t), &lambdaapi.UpdateFunctionEventInvokeConfigRequest{FunctionName: name, MaximumEventAgeInSeconds: wire.Ptr(int64(60))}))(t)
	if *c.MaximumRetryAttempts != 1 || *c.MaximumEventAgeInSeconds != 60 || *c.FunctionArn != fnARN+":$LATEST" || c.DestinationConfig.OnSuccess == nil {
		t.Errorf("merged: %s", shape(t, c))
	}
	if list := must(h.ListFunctionEventInvokeConfigs(as(t), &lambdaapi.ListFunctionEventInvokeConfigsRequest{FunctionName: name}))(t); len(list.FunctionEventInvokeConfigs) != 1 {
		t.Errorf("listed: %s", shape(t, list))
	}
	if err := h.DeleteFunctionEventInvokeConfig(as(t), &lambdaapi.DeleteFunctionEventInvokeConfigRequest{FunctionName: name}); err != nil {
		t.Error(err)
	}
	_, err = h.UpdateFunctionEventInvokeConfig(as(t), &lambdaapi.UpdateFunctionEventInvokeConfigRequest{FunctionName: name, MaximumRetryAttempts: wire.Ptr(int64(1))})
	wantError(t, err, "ResourceNotFoundException: The function "+fnARN+":$LATEST doesn't have an EventInvokeConfig")
}

var _ lambda.Targets = (*world)(nil)

// TestAFailureThatGetsTooOldIsTold: with an age of a minute there is no time
// for a retry, and the record has the answer of the only attempt (recorded:
// test_maxeventage).
func TestAFailureThatGetsTooOldIsTold(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, h *house) {
		h.create(t)
		h.putEventConfig(t, func(in *lambdaapi.PutFunctionEventInvokeConfigRequest) {
			in.MaximumEventAgeInSeconds, in.MaximumRetryAttempts = wire.Ptr(int64(60)), wire.Ptr(int64(2))
			in.DestinationConfig = &lambdaapi.DestinationConfig{OnFailure: &lambdaapi.OnFailure{Destination: wire.Ptr(failures)}}
		})
		h.engine.answer = fails
		h.send(t, `{"n":1}`)
		time.Sleep(time.Hour)
		synctest.Wait()
		const want = `"condition":"EventAgeExceeded","approximateInvokeCount":1},"requestPayload":{"n":1},` +
			`"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorMessage":"boom"}}`
		if len(h.sent) != 1 || !strings.HasSuffix(string(h.sent[0].Body), want) {
			t.Errorf("%d messages, the first %s", len(h.sent), h.sent[0].Body)
		}
	})
}

package lambda_test

import (
	"encoding/base64"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/clock"
	"github.com/butai-dev/butai/internal/function"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/functionurl"
	"github.com/butai-dev/butai/internal/lambda"
	"github.com/butai-dev/butai/internal/wire"
)

func TestInvoke(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	out := must(h.Invoke(as(t), &lambdaapi.InvocationRequest{
		FunctionName: wire.Ptr("example"), Payload: []byte(`{"a":1}`), LogType: wire.Ptr("Tail"),
		ClientContext: wire.Ptr(base64.StdEncoding.EncodeToString([]byte(`{"client":{}}`))),
	}))(t)
	if *out.StatusCode != 200 || string(out.Payload) != `"$LATEST"` || *out.ExecutedVersion != "$LATEST" || out.FunctionError != nil || *out.LogResult != base64.StdEncoding.EncodeToString([]byte("START\n")) {
		t.Errorf("got %s", shape(t, out))
	}
	req := h.engine.reqs[0]
	if req.InvokedARN != fnARN || string(req.Payload) != `{"a":1}` || string(req.ClientContext) != `{"client":{}}` || !req.Tail || req.RequestID != "11111111-2222-3333-4444-555555555555" {
		t.Errorf("the engine got %+v", req)
	}
	if !regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=1:[0-9a-f]{8}:0$`).MatchString(req.TraceID) {
		t.Errorf("the function's trace is %q", req.TraceID)
	}
	h.engine.answer = func(*function.Spec, *function.Request) (*function.Result, error) {
		return &function.Result{Payload: []byte(`{"errorMessage":"x"}`), FunctionError: "Unhandled"}, nil
	}
	out = must(h.Invoke(as(t), &lambdaapi.InvocationRequest{FunctionName: wire.Ptr("example")}))(t)
	if *out.StatusCode != 200 || *out.FunctionError != "Unhandled" || out.LogResult != nil {
		t.Errorf("got %s", shape(t, out))
	}
	runs := len(h.engine.reqs)
	out = must(h.Invoke(as(t), &lambdaapi.InvocationRequest{FunctionName: wire.Ptr("example"), InvocationType: wire.Ptr("DryRun")}))(t)
	if *out.StatusCode != 204 || out.ExecutedVersion != nil || len(h.engine.reqs) != runs {
		t.Errorf("a dry run gave %s", shape(t, out))
	}
}

func TestInvokeErrors(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	for name, tc := range map[string]struct {
		in   lambdaapi.InvocationRequest
		want string
	}{
		"missing":         {lambdaapi.InvocationRequest{FunctionName: wire.Ptr("none")}, "ResourceNotFoundException: Function not found: arn:aws:lambda:eu-west-1:123456789012:function:none:$LATEST"},
		"missing alias":   {lambdaapi.InvocationRequest{FunctionName: wire.Ptr("example:live")}, "ResourceNotFoundException: Function not found: " + fnARN + ":live"},
		"missing, dry":    {lambdaapi.InvocationRequest{FunctionName: wire.Ptr("none"), InvocationType: wire.Ptr("DryRun")}, "ResourceNotFoundException: Function not found: arn:aws:lambda:eu-west-1:123456789012:function:none:$LATEST"},
		"missing, event":  {lambdaapi.InvocationRequest{FunctionName: wire.Ptr("none"), InvocationType: wire.Ptr("Event")}, "ResourceNotFoundException: Function not found: arn:aws:lambda:eu-west-1:123456789012:function:none:$LATEST"},
		"not json, event": {lambdaapi.InvocationRequest{FunctionName: wire.Ptr("example"), InvocationType: wire.Ptr("Event"), Payload: []byte("x")}, "InvalidRequestContentException: Could not parse request body into json: Could not parse payload into json: Unrecognized token 'x': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 2]"},
		"too large":       {lambdaapi.InvocationRequest{FunctionName: wire.Ptr("example"), Payload: make([]byte, 6291457)}, "RequestEntityTooLargeException: Request must be smaller than 6291456 bytes for the InvokeFunction operation"},
		"large event":     {lambdaapi.InvocationRequest{FunctionName: wire.Ptr("example"), InvocationType: wire.Ptr("Event"), Payload: make([]byte, 1048577)}, "RequestEntityTooLargeException: Request must be smaller than 1048576 bytes for the InvokeFunction operation"},
		"context":         {lambdaapi.InvocationRequest{FunctionName: wire.Ptr("example"), ClientContext: wire.Ptr("?")}, "InvalidRequestContentException: Client context must be a valid Base64-encoded JSON object."},
	} {
		_, err := h.Invoke(as(t), &tc.in)
		t.Run(name, func(t *testing.T) { wantError(t, err, tc.want) })
	}
	h.engine.answer = func(*function.Spec, *function.Request) (*function.Result, error) {
		return nil, &function.ThrottledError{Reason: "ReservedFunctionConcurrentInvocationLimitExceeded"}
	}
	_, err := h.Invoke(as(t), &lambdaapi.InvocationRequest{FunctionName: wire.Ptr("example")})
	throttled, ok := errors.AsType[*lambdaapi.TooManyRequestsException](err)
	if !ok || *throttled.Reason != "ReservedFunctionConcurrentInvocationLimitExceeded" || *throttled.Type != "User" || *throttled.Message != "Rate Exceeded." {
		t.Errorf("got %#v", err)
	}
}

// send invokes the function with an event.
func (h *house) send(t testing.TB, payload string) {
	t.Helper()
	out := must(h.Invoke(as(t), &lambdaapi.InvocationRequest{FunctionName: wire.Ptr("example"), InvocationType: wire.Ptr("Event"), Payload: []byte(payload)}))(t)
	if *out.StatusCode != 202 || out.ExecutedVersion != nil || len(out.Payload) != 0 {
		t.Errorf("got %s", shape(t, out))
	}
}

// openInBubble is open with the bubble's clock.
func (h *house) openInBubble(t testing.TB) {
	t.Helper()
	h.catalog = catalog.New(h.engine)
	svc, err := lambda.New(t.Context(), lambda.Config{
		Store: h.store, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler), Engine: h.engine, Catalog: h.catalog, CodeDir: h.dir, ImageDir: h.dir + "/images",
		Objects: h.world, Roles: h.world, Principals: h.world, Runtimes: h.world, Targets: h.world, URLs: functionurl.New(functionurl.Config{}), Sources: h.world, Images: h.world,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Service = svc
}

func TestEventsAreRetriedOnAWSsSchedule(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.Close(t.Context())
		h.openInBubble(t)
		defer h.Close(t.Context())
		h.create(t)
		start := time.Now()
		var at []time.Duration
		h.engine.answer = func(_ *function.Spec, req *function.Request) (*function.Result, error) {
			at = append(at, time.Since(start).Round(time.Second))
			return &function.Result{FunctionError: "Unhandled"}, nil
		}
		h.send(t, `{"n":1}`)
		time.Sleep(time.Hour)
		synctest.Wait()
		if want := []time.Duration{0, time.Minute, 3 * time.Minute}; !slices.Equal(at, want) {
			t.Errorf("attempts at %v, want %v", at, want)
		}
		for _, req := range h.engine.reqs {
			if req.RequestID != "11111111-2222-3333-4444-555555555555" || string(req.Payload) != `{"n":1}` || req.InvokedARN != fnARN {
				t.Errorf("an attempt got %+v", req)
			}
		}
	})
}

func TestThrottledEventsBackOffAndArriveInTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.Close(t.Context())
		h.openInBubble(t)
		defer h.Close(t.Context())
		h.create(t)
		start := time.Now()
		var at []time.Duration
		h.engine.answer = func(*function.Spec, *function.Request) (*function.Result, error) {
			at = append(at, time.Since(start).Round(time.Second))
			if len(at) < 5 {
				return nil, &function.ThrottledError{Reason: "ConcurrentInvocationLimitExceeded"}
			}
			return &function.Result{}, nil
		}
		h.send(t, `1`)
		time.Sleep(time.Hour)
		synctest.Wait()
		if want := []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second}; !slices.Equal(at, want) {
			t.Errorf("attempts at %v, want %v", at, want)
		}
	})
}

func TestEventsOlderThanSixHoursAreDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.Close(t.Context())
		h.openInBubble(t)
		defer h.Close(t.Context())
		h.create(t)
		start, last := time.Now(), time.Duration(0)
		h.engine.answer = func(*function.Spec, *function.Request) (*function.Result, error) {
			last = time.Since(start)
			return nil, errors.New("engine broken")
		}
		h.send(t, `1`)
		time.Sleep(12 * time.Hour)
		synctest.Wait()
		if last < 5*time.Hour+50*time.Minute || last > 6*time.Hour {
			t.Errorf("the last attempt was after %v", last)
		}
	})
}

func TestEventsSurviveARestart(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	block := make(chan struct{})
	h.engine.answer = func(*function.Spec, *function.Request) (*function.Result, error) {
		<-block
		return nil, errors.New("the server is ending")
	}
	h.send(t, `"kept"`)
	closed := make(chan error)
	go func() { closed <- h.Close(t.Context()) }()
	time.Sleep(10 * time.Millisecond) // let Close begin; the outcome is the same if it hasn't
	close(block)
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	arrived := make(chan string, 1)
	h.engine.mu.Lock()
	h.engine.answer = func(_ *function.Spec, req *function.Request) (*function.Result, error) {
		arrived <- string(req.Payload)
		return &function.Result{}, nil
	}
	h.engine.mu.Unlock()
	h.clock.Advance(time.Hour)
	h.open(t)
	select {
	case got := <-arrived:
		if got != `"kept"` {
			t.Errorf("got %s", got)
		}
	case <-time.After(10 * time.Second):
		t.Error("the event didn't arrive after the restart")
	}
}

func TestASlowFunctionDoesNotHoldUpOthers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	other := request()
	other.FunctionName = wire.Ptr("other")
	must(h.CreateFunction(as(t), other))(t)
	release, reached := make(chan struct{}), make(chan string, 200)
	h.engine.answer = func(spec *function.Spec, _ *function.Request) (*function.Result, error) {
		reached <- spec.Name
		if spec.Name == "example" {
			<-release
		}
		return &function.Result{}, nil
	}
	const many = 40
	for range many {
		must(h.Call(t.Context(), &catalog.Call{FunctionARN: fnARN}, true))(t)
	}
	must(h.Call(t.Context(), &catalog.Call{FunctionARN: strings.Replace(fnARN, "example", "other", 1)}, true))(t)
	deadline := time.After(10 * time.Second)
	slow := 0
	for next := ""; next != "other"; {
		select {
		case next = <-reached:
			if next == "example" {
				slow++
			}
		case <-deadline:
			t.Fatalf("the other function didn't run; %d slow ones did", slow)
		}
	}
	close(release)
	for ; slow < many; slow++ {
		select {
		case <-reached:
		case <-deadline:
			t.Fatalf("%d of %d events arrived", slow, many)
		}
	}
}

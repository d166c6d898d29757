package lambda_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/xray"
)

const callersTrace = "Root=1-5f000001-aaaaaaaaaaaaaaaaaaaaaaaa;Parent=bbbbbbbbbbbbbbbb;Sampled=1"

// traced is as, for a caller who sends a tracing header.
func traced(t testing.TB, header string) (context.Context, *wire.Caller) {
	c := *wire.CallerFrom(as(t))
	c.Trace = header
	return wire.WithCaller(t.Context(), &c), &c
}

func (h *house) lastTrace() string { return h.engine.reqs[len(h.engine.reqs)-1].TraceID }

func TestCallsGoOnWithTheirTrace(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	ctx, c := traced(t, callersTrace)
	must(h.Invoke(ctx, &lambdaapi.InvocationRequest{FunctionName: wire.Ptr("example")}))(t)
	want := callersTrace + ";Lineage=" + xray.Lineage(fnARN)
	if got := h.lastTrace(); got != want {
		t.Errorf("the function's trace is %q, want %q", got, want)
	}
	if c.Header.Get("X-Amzn-Trace-Id") != want || len(c.Header["x-amzn-Remapped-Content-Length"]) != 1 || c.Header["x-amzn-Remapped-Content-Length"][0] != "0" { // recorded
		t.Errorf("the answer's headers are %v", c.Header)
	}
}

func TestCirclesAreStopped(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, h *house) {
		h.create(t)
		h.putEventConfig(t, func(in *lambdaapi.PutFunctionEventInvokeConfigRequest) {
			in.DestinationConfig = &lambdaapi.DestinationConfig{OnFailure: &lambdaapi.OnFailure{Destination: wire.Ptr(failures)}}
		})
		call := func(header, kind string) error {
			ctx, _ := traced(t, header)
			_, err := h.Invoke(ctx, &lambdaapi.InvocationRequest{FunctionName: wire.Ptr("example"), InvocationType: &kind})
			return err
		}
		header := ""
		for n := range 16 {
			if err := call(header, "RequestResponse"); err != nil {
				t.Fatalf("call %d: %v", n, err)
			}
			header = h.lastTrace()
		}
		_, stopped := errors.AsType[*lambdaapi.RecursiveInvocationException](call(header, "RequestResponse"))
		if !stopped || len(h.engine.reqs) != 16 {
			t.Fatalf("call 17 was let through: %d ran", len(h.engine.reqs))
		}

		if err := call(header, "Event"); err != nil {
			t.Errorf("an event is refused at once: %v", err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(h.engine.reqs) != 16 || len(h.sent) != 1 || !strings.Contains(string(h.sent[0].Body), `"condition":"RecursiveInvocation","approximateInvokeCount":0`) {
			t.Errorf("%d calls ran, and what failed is told as %v", len(h.engine.reqs), h.sent)
		}

		recursion := func() string {
			return *must(h.GetFunctionRecursionConfig(as(t), &lambdaapi.GetFunctionRecursionConfigRequest{FunctionName: wire.Ptr("example")}))(t).RecursiveLoop
		}
		if got := recursion(); got != "Terminate" {
			t.Errorf("by default circles are to %s", got)
		}
		must(h.PutFunctionRecursionConfig(as(t), &lambdaapi.PutFunctionRecursionConfigRequest{FunctionName: wire.Ptr("example"), RecursiveLoop: wire.Ptr("Allow")}))(t)
		if got := recursion(); got != "Allow" {
			t.Errorf("circles were allowed, and are to %s", got)
		}
		if err := call(header, "RequestResponse"); err != nil {
			t.Errorf("a circle that is allowed: %v", err)
		}
	})
}

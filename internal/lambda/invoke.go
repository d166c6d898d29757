package lambda

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/ident"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/xray"
)

// Limits of Invoke's payload ("Lambda quotas": invocation payload).
const (
	maxPayload      = 6291456
	maxEventPayload = 1048576
	maxContext      = 3583 // of X-Amz-Client-Context, in base64
)

// Invoke runs a function, or takes an event for it.
func (s *Service) Invoke(ctx context.Context, in *lambdaapi.InvocationRequest) (*lambdaapi.InvocationResponse, error) {
	c := wire.CallerFrom(ctx)
	r, err := locate(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if r.account != c.Account {
		// The policy was evaluated along with the caller's own, if there is one.
		if t := s.Catalog.Resolve(r.qualified()); t == nil || t.Grants() == "" {
			return nil, accessDenied("User: %s is not authorized to perform: lambda:InvokeFunction on resource: %s because no resource-based policy allows the lambda:InvokeFunction action", c.ARN, r.qualified())
		}
	}
	kind := wire.Val(in.InvocationType)
	if err := checkPayload(in.Payload, kind); err != nil {
		return nil, err
	}
	clientContext, err := decodeContext(wire.Val(in.ClientContext))
	if err != nil {
		return nil, err
	}
	function := r.qualified()
	call := &catalog.Call{
		FunctionARN: function, Payload: in.Payload, ClientContext: clientContext, RequestID: c.RequestID,
		TraceID: s.traceOf(c, function), Tail: wire.Val(in.LogType) == lambdaapi.LogTypeTail,
	}
	if kind == lambdaapi.InvocationTypeDryRun {
		_, err := s.Catalog.Admit(call)
		return &lambdaapi.InvocationResponse{StatusCode: wire.Ptr(int64(http.StatusNoContent))}, apiError(err)
	}
	out, err := s.Call(ctx, call, kind == lambdaapi.InvocationTypeEvent)
	if err != nil {
		return nil, apiError(err)
	}
	if kind == lambdaapi.InvocationTypeEvent {
		return &lambdaapi.InvocationResponse{StatusCode: wire.Ptr(int64(http.StatusAccepted))}, nil
	}
	return answer(out, call.Tail), nil
}

// InvokeAsync is Invoke for events, from before invocation types.
func (s *Service) InvokeAsync(ctx context.Context, in *lambdaapi.InvokeAsyncRequest) (*lambdaapi.InvokeAsyncResponse, error) {
	_, err := s.Invoke(ctx, &lambdaapi.InvocationRequest{
		FunctionName: in.FunctionName, InvocationType: wire.Ptr(lambdaapi.InvocationTypeEvent), Payload: in.InvokeArgs,
	})
	if err != nil {
		return nil, err
	}
	return &lambdaapi.InvokeAsyncResponse{Status: wire.Ptr(int64(http.StatusAccepted))}, nil
}

func answer(out *catalog.Outcome, tail bool) *lambdaapi.InvocationResponse {
	res := &lambdaapi.InvocationResponse{
		StatusCode: wire.Ptr(int64(http.StatusOK)), Payload: out.Payload, ExecutedVersion: &out.ExecutedVersion,
	}
	if out.FunctionError != "" {
		res.FunctionError = &out.FunctionError
	}
	if tail {
		res.LogResult = wire.Ptr(base64.StdEncoding.EncodeToString(out.LogTail))
	}
	return res
}

// Call runs a call to its end, or stores it as an event if async; then only
// the outcome's RequestID is set. It is how other rooms reach functions, and
// reads no store unless async. The error is a *catalog.Refusal, or an internal
// failure.
func (s *Service) Call(ctx context.Context, call *catalog.Call, async bool) (*catalog.Outcome, error) {
	if !async {
		return s.Catalog.Invoke(ctx, call)
	}
	if _, err := s.Catalog.Admit(call); err != nil {
		return nil, err
	}
	requestID := call.RequestID
	if requestID == "" {
		requestID = ident.UUID()
	}
	now := s.Clock.Now()
	if call.TraceID == "" {
		call.TraceID = xray.New(now, call.FunctionARN)
	}
	err := s.enqueue(ctx, &eventRecord{
		RequestID: requestID, FunctionARN: call.FunctionARN, Payload: call.Payload, ClientContext: call.ClientContext,
		TraceID: call.TraceID, Received: now, Due: now,
	})
	if err != nil {
		return nil, err
	}
	return &catalog.Outcome{RequestID: requestID}, nil
}

func apiError(err error) error {
	if r, ok := errors.AsType[*catalog.Refusal](err); ok {
		return refused(r)
	}
	return err
}

func checkPayload(payload []byte, kind string) error {
	limit := maxPayload
	if kind == lambdaapi.InvocationTypeEvent {
		limit = maxEventPayload
	}
	if len(payload) > limit {
		return tooLarge("Request must be smaller than %d bytes for the InvokeFunction operation", limit)
	}
	return nil
}

// decodeContext reads the client context, which travels in base64.
func decodeContext(text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(text) > maxContext || !jsontext.Value(decoded).IsValid() {
		return nil, &lambdaapi.InvalidRequestContentException{Type: &user, Message: wire.Ptr("Client context must be a valid Base64-encoded JSON object.")}
	}
	return decoded, nil
}

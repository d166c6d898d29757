package lambda

import (
	"bytes"
	"context"
	"encoding/base64"
	"net/http"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/function/catalog"
	"github.com/butai-dev/butai/internal/wire"
)

// pieces carries a streamed response from the call to the answer.
type pieces struct {
	begun  chan struct{}
	chunks chan []byte
	gone   <-chan struct{} // nobody reads any more
}

// Begin implements function.ResponseStream.
func (p *pieces) Begin(string) { close(p.begun) }

// Write implements function.ResponseStream.
func (p *pieces) Write(b []byte) (int, error) {
	select {
	case p.chunks <- bytes.Clone(b):
		return len(b), nil
	case <-p.gone:
		return 0, context.Canceled
	}
}

type streamed struct {
	out *catalog.Outcome
	err error
}

// InvokeWithResponseStream runs a function and answers with its response piece
// by piece. Of a function that doesn't stream it is one piece.
func (s *Service) InvokeWithResponseStream(ctx context.Context, in *lambdaapi.InvokeWithResponseStreamRequest) (*lambdaapi.InvokeWithResponseStreamResponse, error) {
	call, err := s.streamCall(ctx, in)
	if err != nil {
		return nil, err
	}
	target, err := s.Catalog.Admit(call)
	if err != nil {
		return nil, apiError(err)
	}
	out := &lambdaapi.InvokeWithResponseStreamResponse{StatusCode: wire.Ptr(int64(http.StatusOK))}
	if version := target.Version(); version != "" {
		out.ExecutedVersion = &version
	}
	if wire.Val(in.InvocationType) == lambdaapi.ResponseStreamingInvocationTypeDryRun {
		out.StatusCode = wire.Ptr(int64(http.StatusNoContent))
		out.EventStream = func(func(*lambdaapi.InvokeWithResponseStreamResponseEvent) error) error { return nil }
		return out, nil
	}
	p := &pieces{begun: make(chan struct{}), chunks: make(chan []byte), gone: ctx.Done()}
	call.Stream = p
	done := make(chan streamed, 1)
	go func() {
		res, err := s.Catalog.Invoke(ctx, call)
		done <- streamed{res, err}
	}()
	var first *streamed
	select {
	case <-p.begun:
	case end := <-done:
		if end.err != nil {
			return nil, apiError(end.err)
		}
		first = &end
	}
	out.EventStream = func(send func(*lambdaapi.InvokeWithResponseStreamResponseEvent) error) error {
		return relay(send, p, done, first, call.Tail)
	}
	return out, nil
}

func (s *Service) streamCall(ctx context.Context, in *lambdaapi.InvokeWithResponseStreamRequest) (*catalog.Call, error) {
	c := wire.CallerFrom(ctx)
	r, err := locate(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if r.account != c.Account {
		if t := s.Catalog.Resolve(r.qualified()); t == nil || t.Grants() == "" {
			return nil, accessDenied("User: %s is not authorized to perform: lambda:InvokeFunction on resource: %s because no resource-based policy allows the lambda:InvokeFunction action", c.ARN, r.qualified())
		}
	}
	if err := checkPayload(in.Payload, lambdaapi.InvocationTypeRequestResponse); err != nil {
		return nil, err
	}
	clientContext, err := decodeContext(wire.Val(in.ClientContext))
	if err != nil {
		return nil, err
	}
	return &catalog.Call{
		FunctionARN: r.qualified(), Payload: in.Payload, ClientContext: clientContext, RequestID: c.RequestID,
		TraceID: s.traceOf(c, r.qualified()), Tail: wire.Val(in.LogType) == lambdaapi.LogTypeTail,
	}, nil
}

// relay sends what comes, and at the end how the call ended.
func relay(send func(*lambdaapi.InvokeWithResponseStreamResponseEvent) error, p *pieces, done <-chan streamed, end *streamed, tail bool) error {
	chunk := func(b []byte) error {
		return send(&lambdaapi.InvokeWithResponseStreamResponseEvent{PayloadChunk: &lambdaapi.InvokeResponseStreamUpdate{Payload: b}})
	}
	for end == nil {
		select {
		case b := <-p.chunks:
			if err := chunk(b); err != nil {
				return err
			}
		case e := <-done:
			end = &e
		}
	}
	if end.err != nil {
		return end.err
	}
	complete := &lambdaapi.InvokeWithResponseStreamCompleteEvent{}
	switch {
	case end.out.FunctionError != "":
		complete.ErrorCode, complete.ErrorDetails = &end.out.FunctionError, wire.Ptr(string(end.out.Payload))
	case len(end.out.Payload) > 0:
		if err := chunk(end.out.Payload); err != nil {
			return err
		}
	}
	if tail {
		complete.LogResult = wire.Ptr(base64.StdEncoding.EncodeToString(end.out.LogTail))
	}
	return send(&lambdaapi.InvokeWithResponseStreamResponseEvent{InvokeComplete: complete})
}

package lambda

import (
	"context"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/xray"
)

// traceOf is the tracing header with which a function is called by an API call:
// what the caller sent goes on. The answer tells it.
func (s *Service) traceOf(c *wire.Caller, function string) string {
	trace := xray.Join(c.Trace, s.Clock.Now(), function)
	c.Header = map[string][]string{"x-amzn-Remapped-Content-Length": {"0"}, "X-Amzn-Trace-Id": {trace}}
	return trace
}

// PutFunctionRecursionConfig says whether a function that goes round in
// circles is stopped.
func (s *Service) PutFunctionRecursionConfig(ctx context.Context, in *lambdaapi.PutFunctionRecursionConfigRequest) (*lambdaapi.PutFunctionRecursionConfigResponse, error) {
	r, err := resolve(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	err = s.edit(ctx, r.id, func(tx store.Tx, f *functionRecord) error {
		f.Loops = *in.RecursiveLoop == lambdaapi.RecursiveLoopAllow
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &lambdaapi.PutFunctionRecursionConfigResponse{RecursiveLoop: in.RecursiveLoop}, nil
}

// GetFunctionRecursionConfig tells whether a function that goes round in
// circles is stopped.
func (s *Service) GetFunctionRecursionConfig(ctx context.Context, in *lambdaapi.GetFunctionRecursionConfigRequest) (*lambdaapi.GetFunctionRecursionConfigResponse, error) {
	_, f, _, err := s.view(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	loop := lambdaapi.RecursiveLoopTerminate
	if f.Loops {
		loop = lambdaapi.RecursiveLoopAllow
	}
	return &lambdaapi.GetFunctionRecursionConfigResponse{RecursiveLoop: &loop}, nil
}

package lambda

import (
	"context"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/wire"
)

// mappingTargets names the mapping that a call is about; nil if it is about
// none. A new one, which has no name yet, goes by its function.
func (s *Service) mappingTargets(ctx context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	c := wire.CallerFrom(ctx)
	target := wire.IAMTarget{Action: "lambda:" + op.Name, Resource: "*"}
	uuid, function := "", ""
	switch in := in.(type) {
	case *lambdaapi.CreateEventSourceMappingRequest:
		function = wire.Val(in.FunctionName)
	case *lambdaapi.ListEventSourceMappingsRequest:
	case *lambdaapi.GetEventSourceMappingRequest:
		uuid = *in.UUID
	case *lambdaapi.UpdateEventSourceMappingRequest:
		uuid, function = *in.UUID, wire.Val(in.FunctionName)
	case *lambdaapi.DeleteEventSourceMappingRequest:
		uuid = *in.UUID
	default:
		return nil
	}
	if uuid != "" {
		m := &mappingRecord{Account: c.Account, Region: c.Region, Config: lambdaapi.EventSourceMappingConfiguration{UUID: &uuid}}
		target.Resource = m.arn()
	}
	if function == "" && uuid != "" {
		if m, err := s.findMapping(ctx, uuid); err == nil {
			function = *m.Config.FunctionArn
		}
	}
	if r, err := locate(ctx, &function, nil); err == nil && function != "" {
		target.Context = map[string][]string{"lambda:FunctionArn": {r.qualified()}}
	}
	return []wire.IAMTarget{target}
}

package lambda

import (
	"context"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/function/runtimes"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// runtimeRule is when a version gets another runtime version. butai has one
// version of each runtime, so the rules differ only in what they may name.
type runtimeRule struct {
	When string
	ARN  string `json:",omitzero"`
}

// PutRuntimeManagementConfig says when a version of a function gets another
// version of its runtime.
func (s *Service) PutRuntimeManagementConfig(ctx context.Context, in *lambdaapi.PutRuntimeManagementConfigRequest) (*lambdaapi.PutRuntimeManagementConfigResponse, error) {
	r, err := resolve(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if isAlias(r.qualifier) {
		return nil, invalid("Alias is not supported for this operation: %s", r.qualified())
	}
	rule := runtimeRule{*in.UpdateRuntimeOn, wire.Val(in.RuntimeVersionArn)}
	manual := rule.When == lambdaapi.UpdateRuntimeOnManual
	switch {
	case manual && rule.ARN == "":
		return nil, invalid("RuntimeVersionArn is required when UpdateRuntimeOn is Manual.")
	case !manual && rule.ARN != "":
		return nil, invalid("RuntimeVersionArn can only be specified when UpdateRuntimeOn is Manual.")
	}
	err = s.edit(ctx, r.id, func(tx store.Tx, f *functionRecord) error {
		_, v, err := find(tx, r)
		if err != nil {
			return err
		}
		if isImage(&v.Config) {
			return noRuntimeOfImages()
		}
		if manual && rule.ARN != runtimes.VersionARN(r.region, wire.Val(v.Config.Runtime)) {
			return invalid("Runtime version %s was not found for runtime %s.", rule.ARN, wire.Val(v.Config.Runtime))
		}
		if f.Rules == nil {
			f.Rules = map[string]runtimeRule{}
		}
		f.Rules[*v.Config.Version] = rule
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &lambdaapi.PutRuntimeManagementConfigResponse{
		UpdateRuntimeOn: in.UpdateRuntimeOn, RuntimeVersionArn: in.RuntimeVersionArn, FunctionArn: wire.Ptr(r.qualified()),
	}, nil
}

// GetRuntimeManagementConfig returns when a version gets another runtime version.
func (s *Service) GetRuntimeManagementConfig(ctx context.Context, in *lambdaapi.GetRuntimeManagementConfigRequest) (*lambdaapi.GetRuntimeManagementConfigResponse, error) {
	r, f, v, err := s.view(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if isImage(&v.Config) {
		return nil, noRuntimeOfImages()
	}
	out := &lambdaapi.GetRuntimeManagementConfigResponse{UpdateRuntimeOn: wire.Ptr(lambdaapi.UpdateRuntimeOnAuto), FunctionArn: wire.Ptr(r.qualified())}
	if rule, ok := f.Rules[*v.Config.Version]; ok {
		out.UpdateRuntimeOn = &rule.When
		if rule.ARN != "" {
			out.RuntimeVersionArn = &rule.ARN
		}
	}
	return out, nil
}

// noRuntimeOfImages is the answer for functions from images, whose runtime is
// their own. AWS refuses too; its text isn't known.
func noRuntimeOfImages() error {
	return invalid("Runtime management is not supported for functions created with container images.")
}

package lambda

import (
	"context"
	"reflect"
	"strings"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/wire"
)

// The operations that are built. A method whose signature is wrong would
// silently count as not built.
var _ interface {
	lambdaapi.AddLayerVersionPermissionAPI
	lambdaapi.AddPermissionAPI
	lambdaapi.CreateAliasAPI
	lambdaapi.CreateCodeSigningConfigAPI
	lambdaapi.CreateEventSourceMappingAPI
	lambdaapi.CreateFunctionAPI
	lambdaapi.CreateFunctionUrlConfigAPI
	lambdaapi.DeleteAliasAPI
	lambdaapi.DeleteCodeSigningConfigAPI
	lambdaapi.DeleteEventSourceMappingAPI
	lambdaapi.DeleteFunctionAPI
	lambdaapi.DeleteFunctionCodeSigningConfigAPI
	lambdaapi.DeleteFunctionConcurrencyAPI
	lambdaapi.DeleteFunctionEventInvokeConfigAPI
	lambdaapi.DeleteFunctionUrlConfigAPI
	lambdaapi.DeleteLayerVersionAPI
	lambdaapi.DeleteProvisionedConcurrencyConfigAPI
	lambdaapi.GetAccountSettingsAPI
	lambdaapi.GetAliasAPI
	lambdaapi.GetCodeSigningConfigAPI
	lambdaapi.GetEventSourceMappingAPI
	lambdaapi.GetFunctionAPI
	lambdaapi.GetFunctionCodeSigningConfigAPI
	lambdaapi.GetFunctionConcurrencyAPI
	lambdaapi.GetFunctionConfigurationAPI
	lambdaapi.GetFunctionEventInvokeConfigAPI
	lambdaapi.GetFunctionRecursionConfigAPI
	lambdaapi.GetFunctionUrlConfigAPI
	lambdaapi.GetLayerVersionAPI
	lambdaapi.GetLayerVersionByArnAPI
	lambdaapi.GetLayerVersionPolicyAPI
	lambdaapi.GetPolicyAPI
	lambdaapi.GetProvisionedConcurrencyConfigAPI
	lambdaapi.GetRuntimeManagementConfigAPI
	lambdaapi.InvokeAPI
	lambdaapi.InvokeAsyncAPI
	lambdaapi.InvokeWithResponseStreamAPI
	lambdaapi.ListAliasesAPI
	lambdaapi.ListCodeSigningConfigsAPI
	lambdaapi.ListEventSourceMappingsAPI
	lambdaapi.ListFunctionEventInvokeConfigsAPI
	lambdaapi.ListFunctionUrlConfigsAPI
	lambdaapi.ListFunctionsAPI
	lambdaapi.ListFunctionsByCodeSigningConfigAPI
	lambdaapi.ListLayerVersionsAPI
	lambdaapi.ListLayersAPI
	lambdaapi.ListProvisionedConcurrencyConfigsAPI
	lambdaapi.ListTagsAPI
	lambdaapi.ListVersionsByFunctionAPI
	lambdaapi.PublishLayerVersionAPI
	lambdaapi.PublishVersionAPI
	lambdaapi.PutFunctionCodeSigningConfigAPI
	lambdaapi.PutFunctionConcurrencyAPI
	lambdaapi.PutFunctionEventInvokeConfigAPI
	lambdaapi.PutFunctionRecursionConfigAPI
	lambdaapi.PutProvisionedConcurrencyConfigAPI
	lambdaapi.PutRuntimeManagementConfigAPI
	lambdaapi.RemoveLayerVersionPermissionAPI
	lambdaapi.RemovePermissionAPI
	lambdaapi.TagResourceAPI
	lambdaapi.UntagResourceAPI
	lambdaapi.UpdateAliasAPI
	lambdaapi.UpdateCodeSigningConfigAPI
	lambdaapi.UpdateEventSourceMappingAPI
	lambdaapi.UpdateFunctionCodeAPI
	lambdaapi.UpdateFunctionConfigurationAPI
	lambdaapi.UpdateFunctionEventInvokeConfigAPI
	lambdaapi.UpdateFunctionUrlConfigAPI
} = (*Service)(nil)

var (
	_ wire.Refuser   = (*Service)(nil)
	_ wire.Explainer = (*Service)(nil)
	_ wire.IAMNamer  = (*Service)(nil)
)

// WhyNot implements wire.Explainer.
func (*Service) WhyNot(op *wire.Operation) string {
	switch {
	case strings.Contains(op.Name, "CapacityProvider"), strings.Contains(op.Name, "FunctionScalingConfig"):
		return "there are no Lambda Managed Instances"
	case strings.Contains(op.Name, "DurableExecution"):
		return "there are no durable functions"
	}
	return ""
}

// Refused implements wire.Refuser.
func (*Service) Refused() []wire.Refusal {
	const noOther = "there are only queues and DynamoDB streams to read"
	return []wire.Refusal{
		{Operation: "CreateEventSourceMapping", Member: "SourceAccessConfigurations", Reason: noOther},
		{Operation: "CreateEventSourceMapping", Member: "AmazonManagedKafkaEventSourceConfig", Reason: noOther},
		{Operation: "CreateEventSourceMapping", Member: "SelfManagedKafkaEventSourceConfig", Reason: noOther},
		{Operation: "CreateEventSourceMapping", Member: "DocumentDBEventSourceConfig", Reason: noOther},
		{Operation: "CreateEventSourceMapping", Member: "TumblingWindowInSeconds", Reason: "state isn't carried from batch to batch"},
		{Operation: "CreateEventSourceMapping", Member: "KMSKeyArn", Reason: "filter criteria aren't encrypted with keys of KMS"},
		{Operation: "UpdateEventSourceMapping", Member: "KMSKeyArn", Reason: "filter criteria aren't encrypted with keys of KMS"},
		{Operation: "CreateEventSourceMapping", Member: "MetricsConfig", Reason: "mappings have no metrics"},
		{Operation: "CreateEventSourceMapping", Member: "LoggingConfig", Reason: "mappings have no logs of their own"},
		{Operation: "CreateEventSourceMapping", Member: "ProvisionedPollerConfig", Reason: "pollers need no provisioning"},
		{Operation: "UpdateEventSourceMapping", Member: "SourceAccessConfigurations", Reason: noOther},
		{Operation: "UpdateEventSourceMapping", Member: "AmazonManagedKafkaEventSourceConfig", Reason: noOther},
		{Operation: "UpdateEventSourceMapping", Member: "SelfManagedKafkaEventSourceConfig", Reason: noOther},
		{Operation: "UpdateEventSourceMapping", Member: "DocumentDBEventSourceConfig", Reason: noOther},
		{Operation: "UpdateEventSourceMapping", Member: "TumblingWindowInSeconds", Reason: "state isn't carried from batch to batch"},
		{Operation: "UpdateEventSourceMapping", Member: "MetricsConfig", Reason: "mappings have no metrics"},
		{Operation: "UpdateEventSourceMapping", Member: "LoggingConfig", Reason: "mappings have no logs of their own"},
		{Operation: "UpdateEventSourceMapping", Member: "ProvisionedPollerConfig", Reason: "pollers need no provisioning"},
		{Operation: "CreateEventSourceMapping", Member: "Topics", Reason: noOther},
		{Operation: "CreateEventSourceMapping", Member: "Queues", Reason: noOther},
		{Operation: "CreateEventSourceMapping", Member: "SelfManagedEventSource", Reason: noOther},
		{Member: "VpcConfig", Reason: "functions have the host's network"},
		{Member: "FileSystemConfigs", Reason: "there is no EFS"},
		{Member: "CapacityProviderConfig", Reason: "there are no managed instances"},
		{Member: "PublishTo", Reason: "there are no managed instances"},
		{Member: "DurableConfig", Reason: "there are no durable functions"},
		{Member: "TenancyConfig", Reason: "there is no tenant isolation"},
		{Member: "Code.SourceKMSKeyArn", Reason: "code archives aren't encrypted with keys of KMS"},
		{Member: "SourceKMSKeyArn", Reason: "code archives aren't encrypted with keys of KMS"},
		{Member: "DurableExecutionName", Reason: "there are no durable functions"},
		{Member: "TenantId", Reason: "there is no tenant isolation"},
		{Member: "MasterRegion", Reason: "there is no Lambda@Edge"},
	}
}

// IAMTargets names the function that a call is about, as the call qualifies
// it (Service Authorization Reference: AWS Lambda). Listings act on "*".
func (s *Service) IAMTargets(ctx context.Context, op *wire.Operation, in any) []wire.IAMTarget {
	switch in := in.(type) {
	case *lambdaapi.InvocationRequest:
		return s.callTarget(ctx, in.FunctionName, in.Qualifier)
	case *lambdaapi.InvokeWithResponseStreamRequest:
		return s.callTarget(ctx, in.FunctionName, in.Qualifier)
	case *lambdaapi.InvokeAsyncRequest:
		return s.callTarget(ctx, in.FunctionName, nil)
	}
	if targets := s.layerTargets(ctx, op, in); targets != nil {
		return targets
	}
	if targets := s.mappingTargets(ctx, op, in); targets != nil {
		return targets
	}
	target := wire.IAMTarget{Action: "lambda:" + op.Name, Resource: "*"}
	name := text(in, "FunctionName")
	if name == nil {
		name = text(in, "Resource")
	}
	if signing := text(in, "CodeSigningConfigArn"); signing != nil && name == nil {
		target.Resource = *signing
	}
	if name != nil {
		if r, err := locate(ctx, name, text(in, "Qualifier")); err == nil {
			target.Resource = r.qualified()
		}
	}
	switch in := in.(type) {
	case *lambdaapi.CreateFunctionRequest:
		return append(s.useOfLayers(ctx, in.Layers), target, passRole(in.Role))
	case *lambdaapi.UpdateFunctionConfigurationRequest:
		targets := append(s.useOfLayers(ctx, in.Layers), target)
		if in.Role != nil {
			targets = append(targets, passRole(in.Role))
		}
		return targets
	}
	return []wire.IAMTarget{target}
}

// callTarget is the permission to call a function.
func (s *Service) callTarget(ctx context.Context, name, qualifier *string) []wire.IAMTarget {
	target := wire.IAMTarget{Action: "lambda:InvokeFunction", Resource: "*"}
	if r, err := locate(ctx, name, qualifier); err == nil {
		target.Resource = r.qualified()
	}
	target.Policy = s.grants(ctx, target.Resource)
	return []wire.IAMTarget{target}
}

// passRole is the permission to give a role to a function.
func passRole(role *string) wire.IAMTarget {
	return wire.IAMTarget{Action: "iam:PassRole", Resource: *role, Context: map[string][]string{"iam:PassedToService": {lambdaPrincipal}}}
}

// grants is the policy that has a say beside the caller's own. The account's
// root user needs none.
func (s *Service) grants(ctx context.Context, functionARN string) string {
	t := s.Catalog.Resolve(functionARN)
	if t == nil {
		return ""
	}
	c := wire.CallerFrom(ctx)
	if c.ARN == "arn:"+c.Partition+":iam::"+c.Account+":root" && strings.Contains(functionARN, ":"+c.Account+":function:") {
		return ""
	}
	return t.Grants()
}

// text reads a string member of an input, nil if it has none or it is unset.
func text(in any, member string) *string {
	rv := reflect.ValueOf(in)
	if rv.Kind() != reflect.Pointer || rv.IsNil() {
		return nil
	}
	field := rv.Elem().FieldByName(member)
	if !field.IsValid() || field.IsNil() {
		return nil
	}
	s, _ := field.Interface().(*string)
	return s
}

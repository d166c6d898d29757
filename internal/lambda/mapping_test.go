package lambda_test

import (
	"testing"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	workQueue = "arn:aws:sqs:eu-west-1:123456789012:work"
	itemsFeed = "arn:aws:dynamodb:eu-west-1:123456789012:table/items/stream/2026-11-28T12:00:00.000"
)

// TestMappingsAreRefused holds the recorded texts of CreateEventSourceMapping.
func TestMappingsAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	for want, change := range map[string]func(in *lambdaapi.CreateEventSourceMappingRequest){
		"InvalidParameterValueException: Unrecognized event source.": func(in *lambdaapi.CreateEventSourceMappingRequest) {
			in.EventSourceArn = wire.Ptr("arn:aws:lambda:eu-west-1:123456789012:function:example")
		},
		"InvalidParameterValueException: Function does not exist": func(in *lambdaapi.CreateEventSourceMappingRequest) { in.FunctionName = wire.Ptr("nobody") },
		"InvalidParameterValueException: Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10": func(in *lambdaapi.CreateEventSourceMappingRequest) {
			in.BatchSize = wire.Ptr(int64(11))
		},
		"InvalidParameterValueException: Batching window is not supported for FIFO queues": func(in *lambdaapi.CreateEventSourceMappingRequest) {
			in.EventSourceArn, in.MaximumBatchingWindowInSeconds = wire.Ptr(workQueue+".fifo"), wire.Ptr(int64(1))
		},
		"InvalidParameterValueException: Invalid filter pattern definition.": func(in *lambdaapi.CreateEventSourceMappingRequest) {
			in.FilterCriteria = &lambdaapi.FilterCriteria{Filters: []lambdaapi.Filter{{Pattern: wire.Ptr("[]")}}}
		},
		"InvalidParameterValueException: 1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.": func(in *lambdaapi.CreateEventSourceMappingRequest) {
			in.EventSourceArn = wire.Ptr(itemsFeed)
		},
		"InvalidParameterValueException: Unsupported starting position for arn type: " + itemsFeed: func(in *lambdaapi.CreateEventSourceMappingRequest) {
			in.EventSourceArn, in.StartingPosition = wire.Ptr(itemsFeed), wire.Ptr("AT_TIMESTAMP")
		},
		"InvalidParameterValueException: Stream not found: " + itemsFeed + "missing": func(in *lambdaapi.CreateEventSourceMappingRequest) {
			in.EventSourceArn, in.StartingPosition = wire.Ptr(itemsFeed+"missing"), wire.Ptr("TRIM_HORIZON")
		},
		"InvalidParameterValueException: The function execution role does not have permissions to call ReceiveMessage on SQS": func(in *lambdaapi.CreateEventSourceMappingRequest) {
			in.EventSourceArn = wire.Ptr(workQueue + "closed")
		},
	} {
		in := &lambdaapi.CreateEventSourceMappingRequest{FunctionName: wire.Ptr("example"), EventSourceArn: wire.Ptr(workQueue), Enabled: wire.Ptr(false)}
		change(in)
		_, err := h.CreateEventSourceMapping(as(t), in)
		wantError(t, err, want)
	}
}

// TestMappingsKeepTheirQualifier: recorded, as is that $LATEST of a whole ARN
// goes.
func TestMappingsKeepTheirQualifier(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	for name, want := range map[string]string{"example": fnARN, fnARN + ":$LATEST": fnARN, "example:$LATEST": fnARN + ":$LATEST"} {
		m := must(h.CreateEventSourceMapping(as(t), &lambdaapi.CreateEventSourceMappingRequest{
			FunctionName: &name, EventSourceArn: wire.Ptr(workQueue), Enabled: wire.Ptr(false),
		}))(t)
		if *m.FunctionArn != want || *m.State != "Creating" || len(m.FunctionResponseTypes) != 0 || m.FunctionResponseTypes == nil {
			t.Errorf("%s: %s", name, shape(t, m))
		}
		if got := must(h.GetEventSourceMapping(as(t), &lambdaapi.GetEventSourceMappingRequest{UUID: m.UUID}))(t); *got.State != "Disabled" {
			t.Errorf("%s: %s", name, shape(t, got))
		}
		if _, err := h.DeleteEventSourceMapping(as(t), &lambdaapi.DeleteEventSourceMappingRequest{UUID: m.UUID}); err != nil {
			t.Error(err)
		}
	}
}

// TestCodeThatMustBeSignedIsRefused: nothing can be, without AWS Signer.
func TestCodeThatMustBeSignedIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	made := must(h.CreateCodeSigningConfig(as(t), &lambdaapi.CreateCodeSigningConfigRequest{
		AllowedPublishers:   &lambdaapi.AllowedPublishers{SigningProfileVersionArns: []string{"arn:aws:signer:eu-west-1:123456789012:/signing-profiles/mine/abcdefgh"}},
		CodeSigningPolicies: &lambdaapi.CodeSigningPolicies{UntrustedArtifactOnDeployment: wire.Ptr("Enforce")},
	}))(t).CodeSigningConfig.CodeSigningConfigArn
	must(h.PutFunctionCodeSigningConfig(as(t), &lambdaapi.PutFunctionCodeSigningConfigRequest{FunctionName: wire.Ptr("example"), CodeSigningConfigArn: made}))(t)
	_, err := h.UpdateFunctionCode(as(t), &lambdaapi.UpdateFunctionCodeRequest{FunctionName: wire.Ptr("example"), ZipFile: code("2")})
	wantError(t, err, "CodeVerificationFailedException: The code signature failed one or more of the validation checks for signature mismatch or expiry, and the code signing policy is set to ENFORCE. Lambda blocks the deployment.")
	_, err = h.DeleteCodeSigningConfig(as(t), &lambdaapi.DeleteCodeSigningConfigRequest{CodeSigningConfigArn: made})
	wantError(t, err, "ResourceConflictException: The code signing configuration cannot be deleted because it is in use by one or more functions.")
	h.relax(t, made)
}

// relax has a configuration only warn, after which code is taken.
func (h *house) relax(t *testing.T, signing *string) {
	t.Helper()
	must(h.UpdateCodeSigningConfig(as(t), &lambdaapi.UpdateCodeSigningConfigRequest{
		CodeSigningConfigArn: signing, CodeSigningPolicies: &lambdaapi.CodeSigningPolicies{UntrustedArtifactOnDeployment: wire.Ptr("Warn")},
	}))(t)
	h.updateCode(t, "2")
}

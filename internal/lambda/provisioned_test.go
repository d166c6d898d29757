package lambda_test

import (
	"testing"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/wire"
)

func TestProvisionedConcurrency(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	name := wire.Ptr("example")
	must(h.PublishVersion(as(t), &lambdaapi.PublishVersionRequest{FunctionName: name}))(t)
	must(h.CreateAlias(as(t), &lambdaapi.CreateAliasRequest{FunctionName: name, Name: wire.Ptr("live"), FunctionVersion: wire.Ptr("1")}))(t)
	must(h.CreateAlias(as(t), &lambdaapi.CreateAliasRequest{FunctionName: name, Name: wire.Ptr("next"), FunctionVersion: wire.Ptr("$LATEST")}))(t)
	put := func(qualifier string, n int64) (*lambdaapi.PutProvisionedConcurrencyConfigResponse, error) {
		return h.PutProvisionedConcurrencyConfig(as(t), &lambdaapi.PutProvisionedConcurrencyConfigRequest{
			FunctionName: name, Qualifier: &qualifier, ProvisionedConcurrentExecutions: &n,
		})
	}
	get := func(qualifier string) (*lambdaapi.GetProvisionedConcurrencyConfigResponse, error) {
		return h.GetProvisionedConcurrencyConfig(as(t), &lambdaapi.GetProvisionedConcurrencyConfigRequest{FunctionName: name, Qualifier: &qualifier})
	}
	refused := func(qualifier string, n int64, want string) {
		t.Helper()
		_, err := put(qualifier, n)
		wantError(t, err, want)
	}
	const unpublished = "InvalidParameterValueException: Provisioned Concurrency Configs cannot be applied to unpublished function versions."
	refused("$LATEST", 1, unpublished)
	refused("next", 1, unpublished)
	refused("7", 1, "ResourceNotFoundException: Function not found: "+fnARN+":7")
	refused("none", 1, "ResourceNotFoundException: Cannot find alias arn: "+fnARN+":none")
	refused("1", 1001, "InvalidParameterValueException: Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [1000].")
	refused("1", 901, "InvalidParameterValueException: Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].")
	_, err := get("1")
	wantError(t, err, "ProvisionedConcurrencyConfigNotFoundException: No Provisioned Concurrency Config found for this function")
	_, err = get("$LATEST")
	wantError(t, err, "InvalidParameterValueException: The function resource provided must be an alias or a published version.")

	out := must(put("live", 3))(t)
	if *out.Status != "IN_PROGRESS" || *out.RequestedProvisionedConcurrentExecutions != 3 || *out.AvailableProvisionedConcurrentExecutions != 0 || out.LastModified == nil {
		t.Errorf("got %s", shape(t, out))
	}
	if got := must(get("live"))(t); *got.Status != "READY" || *got.AllocatedProvisionedConcurrentExecutions != 3 || *got.AvailableProvisionedConcurrentExecutions != 3 {
		t.Errorf("got %s", shape(t, got))
	}
	refused("1", 1, "ResourceConflictException: Version is pointed by a Provisioned Concurrency alias")
	_, err = h.PutFunctionConcurrency(as(t), &lambdaapi.PutFunctionConcurrencyRequest{FunctionName: name, ReservedConcurrentExecutions: wire.Ptr(int64(2))})
	wantError(t, err, "InvalidParameterValueException:  ReservedConcurrentExecutions  2 should not be lower than function's total provisioned concurrency [3].")
	must(h.PutFunctionConcurrency(as(t), &lambdaapi.PutFunctionConcurrencyRequest{FunctionName: name, ReservedConcurrentExecutions: wire.Ptr(int64(3))}))(t)
	refused("live", 4, "InvalidParameterValueException: Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")

	h.engine.initFails = true
	if got := must(get("live"))(t); *got.Status != "FAILED" || *got.StatusReason != "FUNCTION_ERROR_INIT_FAILURE" {
		t.Errorf("got %s", shape(t, got))
	}
	h.engine.initFails = false
	list := func() []lambdaapi.ProvisionedConcurrencyConfigListItem {
		return must(h.ListProvisionedConcurrencyConfigs(as(t), &lambdaapi.ListProvisionedConcurrencyConfigsRequest{FunctionName: name}))(t).ProvisionedConcurrencyConfigs
	}
	if all := list(); len(all) != 1 || *all[0].FunctionArn != fnARN+":live" {
		t.Errorf("got %s", shape(t, all))
	}
	if err := h.DeleteAlias(as(t), &lambdaapi.DeleteAliasRequest{FunctionName: name, Name: wire.Ptr("live")}); err != nil {
		t.Fatal(err)
	}
	if all := list(); len(all) != 0 {
		t.Errorf("the alias is gone and its provisioned concurrency not: %s", shape(t, all))
	}
	must(put("1", 2))(t)
	if err := h.DeleteProvisionedConcurrencyConfig(as(t), &lambdaapi.DeleteProvisionedConcurrencyConfigRequest{FunctionName: name, Qualifier: wire.Ptr("1")}); err != nil {
		t.Fatal(err)
	}
	for id, n := range h.engine.provisioned {
		if n != 0 {
			t.Errorf("%d sandboxes of %s are still asked for", n, id)
		}
	}
}

package lambda_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/wire"
)

func TestReservedConcurrency(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	put := func(name string, n int64) error {
		_, err := h.PutFunctionConcurrency(as(t), &lambdaapi.PutFunctionConcurrencyRequest{FunctionName: &name, ReservedConcurrentExecutions: &n})
		return err
	}
	get := func() *int64 {
		return must(h.GetFunctionConcurrency(as(t), &lambdaapi.GetFunctionConcurrencyRequest{FunctionName: wire.Ptr("example")}))(t).ReservedConcurrentExecutions
	}
	if get() != nil {
		t.Error("something is reserved from the beginning")
	}
	if err := put("example", 900); err != nil {
		t.Fatal(err)
	}
	wantError(t, put("example", 901), "InvalidParameterValueException: Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].")
	wantError(t, put("none", 1), "ResourceNotFoundException: Function not found: arn:aws:lambda:eu-west-1:123456789012:function:none:$LATEST")
	wantError(t, put("example:1", 1), "InvalidParameterValueException: This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.")
	if n := get(); n == nil || *n != 900 {
		t.Errorf("reserved: %v", n)
	}
	out := must(h.GetFunction(as(t), &lambdaapi.GetFunctionRequest{FunctionName: wire.Ptr("example")}))(t)
	if out.Concurrency == nil || *out.Concurrency.ReservedConcurrentExecutions != 900 {
		t.Error("GetFunction doesn't show the reservation")
	}
	if out := must(h.GetFunction(as(t), &lambdaapi.GetFunctionRequest{FunctionName: wire.Ptr("example:$LATEST")}))(t); out.Concurrency != nil {
		t.Error("GetFunction of a version shows the function's reservation")
	}
	settings := must(h.GetAccountSettings(as(t), &lambdaapi.GetAccountSettingsRequest{}))(t)
	if *settings.AccountLimit.UnreservedConcurrentExecutions != 100 || *settings.AccountUsage.FunctionCount != 1 || *settings.AccountUsage.TotalCodeSize != int64(len(code("one"))) {
		t.Errorf("got %s", shape(t, settings))
	}
	if err := h.DeleteFunctionConcurrency(as(t), &lambdaapi.DeleteFunctionConcurrencyRequest{FunctionName: wire.Ptr("example")}); err != nil {
		t.Fatal(err)
	}
	if get() != nil {
		t.Error("the reservation is still there")
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	tag := func(arn string, tags map[string]string) error {
		return h.TagResource(as(t), &lambdaapi.TagResourceRequest{Resource: &arn, Tags: tags})
	}
	list := func() map[string]string {
		return must(h.ListTags(as(t), &lambdaapi.ListTagsRequest{Resource: wire.Ptr(fnARN)}))(t).Tags
	}
	if tags := list(); tags == nil || len(tags) != 0 {
		t.Errorf("got %v", tags)
	}
	if err := tag(fnARN, map[string]string{"a": "1", "b": "2"}); err != nil {
		t.Fatal(err)
	}
	if err := h.UntagResource(as(t), &lambdaapi.UntagResourceRequest{Resource: wire.Ptr(fnARN), TagKeys: []string{"a", "c"}}); err != nil {
		t.Fatal(err)
	}
	if tags := list(); len(tags) != 1 || tags["b"] != "2" {
		t.Errorf("got %v", tags)
	}
	const ipv = "InvalidParameterValueException: "
	wantError(t, tag(fnARN, nil), ipv+"An error occurred and the request cannot be processed.")
	wantError(t, tag(fnARN+":1", map[string]string{"a": "1"}), ipv+"Tags on function aliases and versions are not supported. Please specify a function ARN.")
	many := map[string]string{}
	for i := range 50 {
		many[strings.Repeat("k", i+1)] = ""
	}
	wantError(t, tag(fnARN, many), ipv+"Number of tags exceeds resource tag limit.")
	if tags := list(); len(tags) != 1 {
		t.Errorf("a refused call left %d tags", len(tags))
	}
}

func TestWhatTerraformAsksBesides(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t)
	signing := must(h.GetFunctionCodeSigningConfig(as(t), &lambdaapi.GetFunctionCodeSigningConfigRequest{FunctionName: wire.Ptr("example")}))(t)
	if signing.FunctionName != nil || signing.CodeSigningConfigArn != nil { // recorded: neither
		t.Errorf("got %s", shape(t, signing))
	}
	runtime := must(h.GetRuntimeManagementConfig(as(t), &lambdaapi.GetRuntimeManagementConfigRequest{FunctionName: wire.Ptr("example")}))(t)
	if *runtime.UpdateRuntimeOn != "Auto" || *runtime.FunctionArn != fnARN {
		t.Errorf("got %s", shape(t, runtime))
	}
}

// TestRefusalsNameRealMembers keeps a renamed member from being accepted and
// dropped.
func TestRefusalsNameRealMembers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	schema := lambdaapi.Service.Schema
	for _, r := range h.Refused() {
		path := strings.Split(r.Member, ".")
		member := path[len(path)-1]
		found := slices.ContainsFunc(schema.Shapes, func(s wire.Shape) bool {
			return slices.ContainsFunc(s.Members, func(m wire.Member) bool { return m.Name == member })
		})
		if !found || r.Reason == "" {
			t.Errorf("%s: no such member, or no reason", r.Member)
		}
	}
}

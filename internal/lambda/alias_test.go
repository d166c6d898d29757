package lambda_test

import (
	"testing"

	"github.com/butai-dev/butai/internal/api/lambdaapi"
	"github.com/butai-dev/butai/internal/wire"
)

// twoVersions makes a function with the versions 1 and 2.
func (h *house) twoVersions(t testing.TB) {
	t.Helper()
	h.create(t)
	h.publish(t)
	h.updateCode(t, "two")
	h.publish(t)
}

func (h *house) invoked(t testing.TB, qualifier string) string {
	t.Helper()
	out := must(h.Invoke(as(t), &lambdaapi.InvocationRequest{FunctionName: wire.Ptr("example"), Qualifier: &qualifier}))(t)
	return *out.ExecutedVersion
}

func routed(weights map[string]float64) *lambdaapi.AliasRoutingConfiguration {
	return &lambdaapi.AliasRoutingConfiguration{AdditionalVersionWeights: weights}
}

func TestAliases(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.twoVersions(t)
	made := must(h.CreateAlias(as(t), &lambdaapi.CreateAliasRequest{
		FunctionName: wire.Ptr("example"), Name: wire.Ptr("live"), FunctionVersion: wire.Ptr("1"), RoutingConfig: routed(nil),
	}))(t)
	want := `{
 "AliasArn": "` + fnARN + `:live",
 "Name": "live",
 "FunctionVersion": "1",
 "Description": "",
 "RevisionId": …
}`
	if got := shape(t, made) + "\n"; got != want+"\n" {
		t.Errorf("got %s", got)
	}
	if c := h.get(t, "live"); *c.FunctionArn != fnARN+":live" || *c.Version != "1" {
		t.Errorf("GetFunctionConfiguration of the alias: %s %s", *c.FunctionArn, *c.Version)
	}
	if v := h.invoked(t, "live"); v != "1" {
		t.Errorf("live ran version %s", v)
	}
	moved := must(h.UpdateAlias(as(t), &lambdaapi.UpdateAliasRequest{
		FunctionName: wire.Ptr("example"), Name: wire.Ptr("live"), FunctionVersion: wire.Ptr("2"), RevisionId: made.RevisionId, RoutingConfig: routed(map[string]float64{"1": 1}),
	}))(t)
	if *moved.RevisionId == *made.RevisionId || moved.RoutingConfig == nil {
		t.Errorf("got %s", shape(t, moved))
	}
	if v := h.invoked(t, "live"); v != "1" {
		t.Errorf("with all weight on version 1, version %s ran", v)
	}
	cleared := must(h.UpdateAlias(as(t), &lambdaapi.UpdateAliasRequest{FunctionName: wire.Ptr("example"), Name: wire.Ptr("live"), RoutingConfig: routed(nil)}))(t)
	if cleared.RoutingConfig != nil || *cleared.FunctionVersion != "2" {
		t.Errorf("got %s", shape(t, cleared))
	}
	if v := h.invoked(t, "live"); v != "2" {
		t.Errorf("live ran version %s", v)
	}
	must(h.CreateAlias(as(t), &lambdaapi.CreateAliasRequest{FunctionName: wire.Ptr("example"), Name: wire.Ptr("dev"), FunctionVersion: wire.Ptr("$LATEST")}))(t)
	all := must(h.ListAliases(as(t), &lambdaapi.ListAliasesRequest{FunctionName: wire.Ptr("example")}))(t)
	if len(all.Aliases) != 2 || *all.Aliases[0].Name != "dev" {
		t.Errorf("got %s", shape(t, all))
	}
	some := must(h.ListAliases(as(t), &lambdaapi.ListAliasesRequest{FunctionName: wire.Ptr("example"), FunctionVersion: wire.Ptr("2")}))(t)
	if len(some.Aliases) != 1 || *some.Aliases[0].Name != "live" {
		t.Errorf("got %s", shape(t, some))
	}
	for range 2 { // the second time there is nothing to delete, which is fine
		if err := h.DeleteAlias(as(t), &lambdaapi.DeleteAliasRequest{FunctionName: wire.Ptr("example"), Name: wire.Ptr("live")}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := h.Invoke(as(t), &lambdaapi.InvocationRequest{FunctionName: wire.Ptr("example:live")})
	wantError(t, err, "ResourceNotFoundException: Function not found: "+fnARN+":live")
}

func TestAliasErrors(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.twoVersions(t)
	must(h.CreateAlias(as(t), &lambdaapi.CreateAliasRequest{FunctionName: wire.Ptr("example"), Name: wire.Ptr("taken"), FunctionVersion: wire.Ptr("1")}))(t)
	const ipv = "InvalidParameterValueException: "
	for _, tc := range []struct {
		name, version string
		weights       map[string]float64
		want          string
	}{
		{"taken", "1", nil, "ResourceConflictException: Alias already exists: " + fnARN + ":taken"},
		{"a", "10", nil, "ResourceNotFoundException: Function not found: " + fnARN + ":10"},
		{"a", "1", map[string]float64{"10": 0.5}, "ResourceNotFoundException: Function not found: " + fnARN + ":10"},
		{"a", "1", map[string]float64{"1": 0.5}, ipv + "Invalid function version 1. Function version 1 is already included in routing configuration."},
		{"a", "1", map[string]float64{"1": 0.5, "2": 0.5}, ipv + "Number of items in AdditionalVersionWeights cannot be greater than 1"},
		{"a", "$LATEST", map[string]float64{"1": 0.5}, ipv + "$LATEST is not supported for an alias pointing to more than 1 version"},
	} {
		_, err := h.CreateAlias(as(t), &lambdaapi.CreateAliasRequest{FunctionName: wire.Ptr("example"), Name: &tc.name, FunctionVersion: &tc.version, RoutingConfig: routed(tc.weights)})
		wantError(t, err, tc.want)
	}
	_, err := h.GetAlias(as(t), &lambdaapi.GetAliasRequest{FunctionName: wire.Ptr("example"), Name: wire.Ptr("none")})
	wantError(t, err, "ResourceNotFoundException: Cannot find alias arn: "+fnARN+":none")
	_, err = h.UpdateAlias(as(t), &lambdaapi.UpdateAliasRequest{FunctionName: wire.Ptr("example"), Name: wire.Ptr("none")})
	wantError(t, err, "ResourceNotFoundException: Alias not found: "+fnARN+":none")
	_, err = h.UpdateAlias(as(t), &lambdaapi.UpdateAliasRequest{FunctionName: wire.Ptr("example"), Name: wire.Ptr("taken"), RevisionId: wire.Ptr("old")})
	wantError(t, err, "PreconditionFailedException: The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
}

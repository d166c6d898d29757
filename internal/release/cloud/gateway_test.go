package cloud

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/butai-dev/butai/internal/release/plan"
)

// TestPatch: what a change is on the wire, in one call.
func TestPatch(t *testing.T) {
	t.Parallel()
	have := plan.Stage{
		Deployment: "d1", Variables: map[string]string{"stage": "prod", "old": "x"},
		Canary: &plan.Canary{Deployment: "d2", Percent: 12.5, Overrides: map[string]string{"alias": "release-1"}},
	}
	want := plan.Stage{Deployment: "d2", Variables: map[string]string{"stage": "prod", "alias": "release-1"}}
	for name, tt := range map[string]struct {
		change plan.Change
		want   []string
	}{
		"the flip": {plan.Between(have, want), []string{
			"remove /canarySettings ", "replace /deploymentId d2", "replace /variables/alias release-1", "remove /variables/old ",
		}},
		"the canary": {plan.Between(plan.Stage{Deployment: "d1", Variables: have.Variables}, have), []string{
			"replace /canarySettings/deploymentId d2", "replace /canarySettings/percentTraffic 12.5",
			"replace /canarySettings/stageVariableOverrides/alias release-1",
		}},
		"nothing": {plan.Between(have, have), nil},
	} {
		var got []string
		for _, op := range Patch(tt.change) {
			got = append(got, string(op.Op)+" "+aws.ToString(op.Path)+" "+aws.ToString(op.Value))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

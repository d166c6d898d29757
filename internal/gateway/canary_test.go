package gateway

import (
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/wire"
)

// canaryStage is a stage with a canary of another deployment, whose answers
// tell the deployment, the variables and whether it is the canary's.
func canaryStage(percent float64) *Stage {
	method := func(message string) *apigatewayapi.Method {
		return respond(mockMethod(`{"statusCode": 200}`), "200", "",
			message+` $context.deploymentId $stageVariables.testVar $stageVariables.noStageVar $stageVariables.defaultVar $context.isCanaryRequest`)
	}
	s := api{"GET /": method("default")}.stage("dev", strs{"testVar": "default", "defaultVar": "default"})
	s.Canary = api{"GET /": method("canary")}.stage("dev", nil).Deployment
	s.Canary.ID = "dep456"
	s.Stage.CanarySettings = &apigatewayapi.CanarySettings{
		DeploymentId: wire.Ptr("dep456"), PercentTraffic: &percent, StageVariableOverrides: strs{"testVar": "canary", "noStageVar": "canary"}}
	s.Stage.MethodSettings = map[string]apigatewayapi.MethodSetting{"*/*": {LoggingLevel: wire.Ptr("INFO")}}
	return s
}

// TestCanary has recorded answers of either half, and where each is logged.
func TestCanary(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		percent           float64
		want, log, silent string
	}{
		{0, "default dep123 default  default false", "/dev", "/dev/Canary"},
		{100, "canary dep456 canary canary default true", "/dev/Canary", "/dev"},
	} {
		f := newFixture(t, nil, canaryStage(tt.percent))
		if got := bodyOf(t, f.do(request("GET", "/dev", ""))); got != tt.want {
			t.Errorf("%v%%: got %q, want %q", tt.percent, got, tt.want)
		}
		const groups = "API-Gateway-Execution-Logs_" + testAPI
		if len(f.logs.group(groups+tt.log)) == 0 || len(f.logs.group(groups+tt.silent)) != 0 {
			t.Errorf("%v%%: logged to %v", tt.percent, f.logs.lines)
		}
	}
	without := canaryStage(0)
	without.Stage.CanarySettings, without.Canary = nil, nil
	if got := bodyOf(t, newFixture(t, nil, without).do(request("GET", "/dev", ""))); got != "default dep123 default  default " {
		t.Errorf("without a canary: %q", got)
	}
}

// TestCanaryShare draws many requests; the bounds are six standard deviations
// wide.
func TestCanaryShare(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, canaryStage(30))
	const requests = 2000
	canaries := 0
	for range requests {
		if strings.HasPrefix(bodyOf(t, f.do(request("GET", "/dev", ""))), "canary") {
			canaries++
		}
	}
	if canaries < 477 || canaries > 723 {
		t.Errorf("%d of %d requests went to a canary of 30%%", canaries, requests)
	}
}

// TestCanarySharesThrottle keeps one bucket for both halves of a stage.
func TestCanarySharesThrottle(t *testing.T) {
	t.Parallel()
	s := canaryStage(50)
	s.Stage.MethodSettings["*/*"] = apigatewayapi.MethodSetting{ThrottlingRateLimit: wire.Ptr(0.001), ThrottlingBurstLimit: wire.Ptr[int64](3)}
	f := newFixture(t, nil, s)
	passed := 0
	for range 40 {
		if f.do(request("GET", "/dev", "")).StatusCode == 200 {
			passed++
		}
	}
	if passed != 3 {
		t.Errorf("%d requests passed a burst of 3", passed)
	}
}

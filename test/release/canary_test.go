package release

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"

	"github.com/butai-dev/butai/internal/release/plan"
	"github.com/butai-dev/butai/test/harness"
)

// background starts butai release; the function that it returns waits for the
// exit code.
func (w *world) background(args ...string) (wait func() int) {
	w.Helper()
	cmd := w.command(args...)
	w.must(cmd.Start())
	w.Cleanup(func() { _ = cmd.Process.Kill() })
	return func() int {
		_ = cmd.Wait()
		return cmd.ProcessState.ExitCode()
	}
}

// stands waits until the latest release has a status.
func (w *world) stands(status plan.Status) {
	w.Helper()
	for range 600 {
		if w.latest().Status == status {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.Fatalf("the latest release never was %s", status)
}

// shifting waits until production gives a share of its requests away.
func (w *world) shifting(percent float64) {
	w.Helper()
	for range 600 {
		s, err := w.gateway.GetStage(context.Background(), &apigateway.GetStageInput{RestApiId: &w.api, StageName: aws.String("production")})
		w.must(err)
		if s.CanarySettings != nil && s.CanarySettings.PercentTraffic == percent {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	w.Fatalf("production never shared %g%% of its requests", percent)
}

// TestCanary gives a share of production's requests to the new pair, pauses,
// counts, goes on and goes back; with records in S3, and no more permissions
// than release policy asks for.
func TestCanary(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	w := newWorld(t, s.URL, s.Env())
	w.says(0, "records are kept in s3://butai-releases/shop", "init", "--records", "s3://butai-releases/shop")
	w.configure(map[string]string{"propagation: 1s": "propagation: 100ms", "checks:": "gates: {every: 1s}\nchecks:"})
	w.becomeReleaser()
	w.editGateway("gateway-2")
	w.editCode("code-2", nil)
	w.does(0, "deploy", "staging")
	ended := w.background("promote", "--strategy", "canary 30% for 5m")
	w.shifting(30)
	w.says(5, "is being released by test", "promote")
	w.does(0, "pause", "production")
	if code := ended(); code != 4 {
		t.Errorf("the paused command ended with %d, want 4", code)
	}
	w.says(5, "is paused", "rollback", "production")
	w.shares(0.3)

	ended = w.background("resume", "production")
	w.stands("running")
	w.does(0, "abort", "production", "-m", "enough")
	if code := ended(); code != 3 && code != 5 { // 5: abort had the lease already
		t.Errorf("the aborted command ended with %d, want 3", code)
	}
	w.serves("production", "gateway-1", "code-1")

	w.does(0, "promote", "--strategy", "linear 40% every 1s")
	w.serves("production", "gateway-2", "code-2")
	w.rehearses()
}

// rehearses lets the new version fail on purpose, finds out, and goes back.
func (w *world) rehearses() {
	w.Helper()
	w.says(0, "pair:2: 100% of the calls fail", "simulate", "pair:2", "--errors", "100%", "--latency", "10ms")
	if a := w.ask("production"); a.Status != 500 {
		w.Errorf("a version that is to fail answers %+v", a)
	}
	w.says(1, "status 500", "verify", "production")
	w.does(0, "rollback", "production")
	w.serves("production", "gateway-1", "code-1")
	w.says(0, "no faults are simulated", "simulate", "pair:2", "--heal")
}

// shares expects that a part of production's answers comes from generation 2,
// within five standard deviations, and that none is mixed.
func (w *world) shares(want float64) {
	w.Helper()
	const n = 500
	got := 0
	for range n {
		switch a := w.ask("production"); {
		case a.Gateway == "gateway-2" && a.Code == "code-2" && a.Stage == "production":
			got++
		case a.Gateway != "gateway-1" || a.Code != "code-1" || a.Stage != "production":
			w.Fatalf("production answers %+v", a)
		}
	}
	if bound := 5 * math.Sqrt(n*want*(1-want)); math.Abs(float64(got)-n*want) > bound {
		w.Errorf("%d of %d answers are new, want %g ± %.0f", got, n, n*want, bound)
	}
}

// TestBadVersionIsCaught: errors, slowness and a wrong body that only show in
// production are found by the gate while the version has a share, production
// is back before the gate would have looked again, and the record says why.
func TestBadVersionIsCaught(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	w := newWorld(t, s.URL, s.Env())
	w.does(0, "init")
	// Some request of three meets the version that has nearly all of them.
	const expect = "expect: {status: 200, latency: 3s, body: 'code-[12]'}\n    stages: [production]"
	const check = expect + "\n  - name: again\n    path: /pair\n    " + expect + "\n  - name: once more\n    path: /pair\n    " + expect
	const every = 60 * time.Second
	w.configure(map[string]string{
		"propagation: 1s": "propagation: 100ms", "checks:": "gates: {every: 60s}\nchecks:", "expect:\n      status: 200": check,
	})
	w.editGateway("gateway-2")
	w.does(0, "deploy", "staging")
	for what, change := range map[string]map[string]string{
		"status 500": {"FAILS = False": "FAILS = True"}, "took": {"SLOW = 0": "SLOW = 5"}, "body is": nil,
	} {
		generation := "code-2"
		if change == nil {
			generation = "code-9"
		}
		w.editCode(generation, change)
		w.says(3, what, "promote", "--strategy", "canary 99% for 10m")
		w.serves("production", "gateway-1", "code-1")

		r := w.latest()
		if r.Status != plan.Restored || !strings.Contains(r.Reason, "watch 10m0s: ") || !strings.Contains(r.Reason, what) {
			t.Errorf("the record says %s, %q; want why: %s", r.Status, r.Reason, what)
		}
		failed := slices.IndexFunc(r.Results, func(r plan.Result) bool {
			return r.Step == "watch 10m0s" && r.Verdict == plan.Failed && strings.Contains(r.Detail, what)
		})
		if failed < 0 {
			t.Fatalf("%s: no result of the gate in the record: %+v", what, r.Results)
		}
		if took := r.Ended.Sub(r.Results[failed].Time); took <= 0 || took >= every {
			t.Errorf("%s: production was back %s after the gate, whose interval is %s", what, took, every)
		}
	}
}

// latest is the record of the latest release.
func (w *world) latest() *plan.Release {
	w.Helper()
	var all []*plan.Release
	w.must(json.Unmarshal([]byte(w.does(0, "history", "--json")), &all))
	return all[len(all)-1]
}

// TestMetricsGate compares new versions with old ones by CloudWatch: too few
// requests hold the release, more errors take it back.
func TestMetricsGate(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	w := newWorld(t, s.URL, s.Env())
	w.does(0, "init")
	w.configure(map[string]string{
		"propagation: 1s": "propagation: 100ms", "checks:": "gates: {every: 1s, metrics: {minimumRequests: 20, errorRate: 5, latency: 1000}}\nchecks:",
		"status: 200": "status: 200\n    stages: [staging]",
	})
	w.editGateway("gateway-2")
	w.editCode("code-2", nil)
	w.does(0, "deploy", "staging")
	w.says(4, "fewer than 20 requests", "promote", "--strategy", "canary 50% for 1s")
	w.does(0, "abort", "production")

	l := startLoad(w.stageURL("production")+"/pair", 50)
	defer l.stop()
	ended := w.background("promote", "--strategy", "canary 50% for 5m")
	w.shifting(50)
	w.does(0, "simulate", "pair:2", "--errors", "60%")
	if code := ended(); code != 3 {
		t.Errorf("the command ended with %d, want 3", code)
	}
	w.serves("production", "gateway-1", "code-1")
	w.says(0, "points more errors", "show", "5")
}

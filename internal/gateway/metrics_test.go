package gateway

import (
	"testing"

	"github.com/butai-dev/butai/internal/api/apigatewayapi"
	"github.com/butai-dev/butai/internal/metric"
	"github.com/butai-dev/butai/internal/wire"
)

// sums adds samples up by metric and dimensions.
type sums map[string]float64

func (s sums) Put(_, _ string, samples []metric.Sample) {
	for _, x := range samples {
		key := x.ID.Name
		for _, d := range x.ID.Dimensions {
			key += " " + d.Value
		}
		s[key] += x.Set.Sum
		s["n "+key] += x.Set.Count
	}
}

// TestMetrics counts what a stage's requests leave, in the API's, the stage's
// and, where it is asked for, the method's metrics.
func TestMetrics(t *testing.T) {
	t.Parallel()
	settings := caching()
	settings.MetricsEnabled = wire.Ptr(true)
	s, fn := cachedStage(map[string]apigatewayapi.MethodSetting{"*/*": settings})
	s.Deployment.API.Name = wire.Ptr("shop")
	f := newFixture(t, fn, s)
	for _, target := range []string{"/s/a/1", "/s/a/1", "/s/a/2", "/s/none"} {
		f.do(request("GET", target, ""))
	}
	fn.f = refuses(403, "X").f
	f.do(request("POST", "/s/a/1", ""))
	got := sums{}
	f.DrainMetrics(got)
	for key, want := range map[string]float64{
		"Count shop": 5, "Count shop s": 5, "Count shop GET /a/{id} s": 3, "Count shop POST /a/{id} s": 1,
		"4XXError shop s": 1, "5XXError shop s": 1, "5XXError shop POST /a/{id} s": 1, "n 5XXError shop s": 5,
		"CacheHitCount shop s": 1, "CacheMissCount shop s": 2, "CacheHitCount shop GET /a/{id} s": 1,
		"n Latency shop": 5, "n IntegrationLatency shop s": 3,
	} {
		if got[key] != want {
			t.Errorf("%s = %v, want %v", key, got[key], want)
		}
	}
	again := sums{}
	f.PublishStage(s)
	f.do(request("GET", "/s/b", ""))
	f.DrainMetrics(again)
	if again["Count shop s"] != 1 {
		t.Errorf("after publishing anew: %v", again)
	}
	if _, ok := again["Count shop GET /a/{id} s"]; ok {
		t.Error("an idle method has metrics")
	}
}

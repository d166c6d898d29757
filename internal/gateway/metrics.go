package gateway

import (
	"net/http"
	"sync"
	"time"

	"github.com/butai-dev/butai/internal/metric"
)

// metricNamespace is the namespace of API Gateway's metrics (developer guide,
// "Amazon API Gateway dimensions and metrics").
const metricNamespace = "AWS/ApiGateway"

// metricColumns are the metrics of a request, in the order of row.
var metricColumns = []metric.Column{
	{Name: "Count", Unit: metric.Count}, {Name: "4XXError", Unit: metric.Count}, {Name: "5XXError", Unit: metric.Count},
	{Name: "Latency", Unit: metric.Milliseconds}, {Name: "IntegrationLatency", Unit: metric.Milliseconds},
	{Name: "CacheHitCount", Unit: metric.Count}, {Name: "CacheMissCount", Unit: metric.Count},
}

// meterKey says what a meter measures: a stage, or one of its methods.
type meterKey struct {
	account, region, api, stage string
	resource, verb              string // "" for the stage
}

// lazyMeter is the meter of a compiled stage or method. Publishing anew goes on
// with the same one.
type lazyMeter struct {
	once  sync.Once
	meter *metric.Meter
}

// get returns the meter of key. The stage's counts for the API and the stage;
// a method's for itself alone.
func (l *lazyMeter) get(g *Gateway, key meterKey) *metric.Meter {
	l.once.Do(func() {
		l.meter = g.meters.Get(key, func() *metric.Meter {
			api, stage := metric.Dimension{Name: "ApiName", Value: key.api}, metric.Dimension{Name: "Stage", Value: key.stage}
			dimensions := [][]metric.Dimension{{api}, {api, stage}}
			if key.verb != "" {
				dimensions = [][]metric.Dimension{{api, {Name: "Method", Value: key.verb}, {Name: "Resource", Value: key.resource}, stage}}
			}
			return &metric.Meter{
				Account: key.account, Region: key.region, Namespace: metricNamespace, Columns: metricColumns, Dimensions: dimensions,
			}
		})
	})
	return l.meter
}

// measure counts the request in CloudWatch's metrics. The answer is made, but
// not sent: who has the answer finds the metrics.
func (x *exchange) measure() {
	if x.st == nil {
		return // no API that could be named
	}
	row := x.metricRow()
	key := meterKey{account: x.st.account, region: x.st.region, api: x.st.apiName, stage: x.st.name}
	x.st.meter.get(x.gw, key).Take(x.started, row[:]...)
	if x.m != nil && x.m.settings.metrics {
		key.resource, key.verb = x.m.resourcePath, x.m.verb
		x.m.meter.get(x.gw, key).Take(x.started, row[:]...)
	}
}

// metricRow has a value for each of metricColumns. Errors are 0 or 1, so that
// their average is the rate.
func (x *exchange) metricRow() [7]float64 {
	row := [7]float64{1, 0, 0, float64(time.Since(x.begun).Milliseconds()), metric.Unmeasured, metric.Unmeasured, metric.Unmeasured}
	switch status := x.answer.status; {
	case status >= http.StatusInternalServerError:
		row[2] = 1
	case status >= http.StatusBadRequest:
		row[1] = 1
	}
	switch x.cached {
	case cacheHit:
		row[5], row[6] = 1, 0
	case cacheMiss:
		row[5], row[6] = 0, 1
	}
	if x.inbound.called && x.m.kind != typeMock {
		row[4] = float64(x.inbound.latency.Milliseconds())
	}
	return row
}

// DrainMetrics hands sink what was measured since the last time.
func (g *Gateway) DrainMetrics(sink metric.Sink) { g.meters.Drain(sink) }

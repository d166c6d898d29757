package logs

import (
	"context"

	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/metric"
	"github.com/butai-dev/butai/internal/store"
)

// extract does what stored events are for beside being read: metrics that are
// embedded in them or that filters make of them, and subscribed functions. It
// runs on the writer's goroutine.
func (s *Service) extract(ctx context.Context, pending map[address][]event) {
	if len(pending) == 0 {
		return
	}
	type filters struct {
		metrics   []*logsapi.MetricFilter
		functions []*logsapi.SubscriptionFilter
	}
	found := map[address]filters{}
	err := s.Store.View(ctx, func(r store.ReadTx) error {
		clear(found)
		for to := range pending {
			g, err := groups.Get(r, to.account, to.region, to.group)
			if err != nil || g == nil {
				continue
			}
			var f filters
			if f.metrics, err = metricFilters.List(r, to.account, to.region, g.ID); err != nil {
				return err
			}
			if f.functions, err = subscriptions.List(r, to.account, to.region, g.ID); err != nil {
				return err
			}
			found[to] = f
		}
		return nil
	})
	if err != nil {
		s.Log.Error("log events weren't filtered", "error", err)
	}
	for to, events := range pending {
		var samples []metric.Sample
		for _, e := range events {
			samples = append(samples, embeddedSamples(e)...)
		}
		for _, f := range found[to].metrics {
			samples = append(samples, metricSamples(f, events)...)
		}
		if samples != nil {
			s.Metrics.Put(to.account, to.region, samples)
		}
		for _, f := range found[to].functions {
			s.deliver(ctx, f, to, events)
		}
	}
}

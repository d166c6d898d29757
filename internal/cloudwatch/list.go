package cloudwatch

import (
	"context"
	"slices"
	"time"

	"github.com/butai-dev/butai/internal/api/cloudwatchapi"
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

const (
	// listPage is how many metrics a page of ListMetrics holds (API Reference).
	listPage = 500
	// listed is how long a metric without new values is listed, and recent how
	// long with RecentlyActive (API Reference, "ListMetrics").
	listed = 14 * 24 * time.Hour
	recent = 3 * time.Hour
)

// ListMetrics lists metrics that had values lately.
func (s *Service) ListMetrics(ctx context.Context, in *cloudwatchapi.ListMetricsInput) (*cloudwatchapi.ListMetricsOutput, error) {
	if len(in.Dimensions) > maxDimensions {
		return nil, invalidValue("The collection Dimensions must not have a size greater than 30.")
	}
	since := s.Clock.Now().Add(-listed)
	if in.RecentlyActive != nil {
		since = s.Clock.Now().Add(-recent)
	}
	after, err := readToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	if err := s.Flush(ctx); err != nil {
		return nil, err
	}
	p := placeOf(ctx)
	prefix := []string{p.account, p.region}
	if in.Namespace != nil {
		prefix = append(prefix, *in.Namespace)
		if in.MetricName != nil {
			prefix = append(prefix, *in.MetricName)
		}
	}
	out := &cloudwatchapi.ListMetricsOutput{Metrics: []cloudwatchapi.Metric{}}
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		last := ""
		for m, err := range allSeries.All(r, prefix...) {
			if err != nil {
				return err
			}
			// A metric with several units has a series for each.
			id := m.Namespace + "\x00" + m.Name + "\x00" + hash(m.key(p).dimensions)
			if id <= after || id == last || m.Last < since.Unix()-lastStep || !m.picked(in) {
				continue
			}
			if len(out.Metrics) == listPage {
				out.NextToken = paging.Token(last)
				return nil
			}
			last = id
			out.Metrics = append(out.Metrics, cloudwatchapi.Metric{
				Namespace: &m.Namespace, MetricName: &m.Name, Dimensions: dimensionsOut(m.Dimensions),
			})
		}
		return nil
	})
	return out, err
}

func (m *series) picked(in *cloudwatchapi.ListMetricsInput) bool {
	if in.MetricName != nil && *in.MetricName != m.Name {
		return false
	}
	for _, want := range in.Dimensions {
		if !slices.ContainsFunc(m.Dimensions, func(d dimension) bool {
			return d.Name == *want.Name && (want.Value == nil || d.Value == *want.Value)
		}) {
			return false
		}
	}
	return true
}

// readToken returns where a listing goes on.
func readToken(token *string) (string, error) {
	after, err := paging.After(token)
	if err != nil {
		return "", &cloudwatchapi.InvalidNextToken{Message: wire.Ptr("The service cannot process the token that you have provided.")}
	}
	return after, nil
}

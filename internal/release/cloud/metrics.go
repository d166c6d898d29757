package cloud

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/butai-dev/butai/internal/release"
)

// Metrics is CloudWatch, as API Gateway and Lambda report to it.
type Metrics struct {
	client  *cloudwatch.Client
	gateway *Gateway
}

var _ release.Metrics = (*Metrics)(nil)

// NewMetrics reads the metrics of an API and its functions.
func NewMetrics(cfg aws.Config, g *Gateway) *Metrics {
	return &Metrics{cloudwatch.NewFromConfig(cfg), g}
}

// period is the resolution that both services report in.
const period = 60

// series is one number that is asked for.
type series struct {
	metric, statistic string
	add               func(n *release.Numbers, v float64)
}

func latency(metric string) []series {
	return []series{
		{metric, "p50", func(n *release.Numbers, v float64) { n.P50 = max(n.P50, v) }},
		{metric, "p99", func(n *release.Numbers, v float64) { n.P99 = max(n.P99, v) }},
	}
}

// Stage implements release.Metrics. Errors are those of the server's side.
func (m *Metrics) Stage(ctx context.Context, stage string, since, until time.Time) (*release.Numbers, error) {
	name, err := m.gateway.name(ctx) // the dimension that API Gateway reports an API under
	if err != nil {
		return nil, err
	}
	return m.sum(ctx, "AWS/ApiGateway", dimensions("ApiName", name, "Stage", stage), since, until, append(latency("Latency"),
		series{"Count", "Sum", func(n *release.Numbers, v float64) { n.Requests += v }},
		series{"5XXError", "Sum", func(n *release.Numbers, v float64) { n.Errors += v }},
	))
}

// Alias implements release.Metrics.
func (m *Metrics) Alias(ctx context.Context, function, alias string, since, until time.Time) (*release.Numbers, error) {
	return m.sum(ctx, "AWS/Lambda", dimensions("FunctionName", function, "Resource", function+":"+alias), since, until, append(latency("Duration"),
		series{"Invocations", "Sum", func(n *release.Numbers, v float64) { n.Requests += v }},
		series{"Errors", "Sum", func(n *release.Numbers, v float64) { n.Errors += v }},
	))
}

func dimensions(pairs ...string) []types.Dimension {
	var out []types.Dimension
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, types.Dimension{Name: &pairs[i], Value: &pairs[i+1]})
	}
	return out
}

// sum asks for all series in one call. CloudWatch aligns them to whole
// minutes.
func (m *Metrics) sum(ctx context.Context, namespace string, dims []types.Dimension, since, until time.Time, all []series) (*release.Numbers, error) {
	start, end := since.Truncate(time.Minute), until.Truncate(time.Minute).Add(time.Minute)
	in := &cloudwatch.GetMetricDataInput{StartTime: &start, EndTime: &end}
	for i, s := range all {
		in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{
			Id: aws.String(fmt.Sprintf("m%d", i)),
			MetricStat: &types.MetricStat{
				Metric: &types.Metric{Namespace: &namespace, MetricName: aws.String(s.metric), Dimensions: dims},
				Period: aws.Int32(period), Stat: aws.String(s.statistic),
			},
		})
	}
	out := &release.Numbers{}
	pages := cloudwatch.NewGetMetricDataPaginator(m.client, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range page.MetricDataResults {
			for i, s := range all {
				if aws.ToString(r.Id) == fmt.Sprintf("m%d", i) {
					for _, v := range r.Values {
						s.add(out, v)
					}
				}
			}
		}
	}
	return out, nil
}

package logs

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/logsapi"
	"github.com/butai-dev/butai/internal/logs/pattern"
	"github.com/butai-dev/butai/internal/metric"
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/store/record"
	"github.com/butai-dev/butai/internal/wire"
)

var metricFilters = record.New[logsapi.MetricFilter]("logs", "metricfilter") // account, region, id of the group, name

const (
	// maxMetricFilters and maxFilterDimensions are quotas of CloudWatch Logs.
	maxMetricFilters    = 100
	maxFilterDimensions = 3
)

// PutMetricFilter makes a filter that turns a group's coming events into a
// metric, or replaces one.
func (s *Service) PutMetricFilter(ctx context.Context, in *logsapi.PutMetricFilterRequest) error {
	if err := checkMetricFilter(in); err != nil {
		return err
	}
	p := placeOf(ctx)
	f := &logsapi.MetricFilter{
		FilterName: in.FilterName, FilterPattern: in.FilterPattern, MetricTransformations: in.MetricTransformations,
		CreationTime: wire.Ptr(s.Clock.Now().UnixMilli()), LogGroupName: in.LogGroupName, ApplyOnTransformedLogs: wire.Ptr(false),
	}
	return s.Store.Update(ctx, func(tx store.Tx) error {
		g, err := getGroup(tx, p, *in.LogGroupName)
		if err != nil {
			return err
		}
		have, err := metricFilters.List(tx, p.account, p.region, g.ID)
		if err != nil {
			return err
		}
		replaced := slices.ContainsFunc(have, func(f *logsapi.MetricFilter) bool { return *f.FilterName == *in.FilterName })
		if len(have) >= maxMetricFilters && !replaced {
			return limitExceeded()
		}
		return metricFilters.Put(tx, f, p.account, p.region, g.ID, *in.FilterName)
	})
}

func checkMetricFilter(in *logsapi.PutMetricFilterRequest) error {
	match, err := pattern.Parse(*in.FilterPattern)
	if err != nil {
		return invalid("Invalid filter pattern: " + err.Error())
	}
	for _, t := range in.MetricTransformations {
		value := *t.MetricValue
		if _, err := strconv.ParseFloat(value, 64); err != nil && !strings.HasPrefix(value, "$") {
			return invalid("Invalid metric transformation: metricValue is neither a number nor a reference such as $.size: " + value)
		}
		switch {
		case t.Dimensions != nil && t.DefaultValue != nil:
			return invalid("Invalid metric transformation: dimensions and default value are mutually exclusive properties.")
		case len(t.Dimensions) > maxFilterDimensions:
			return invalid(fmt.Sprintf("Invalid metric transformation: there are more than %d dimensions.", maxFilterDimensions))
		case t.Dimensions != nil && !match.Structured():
			return invalid("Invalid metric transformation: dimensions need a JSON or space-delimited filter pattern.")
		}
	}
	return nil
}

// DeleteMetricFilter deletes a filter; the metric stays.
func (s *Service) DeleteMetricFilter(ctx context.Context, in *logsapi.DeleteMetricFilterRequest) error {
	if err := s.Flush(ctx); err != nil { // what was put before still counts
		return err
	}
	p := placeOf(ctx)
	return s.Store.Update(ctx, func(tx store.Tx) error {
		g, err := getGroup(tx, p, *in.LogGroupName)
		if err != nil {
			return err
		}
		have, err := metricFilters.Get(tx, p.account, p.region, g.ID, *in.FilterName)
		if err == nil && have == nil {
			err = notFound("metric filter")
		}
		if err != nil {
			return err
		}
		return metricFilters.Delete(tx, p.account, p.region, g.ID, *in.FilterName)
	})
}

// DescribeMetricFilters lists filters of a group, or of all groups.
func (s *Service) DescribeMetricFilters(ctx context.Context, in *logsapi.DescribeMetricFiltersRequest) (*logsapi.DescribeMetricFiltersResponse, error) {
	if in.LogGroupName == nil && in.FilterNamePrefix != nil || (in.MetricName == nil) != (in.MetricNamespace == nil) {
		return nil, invalid("A filter name prefix needs a log group, a metric name a namespace and a namespace a metric name.")
	}
	after, err := readToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	skip := 0
	if after != "" {
		if skip, err = strconv.Atoi(after); err != nil {
			return nil, errToken()
		}
	}
	p, limit := placeOf(ctx), limitOr(in.Limit, 50)
	out := &logsapi.DescribeMetricFiltersResponse{MetricFilters: []logsapi.MetricFilter{}}
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		prefix := []string{p.account, p.region}
		if in.LogGroupName != nil {
			g, err := getGroup(r, p, *in.LogGroupName)
			if err != nil {
				return err
			}
			prefix = append(prefix, g.ID)
		}
		seen := 0
		for f, err := range metricFilters.All(r, prefix...) {
			if err != nil {
				return err
			}
			if !strings.HasPrefix(*f.FilterName, wire.Val(in.FilterNamePrefix)) || !feeds(f, in) {
				continue
			}
			if seen++; seen <= skip {
				continue
			}
			if len(out.MetricFilters) == limit {
				out.NextToken = paging.Token(strconv.Itoa(skip + limit))
				return nil
			}
			out.MetricFilters = append(out.MetricFilters, *f)
		}
		return nil
	})
	return out, err
}

// feeds reports whether f feeds the metric that is asked for, if one is.
func feeds(f *logsapi.MetricFilter, in *logsapi.DescribeMetricFiltersRequest) bool {
	if in.MetricName == nil {
		return true
	}
	for _, t := range f.MetricTransformations {
		if *t.MetricName == *in.MetricName && *t.MetricNamespace == *in.MetricNamespace {
			return true
		}
	}
	return false
}

// TestMetricFilter tells which messages a pattern matches.
func (s *Service) TestMetricFilter(_ context.Context, in *logsapi.TestMetricFilterRequest) (*logsapi.TestMetricFilterResponse, error) {
	match, err := pattern.Parse(*in.FilterPattern)
	if err != nil {
		return nil, invalid("Invalid filter pattern: " + err.Error())
	}
	out := &logsapi.TestMetricFilterResponse{Matches: []logsapi.MetricFilterMatchRecord{}}
	for i, message := range in.LogEventMessages {
		if match.Matches(message) {
			out.Matches = append(out.Matches, logsapi.MetricFilterMatchRecord{
				EventNumber: wire.Ptr(int64(i + 1)), EventMessage: &message, ExtractedValues: match.Values(message),
			})
		}
	}
	return out, nil
}

// metricSamples are what a filter makes of a group's events.
func metricSamples(f *logsapi.MetricFilter, events []event) []metric.Sample {
	match, err := pattern.Parse(*f.FilterPattern)
	if err != nil {
		return nil // it parsed when it was put
	}
	var out []metric.Sample
	for _, e := range events {
		matched := match.Matches(e.message)
		for i := range f.MetricTransformations {
			if sample, ok := transform(&f.MetricTransformations[i], match, e, matched); ok {
				out = append(out, sample)
			}
		}
	}
	return out
}

// transform makes a metric's value of one event. Events that don't match count
// with the default value if there is one.
func transform(t *logsapi.MetricTransformation, match *pattern.Pattern, e event, matched bool) (sample metric.Sample, ok bool) {
	sample = metric.Sample{
		ID: metric.ID{Namespace: *t.MetricNamespace, Name: *t.MetricName}, Unit: metric.None, Time: time.UnixMilli(e.ts).UTC(),
	}
	if t.Unit != nil {
		sample.Unit = *t.Unit
	}
	if !matched {
		if t.DefaultValue == nil {
			return sample, false
		}
		sample.Set.Add(*t.DefaultValue)
		return sample, true
	}
	text := *t.MetricValue
	if strings.HasPrefix(text, "$") {
		if text, ok = match.Value(e.message, text); !ok {
			return sample, false
		}
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return sample, false
	}
	for name, ref := range t.Dimensions {
		v, ok := match.Value(e.message, ref)
		if !ok || v == "" {
			return sample, false // AWS publishes nothing without all dimensions
		}
		sample.ID.Dimensions = append(sample.ID.Dimensions, metric.Dimension{Name: name, Value: v})
	}
	sample.ID.Dimensions = metric.Sorted(sample.ID.Dimensions)
	sample.Set.Add(value)
	return sample, true
}

package cloudwatch

import (
	"context"
	"fmt"
	"time"

	"github.com/butai-dev/butai/internal/api/cloudwatchapi"
	"github.com/butai-dev/butai/internal/metric"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// maxDatapoints is what one GetMetricStatistics may ask for (API Reference).
const maxDatapoints = 1440

// GetMetricStatistics sums a metric up by period, in each of its units.
func (s *Service) GetMetricStatistics(ctx context.Context, in *cloudwatchapi.GetMetricStatisticsInput) (*cloudwatchapi.GetMetricStatisticsOutput, error) {
	stats, err := checkStatistics(in)
	if err != nil {
		return nil, err
	}
	if err := s.Flush(ctx); err != nil {
		return nil, err
	}
	p := placeOf(ctx)
	id := metric.ID{Namespace: *in.Namespace, Name: *in.MetricName, Dimensions: dimensionsOf(in.Dimensions)}
	w := window{span{startOf(*in.StartTime, *in.Period, s.Clock.Now()), in.EndTime.Unix()}, *in.Period}
	out := &cloudwatchapi.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []cloudwatchapi.Datapoint{}}
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		found, err := units(r, p, &id, wire.Val(in.Unit))
		if err != nil {
			return err
		}
		for _, unit := range found {
			bins, err := w.load(r, p, &id, unit)
			if err != nil {
				return err
			}
			for i := range bins {
				if d, ok := datapoint(&bins[i], unit, stats); ok {
					out.Datapoints = append(out.Datapoints, d)
				}
			}
		}
		return nil
	})
	return out, err
}

func checkStatistics(in *cloudwatchapi.GetMetricStatisticsInput) ([]metric.Stat, error) {
	switch {
	case in.Statistics == nil && in.ExtendedStatistics == nil:
		return nil, invalidCombination("Must specify either Statistics or ExtendedStatistics")
	case in.Statistics != nil && in.ExtendedStatistics != nil:
		return nil, invalidCombination("The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both.")
	case !in.StartTime.Before(*in.EndTime):
		return nil, invalidCombination("The parameter StartTime must be less than the parameter EndTime.")
	}
	if err := checkPeriod(*in.Period, "Period"); err != nil {
		return nil, err
	}
	if n := (in.EndTime.Unix() - in.StartTime.Unix()) / *in.Period; n > maxDatapoints {
		return nil, invalidCombination(fmt.Sprintf("You have requested up to %s datapoints, which exceeds the limit of 1,440. "+
			"You may reduce the datapoints requested by increasing Period, or decreasing the time range.", grouped(n)))
	}
	var stats []metric.Stat
	for i, text := range append(in.Statistics, in.ExtendedStatistics...) {
		stat, err := metric.ParseStat(text)
		if err != nil {
			return nil, invalidValue(fmt.Sprintf("The value %s for parameter ExtendedStatistics.member.%d is invalid.", text, i+1))
		}
		stats = append(stats, stat)
	}
	return stats, nil
}

// checkPeriod allows 1, 5, 10, 20 and 30 seconds and whole minutes.
func checkPeriod(period int64, name string) error {
	switch period {
	case 1, 5, 10, 20, 30:
		return nil
	}
	if period <= 0 || period%60 != 0 {
		return invalidValue(fmt.Sprintf("The parameter %s must be 1, 5, 10, 20, 30, or a multiple of 60.", name))
	}
	return nil
}

// grouped prints n with a comma between thousands.
func grouped(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return grouped(n/1000) + fmt.Sprintf(",%03d", n%1000)
}

// datapoint has the wanted statistics of a period; ok is false if none has a
// value.
func datapoint(b *bin, unit string, stats []metric.Stat) (d cloudwatchapi.Datapoint, ok bool) {
	d = cloudwatchapi.Datapoint{Timestamp: wire.Ptr(time.Unix(b.at, 0).UTC()), Unit: &unit}
	for i := range stats {
		v, has := stats[i].Of(&b.set)
		if !has {
			continue
		}
		ok = true
		switch stats[i].String() {
		case "SampleCount":
			d.SampleCount = &v
		case "Average":
			d.Average = &v
		case "Sum":
			d.Sum = &v
		case "Minimum":
			d.Minimum = &v
		case "Maximum":
			d.Maximum = &v
		default:
			if d.ExtendedStatistics == nil {
				d.ExtendedStatistics = map[string]float64{}
			}
			d.ExtendedStatistics[stats[i].String()] = v
		}
	}
	return d, ok
}

package cloudwatch

import (
	"slices"
	"time"

	"github.com/butai-dev/butai/internal/metric"
	"github.com/butai-dev/butai/internal/store"
)

type dimension = metric.Dimension

// key is the series' identity.
func (m *series) key(p place) seriesKey {
	id := metric.ID{Dimensions: m.Dimensions}
	return seriesKey{p, m.Namespace, m.Name, id.Key(), m.Unit}
}

// units are the units that a metric was measured in, in alphabetical order;
// only the wanted one if that isn't "".
func units(r store.ReadTx, p place, id *metric.ID, wanted string) ([]string, error) {
	var out []string
	for m, err := range allSeries.All(r, p.account, p.region, id.Namespace, id.Name, hash(id.Key())) {
		if err != nil {
			return nil, err
		}
		if wanted == "" || wanted == m.Unit {
			out = append(out, m.Unit)
		}
	}
	return out, nil
}

// window is a span cut into periods, the first of which begins at from.
type window struct {
	span
	period int64 // seconds
}

// startOf rounds the start of a span down as CloudWatch does: to the minute,
// of older data to five minutes or the hour, for periods below a minute to a
// multiple of them (API Reference, "GetMetricStatistics", StartTime).
func startOf(start time.Time, period int64, now time.Time) int64 {
	step := int64(60)
	switch age := now.Sub(start); {
	case age > 63*24*time.Hour:
		step = hour
	case age > 15*24*time.Hour:
		step = 300
	case period < 60:
		step = period
	}
	return start.Unix() - mod(start.Unix(), step)
}

func mod(n, step int64) int64 { return (n%step + step) % step }

// bin is what is known of one period.
type bin struct {
	at  int64
	set metric.Set
}

// bins sums a series up by period; periods without values are left out.
func (w *window) bins(points []point) []bin {
	var out []bin
	for i := range points {
		p := &points[i]
		at := p.At - mod(p.At-w.from, w.period)
		if n := len(out); n == 0 || out[n-1].at != at {
			out = append(out, bin{at: at})
		}
		out[len(out)-1].set.Merge(&p.Set)
	}
	return out
}

// load returns a metric's periods in all wanted units together: "" means any.
func (w *window) load(r store.ReadTx, p place, id *metric.ID, unit string) ([]bin, error) {
	found, err := units(r, p, id, unit)
	if err != nil {
		return nil, err
	}
	var points []point
	for _, u := range found {
		more, err := read(r, seriesKey{p, id.Namespace, id.Name, id.Key(), u}, w.span)
		if err != nil {
			return nil, err
		}
		points = append(points, more...)
	}
	if len(found) > 1 {
		slices.SortStableFunc(points, func(a, b point) int { return int(a.At - b.At) })
	}
	return w.bins(points), nil
}

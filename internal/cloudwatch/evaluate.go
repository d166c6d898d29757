package cloudwatch

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/cloudwatchapi"
	"github.com/butai-dev/butai/internal/metric"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// spareWindows is by how many periods an alarm looks further back than it
// needs, for data points to use instead of missing ones (User Guide,
// "Configuring how CloudWatch alarms treat missing data").
const spareWindows = 2

// evaluateAlarms moves each alarm to the state that its data asks for.
func (s *Service) evaluateAlarms(ctx context.Context) error {
	var all []located
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		all, err = locate(r)
		return err
	})
	if err != nil {
		return err
	}
	for _, a := range all {
		if err := s.evaluate(ctx, a); err != nil {
			s.Log.Warn("an alarm couldn't be evaluated", "alarm", *a.AlarmName, "error", err)
		}
	}
	return nil
}

// located is an alarm with its place, which its ARN has.
type located struct {
	place
	*alarm
}

func locate(r store.ReadTx) ([]located, error) {
	var out []located
	for a, err := range alarms.All(r) {
		if err != nil {
			return nil, err
		}
		parts := strings.SplitN(*a.AlarmArn, ":", 7)
		out = append(out, located{place{parts[4], parts[3]}, a})
	}
	return out, nil
}

// evaluate looks at one alarm, and writes only if its state changes.
func (s *Service) evaluate(ctx context.Context, a located) error {
	now := s.Clock.Now()
	var seen *evaluation
	err := s.Store.View(ctx, func(r store.ReadTx) (err error) {
		seen, err = a.look(r, a.place, now)
		return err
	})
	if err != nil {
		return err
	}
	state, reason := seen.judge()
	if state == "" || state == *a.StateValue {
		return nil
	}
	return s.setState(ctx, a.place, *a.AlarmName, change{
		state: state, reason: reason, data: seen.reasonData(now), was: a.AlarmConfigurationUpdatedTimestamp,
	})
}

// evaluation is what an alarm sees: its last windows, oldest first.
type evaluation struct {
	*alarm
	windows []watched
	period  int64
	unit    string
	stat    string
	need    int // EvaluationPeriods
	enough  int // DatapointsToAlarm
}

// watched is one window; value is nil where there is no data point.
type watched struct {
	at      int64
	value   *float64
	samples float64
}

// look reads the alarm's windows up to the last whole minute, or ten seconds
// for shorter periods: AWS looks at longer periods each minute too (User
// Guide, "Evaluating an alarm").
func (a *alarm) look(r store.ReadTx, p place, now time.Time) (*evaluation, error) {
	e := &evaluation{alarm: a, need: int(*a.EvaluationPeriods), unit: wire.Val(a.Unit)}
	if e.enough = int(wire.Val(a.DatapointsToAlarm)); e.enough == 0 {
		e.enough = e.need
	}
	var q *queries
	var query *cloudwatchapi.MetricDataQuery
	if a.Metrics != nil {
		var err error
		if q, err = newQueries(p, a.Metrics, "Metrics"); err != nil {
			return nil, err
		}
		if query, err = q.returned(); err != nil {
			return nil, err
		}
		e.period = q.over(nil, span{}).period(*query.Id)
	} else {
		e.period = *a.Period
	}
	end := now.Unix() - mod(now.Unix(), min(e.period, 60))
	w := window{span{end - int64(e.need+spareWindows)*e.period, end}, e.period}
	if q != nil {
		return e, e.watchQuery(q.over(r, w.span), query, &w)
	}
	return e, e.watchMetric(r, p, &w)
}

func (e *evaluation) watchMetric(r store.ReadTx, p place, w *window) error {
	e.stat = wire.Val(e.Statistic) + wire.Val(e.ExtendedStatistic)
	stat, err := metric.ParseStat(e.stat)
	if err != nil {
		return err
	}
	id := metric.ID{Namespace: *e.Namespace, Name: *e.MetricName, Dimensions: dimensionsOf(e.Dimensions)}
	bins, err := w.load(r, p, &id, wire.Val(e.Unit))
	if err != nil {
		return err
	}
	for at := w.from; at < w.to; at += w.period {
		x := watched{at: at}
		for i := range bins {
			if bins[i].at == at {
				if v, ok := stat.Of(&bins[i].set); ok {
					x.value, x.samples = &v, bins[i].set.Count
				}
			}
		}
		e.windows = append(e.windows, x)
	}
	return nil
}

func (e *evaluation) watchQuery(x *run, query *cloudwatchapi.MetricDataQuery, w *window) error {
	list, err := x.series(query)
	if err != nil {
		return err
	}
	start := w.from - mod(w.from, w.period)
	for at := start; at+w.period <= w.to; at += w.period {
		e.windows = append(e.windows, watched{at: at})
	}
	for _, series := range list {
		for i, t := range series.Times {
			for j := range e.windows {
				if e.windows[j].at == t {
					e.windows[j].value = &series.Values[i]
				}
			}
		}
	}
	return nil
}

// comparisons tell whether a value breaches a threshold, and how that reads.
var comparisons = map[string]struct {
	breaches func(value, threshold float64) bool
	text     string
}{
	"GreaterThanThreshold":          {func(v, t float64) bool { return v > t }, "greater than"},
	"GreaterThanOrEqualToThreshold": {func(v, t float64) bool { return v >= t }, "greater than or equal to"},
	"LessThanThreshold":             {func(v, t float64) bool { return v < t }, "less than"},
	"LessThanOrEqualToThreshold":    {func(v, t float64) bool { return v <= t }, "less than or equal to"},
}

// judge returns the state that the windows ask for, and why; "" keeps the
// state there is. It follows the table of the User Guide, "Configuring how
// CloudWatch alarms treat missing data".
func (e *evaluation) judge() (state, reason string) {
	var points []watched // the newest data points there are
	for _, w := range slices.Backward(e.windows) {
		if w.value != nil && len(points) < e.need {
			points = append(points, w)
		}
	}
	missing := e.need - len(points)
	breaching, oldest := 0, int64(0)
	for _, w := range points {
		if comparisons[*e.ComparisonOperator].breaches(*w.value, *e.Threshold) {
			breaching++
			oldest = w.at
		}
	}
	fine := len(points) - breaching
	switch treat := wire.Val(e.TreatMissingData); {
	case missing == 0:
	case treat == "breaching":
		breaching += missing
	case treat == "notBreaching": // what is missing counts as fine
	case len(points) == 0:
		if treat == "ignore" {
			return "", ""
		}
		return cloudwatchapi.StateValueINSUFFICIENTDATA, "Insufficient Data: " + counted(missing, "datapoint was unknown.", "datapoints were unknown.")
	case treat == "ignore":
		if breaching < e.enough && fine == 0 {
			return "", ""
		}
	case breaching < e.enough && fine == 0:
		// What is missing doesn't help a breach that is old enough.
		end := e.windows[len(e.windows)-1].at + e.period
		if (end-oldest)/e.period < int64(e.enough) {
			return "", ""
		}
		breaching = e.enough
	}
	if breaching >= e.enough {
		return cloudwatchapi.StateValueALARM, e.reason(points, missing, true)
	}
	return cloudwatchapi.StateValueOK, e.reason(points, missing, false)
}

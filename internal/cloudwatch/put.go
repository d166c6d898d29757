package cloudwatch

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/butai-dev/butai/internal/api/cloudwatchapi"
	"github.com/butai-dev/butai/internal/metric"
	"github.com/butai-dev/butai/internal/wire"
)

// What PutMetricData takes (API Reference, "PutMetricData", "MetricDatum").
const (
	maxDatums     = 1000
	maxDimensions = 30
	maxValues     = 150
	maxExponent   = 360 // values lie between -2^360 and 2^360
	oldest        = 14 * 24 * time.Hour
	newest        = 2 * time.Hour
)

// PutMetricData stores values. All are stored, or none.
func (s *Service) PutMetricData(ctx context.Context, in *cloudwatchapi.PutMetricDataInput) error {
	namespace := *in.Namespace
	if strings.HasPrefix(namespace, "AWS/") {
		return invalidValue("The value AWS/ for parameter Namespace is invalid.")
	}
	if len(in.MetricData) == 0 {
		return missingParameter("The parameter MetricData is required.")
	}
	if len(in.MetricData) > maxDatums {
		return invalidValue(fmt.Sprintf("The collection MetricData must not have a size greater than %d.", maxDatums))
	}
	now := s.Clock.Now()
	samples := make([]metric.Sample, len(in.MetricData))
	for i := range in.MetricData {
		d := datum{&in.MetricData[i], fmt.Sprintf("MetricData.member.%d.", i+1), now}
		if err := d.check(); err != nil {
			return err
		}
		samples[i] = d.sample(namespace)
	}
	p := placeOf(ctx)
	s.Put(p.account, p.region, samples)
	return s.Flush(ctx)
}

// datum is one of a request's values, with how errors name it.
type datum struct {
	*cloudwatchapi.MetricDatum
	path string
	now  time.Time
}

func (d *datum) check() error {
	switch {
	case d.Value != nil && d.StatisticValues != nil:
		return d.exclusive("Value", "StatisticValues")
	case d.Value != nil && d.Values != nil:
		return d.exclusive("Value", "Values")
	case d.Values != nil && d.StatisticValues != nil:
		return d.exclusive("Values", "StatisticValues")
	case d.Value == nil && d.Values == nil && d.StatisticValues == nil:
		return missingParameter("At least one of the parameters " + d.path + "Value, " + d.path + "StatisticValues must be specified.")
	case len(d.Dimensions) > maxDimensions:
		return invalidValue(fmt.Sprintf("The collection %sDimensions must not have a size greater than %d.", d.path, maxDimensions))
	case len(d.Values) > maxValues:
		return invalidValue(fmt.Sprintf("The collection %sValues must not have a size greater than %d.", d.path, maxValues))
	case d.Counts != nil && len(d.Counts) != len(d.Values):
		return invalidValue(fmt.Sprintf("The parameters %sValues and %sCounts must be of the same size.", d.path, d.path))
	case d.StorageResolution != nil && *d.StorageResolution != 1 && *d.StorageResolution != 60:
		return invalidValue(fmt.Sprintf("The value %d for parameter %sStorageResolution is invalid.", *d.StorageResolution, d.path))
	}
	if d.Timestamp != nil {
		switch age := d.now.Sub(*d.Timestamp); {
		case age > oldest:
			return invalidValue("The parameter " + d.path + "Timestamp must specify a time no more than two weeks in the past.")
		case -age > newest:
			return invalidValue("The parameter " + d.path + "Timestamp must specify a time within two hours of now.")
		}
	}
	return d.checkNumbers()
}

func (d *datum) exclusive(a, b string) error {
	return invalidCombination("The parameters " + d.path + a + " and " + d.path + b + " are mutually exclusive and you have specified both.")
}

// checkNumbers refuses what is no finite number, and statistics that no values
// can have.
func (d *datum) checkNumbers() error {
	if d.Value != nil && !storable(*d.Value) {
		return d.badNumber(*d.Value, "Value")
	}
	for i, v := range d.Values {
		if !storable(v) {
			return d.badNumber(v, fmt.Sprintf("Values.member.%d", i+1))
		}
	}
	for i, n := range d.Counts {
		if !storable(n) || n < 0 {
			return d.badNumber(n, fmt.Sprintf("Counts.member.%d", i+1))
		}
	}
	st := d.StatisticValues
	if st == nil {
		return nil
	}
	for name, v := range map[string]float64{"SampleCount": *st.SampleCount, "Sum": *st.Sum, "Minimum": *st.Minimum, "Maximum": *st.Maximum} {
		if !storable(v) {
			return d.badNumber(v, "StatisticValues."+name)
		}
	}
	switch {
	case *st.SampleCount < 0:
		return invalidValue("The value for parameter " + d.path + "StatisticValues.SampleCount must be non-negative.")
	case *st.Minimum > *st.Maximum:
		return invalidCombination("The parameter " + d.path + "StatisticValues.Maximum must be greater than " + d.path + "StatisticValues.Minimum.")
	}
	return nil
}

func storable(v float64) bool { return !math.IsNaN(v) && math.Abs(v) <= math.Ldexp(1, maxExponent) }

func (d *datum) badNumber(v float64, name string) error {
	return invalidValue(fmt.Sprintf("The value %v for parameter %s%s is invalid.", v, d.path, name))
}

func (d *datum) sample(namespace string) metric.Sample {
	out := metric.Sample{
		ID:   metric.ID{Namespace: namespace, Name: *d.MetricName, Dimensions: dimensionsOf(d.Dimensions)},
		Unit: metric.None, Time: d.now, Fine: wire.Val(d.StorageResolution) == 1,
	}
	if d.Unit != nil {
		out.Unit = *d.Unit
	}
	if d.Timestamp != nil {
		out.Time = *d.Timestamp
	}
	if d.Value != nil {
		out.Set.Add(*d.Value)
	}
	for i, v := range d.Values {
		n := 1.0
		if d.Counts != nil {
			n = d.Counts[i]
		}
		if n > 0 {
			out.Set.AddTimes(v, n)
		}
	}
	if st := d.StatisticValues; st != nil && *st.SampleCount > 0 {
		out.Set.AddStatistics(*st.SampleCount, *st.Sum, *st.Minimum, *st.Maximum)
	}
	return out
}

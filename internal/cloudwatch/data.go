package cloudwatch

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/butai-dev/butai/internal/api/cloudwatchapi"
	"github.com/butai-dev/butai/internal/cloudwatch/expr"
	"github.com/butai-dev/butai/internal/paging"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// What one GetMetricData may ask for (API Reference).
const (
	maxQueries   = 500
	dataPage     = 100_800
	maxInDataAge = 455 * 24 * time.Hour
)

// GetMetricData computes metrics and expressions over them.
func (s *Service) GetMetricData(ctx context.Context, in *cloudwatchapi.GetMetricDataInput) (*cloudwatchapi.GetMetricDataOutput, error) {
	switch {
	case !in.StartTime.Before(*in.EndTime):
		return nil, validation("The parameter StartTime must be less than the parameter EndTime.")
	case len(in.MetricDataQueries) == 0:
		return nil, validation("The parameter MetricDataQueries is required.")
	case len(in.MetricDataQueries) > maxQueries:
		return nil, validation(fmt.Sprintf("The collection MetricDataQueries must not have a size greater than %d.", maxQueries))
	}
	q, err := newQueries(placeOf(ctx), in.MetricDataQueries, "MetricDataQueries")
	if err != nil {
		return nil, err
	}
	skip, err := readOffset(in.NextToken)
	if err != nil {
		return nil, err
	}
	if err := s.Flush(ctx); err != nil {
		return nil, err
	}
	from := in.StartTime.Unix()
	if oldest := s.Clock.Now().Add(-maxInDataAge).Unix(); from < oldest {
		from = oldest // nothing is older
	}
	page := dataPager{skip: skip, limit: dataPage, ascending: wire.Val(in.ScanBy) == "TimestampAscending"}
	if in.MaxDatapoints != nil {
		page.limit = int(*in.MaxDatapoints)
	}
	out := &cloudwatchapi.GetMetricDataOutput{Messages: []cloudwatchapi.MessageData{}, MetricDataResults: []cloudwatchapi.MetricDataResult{}}
	err = s.Store.View(ctx, func(r store.ReadTx) error {
		x := q.over(r, span{from, in.EndTime.Unix()})
		for i := range q.list {
			query := &q.list[i]
			if query.ReturnData != nil && !*query.ReturnData {
				continue
			}
			list, err := x.series(query)
			if err != nil {
				return err
			}
			for _, series := range list {
				out.MetricDataResults = append(out.MetricDataResults, page.result(*query.Id, series))
			}
		}
		return nil
	})
	if page.more {
		out.NextToken = paging.Token(strconv.Itoa(skip + page.limit))
	}
	return out, err
}

func readOffset(token *string) (int, error) {
	text, err := readToken(token)
	if text == "" || err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// dataPager cuts the data points of all results into pages, one result after
// the other.
type dataPager struct {
	skip, limit int // data points
	taken       int
	ascending   bool
	more        bool
}

func (p *dataPager) result(id string, s *expr.Series) cloudwatchapi.MetricDataResult {
	out := cloudwatchapi.MetricDataResult{
		Id: &id, Label: &s.Label, Timestamps: []time.Time{}, Values: []float64{}, StatusCode: wire.Ptr("Complete"),
	}
	for i := range s.Times {
		if !p.ascending {
			i = len(s.Times) - 1 - i
		}
		switch {
		case p.skip > 0:
			p.skip--
			continue
		case p.taken == p.limit:
			p.more = true
			out.StatusCode = wire.Ptr("PartialData")
			return out
		}
		p.taken++
		out.Timestamps = append(out.Timestamps, time.Unix(s.Times[i], 0).UTC())
		out.Values = append(out.Values, s.Values[i])
	}
	return out
}

// labelPart finds the dynamic parts of labels that stand for a number (User
// Guide, "Using dynamic labels").
var labelPart = regexp.MustCompile(`\$\{(MAX|MIN|AVG|SUM|FIRST|LAST|DATAPOINT_COUNT|LABEL)\}`)

// label fills the dynamic parts of a query's label in.
func label(text string, s *expr.Series) string {
	return labelPart.ReplaceAllStringFunc(text, func(part string) string {
		name := part[2 : len(part)-1]
		switch {
		case name == "LABEL":
			return s.Label
		case name == "DATAPOINT_COUNT":
			return strconv.Itoa(len(s.Values))
		case len(s.Values) == 0:
			return "--"
		}
		return strconv.FormatFloat(labelNumber(name, s.Values), 'f', -1, 64)
	})
}

func labelNumber(name string, values []float64) float64 {
	switch name {
	case "MAX":
		return slices.Max(values)
	case "MIN":
		return slices.Min(values)
	case "FIRST":
		return values[0]
	case "LAST":
		return values[len(values)-1]
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	if name == "AVG" {
		return sum / float64(len(values))
	}
	return sum
}

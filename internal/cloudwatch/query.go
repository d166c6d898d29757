package cloudwatch

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/butai-dev/butai/internal/api/cloudwatchapi"
	"github.com/butai-dev/butai/internal/cloudwatch/expr"
	"github.com/butai-dev/butai/internal/metric"
	"github.com/butai-dev/butai/internal/store"
	"github.com/butai-dev/butai/internal/wire"
)

// queryID is what the id of a query looks like (API Reference,
// "MetricDataQuery").
var queryID = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]*$`)

// queries are the metrics and expressions of one request, by id.
type queries struct {
	place
	list   []cloudwatchapi.MetricDataQuery
	byID   map[string]*cloudwatchapi.MetricDataQuery
	parsed map[string]*expr.Expr
	stats  map[string]metric.Stat
}

// newQueries checks and parses a request's queries; path is how errors name
// their list.
func newQueries(p place, list []cloudwatchapi.MetricDataQuery, path string) (*queries, error) {
	q := &queries{
		place: p, list: list, byID: map[string]*cloudwatchapi.MetricDataQuery{}, parsed: map[string]*expr.Expr{}, stats: map[string]metric.Stat{},
	}
	for i := range list {
		query, at := &list[i], fmt.Sprintf("%s.member.%d", path, i+1)
		id := *query.Id
		switch {
		case !queryID.MatchString(id):
			return nil, validation(fmt.Sprintf("The value %s for parameter %s.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.", id, at))
		case q.byID[id] != nil:
			return nil, validation(fmt.Sprintf("The values for parameter id in %s are not unique.", path))
		case query.Expression != nil && query.MetricStat != nil:
			return nil, validation(fmt.Sprintf("The parameters %s.Expression and %s.MetricStat are mutually exclusive and you have specified both.", at, at))
		case query.Expression == nil && query.MetricStat == nil:
			return nil, validation(fmt.Sprintf("Either %s.Expression or %s.MetricStat must be specified.", at, at))
		case query.MetricStat != nil && query.Period != nil:
			return nil, validation(fmt.Sprintf("The parameters %s.Period and %s.MetricStat are mutually exclusive and you have specified both.", at, at))
		}
		q.byID[id] = query
		if err := q.parse(query, id, at); err != nil {
			return nil, err
		}
	}
	for id, x := range q.parsed {
		for _, name := range x.Names() {
			if name[0] >= 'a' && q.byID[name] == nil { // REPEAT and the like are no ids
				return nil, validation(fmt.Sprintf("Error in expression '%s': Unknown variable %s", id, name))
			}
		}
	}
	return q, nil
}

func (q *queries) parse(query *cloudwatchapi.MetricDataQuery, id, at string) (err error) {
	if query.Expression != nil {
		if q.parsed[id], err = expr.Parse(*query.Expression); err != nil {
			return validation(fmt.Sprintf("Error in expression '%s': %s", id, err))
		}
		return nil
	}
	stat := query.MetricStat
	if stat.Metric.Namespace == nil || stat.Metric.MetricName == nil {
		return validation(fmt.Sprintf("The parameters %s.MetricStat.Metric.Namespace and MetricName are required.", at))
	}
	if err := checkPeriod(*stat.Period, at+".MetricStat.Period"); err != nil {
		return validation(wire.Val(err.(*cloudwatchapi.InvalidParameterValueException).Message))
	}
	if q.stats[id], err = metric.ParseStat(*stat.Stat); err != nil {
		return validation(fmt.Sprintf("The value %s for parameter %s.MetricStat.Stat is not supported.", *stat.Stat, at))
	}
	return nil
}

// run is one evaluation of queries over a span.
type run struct {
	*queries
	r       store.ReadTx
	span    span
	values  map[string]expr.Value
	pending map[string]bool
}

func (q *queries) over(r store.ReadTx, in span) *run {
	return &run{queries: q, r: r, span: in, values: map[string]expr.Value{}, pending: map[string]bool{}}
}

// value computes a query, and those it refers to.
func (x *run) value(id string) (expr.Value, error) {
	if v, ok := x.values[id]; ok {
		return v, nil
	}
	query := x.byID[id]
	if query == nil {
		return nil, validation("Unknown variable " + id)
	}
	if x.pending[id] {
		return nil, validation(fmt.Sprintf("Error in expression '%s': the expression refers to itself", id))
	}
	x.pending[id] = true
	defer delete(x.pending, id)
	v, err := x.compute(query, id)
	if err == nil {
		x.values[id] = v
	}
	return v, err
}

func (x *run) compute(query *cloudwatchapi.MetricDataQuery, id string) (expr.Value, error) {
	if query.MetricStat != nil {
		return x.metric(query.MetricStat, id)
	}
	period := x.period(id)
	v, err := x.parsed[id].Eval(&expr.Env{
		Query: x.value, Metrics: x.metrics, Period: period,
		From: x.span.from - mod(x.span.from, period), To: x.span.to,
	})
	if err == nil {
		return v, nil
	}
	var missing *expr.NotBuilt
	var known *wire.Error
	switch {
	case errors.As(err, &missing):
		return nil, wire.NotBuilt("the function %s in metric math", missing.Function)
	case errors.As(err, &known):
		return nil, known
	}
	return nil, validation(fmt.Sprintf("Error in expression '%s': %s", id, err))
}

// period is that of an expression: its own or the longest of those it uses.
func (x *run) period(id string) int64 {
	if query := x.byID[id]; query.Period != nil {
		return *query.Period
	}
	longest := int64(0)
	for _, name := range x.parsed[id].Names() {
		if other := x.byID[name]; other != nil && other.MetricStat != nil {
			longest = max(longest, *other.MetricStat.Period)
		}
	}
	for i := range x.list {
		if stat := x.list[i].MetricStat; longest == 0 && stat != nil {
			longest = *stat.Period
		}
	}
	return max(longest, 1)
}

// metric reads one metric. Its periods begin at whole multiples of their
// length, as those of GetMetricData seem to; the documentation has only that
// such requests are answered faster.
func (x *run) metric(stat *cloudwatchapi.MetricStat, id string) (*expr.Series, error) {
	m := metric.ID{Namespace: *stat.Metric.Namespace, Name: *stat.Metric.MetricName, Dimensions: dimensionsOf(stat.Metric.Dimensions)}
	w := window{span{x.span.from - mod(x.span.from, *stat.Period), x.span.to}, *stat.Period}
	bins, err := w.load(x.r, x.place, &m, wire.Val(stat.Unit))
	if err != nil {
		return nil, err
	}
	out := &expr.Series{Label: m.Name, Period: *stat.Period}
	s := x.stats[id]
	for i := range bins {
		if v, ok := s.Of(&bins[i].set); ok {
			out.Times, out.Values = append(out.Times, bins[i].at), append(out.Values, v)
		}
	}
	return out, nil
}

func (x *run) metrics() (expr.List, error) {
	var out expr.List
	for i := range x.list {
		if x.list[i].MetricStat == nil {
			continue
		}
		v, err := x.value(*x.list[i].Id)
		if err != nil {
			return nil, err
		}
		out = append(out, v.(*expr.Series))
	}
	return out, nil
}

// series computes a query whose result is returned: one or more time series.
func (x *run) series(query *cloudwatchapi.MetricDataQuery) (expr.List, error) {
	v, err := x.value(*query.Id)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case *expr.Series:
		out := *v
		if query.MetricStat == nil {
			out.Label = *query.Id
		}
		if query.Label != nil {
			out.Label = label(*query.Label, v)
		}
		return expr.List{&out}, nil
	case expr.List:
		return v, nil
	}
	return nil, validation(fmt.Sprintf("Error in expression '%s': The expression must return a time series or an array of time series.", *query.Id))
}

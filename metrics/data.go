package metrics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"outcrop"
	"outcrop/metrics/metricmath"
)

// A DataQuery is one of GetMetricData's queries: a statistic of a metric, or an
// expression over other queries.
type DataQuery struct {
	ID         string
	Ask        *Ask // nil for an expression
	Expression string
	Period     int64  // of an expression: 0 is left to what it is made of
	Label      string // empty is the default
	Return     bool
}

// A DataResult is one time series of the answer, ascending. An expression that
// makes several has as many results with its id.
type DataResult struct {
	ID, Label string
	Times     []int64
	Values    []float64
}

// A question is GetMetricData at work.
type question struct {
	ctx     context.Context
	m       *Metrics
	who     Viewer
	window  Window
	period  int64 // of expressions that know none
	queries map[string]*DataQuery
	order   []string // ids of queries that name a metric
	parsed  map[string]*metricmath.Expression
	done    map[string]metricmath.Value
	active  map[string]bool // being computed: to be asked for again is a circle
	spare   int             // data points that expressions may still compute and searches read
}

// Data answers queries together, in their order.
func (m *Metrics) Data(ctx context.Context, who Viewer, queries []DataQuery, start, end time.Time) ([]DataResult, error) {
	if err := m.fresh(ctx); err != nil {
		return nil, err
	}
	q := &question{ctx: ctx, m: m, who: who, window: m.window(start, end), queries: map[string]*DataQuery{},
		parsed: map[string]*metricmath.Expression{}, done: map[string]metricmath.Value{}, active: map[string]bool{}, spare: metricmath.MaxPoints}
	if err := q.prepare(queries); err != nil {
		return nil, err
	}
	if err := q.readMetrics(queries); err != nil {
		return nil, err
	}
	var out []DataResult
	for i := range queries {
		if !queries[i].Return {
			continue
		}
		results, err := q.results(&queries[i])
		if err != nil {
			return nil, err
		}
		out = append(out, results...)
	}
	return out, nil
}

// prepare reads the expressions, before anything is read from the store.
func (q *question) prepare(queries []DataQuery) error {
	for i := range queries {
		d := &queries[i]
		if q.queries[d.ID] != nil {
			return outcrop.Errorf(outcrop.Invalid, "The id %s is used by more than one query.", d.ID)
		}
		q.queries[d.ID] = d
		if d.Ask != nil {
			q.order = append(q.order, d.ID)
			q.period = max(q.period, d.Ask.Period)
			continue
		}
		q.period = max(q.period, d.Period)
		e, err := metricmath.Parse(d.Expression)
		if err != nil {
			return faulty(d.ID, err)
		}
		q.parsed[d.ID] = e
	}
	if q.period == 0 {
		q.period = defaultPeriod
	}
	return nil
}

// defaultPeriod is CloudWatch's for searches that name none.
const defaultPeriod = 300

// faulty tells the author of an expression what is wrong with it.
func faulty(id string, err error) error {
	var fault *metricmath.Error
	if !errors.As(err, &fault) {
		return err
	}
	return outcrop.Errorf(outcrop.Invalid, "Error in expression '%s': %s", id, fault.Message)
}

func (q *question) readMetrics(queries []DataQuery) error {
	var asks []Ask
	for _, id := range q.order {
		asks = append(asks, *q.queries[id].Ask)
	}
	series, err := q.read(asks)
	if err != nil {
		return err
	}
	for i, id := range q.order {
		q.done[id] = metricmath.Of(series[i])
	}
	return nil
}

func (q *question) read(asks []Ask) ([]metricmath.Series, error) {
	periods, err := q.m.read(q.ctx, q.who, q.window, asks)
	if err != nil {
		return nil, err
	}
	out := make([]metricmath.Series, len(asks))
	for i := range asks {
		out[i] = asks[i].series(q.window, periods[i])
	}
	return out, nil
}

// value computes a query once.
func (q *question) value(id string) (metricmath.Value, error) {
	if v, ok := q.done[id]; ok {
		return v, nil
	}
	e := q.parsed[id]
	if e == nil {
		return metricmath.Value{}, &metricmath.Error{Message: fmt.Sprintf("there is no query with the id %s", id)}
	}
	if q.active[id] {
		return metricmath.Value{}, &metricmath.Error{Message: fmt.Sprintf("the query %s refers to itself", id)}
	}
	q.active[id] = true
	v, err := e.Eval(q.env(q.queries[id]))
	q.active[id] = false
	if err != nil {
		return v, err
	}
	q.done[id] = v
	return v, nil
}

func (q *question) env(d *DataQuery) *metricmath.Env {
	period := q.period
	if d.Period > 0 {
		period = d.Period
	}
	return &metricmath.Env{
		Lookup: q.value, Start: q.window.Start, End: q.window.End, Period: period, Spare: &q.spare,
		Metrics: func() ([]string, []metricmath.Series, error) {
			series := make([]metricmath.Series, len(q.order))
			for i, id := range q.order {
				series[i] = q.done[id].Series[0]
			}
			return q.order, series, nil
		},
		Search: func(s *metricmath.Search, stat string, seconds int64) ([]metricmath.Series, error) {
			if seconds == 0 {
				seconds = period
			}
			return q.search(s, stat, seconds)
		},
	}
}

// results are the series that a query comes to, labelled.
func (q *question) results(d *DataQuery) ([]DataResult, error) {
	v, err := q.value(d.ID)
	if err != nil {
		return nil, faulty(d.ID, err)
	}
	if v.Kind != metricmath.One && v.Kind != metricmath.Many {
		return nil, outcrop.Errorf(outcrop.Invalid,
			"Error in expression '%s': it comes to %s. What is returned must be a time series or an array of them: wrap a number in TIME_SERIES, or set ReturnData to false.", d.ID, v.Kind)
	}
	out := make([]DataResult, 0, len(v.Series))
	for i := range v.Series {
		s := &v.Series[i]
		out = append(out, DataResult{ID: d.ID, Label: label(d, v.Kind, s), Times: s.T, Values: s.V})
	}
	return out, nil
}

// maxSearched is CloudWatch's limit on the series of one search.
const maxSearched = 500

func (q *question) search(s *metricmath.Search, stat string, period int64) ([]metricmath.Series, error) {
	parsed, err := ParseStat(stat)
	if err != nil {
		return nil, &metricmath.Error{Message: err.Error()}
	}
	if period%Minute.Seconds() != 0 {
		return nil, &metricmath.Error{Message: fmt.Sprintf("the period %d is not a multiple of 60", period)}
	}
	lanes, err := q.m.store.Lanes(q.ctx, q.who.Account, q.who.Region, s.Namespace)
	if err != nil {
		return nil, fmt.Errorf("search metrics: %w", err)
	}
	var asks []Ask
	for i := range lanes {
		c := metricmath.Candidate{Namespace: lanes[i].Namespace}
		for _, d := range lanes[i].Dimensions.List() {
			c.Dimensions = append(c.Dimensions, [2]string{d.Name, d.Value})
		}
		for _, name := range lanes[i].names(time.Unix(q.window.Start, 0).Add(-ActivityGrain)) {
			if c.Metric = name; s.Match(&c) && len(asks) < maxSearched {
				asks = append(asks, Ask{Metric: Metric{lanes[i].Namespace, name, lanes[i].Dimensions}, Stat: parsed, Period: period})
			}
		}
	}
	if q.spare -= len(asks) * int((q.window.End-q.window.Start)/period); q.spare < 0 {
		return nil, &metricmath.Error{Message: fmt.Sprintf("the searches of the question read more than %d data points: ask for a shorter time or a longer period", metricmath.MaxPoints)}
	}
	series, err := q.read(asks)
	if err != nil {
		return nil, err
	}
	nameApart(series, asks)
	return slices.Clip(series), nil
}

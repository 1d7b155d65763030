// Package metricsapi serves CloudWatch: its shapes in, questions to the metrics
// and alarms, and answers out.
package metricsapi

import (
	"context"
	"time"

	"outcrop"
	"outcrop/metrics"
)

// Metrics answers questions about metrics; *metrics.Metrics does.
type Metrics interface {
	List(context.Context, metrics.Viewer, metrics.ListQuery) ([]metrics.Metric, error)
	Data(ctx context.Context, who metrics.Viewer, queries []metrics.DataQuery, start, end time.Time) ([]metrics.DataResult, error)
	Statistics(ctx context.Context, who metrics.Viewer, a metrics.Ask, stats []metrics.Stat, start, end time.Time) ([]metrics.Datapoint, error)
	Put(context.Context, metrics.Viewer, []metrics.Sample) error
}

// Config of an API. All fields are required.
type Config struct {
	Metrics    Metrics
	Alarms     Alarms
	Dashboards Dashboards
	Now        func() time.Time
}

// An API is CloudWatch for the account and Region of each caller.
type API struct{ Config }

// New serves what c knows.
func New(c Config) *API { return &API{c} }

func viewer(who outcrop.Caller) metrics.Viewer {
	return metrics.Viewer{Account: who.Account, Region: who.Region}
}

// refuse names CloudWatch's own codes for what is wrong with a request.
func refuse(code, format string, args ...any) error {
	e := outcrop.Errorf(outcrop.Invalid, format, args...)
	e.Code = code
	return e
}

// CloudWatch's codes.
const (
	invalidValue       = "InvalidParameterValue"
	invalidCombination = "InvalidParameterCombination"
	missingParameter   = "MissingParameter"
	invalidToken       = "InvalidNextToken"
	validationError    = "ValidationError"
)

// coded gives a code to a refusal that has none, or only the usual one.
func coded(code string, err error) error {
	if e, ok := err.(*outcrop.Error); ok && e.Kind == outcrop.Invalid && (e.Code == "" || e.Code == invalidValue) {
		e.Code = code
	}
	return err
}

func dimensions(list []Dimension) (metrics.Dimensions, error) {
	seen := map[string]bool{}
	all := make([]metrics.Dimension, len(list))
	for i, d := range list {
		if seen[d.Name] {
			return "", refuse(invalidValue, "The dimension %s is named twice.", d.Name)
		}
		seen[d.Name] = true
		all[i] = metrics.Dimension(d)
	}
	return metrics.NewDimensions(all...), nil
}

func describeDimensions(d metrics.Dimensions) []Dimension {
	out := []Dimension{}
	for _, x := range d.List() {
		out = append(out, Dimension(x))
	}
	return out
}

// period checks a period in seconds.
func period(n int64) error {
	switch {
	case n >= 60 && n%60 == 0 && n <= 86_400*366:
		return nil
	case n == 1 || n == 5 || n == 10 || n == 20 || n == 30:
		return refuse(invalidValue, "Metrics are kept by the minute here: the period %d must be a multiple of 60.", n)
	}
	return refuse(invalidValue, "The parameter Period must be a multiple of 60, and is %d.", n)
}

// span checks a start and end.
func span(start, end time.Time) error {
	if !start.Before(end) {
		return refuse(invalidValue, "The parameter StartTime must be less than the parameter EndTime.")
	}
	return nil
}

func ptr[T any](v T) *T { return &v }

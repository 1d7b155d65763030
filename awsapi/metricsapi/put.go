package metricsapi

import (
	"context"
	"strings"

	"outcrop"
	"outcrop/iam"
	"outcrop/metrics"
)

// Limits of PutMetricData.
const (
	maxSamples = 1000
	maxValues  = 150
)

// putWhere asks about the namespace, which policies narrow PutMetricData to.
func putWhere(_ context.Context, _ outcrop.Caller, op iam.Operation, in *PutMetricDataInput) []iam.Check {
	check := iam.Check{Action: op.Action}
	check.Context.Set("cloudwatch:namespace", in.Namespace)
	return []iam.Check{check}
}

func (a *API) putMetricData(ctx context.Context, who outcrop.Caller, in *PutMetricDataInput) (*struct{}, error) {
	data := in.MetricData
	for _, e := range in.EntityMetricData {
		data = append(data, e.MetricData...)
	}
	switch {
	case in.Namespace == metrics.OwnNamespace:
		return nil, refuse(invalidValue, "The value %s for parameter Namespace is invalid. Outcrop keeps metrics of its own there.", in.Namespace)
	case strings.HasPrefix(in.Namespace, "AWS/"):
		return nil, refuse(invalidValue, "The value %s for parameter Namespace is invalid. Namespaces that begin with AWS/ are reserved.", in.Namespace)
	case strings.HasPrefix(in.Namespace, ":"):
		return nil, refuse(invalidValue, "The value %s for parameter Namespace is invalid.", in.Namespace)
	case len(data) == 0:
		return nil, refuse(missingParameter, "The parameter MetricData is required.")
	case len(data) > maxSamples:
		return nil, refuse(invalidValue, "The collection MetricData must not have a size greater than %d.", maxSamples)
	}
	samples := make([]metrics.Sample, len(data))
	for i := range data {
		s, err := sampleOf(in.Namespace, &data[i])
		if err != nil {
			return nil, err
		}
		samples[i] = *s
	}
	if err := a.Metrics.Put(ctx, viewer(who), samples); err != nil {
		return nil, coded(invalidValue, err)
	}
	return &struct{}{}, nil
}

func sampleOf(namespace string, d *MetricDatum) (*metrics.Sample, error) {
	dims, err := dimensions(d.Dimensions)
	if err != nil {
		return nil, err
	}
	s := &metrics.Sample{Metric: metrics.Metric{Namespace: namespace, Name: d.MetricName, Dimensions: dims}, Time: d.Timestamp, Unit: d.Unit, Values: d.Values, Counts: d.Counts}
	kinds := 0
	if d.Value != nil {
		s.Values, s.Counts, kinds = []float64{*d.Value}, nil, kinds+1
	}
	if len(d.Values) > 0 {
		kinds++
	}
	if t := d.StatisticValues; t != nil {
		s.Summary, kinds = &metrics.Summary{Count: t.SampleCount, Sum: t.Sum, Min: t.Minimum, Max: t.Maximum}, kinds+1
	}
	switch {
	case kinds != 1:
		return nil, refuse(invalidCombination, "The metric %s must have exactly one of Value, Values and StatisticValues.", d.MetricName)
	case len(s.Values) > maxValues:
		return nil, refuse(invalidValue, "The metric %s must not have more than %d Values.", d.MetricName, maxValues)
	case len(s.Counts) > 0 && len(s.Counts) != len(s.Values):
		return nil, refuse(invalidValue, "The metric %s must have as many Counts as Values.", d.MetricName)
	}
	return s, nil
}

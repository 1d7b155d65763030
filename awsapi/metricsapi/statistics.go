package metricsapi

import (
	"context"

	"outcrop"
	"outcrop/metrics"
)

// maxStatistics is how many data points GetMetricStatistics answers with.
const maxStatistics = 1440

func (a *API) getMetricStatistics(ctx context.Context, who outcrop.Caller, in *GetMetricStatisticsInput) (*GetMetricStatisticsOutput, error) {
	ask, stats, err := statistics(in)
	if err != nil {
		return nil, err
	}
	points, err := a.Metrics.Statistics(ctx, viewer(who), *ask, stats, in.StartTime, in.EndTime)
	if err != nil {
		return nil, coded(invalidValue, err)
	}
	unit := in.Unit
	if unit == "" && in.Namespace == metrics.Namespace {
		unit = metrics.UnitOf(in.MetricName)
	}
	if unit == "" {
		unit = metrics.UnitNone
	}
	out := &GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []Datapoint{}}
	for i := range points {
		out.Datapoints = append(out.Datapoints, datapoint(&points[i], stats, unit))
	}
	return out, nil
}

// statistics reads what is asked for and says what is wrong with it.
func statistics(in *GetMetricStatisticsInput) (*metrics.Ask, []metrics.Stat, error) {
	if err := span(in.StartTime, in.EndTime); err != nil {
		return nil, nil, err
	}
	if err := period(in.Period); err != nil {
		return nil, nil, err
	}
	if len(in.Statistics)+len(in.ExtendedStatistics) == 0 {
		return nil, nil, refuse(missingParameter, "Must specify at least one of Statistics or ExtendedStatistics.")
	}
	if len(in.Statistics) > 0 && len(in.ExtendedStatistics) > 0 {
		return nil, nil, refuse(invalidCombination, "At least one of the parameters Statistics and ExtendedStatistics must be specified, and not both.")
	}
	if n := (in.EndTime.Unix() - in.StartTime.Unix()) / in.Period; n > maxStatistics {
		return nil, nil, refuse(invalidCombination,
			"You have requested up to %d datapoints, which exceeds the limit of %d. You may reduce the datapoints requested by increasing Period, or decreasing the time range.", n, maxStatistics)
	}
	dims, err := dimensions(in.Dimensions)
	if err != nil {
		return nil, nil, err
	}
	var stats []metrics.Stat
	for _, name := range append(in.Statistics, in.ExtendedStatistics...) {
		s, err := metrics.ParseStat(name)
		if err != nil {
			return nil, nil, coded(invalidValue, err)
		}
		stats = append(stats, s)
	}
	return &metrics.Ask{Metric: metrics.Metric{Namespace: in.Namespace, Name: in.MetricName, Dimensions: dims}, Period: in.Period, Unit: in.Unit}, stats, nil
}

func datapoint(p *metrics.Datapoint, stats []metrics.Stat, unit string) Datapoint {
	d := Datapoint{Timestamp: p.Time, Unit: unit}
	plain := map[string]**float64{"SampleCount": &d.SampleCount, "Average": &d.Average, "Sum": &d.Sum, "Minimum": &d.Minimum, "Maximum": &d.Maximum}
	for i, s := range stats {
		if !p.Known[i] {
			continue
		}
		if field := plain[s.String()]; field != nil {
			*field = ptr(p.Values[i])
			continue
		}
		if d.ExtendedStatistics == nil {
			d.ExtendedStatistics = map[string]float64{}
		}
		d.ExtendedStatistics[s.String()] = p.Values[i]
	}
	return d
}

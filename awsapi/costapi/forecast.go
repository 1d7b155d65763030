package costapi

import (
	"context"

	"outcrop"
	"outcrop/cost"
)

func (a *API) getCostForecast(ctx context.Context, who outcrop.Caller, in *GetCostForecastInput) (*GetCostForecastOutput, error) {
	if in.Metric == "USAGE_QUANTITY" || in.Metric == "NORMALIZED_USAGE_AMOUNT" {
		return nil, outcrop.Errorf(outcrop.Invalid, "Metric %s is no cost. Ask GetUsageForecast for it", in.Metric)
	}
	return a.forecast(ctx, who, in)
}

func (a *API) getUsageForecast(ctx context.Context, who outcrop.Caller, in *GetUsageForecastInput) (*GetUsageForecastOutput, error) {
	if in.Metric != "USAGE_QUANTITY" && in.Metric != "NORMALIZED_USAGE_AMOUNT" {
		return nil, outcrop.Errorf(outcrop.Invalid, "Metric %s is a cost. Ask GetCostForecast for it", in.Metric)
	}
	out, err := a.forecast(ctx, who, (*GetCostForecastInput)(in))
	return (*GetUsageForecastOutput)(out), err
}

func (a *API) forecast(ctx context.Context, who outcrop.Caller, in *GetCostForecastInput) (*GetCostForecastOutput, error) {
	f := cost.Forecasting{Granularity: cost.Granularity(in.Granularity)}
	var err error
	if f.Version, err = billingView(who, in.BillingViewArn); err != nil {
		return nil, err
	}
	if f.Metric, err = cost.ParseMetric(in.Metric); err != nil {
		return nil, err
	}
	if f.Period, err = cost.ParsePeriod(in.TimePeriod.Start, in.TimePeriod.End, dated(f.Granularity)); err != nil {
		return nil, err
	}
	if f.Filter, err = filterOf(in.Filter); err != nil {
		return nil, err
	}
	if in.PredictionIntervalLevel != nil { // the door has checked its range
		f.Level = int(*in.PredictionIntervalLevel)
	}
	answer, err := a.costs.Forecast(ctx, who.Account, f)
	if err != nil {
		return nil, err
	}
	out := &GetCostForecastOutput{Total: &MetricValue{Amount: answer.Total, Unit: answer.Unit}, ForecastResultsByTime: []ForecastResult{}}
	for _, p := range answer.Points {
		start, end := p.Period.Format(f.Granularity)
		out.ForecastResultsByTime = append(out.ForecastResultsByTime, ForecastResult{TimePeriod: &DateInterval{Start: start, End: end},
			MeanValue: p.Mean, PredictionIntervalLowerBound: p.Low, PredictionIntervalUpperBound: p.High})
	}
	return out, nil
}

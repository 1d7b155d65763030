package costapi

import (
	"context"
	"slices"

	"outcrop"
	"outcrop/cost"
)

func (a *API) getCostAndUsage(ctx context.Context, who outcrop.Caller, in *GetCostAndUsageInput) (*GetCostAndUsageOutput, error) {
	if err := billingView(who, in.BillingViewArn); err != nil {
		return nil, err
	}
	q, err := queryOf(in)
	if err != nil {
		return nil, err
	}
	answer, err := a.costs.Ask(ctx, who.Account, q)
	if err != nil {
		return nil, err
	}
	out := &GetCostAndUsageOutput{GroupDefinitions: in.GroupBy, NextPageToken: answer.Next,
		ResultsByTime: make([]ResultByTime, 0, len(answer.Results)), DimensionValueAttributes: a.attributes(q, answer)}
	for _, r := range answer.Results {
		out.ResultsByTime = append(out.ResultsByTime, resultOf(q, r))
	}
	return out, nil
}

func queryOf(in *GetCostAndUsageInput) (q cost.Query, err error) {
	q = cost.Query{Granularity: cost.Granularity(in.Granularity), Page: in.NextPageToken}
	if q.Period, err = cost.ParsePeriod(in.TimePeriod.Start, in.TimePeriod.End, dated(q.Granularity)); err != nil {
		return q, err
	}
	if q.Filter, err = filterOf(in.Filter); err != nil {
		return q, err
	}
	for _, text := range in.Metrics {
		m, err := cost.ParseMetric(text)
		if err != nil {
			return q, err
		}
		q.Metrics = append(q.Metrics, m)
	}
	for _, g := range in.GroupBy {
		q.GroupBy = append(q.GroupBy, cost.Grouping{Type: cost.GroupType(g.Type), Key: g.Key})
	}
	return q, nil
}

// dated reads an unknown granularity's period as dates, so that the complaint
// is about the granularity.
func dated(g cost.Granularity) cost.Granularity {
	if g == cost.Hourly {
		return g
	}
	return cost.Daily
}

// resultOf writes one period. Of Total and Groups the one that does not apply
// is empty but present.
func resultOf(q cost.Query, r cost.Result) ResultByTime {
	start, end := r.Period.Format(q.Granularity)
	out := ResultByTime{TimePeriod: &DateInterval{Start: start, End: end}, Estimated: &r.Estimated,
		Total: map[string]MetricValue{}, Groups: make([]Group, 0, len(r.Groups))}
	if len(q.GroupBy) == 0 {
		out.Total = metricsOf(q.Metrics, r.Total)
	}
	for _, g := range r.Groups {
		out.Groups = append(out.Groups, Group{Keys: g.Keys, Metrics: metricsOf(q.Metrics, g.Value)})
	}
	return out
}

func metricsOf(metrics []cost.Metric, v cost.Value) map[string]MetricValue {
	out := make(map[string]MetricValue, len(metrics))
	for _, m := range metrics {
		amount, unit := v.Metric(m)
		out[string(m)] = MetricValue{Amount: amount, Unit: unit}
	}
	return out
}

// attributes name the accounts of an answer that is grouped by them.
func (a *API) attributes(q cost.Query, answer *cost.Answer) []DimensionValuesWithAttributes {
	out := []DimensionValuesWithAttributes{}
	at := slices.Index(q.GroupBy, cost.Grouping{Type: cost.ByDimension, Key: string(cost.DimLinkedAccount)})
	if at < 0 {
		return out
	}
	seen := map[string]bool{}
	for _, r := range answer.Results {
		for _, g := range r.Groups {
			if id := g.Keys[at]; !seen[id] {
				seen[id] = true
				out = append(out, a.describe(id))
			}
		}
	}
	return out
}

func (a *API) describe(account string) DimensionValuesWithAttributes {
	name := a.costs.AccountName(outcrop.AccountID(account))
	return DimensionValuesWithAttributes{Value: account, Attributes: map[string]string{"description": name}}
}

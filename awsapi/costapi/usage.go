package costapi

import (
	"context"
	"slices"
	"time"

	"outcrop"
	"outcrop/cost"
)

func (a *API) getCostAndUsage(ctx context.Context, who outcrop.Caller, in *GetCostAndUsageInput) (*GetCostAndUsageOutput, error) {
	q, err := queryOf(in)
	if err != nil {
		return nil, err
	}
	if q.Version, err = billingView(who, in.BillingViewArn); err != nil {
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

// resourceDays is how far back GetCostAndUsageWithResources reaches.
const resourceDays = 14

// getCostAndUsageWithResources is getCostAndUsage with AWS's conditions: a
// filter, and the past fourteen days. Resources are inference profiles.
func (a *API) getCostAndUsageWithResources(ctx context.Context, who outcrop.Caller, in *GetCostAndUsageWithResourcesInput) (*GetCostAndUsageWithResourcesOutput, error) {
	asked := GetCostAndUsageInput{TimePeriod: in.TimePeriod, Granularity: in.Granularity, Filter: &in.Filter, Metrics: in.Metrics,
		GroupBy: in.GroupBy, BillingViewArn: in.BillingViewArn, NextPageToken: in.NextPageToken}
	if len(asked.Metrics) == 0 {
		asked.Metrics = []string{string(cost.UnblendedCost)}
	}
	q, err := queryOf(&asked)
	if err != nil {
		return nil, err
	}
	if first := a.now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -resourceDays); q.Period.Start.Before(first) {
		return nil, outcrop.Errorf(outcrop.Invalid, "Resource-level data is available for the last %d days: start at %s or later, or ask GetCostAndUsage, which here knows RESOURCE_ID too",
			resourceDays, first.Format(time.DateOnly))
	}
	out, err := a.getCostAndUsage(ctx, who, &asked)
	if err != nil {
		return nil, err
	}
	return (*GetCostAndUsageWithResourcesOutput)(out), nil
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

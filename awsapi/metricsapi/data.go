package metricsapi

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"outcrop"
	"outcrop/metrics"
)

// Limits of GetMetricData.
const (
	maxQueries    = 500
	maxDatapoints = 100_800
)

func (a *API) getMetricData(ctx context.Context, who outcrop.Caller, in *GetMetricDataInput) (*GetMetricDataOutput, error) {
	if err := span(in.StartTime, in.EndTime); err != nil {
		return nil, coded(validationError, err)
	}
	queries, err := dataQueries(who, in.MetricDataQueries)
	if err != nil {
		return nil, err
	}
	results, err := a.Metrics.Data(ctx, viewer(who), queries, in.StartTime, in.EndTime)
	if err != nil {
		return nil, coded(validationError, err)
	}
	if in.ScanBy != "TimestampAscending" {
		for i := range results {
			slices.Reverse(results[i].Times)
			slices.Reverse(results[i].Values)
		}
	}
	limit := maxDatapoints
	if n := in.MaxDatapoints; n != nil {
		if *n < 1 || *n > maxDatapoints {
			return nil, refuse(validationError, "MaxDatapoints must be between 1 and %d, and is %d.", maxDatapoints, *n)
		}
		limit = int(*n)
	}
	return pageOfData(results, in.NextToken, limit)
}

// dataQueries reads the queries and says what is wrong with them.
func dataQueries(who outcrop.Caller, in []MetricDataQuery) ([]metrics.DataQuery, error) {
	if len(in) == 0 || len(in) > maxQueries {
		return nil, refuse(validationError, "The collection MetricDataQueries must have a size between 1 and %d, and has %d.", maxQueries, len(in))
	}
	out := make([]metrics.DataQuery, len(in))
	for i := range in {
		q, err := dataQuery(who, &in[i])
		if err != nil {
			return nil, err
		}
		out[i] = *q
	}
	if !slices.ContainsFunc(out, func(q metrics.DataQuery) bool { return q.Return }) {
		return nil, refuse(validationError, "At least one query must have ReturnData true.")
	}
	return out, nil
}

func dataQuery(who outcrop.Caller, in *MetricDataQuery) (*metrics.DataQuery, error) {
	q := &metrics.DataQuery{ID: in.Id, Expression: in.Expression, Label: in.Label, Return: in.ReturnData == nil || *in.ReturnData}
	switch {
	case in.Id == "" || in.Id[0] < 'a' || in.Id[0] > 'z' || !plainID(in.Id):
		return nil, refuse(validationError, "The value %q for parameter MetricDataQueries.member.Id is not valid: it begins with a lower-case letter, and letters, digits and underscores follow.", in.Id)
	case (in.MetricStat == nil) == (in.Expression == ""):
		return nil, refuse(validationError, "The query %s must have either a MetricStat or an Expression.", in.Id)
	case in.AccountId != "" && in.AccountId != string(who.Account):
		return nil, refuse(validationError, "The query %s asks for account %s. Only the caller's own account %s can be asked about.", in.Id, in.AccountId, who.Account)
	}
	if in.Period != nil {
		if err := period(*in.Period); err != nil {
			return nil, coded(validationError, err)
		}
		q.Period = *in.Period
	}
	if in.MetricStat == nil {
		return q, nil
	}
	ask, err := askOf(in.MetricStat)
	if err != nil {
		return nil, err
	}
	q.Ask = ask
	return q, nil
}

func plainID(id string) bool {
	for _, c := range id {
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

func askOf(in *MetricStat) (*metrics.Ask, error) {
	if in.Metric.Namespace == "" || in.Metric.MetricName == "" {
		return nil, refuse(validationError, "A MetricStat must name the Namespace and the MetricName of its Metric.")
	}
	if err := period(in.Period); err != nil {
		return nil, coded(validationError, err)
	}
	stat, err := metrics.ParseStat(in.Stat)
	if err != nil {
		return nil, coded(validationError, err)
	}
	dims, err := dimensions(in.Metric.Dimensions)
	if err != nil {
		return nil, coded(validationError, err)
	}
	return &metrics.Ask{
		Metric: metrics.Metric{Namespace: in.Metric.Namespace, Name: in.Metric.MetricName, Dimensions: dims},
		Stat:   stat, Period: in.Period, Unit: in.Unit,
	}, nil
}

// pageOfData gives up to limit data points, going on where the token says:
// after so many results and so many points of the next.
func pageOfData(results []metrics.DataResult, token string, limit int) (*GetMetricDataOutput, error) {
	var from, skip int
	if token != "" {
		text, err := base64.RawURLEncoding.DecodeString(token)
		if n, _ := fmt.Sscanf(string(text), "%d/%d", &from, &skip); err != nil || n != 2 || from < 0 || from >= len(results) || skip < 0 || skip > len(results[from].Times) {
			return nil, refuse(invalidToken, "The NextToken is invalid: pass on the one of the answer before, with the same queries.")
		}
	}
	out := &GetMetricDataOutput{MetricDataResults: []MetricDataResult{}, Messages: []MessageData{}}
	for i := from; i < len(results); i++ {
		times, values := results[i].Times[skip:], results[i].Values[skip:]
		n := min(limit, len(times))
		limit -= n
		r := MetricDataResult{Id: results[i].ID, Label: results[i].Label, Timestamps: []time.Time{}, Values: []float64{}, StatusCode: "Complete"}
		if n < len(times) {
			r.StatusCode = "PartialData"
		}
		for j := range n {
			r.Timestamps, r.Values = append(r.Timestamps, time.Unix(times[j], 0).UTC()), append(r.Values, values[j])
		}
		out.MetricDataResults = append(out.MetricDataResults, r)
		if n < len(times) || limit == 0 && i+1 < len(results) {
			next := fmt.Sprintf("%d/%d", i, skip+n)
			if n == len(times) {
				next = fmt.Sprintf("%d/0", i+1)
			}
			out.NextToken = base64.RawURLEncoding.EncodeToString([]byte(next))
			return out, nil
		}
		skip = 0
	}
	return out, nil
}

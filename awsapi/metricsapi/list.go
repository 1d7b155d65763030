package metricsapi

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"outcrop"
	"outcrop/metrics"
)

const (
	listPage       = 500 // metrics in one answer of ListMetrics
	recentlyActive = 3 * time.Hour
)

func (a *API) listMetrics(ctx context.Context, who outcrop.Caller, in *ListMetricsInput) (*ListMetricsOutput, error) {
	q := metrics.ListQuery{Namespace: in.Namespace, Name: in.MetricName}
	for _, d := range in.Dimensions {
		q.Dimensions = append(q.Dimensions, metrics.Dimension(d))
	}
	if in.RecentlyActive != "" { // the model knows PT3H alone
		q.ActiveSince = a.Now().Add(-recentlyActive)
	}
	if in.OwningAccount != "" && in.OwningAccount != string(who.Account) {
		return &ListMetricsOutput{Metrics: []Metric{}}, nil
	}
	found, err := a.Metrics.List(ctx, viewer(who), q)
	if err != nil {
		return nil, err
	}
	out := &ListMetricsOutput{Metrics: []Metric{}}
	page, next, err := pageAfter(found, in.NextToken, listPage, func(m metrics.Metric) string {
		return m.Namespace + "\x00" + string(m.Dimensions) + "\x00" + m.Name
	})
	if err != nil {
		return nil, err
	}
	out.NextToken = next
	for _, m := range page {
		out.Metrics = append(out.Metrics, Metric{Namespace: m.Namespace, MetricName: m.Name, Dimensions: describeDimensions(m.Dimensions)})
		if in.IncludeLinkedAccounts != nil && *in.IncludeLinkedAccounts {
			out.OwningAccounts = append(out.OwningAccounts, string(who.Account))
		}
	}
	return out, nil
}

// pageAfter takes a page of a list that is in the order of its keys. A token
// names the last key given, so that what comes or goes meanwhile moves nothing.
func pageAfter[T any](all []T, token string, size int, key func(T) string) (page []T, next string, err error) {
	if token != "" {
		after, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			return nil, "", refuse(invalidToken, "The NextToken is invalid: pass on the one of the answer before, as it is.")
		}
		i, found := slices.BinarySearchFunc(all, string(after), func(v T, k string) int { return strings.Compare(key(v), k) })
		if found {
			i++
		}
		all = all[i:]
	}
	if len(all) <= size {
		return all, "", nil
	}
	return all[:size], base64.RawURLEncoding.EncodeToString([]byte(key(all[size-1]))), nil
}

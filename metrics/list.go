package metrics

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A ListQuery filters ListMetrics. What is empty is any.
type ListQuery struct {
	Namespace, Name string
	Dimensions      []Dimension // each must be there; an empty value is any
	ActiveSince     time.Time   // recorded at or after
}

// listedFor is how long a metric without new data is listed.
const listedFor = 14 * day

// List finds metrics, in order of namespace, dimensions and name.
func (m *Metrics) List(ctx context.Context, who Viewer, q ListQuery) ([]Metric, error) {
	if err := m.fresh(ctx); err != nil {
		return nil, err
	}
	lanes, err := m.store.Lanes(ctx, who.Account, who.Region, q.Namespace)
	if err != nil {
		return nil, fmt.Errorf("list metrics: %w", err)
	}
	since := m.now().Add(-listedFor)
	if q.ActiveSince.After(since) {
		since = q.ActiveSince
	}
	since = since.Add(-ActivityGrain) // a note of when may be older by this much
	var out []Metric
	for i := range lanes {
		if !lanes[i].has(q.Dimensions) {
			continue
		}
		for _, name := range lanes[i].names(since) {
			if q.Name == "" || q.Name == name || alsoCalled[q.Name] == name {
				out = append(out, Metric{lanes[i].Namespace, name, lanes[i].Dimensions})
			}
		}
	}
	return out, nil
}

func (l *LaneInfo) has(filters []Dimension) bool {
	for _, f := range filters {
		if v, ok := l.Dimensions.Value(f.Name); !ok || f.Value != "" && f.Value != v {
			return false
		}
	}
	return true
}

// names are the metrics recorded since then, without their units.
func (l *LaneInfo) names(since time.Time) []string {
	found := map[string]bool{}
	for name, last := range l.Last {
		if name != recordsFolded && !last.Before(since) {
			plain, _, _ := strings.Cut(name, unitMark)
			found[plain] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

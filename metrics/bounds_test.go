package metrics_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/metrics"
)

// Promise: a percentile is the nearest rank as decimals give it. Whole numbers below 256
// have buckets of their own, so that the sketch is exact.
func TestPercentilesAreTheNearestRank(t *testing.T) {
	for n := 1; n < 256; n += 3 {
		var p metrics.Point
		for v := range n {
			p.Add(float64(v + 1))
		}
		for tenths := range 1000 {
			rank := max((tenths*n+999)/1000, 1)
			name := fmt.Sprintf("p%d.%d", tenths/10, tenths%10)
			if got, _ := stat(t, name).Of(&p); got != float64(rank) {
				t.Fatalf("%s of 1 to %d is %v, want %d", name, n, got, rank)
			}
		}
	}
}

// A count that is no number of samples is refused: it would overflow.
func TestCountsBeyondCountingAreRefused(t *testing.T) {
	w := newWorld()
	put := func(s metrics.Sample) error {
		s.Metric = metrics.Metric{Namespace: "mine", Name: "m"}
		return w.Put(t.Context(), viewer, []metrics.Sample{s})
	}
	for _, n := range []float64{1e16, 1e19, 1e30} {
		if err := put(metrics.Sample{Values: []float64{1}, Counts: []float64{n}}); outcrop.KindOf(err) != outcrop.Invalid {
			t.Errorf("%v times: %v", n, err)
		}
		if err := put(metrics.Sample{Summary: &metrics.Summary{Count: n, Sum: 1, Min: 1, Max: 1}}); outcrop.KindOf(err) != outcrop.Invalid {
			t.Errorf("a summary of %v: %v", n, err)
		}
	}
	if err := put(metrics.Sample{Values: []float64{1}, Counts: []float64{1e12}}); err != nil {
		t.Error(err)
	}
}

// All expressions of a question together compute a bounded number of data
// points: each alone may be small enough.
func TestAQuestionOfManyExpressionsIsBounded(t *testing.T) {
	w := newWorld()
	var queries []metrics.DataQuery
	for i := range 8 {
		queries = append(queries, metrics.DataQuery{ID: fmt.Sprint("e", i), Expression: "TIME_SERIES(1)", Period: 60, Return: true})
	}
	start := noon.Add(-3 * 365 * 24 * time.Hour)
	if _, err := w.Data(t.Context(), viewer, queries[:1], start, noon); err != nil {
		t.Errorf("one of them: %v", err)
	}
	if _, err := w.Data(t.Context(), viewer, queries, start, noon); outcrop.KindOf(err) != outcrop.Invalid || !strings.Contains(err.Error(), "data points") {
		t.Errorf("thirteen million data points: %v", err)
	}
}

package metrics

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"outcrop"
)

// A Sample is what PutMetricData brings: values with how often each occurred,
// or a Summary of them.
type Sample struct {
	Metric
	Time    time.Time // zero is now
	Unit    string    // empty is None
	Values  []float64
	Counts  []float64 // one for each value; none is once each
	Summary *Summary
}

// A Summary is samples added up by who sent them.
type Summary struct{ Count, Sum, Min, Max float64 }

// Bounds of when a sample may be from, as CloudWatch has them.
const (
	oldestSample = 14 * day
	newestSample = 2 * time.Hour
)

// Put stores samples of metrics outside AWS's namespaces. They are on disk when
// it returns.
func (m *Metrics) Put(ctx context.Context, who Viewer, samples []Sample) error {
	now := m.now()
	minutes := map[rowKey]*Block{}
	for i := range samples {
		s := &samples[i]
		at := s.Time
		if at.IsZero() {
			at = now
		}
		if at.Before(now.Add(-oldestSample)) || at.After(now.Add(newestSample)) {
			return outcrop.Errorf(outcrop.Invalid, "The parameter MetricData.member.%d.Timestamp must specify a time within the past two weeks and the next two hours.", i+1)
		}
		block := new(Block)
		if err := s.addTo(block); err != nil {
			return err
		}
		addTo(minutes, rowKey{Lane{who.Account, who.Region, s.Namespace, s.Dimensions}, Minute, floor(at.Unix(), Minute.Seconds())}, block)
	}
	if err := m.store.Add(ctx, writeRows(shared(minutes), now.Unix())); err != nil {
		return fmt.Errorf("store samples: %w", err)
	}
	return nil
}

// addTo counts the sample under its name and unit.
func (s *Sample) addTo(b *Block) error {
	unit := s.Unit
	if unit == "" {
		unit = UnitNone
	}
	p := b.At(strings.ReplaceAll(s.Name, unitMark, "") + unitMark + unit)
	for i, v := range s.Values {
		times := 1.0
		if len(s.Counts) > 0 {
			times = s.Counts[i]
		}
		if !sane(v) || !(times >= 0 && times <= mostSamples) {
			return outcrop.Errorf(outcrop.Invalid, "The value %v of the metric %s, %v times, is not one that can be kept.", v, s.Name, times)
		}
		p.AddTimes(v, uint64(math.Round(times)))
	}
	if t := s.Summary; t != nil {
		if !sane(t.Sum) || !sane(t.Min) || !sane(t.Max) || !(t.Count >= 1 && t.Count <= mostSamples) || t.Min > t.Max {
			return outcrop.Errorf(outcrop.Invalid, "The StatisticValues of the metric %s do not fit together.", s.Name)
		}
		p.Merge(&Point{Count: uint64(math.Round(t.Count)), Sum: t.Sum, Min: t.Min, Max: t.Max})
	}
	return nil
}

// mostSamples are counted at once, at most: sums of them stay far from
// overflowing.
const mostSamples = 1 << 50

// sane says whether v is in the range that CloudWatch takes: up to 2^360.
func sane(v float64) bool { return math.Abs(v) <= math.Exp2(360) }

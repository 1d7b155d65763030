package metrics

import (
	"context"
	"fmt"
	"strings"
	"time"

	"outcrop"
	"outcrop/metrics/metricmath"
)

// A Metric names what is asked about.
type Metric struct {
	Namespace  string
	Name       string
	Dimensions Dimensions
}

// An Ask is one statistic of one metric over time.
type Ask struct {
	Metric
	Stat   Stat
	Period int64  // seconds, a multiple of 60
	Unit   string // samples of other units do not count; empty is any
}

// A Window is the time that is asked about, as it was rounded.
type Window struct{ Start, End int64 }

// window rounds the start down as CloudWatch does: to the minute, or to the
// step that is all that is left of so long ago.
func (m *Metrics) window(start, end time.Time) Window {
	unit, age := Minute.Seconds(), m.now().Sub(start)
	for s := Minute; s < Hour && age > s.Keep(); s++ {
		unit = (s + 1).Seconds()
	}
	return Window{floor(start.Unix(), unit), end.Unix()}
}

// A Viewer is whose metrics are asked about, and in which Region.
type Viewer struct {
	Account outcrop.AccountID
	Region  outcrop.Region
}

// maxCells bounds the periods of one question, all its metrics together.
const maxCells = 2_000_000

// read answers asks, reading every Lane and Step once.
func (m *Metrics) read(ctx context.Context, who Viewer, w Window, asks []Ask) ([][]*Point, error) {
	out := make([][]*Point, len(asks))
	cells := int64(0)
	groups := map[Reading][]int{}
	for i := range asks {
		a := &asks[i]
		n := max(0, (w.End-w.Start+a.Period-1)/a.Period)
		if cells += n; cells > maxCells {
			return nil, outcrop.Errorf(outcrop.Invalid, "The question covers more than %d periods. Ask for a shorter time, a longer period or fewer metrics.", maxCells)
		}
		out[i] = make([]*Point, n)
		r := Reading{Lane{who.Account, who.Region, a.Namespace, a.Dimensions}, stepFor(w.Start, a.Period), w.Start, w.Start + n*a.Period}
		groups[r] = append(groups[r], i)
	}
	for r, members := range groups {
		if err := m.readLane(ctx, r, asks, members, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// readLane fills the periods of those asks that want the same rows.
func (m *Metrics) readLane(ctx context.Context, r Reading, asks []Ask, members []int, out [][]*Point) error {
	want := part{}
	if r.Lane.Namespace == Namespace { // others' names carry units
		want.only = map[string]bool{}
	}
	for _, i := range members {
		if want.only != nil {
			want.only[asks[i].stored()] = true
		}
		want.sketches = want.sketches || asks[i].Stat.Extended()
	}
	for row, err := range m.store.Rows(ctx, r) {
		if err != nil {
			return err
		}
		block, err := readPart(row.Block, want)
		if err != nil {
			return fmt.Errorf("metrics of %s at %d: %w", r.Lane.Namespace, row.Start, err)
		}
		for _, i := range members {
			asks[i].collect(block, &out[i][(row.Start-r.From)/asks[i].Period])
		}
	}
	return nil
}

// stored is the name under which an AWS/Bedrock metric is kept.
func (a *Ask) stored() string {
	if name, ok := alsoCalled[a.Name]; ok && a.Namespace == Namespace {
		return name
	}
	return a.Name
}

// collect adds what block has of the metric to a period.
func (a *Ask) collect(block *Block, into **Point) {
	for i := range block.entries {
		name, unit, put := strings.Cut(block.entries[i].name, unitMark)
		if name != a.stored() {
			continue
		}
		if !put {
			unit = UnitOf(name)
		}
		if a.Unit != "" && a.Unit != unit {
			continue
		}
		if *into == nil {
			*into = new(Point)
		}
		(*into).Merge(&block.entries[i].point)
	}
}

// series makes the time series of an ask.
func (a *Ask) series(w Window, periods []*Point) metricmath.Series {
	s := metricmath.Series{Label: a.Name, Period: a.Period, About: a.about()}
	for i, p := range periods {
		if v, ok := a.Stat.Of(p); ok {
			s.T = append(s.T, w.Start+int64(i)*a.Period)
			s.V = append(s.V, v)
		}
	}
	return s
}

// about is what a label may tell of an ask.
func (a *Ask) about() map[string]string {
	about := map[string]string{"Namespace": a.Namespace, "MetricName": a.Name, "Stat": a.Stat.name, "Period": fmt.Sprint(a.Period)}
	for _, d := range a.Dimensions.List() {
		about["Dim."+d.Name] = d.Value
	}
	return about
}

// A Datapoint is one period of GetMetricStatistics.
type Datapoint struct {
	Time   time.Time
	Values []float64 // of each statistic asked for
	Known  []bool    // whether there is one
}

// Statistics answers several statistics of one metric, in order of time.
func (m *Metrics) Statistics(ctx context.Context, who Viewer, a Ask, stats []Stat, start, end time.Time) ([]Datapoint, error) {
	if err := m.fresh(ctx); err != nil {
		return nil, err
	}
	for _, s := range stats { // one that needs the sketch makes all read it
		if a.Stat = s; s.Extended() {
			break
		}
	}
	w := m.window(start, end)
	periods, err := m.read(ctx, who, w, []Ask{a})
	if err != nil {
		return nil, err
	}
	var out []Datapoint
	for i, p := range periods[0] {
		if p == nil || p.Count == 0 {
			continue
		}
		d := Datapoint{Time: time.Unix(w.Start+int64(i)*a.Period, 0).UTC(), Values: make([]float64, len(stats)), Known: make([]bool, len(stats))}
		for j, s := range stats {
			d.Values[j], d.Known[j] = s.Of(p)
		}
		out = append(out, d)
	}
	return out, nil
}

package cost

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"time"

	"outcrop"
)

// A Monitor says whose days are compared with the days before them: those of
// every value of a dimension, a tag or a cost category, or of one filter.
type Monitor struct {
	ID, Name string
	By       *Grouping `json:",omitempty"` // DIMENSIONAL, or CUSTOM over the values of a tag
	Filter   *Filter   `json:",omitempty"` // CUSTOM
	Created  time.Time
	Updated  time.Time
}

// How a day is told from an ordinary one. The ordinary day is the median of the
// days before it, and its width their median distance from that; neither is
// moved by a few days that were anything but ordinary.
const (
	anomalyDays    = 28   // days before that count, at most
	anomalyMinDays = 7    // fewer say nothing
	anomalyWidths  = 3.5  // times the width above the median, as a normal distribution's standard deviations
	anomalyShare   = 0.25 // and at least this share above it
	anomalyLeast   = 0.01 // and at least so many dollars
	anomalyReach   = 90   // how many days back anomalies are kept, as on AWS
	madToSigma     = 1.4826
)

// An Anomaly is a run of days that cost more than the days before them let
// expect.
type Anomaly struct {
	ID         string
	Monitor    string
	Value      string // of what the monitor compares; empty for a filter
	Start, End time.Time
	Max, Total float64 // dollars above the expected: of the worst day, of all
	Actual     float64
	Expected   float64
	Score      float64 // 0 to 1: of the latest day
	MaxScore   float64
	Causes     []Cause
	Feedback   string
}

// A Cause is what grew most on the days of an anomaly.
type Cause struct {
	Service, Region, Account, UsageType string
	Dollars                             float64
}

// Anomalies finds the anomalies of a monitor that touch a period, oldest first.
// They are worked out from the history when asked for, today's day included as
// far as it has gone.
func (c *Costs) Anomalies(ctx context.Context, account outcrop.AccountID, m *Monitor, p Period) ([]Anomaly, error) {
	today := c.now().UTC().Truncate(24 * time.Hour)
	days, err := Period{today.AddDate(0, 0, -anomalyReach-anomalyDays), today.AddDate(0, 0, 1)}.split(Daily)
	if err != nil {
		return nil, err
	}
	var by []Grouping
	if m.By != nil {
		by = []Grouping{*m.By}
	}
	view, err := c.view(ctx, account, "", m.Filter, by)
	if err != nil {
		return nil, err
	}
	t, err := c.tabulate(ctx, view, account, days)
	if err != nil {
		return nil, err
	}
	var out []Anomaly
	for value, series := range t.series() {
		for _, a := range detect(series, days) {
			a.Monitor, a.Value = m.ID, value
			a.ID = anomalyID(m.ID, value, a.Start)
			if a.Start.Before(p.End) && !a.End.Before(p.Start) && !a.End.Before(today.AddDate(0, 0, -anomalyReach)) {
				out = append(out, a)
			}
		}
	}
	slices.SortFunc(out, func(a, b Anomaly) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Value, b.Value)) })
	for i := range out {
		if out[i].Causes, err = c.causes(ctx, account, m, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// series are the daily costs of each group, or of everything.
func (t *table) series() map[string][]float64 {
	out := map[string][]float64{}
	at := func(name string) []float64 {
		if out[name] == nil {
			out[name] = make([]float64, len(t.periods))
		}
		return out[name]
	}
	for i := range t.periods {
		if t.grouped == 0 {
			at("")[i] = dollars(t.totals[i].Cost)
		}
		for keys, v := range t.groups[i] {
			at(keys[0])[i] = dollars(v.Cost)
		}
	}
	return out
}

func dollars(m outcrop.Money) float64 {
	x, _ := strconv.ParseFloat(m.String(), 64) // a decimal that we wrote
	return x
}

// detect finds runs of days that stand out.
func detect(series []float64, days []Period) (out []Anomaly) {
	first := slices.IndexFunc(series, func(x float64) bool { return x > 0 })
	var open *Anomaly
	var ordinary []float64 // days before that were no anomaly
	for i := max(first, 0); i < len(series) && first >= 0; i++ {
		excess, expected, score := standsOut(series[i], ordinary)
		if score == 0 {
			ordinary = append(ordinary, series[i])
			if ordinary = ordinary[max(0, len(ordinary)-anomalyDays):]; open != nil {
				out, open = append(out, *open), nil
			}
			continue
		}
		if open == nil {
			open = &Anomaly{Start: days[i].Start}
		}
		open.End = days[i].Start
		open.Actual, open.Expected, open.Total = open.Actual+series[i], open.Expected+expected, open.Total+excess
		open.Max, open.MaxScore, open.Score = max(open.Max, excess), max(open.MaxScore, score), score
	}
	if open != nil {
		out = append(out, *open)
	}
	return out
}

// standsOut compares a day with those before it. Its score is 0 for an ordinary
// day.
func standsOut(x float64, before []float64) (excess, expected, score float64) {
	if len(before) < anomalyMinDays {
		return 0, 0, 0
	}
	expected = median(before)
	distance := make([]float64, len(before))
	for i, y := range before {
		distance[i] = math.Abs(y - expected)
	}
	bound := max(anomalyWidths*madToSigma*median(distance), anomalyShare*expected, anomalyLeast)
	if excess = x - expected; excess <= bound {
		return 0, expected, 0
	}
	return excess, expected, 1 - bound/(excess+bound)
}

func median(list []float64) float64 {
	s := slices.Sorted(slices.Values(list))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

func anomalyID(monitor, value string, start time.Time) string {
	sum := sha256.Sum256([]byte(monitor + "\x00" + value + "\x00" + start.Format(dayForm)))
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// maxCauses is how many causes an anomaly lists.
const maxCauses = 3

// causes compares the days of an anomaly with as many ordinary ones before.
func (c *Costs) causes(ctx context.Context, account outcrop.AccountID, m *Monitor, a *Anomaly) ([]Cause, error) {
	f := m.Filter
	if m.By != nil {
		f = and(f, m.By.is(a.Value))
	}
	from := a.Start.AddDate(0, 0, -anomalyDays)
	grew := map[Cause]float64{}
	n := a.End.Sub(a.Start).Hours()/24 + 1
	for line, err := range c.BillOf(ctx, account, "", f, []Period{{from, a.Start}, {a.Start, a.End.AddDate(0, 0, 1)}}) {
		if err != nil {
			return nil, err
		}
		key := Cause{Region: string(line.Line.Region), Account: string(line.Line.Account), UsageType: c.Settings.UsageType(line.Line)}
		key.Service, _ = c.Settings.Value(line.Line, DimService)
		if line.Period.Start.Equal(from) {
			grew[key] -= dollars(line.Cost) / anomalyDays * n
		} else {
			grew[key] += dollars(line.Cost)
		}
	}
	var out []Cause
	for key, by := range grew {
		if key.Dollars = by; by > 0 {
			out = append(out, key)
		}
	}
	slices.SortFunc(out, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(b.Dollars, a.Dollars), cmp.Compare(a.UsageType, b.UsageType), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Service, b.Service))
	})
	return out[:min(len(out), maxCauses)], nil
}

// is the filter for one group of g, named as answers name it.
func (g Grouping) is(name string) *Filter {
	value := name
	if g.Type != ByDimension && len(name) > len(g.Key) {
		value = name[len(g.Key)+1:] // "project$app01"
	}
	m := &Match{Key: g.Key, Values: []string{value}}
	switch {
	case g.Type == ByDimension:
		return &Filter{Dimensions: m}
	case value == "":
		m.Values, m.Options = nil, []string{"ABSENT"}
	}
	if g.Type == ByCategory {
		return &Filter{Categories: m}
	}
	return &Filter{Tags: m}
}

func and(a, b *Filter) *Filter {
	if a == nil {
		return b
	}
	return &Filter{And: []Filter{*a, *b}}
}

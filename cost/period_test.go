package cost_test

import (
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/cost"
	"outcrop/cost/costtest"
)

func TestParsePeriod(t *testing.T) {
	for _, c := range []struct {
		start, end string
		g          cost.Granularity
		want       string // of the error; empty when fine
	}{
		{"2026-11-01", "2026-11-02", cost.Daily, ""},
		{"2026-11-01T00:00:00Z", "2026-11-01T05:00:00Z", cost.Hourly, ""},
		{"2026-11-01", "2026-11-02T03:00:00Z", "", ""},
		{"2026-11-01T00:00:00Z", "2026-11-02", cost.Daily, "Start time 2026-11-01T00:00:00Z is invalid. Valid format is: yyyy-MM-dd."},
		{"2026-11-01", "2026-11-02T00:00:00Z", cost.Monthly, "End time 2026-11-02T00:00:00Z is invalid. Valid format is: yyyy-MM-dd."},
		{"2026-11-01", "2026-11-02", cost.Hourly, "Start time 2026-11-01 is invalid. Valid format is: yyyy-MM-dd'T'HH:mm:ss'Z'."},
		{"", "2026-11-02", cost.Daily, "Start time  is invalid. Valid format is: yyyy-MM-dd."},
		{"2026-02-30", "2026-11-02", cost.Daily, "Start time 2026-02-30 is invalid"},
		{"2026-11-01T00:30:00Z", "2026-11-02T00:00:00Z", cost.Hourly, "begins and ends on the hour"},
		{"0000-01-01", "2026-11-02", cost.Daily, "Start time 0000-01-01 is invalid"},
	} {
		p, err := cost.ParsePeriod(c.start, c.end, c.g)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s to %s: %v", c.start, c.end, err)
		case c.want == "" && c.g != "":
			if s, e := p.Format(c.g); s != c.start || e != c.end {
				t.Errorf("%s to %s came back as %s to %s", c.start, c.end, s, e)
			}
		case c.want != "" && (!isKind(err, outcrop.Invalid) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s to %s: error %v, want %q", c.start, c.end, err, c.want)
		}
	}
}

func FuzzParsePeriod(f *testing.F) {
	f.Add("2026-11-01", "2026-11-02T03:00:00Z", "HOURLY")
	f.Fuzz(func(t *testing.T, start, end, g string) {
		p, err := cost.ParsePeriod(start, end, cost.Granularity(g))
		if err == nil && (p.Start.Minute() != 0 || p.End.Location() != time.UTC) {
			t.Errorf("%q to %q is %v", start, end, p)
		}
	})
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestPeriodsAreCutInUTCAndClipped(t *testing.T) {
	for _, c := range []struct {
		g          cost.Granularity
		start, end string
		want       string
	}{
		{cost.Daily, "2026-10-30T00:00:00Z", "2026-11-02T00:00:00Z", "2026-10-30 2026-10-31 2026-11-01 <2026-11-02"},
		{cost.Monthly, "2026-09-15T00:00:00Z", "2026-11-22T00:00:00Z", "2026-09-15 2026-10-01 2026-11-01 <2026-11-22"},
		{cost.Monthly, "2025-12-01T00:00:00Z", "2026-02-01T00:00:00Z", "2025-12-01 2026-01-01 <2026-02-01"},
		{cost.Daily, "2024-02-28T00:00:00Z", "2024-03-01T00:00:00Z", "2024-02-28 2024-02-29 <2024-03-01"},
		{cost.Hourly, "2026-11-20T23:00:00Z", "2026-11-21T02:00:00Z", "2026-11-20T23:00:00Z 2026-11-21T00:00:00Z 2026-11-21T01:00:00Z <2026-11-21T02:00:00Z"},
	} {
		q := daily()
		q.Granularity, q.Period = c.g, cost.Period{Start: at(c.start), End: at(c.end)}
		var got strings.Builder
		var end string
		for _, r := range ask(t, newCosts(&ledger{}, costtest.NewMemory()), q).Results {
			var start string
			start, end = r.Period.Format(c.g)
			got.WriteString(start + " ")
		}
		if got.String()+"<"+end != c.want {
			t.Errorf("%s: %s<%s, want %s", c.g, got.String(), end, c.want)
		}
	}
}

// A record belongs to the hour, day and month in which it started, in UTC,
// whatever zone its time is written in.
func TestBoundariesOfHourDayAndMonth(t *testing.T) {
	zone := time.FixedZone("UTC+9", 9*3600)
	l := &ledger{}
	l.settle(call(at("2026-10-31T23:59:59.999999999Z").In(zone)), call(at("2026-11-01T00:00:00Z").In(zone)), call(at("2026-11-01T00:59:59Z")))
	c := newCosts(l, costtest.NewMemory())
	for _, want := range []struct {
		g          cost.Granularity
		start, end string
		tokens     []outcrop.Tokens
	}{
		{cost.Daily, "2026-10-31T00:00:00Z", "2026-11-02T00:00:00Z", []outcrop.Tokens{1100, 2200}},
		{cost.Monthly, "2026-10-01T00:00:00Z", "2026-11-02T00:00:00Z", []outcrop.Tokens{1100, 2200}},
		{cost.Monthly, "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", []outcrop.Tokens{2200}},
	} {
		q := daily()
		q.Granularity, q.Period = want.g, cost.Period{Start: at(want.start), End: at(want.end)}
		for i, r := range ask(t, c, q).Results {
			if i >= len(want.tokens) || r.Total.Tokens != want.tokens[i] {
				t.Errorf("%s %s: %d tokens, want %v", want.g, r.Period.Start, r.Total.Tokens, want.tokens)
			}
		}
	}
}

// A bill is an estimate until its month is over, every day of it.
func TestEstimatedUntilTheMonthIsOver(t *testing.T) {
	q := daily()
	q.Period.Start = at("2026-10-30T00:00:00Z")
	for _, r := range ask(t, newCosts(&ledger{}, costtest.NewMemory()), q).Results {
		if want := r.Period.Start.Month() == time.November; r.Estimated != want {
			t.Errorf("%s: estimated = %v", r.Period.Start, r.Estimated)
		}
	}
}

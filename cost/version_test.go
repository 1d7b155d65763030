package cost_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"outcrop"
	"outcrop/cost"
	"outcrop/cost/costtest"
	"outcrop/pricing"
)

// shownBy are the groups of the month in one version of the history.
func shownBy(t *testing.T, c *cost.Costs, version string, by cost.Grouping) []string {
	t.Helper()
	q := monthly(by)
	q.Version = version
	return groupsOf(ask(t, c, q))
}

// History read with today's tags is a version of its own; what was recorded
// keeps its name.
func TestHistoryIsReadWithTheTagsOfToday(t *testing.T) {
	l := &ledger{}
	l.settle(call(now), call(now, tagged(nil), func(r *outcrop.UsageRecord) { r.Profile = "" }))
	c := newCosts(l, costtest.NewMemory())
	c.Settings.ProfileTags = func(context.Context, outcrop.AccountID) (map[outcrop.ARN]outcrop.Tags, error) {
		return map[outcrop.ARN]outcrop.Tags{call(now).Profile: {"project": "renamed"}}, nil
	}
	activate(t, c, "project")
	was := []string{"project$=0.000084", "project$app01=0.000084"}
	if got := shownBy(t, c, "", byTag("project")); !slices.Equal(got, was) {
		t.Fatalf("before: %v", got)
	}
	v, err := c.Retag(t.Context(), account, cost.Retag{From: november().Start})
	if err != nil {
		t.Fatal(err)
	}
	is := []string{"project$=0.000084", "project$renamed=0.000084"}
	for version, want := range map[string][]string{"": is, v.Name: is, cost.Original: was} {
		if got := shownBy(t, c, version, byTag("project")); !slices.Equal(got, want) {
			t.Errorf("version %q: %v, want %v", version, got, want)
		}
	}
	rules := cost.Retag{Name: "by-rule", From: november().Start, Rules: []cost.TagRule{
		{Filter: &cost.Filter{Tags: &cost.Match{Key: "project", Values: []string{"renamed"}}}, Set: map[string]string{"project": "ruled"}},
		{Set: map[string]string{"project": "rest"}},
	}}
	if _, err := c.Retag(t.Context(), account, rules); err != nil {
		t.Fatal(err)
	}
	if got := shownBy(t, c, "", byTag("project")); !slices.Equal(got, []string{"project$rest=0.000084", "project$ruled=0.000084"}) {
		t.Errorf("by rule: %v", got)
	}
	if got := shownBy(t, c, v.Name, byTag("project")); !slices.Equal(got, is) {
		t.Errorf("the version before: %v, want %v", got, is)
	}
	if _, err := c.Retag(t.Context(), account, rules); !isKind(err, outcrop.Conflict) {
		t.Errorf("the same name twice: %v", err)
	}
	if _, err := c.Retag(t.Context(), account, cost.Retag{From: now}); !isKind(err, outcrop.Invalid) {
		t.Errorf("a backfill from the middle of a month: %v", err)
	}
	l.settle(call(now.Add(-time.Hour))) // settled late: it belongs to the version's time
	if got := shownBy(t, c, v.Name, byTag("project")); !slices.Equal(got, []string{"project$=0.000084", "project$renamed=0.000168"}) {
		t.Errorf("with a late record: %v", got)
	}
}

// newBook doubles the price of nova from noon of the 15th, and knows nothing of
// any other model.
func newBook(q pricing.Query) (quote outcrop.Quote) {
	if q.Model != "amazon.nova-lite-v1:0" {
		return quote
	}
	in := outcrop.Rate(60_000)
	if !q.At.Before(time.Date(2026, 11, 15, 12, 0, 0, 0, time.UTC)) {
		in *= 2
	}
	quote.Price = "new#nova"
	quote.Rates.Set(outcrop.InputTokens, in)
	quote.Rates.Set(outcrop.OutputTokens, 240_000)
	return quote
}

// A period is priced again: shown first, applied when asked for, the old
// prices kept under their name. The price changes within a day, and days are
// what questions are answered from.
func TestAPeriodIsPricedAgain(t *testing.T) {
	l := &ledger{}
	at := func(day, hour int, change ...func(*outcrop.UsageRecord)) outcrop.UsageRecord {
		return call(time.Date(2026, 11, day, hour, 30, 0, 0, time.UTC), change...)
	}
	other := func(r *outcrop.UsageRecord) { r.Model, r.Quote = "acme.x-v1:0", outcrop.Quote{} }
	l.settle(at(15, 11), at(15, 12), at(16, 1), at(14, 1), at(16, 2, other))
	c := newCosts(l, costtest.NewMemory())
	c.Settings.Quote = newBook
	p := november()
	dry, err := c.Rerate(t.Context(), account, cost.Rerating{Period: p})
	if err != nil {
		t.Fatal(err)
	}
	// Four calls at 0.000084; two of them cost 1000 tokens of input once more.
	if dry.Old.String() != "0.000336" || dry.New.String() != "0.000456" || dry.Unpriced != [2]outcrop.Tokens{1100, 1100} || dry.Version != nil {
		t.Errorf("dry run: %s to %s, unpriced %v", dry.Old, dry.New, dry.Unpriced)
	}
	if got := shownBy(t, c, "", byDim(cost.DimRegion)); !slices.Equal(got, []string{"us-east-1=0.000336"}) {
		t.Errorf("after a dry run: %v", got)
	}
	applied, err := c.Rerate(t.Context(), account, cost.Rerating{Period: p, Apply: true, Name: "november-2"})
	if err != nil || applied.Version.Name != "november-2" {
		t.Fatal(applied, err)
	}
	for version, want := range map[string]string{"": "us-east-1=0.000456", "november-2": "us-east-1=0.000456", cost.Original: "us-east-1=0.000336"} {
		if got := shownBy(t, c, version, byDim(cost.DimRegion)); !slices.Equal(got, []string{want}) {
			t.Errorf("version %q: %v, want %s", version, got, want)
		}
	}
	var bill outcrop.Money
	for line, err := range c.Bill(t.Context(), account, []cost.Period{p}) {
		if err != nil {
			t.Fatal(err)
		}
		bill = bill.Add(line.Cost)
	}
	if bill.String() != "0.000456" {
		t.Errorf("the bill is %s", bill)
	}
	q := monthly(byDim(cost.DimRegion))
	if q.Version = "nope"; true {
		if _, err := c.Ask(t.Context(), account, q); !isKind(err, outcrop.NotFound) {
			t.Errorf("an unknown version: %v", err)
		}
	}
}

func TestCostCategories(t *testing.T) {
	l := &ledger{}
	principal := func(r *outcrop.UsageRecord) { r.Tags, r.Principal = nil, "arn:aws:iam::111122223333:role/ml" }
	october := time.Date(2026, 10, 20, 1, 0, 0, 0, time.UTC)
	l.settle(call(now), call(now, tagged(outcrop.Tags{"project": "app02"})), call(now, principal), call(now, tagged(nil)), call(october))
	c := newCosts(l, costtest.NewMemory())
	activate(t, c, "project")
	match := func(key, value string) *cost.Filter {
		return &cost.Filter{Tags: &cost.Match{Key: key, Values: []string{value}}}
	}
	team, err := c.CreateCategory(t.Context(), account, "Team", cost.CategoryRevision{Default: "Rest", Rules: []cost.CategoryRule{
		{Value: "Chat", Filter: match("project", "app01")},
		{Value: "ML", Filter: match(cost.PrincipalKey, "arn:aws:iam::111122223333:role/ml")},
		{Inherits: &cost.Grouping{Type: cost.ByTag, Key: "project"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	by := cost.Grouping{Type: cost.ByCategory, Key: "Team"}
	want := []string{"Team$Chat=0.000084", "Team$ML=0.000084", "Team$Rest=0.000084", "Team$app02=0.000084"}
	if got := shownBy(t, c, "", by); !slices.Equal(got, want) {
		t.Errorf("groups = %v, want %v", got, want)
	}
	q := cost.Query{Period: cost.Period{Start: october.Truncate(24 * time.Hour), End: november().End}, Granularity: cost.Monthly, GroupBy: []cost.Grouping{by}, Metrics: []cost.Metric{cost.UnblendedCost}}
	if a := ask(t, c, q); !slices.Equal(a.Results[0].Groups[0].Keys, []string{"Team$"}) {
		t.Errorf("before it began: %v", a.Results[0].Groups)
	}
	q = monthly(byTag("project"))
	q.Filter = &cost.Filter{Categories: &cost.Match{Key: "Team", Values: []string{"ML", "Rest"}}}
	if got := groupsOf(ask(t, c, q)); !slices.Equal(got, []string{"project$=0.000168"}) {
		t.Errorf("filtered: %v", got)
	}
	self := cost.CategoryRevision{Rules: []cost.CategoryRule{{Value: "x", Filter: &cost.Filter{Categories: &cost.Match{Key: "Team", Values: []string{"x"}}}}}}
	if _, err := c.UpdateCategory(t.Context(), account, team.ID, self); !isKind(err, outcrop.Invalid) {
		t.Errorf("a category of itself: %v", err)
	}
	if err := c.DeleteCategory(t.Context(), account, team.ID); err != nil {
		t.Error(err)
	}
	if _, err := c.Ask(t.Context(), account, monthly(by)); !isKind(err, outcrop.Invalid) {
		t.Errorf("a deleted category: %v", err)
	}
}

// Who called is a tag in AWS's form, and session tags are, once activated.
func TestAttributionByPrincipal(t *testing.T) {
	l := &ledger{}
	l.settle(call(now, tagged(nil), func(r *outcrop.UsageRecord) {
		r.Principal, r.SessionTags = "arn:aws:iam::111122223333:role/ml", outcrop.Tags{"project": "lab"}
	}))
	c := newCosts(l, costtest.NewMemory())
	activate(t, c, "iamPrincipal/project")
	for by, want := range map[string]string{
		cost.PrincipalKey:      cost.PrincipalKey + "$arn:aws:iam::111122223333:role/ml=0.000084",
		"iamPrincipal/project": "iamPrincipal/project$lab=0.000084", "project": "project$=0.000084",
	} {
		if got := shownBy(t, c, "", byTag(by)); !slices.Equal(got, []string{want}) {
			t.Errorf("by %s: %v, want %s", by, got, want)
		}
	}
	c.Settings.SessionTags = true
	l.settle(call(now)) // makes the key known
	activate(t, c, "project")
	if got := shownBy(t, c, "", byTag("project")); !slices.Equal(got, []string{"project$app01=0.000084", "project$lab=0.000084"}) {
		t.Errorf("session tags stand in: %v", got)
	}
}

// A steady week makes a steady forecast, and one dear day an anomaly.
func TestForecastsAndAnomalies(t *testing.T) {
	l := &ledger{}
	for day := 20; day > 0; day-- {
		l.settle(call(now.AddDate(0, 0, -day), func(r *outcrop.UsageRecord) {
			r.Usage.Set(outcrop.InputTokens, 1_000_000)
			if day == 2 {
				r.Usage.Set(outcrop.InputTokens, 50_000_000)
			}
		}))
	}
	c := newCosts(l, costtest.NewMemory())
	today := now.Truncate(24 * time.Hour)
	m := &cost.Monitor{Name: "services", By: &cost.Grouping{Type: cost.ByDimension, Key: "SERVICE"}}
	if err := c.PutMonitor(t.Context(), account, m); err != nil {
		t.Fatal(err)
	}
	found, err := c.Anomalies(t.Context(), account, m, cost.Period{Start: today.AddDate(0, 0, -30), End: today})
	if err != nil || len(found) != 1 {
		t.Fatalf("anomalies = %+v, %v", found, err)
	}
	a := found[0]
	if a.Value != "Amazon Bedrock" || !a.Start.Equal(today.AddDate(0, 0, -2)) || !a.End.Equal(a.Start) || a.Total < 2.9 || a.Total > 3 || len(a.Causes) == 0 || a.Causes[0].UsageType != "USE1-NovaLite-input-tokens" {
		t.Errorf("anomaly = %+v", a)
	}
	if _, err := c.Forecast(t.Context(), account, cost.Forecasting{Period: cost.Period{Start: today.AddDate(0, 0, -1), End: today.AddDate(0, 0, 2)}, Granularity: cost.Daily, Metric: cost.UnblendedCost}); !isKind(err, outcrop.Invalid) {
		t.Errorf("a forecast of yesterday: %v", err)
	}
	steady := &ledger{}
	for day := 20; day > 0; day-- {
		steady.settle(call(now.AddDate(0, 0, -day)))
	}
	f, err := newCosts(steady, costtest.NewMemory()).Forecast(t.Context(), account, cost.Forecasting{
		Period: cost.Period{Start: today, End: today.AddDate(0, 0, 2)}, Granularity: cost.Daily, Metric: cost.UnblendedCost, Level: 80})
	if err != nil || f.Total != "0.000168" || len(f.Points) != 2 || f.Points[0].Mean != "0.000084" || f.Points[0].Low != "0.000084" || f.Unit != "USD" {
		t.Errorf("forecast = %+v, %v", f, err)
	}
}

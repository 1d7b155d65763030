package server

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outcrop"
	"outcrop/budget"
	"outcrop/cost"
	"outcrop/cost/costtest"
	"outcrop/sqlite"
)

var noLog = slog.New(slog.DiscardHandler)

// costsOf are engines that know what a month cost, and their store.
func costsOf(t *testing.T, m *costtest.Month, now func() time.Time) (*engines, *sqlite.DB) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "o.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &engines{costs: cost.New(m, db.Costs(), now, noLog)}, db
}

// Promise: a budget that is made today stands where it would stand had it
// counted each record, whatever it filters by and in whatever unit.
func TestANewBudgetStandsWhereItsRecordsSay(t *testing.T) {
	m := costtest.NewMonth(7, 2_000)
	now := func() time.Time { return m.End().Add(-time.Hour) }
	e, db := costsOf(t, m, now)
	open := func(h budget.History, store budget.Store) *budget.Budgets {
		t.Helper()
		b, err := budget.Open(t.Context(), m, store, budget.Options{Now: now, Bill: e.billed, History: h, SessionTags: true, Log: noLog})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	other, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "p.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	bySums, byRecords := open(pastSpending{e.costs}, db.Budgets()), open(nil, other.Budgets())
	dimension := func(key string, values ...string) *budget.Filter {
		return &budget.Filter{Dimension: &budget.Match{Key: key, Values: values}}
	}
	filters := []*budget.Filter{
		nil, {Tag: &budget.Match{Key: "project", Values: []string{"app-03", "app-04"}}}, {Tag: &budget.Match{Key: "cost-center", Values: []string{"cc-2"}}},
		{Tag: &budget.Match{Key: "iamPrincipal/cost-center", Values: []string{"cc-3"}}}, {Tag: &budget.Match{Key: "stage", Options: []string{"ABSENT"}}},
		dimension(budget.DimModel, "amazon.nova-lite-v1:0"), dimension(budget.DimAccessKey, "nobody"), dimension("USAGE_TYPE_GROUP", "Bedrock: Input Tokens"),
		{Dimension: &budget.Match{Key: "USAGE_TYPE", Values: []string{"flex", "no-price"}, Options: []string{"CONTAINS"}}},
		{Not: dimension("OPERATION", "InvokeModelInference")}, {And: []budget.Filter{*dimension("REGION", "us-west-2"), {Not: dimension(budget.DimAccessKey, "nobody")}}},
	}
	m.Hidden.Store(500) // settled after the budgets were made
	var keys []budget.Key
	for i, f := range filters {
		for j, unit := range []string{budget.UnitDollars, budget.UnitTokens, budget.UnitThousand, budget.UnitCalls} {
			d := budget.Budget{Key: budget.Key{Account: m.Account, Name: fmt.Sprint(i, "-", unit)}, Type: budget.Usage, Unit: unit, Limit: outcrop.Dollars(1), Every: budget.Daily, Start: m.Start, Filter: f, Tags: outcrop.Tags{}}
			if j == 0 {
				d.Type = budget.Cost
			}
			if i%4 == j {
				d.Tags[budget.TagWindow] = "36h"
			}
			keys = append(keys, d.Key)
			for _, b := range []*budget.Budgets{bySums, byRecords} {
				if err := b.Create(t.Context(), d); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	m.Hidden.Store(0)
	for _, k := range keys {
		stand := func(b *budget.Budgets) []budget.Past {
			t.Helper()
			past, err := b.History(t.Context(), k, budget.Period{Start: m.End().AddDate(0, 0, -9), End: m.End()})
			if err != nil {
				t.Fatal(err)
			}
			return past
		}
		if got, want := stand(bySums), stand(byRecords); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s is counted differently:\n%v\n%v", k.Name, got, want)
		}
	}
}

// Promise: a budget knows tokens by what the bill shows them under: reasoning
// without a price of its own is output there.
func TestBudgetsKnowTokensByTheirBill(t *testing.T) {
	e := &engines{costs: cost.New(nil, nil, time.Now, slog.New(slog.DiscardHandler))}
	for _, priced := range [][]outcrop.TokenKind{{outcrop.OutputTokens}, {outcrop.OutputTokens, outcrop.ReasoningTokens}, {outcrop.InputTokens}, nil} {
		r := outcrop.UsageRecord{Account: "1", Region: "us-east-1", Model: "amazon.nova-lite-v1:0", Operation: outcrop.OpConverse, Geography: "global"}
		for k := range outcrop.Kinds() {
			r.Usage.Set(k, 1+outcrop.Tokens(k))
		}
		for _, k := range priced {
			r.Quote.Rates.Set(k, 1)
		}
		for _, dimension := range budgetDimensions {
			bill, budgets := map[string]outcrop.Tokens{}, map[string]outcrop.Tokens{}
			for line, a := range cost.Lines(&r) {
				value, _ := e.costs.Settings.Shown(&line, dimension)
				bill[value] += a.Tokens
			}
			for k, n := range r.Usage.All() {
				value, _, _ := e.billed(&r, k, string(dimension))
				budgets[value] += n
			}
			if diff := cmp.Diff(bill, budgets); diff != "" {
				t.Errorf("%s with prices of %v (bill, budgets):\n%s", dimension, priced, diff)
			}
		}
	}
}

// Promise: the same filter counts the same in a budget and in Cost Explorer,
// where a value is absent, too.
func TestFiltersMeanTheSameToBudgetsAndCostExplorer(t *testing.T) {
	m := costtest.NewMonth(3, 500)
	now := func() time.Time { return m.End().Add(-time.Second) }
	e, db := costsOf(t, m, now)
	b, err := budget.Open(t.Context(), m, db.Budgets(), budget.Options{Now: now, Bill: e.billed, Log: noLog})
	if err != nil {
		t.Fatal(err)
	}
	if refused, err := e.costs.UpdateTags(t.Context(), m.Account, []cost.TagUpdate{{Key: "stage", Status: cost.Active}}); err != nil || len(refused) > 0 {
		t.Fatal(refused, err)
	}
	for i, c := range []struct {
		tag, dimension  string
		values, options []string
		not             bool
	}{
		{tag: "stage", values: []string{""}},
		{tag: "stage", values: []string{""}, not: true},
		{tag: "stage", values: []string{"", "dev"}},
		{tag: "stage", options: []string{"ABSENT"}},
		{tag: "stage", values: []string{"dev"}, options: []string{"EQUALS", "ABSENT"}},
		{tag: "stage", values: []string{"O"}, options: []string{"CONTAINS", "CASE_INSENSITIVE"}},
		{dimension: "RESOURCE_ID", values: []string{"NoResourceId"}},
		{dimension: "RESOURCE_ID", values: []string{"No"}, options: []string{"STARTS_WITH"}, not: true},
		{dimension: "RESOURCE_ID", options: []string{"ABSENT"}},
	} {
		f, g := &budget.Filter{}, &cost.Filter{}
		if c.tag != "" {
			f.Tag, g.Tags = &budget.Match{Key: c.tag, Values: c.values, Options: c.options}, &cost.Match{Key: c.tag, Values: c.values, Options: c.options}
		} else {
			f.Dimension, g.Dimensions = &budget.Match{Key: c.dimension, Values: c.values, Options: c.options}, &cost.Match{Key: c.dimension, Values: c.values, Options: c.options}
		}
		if c.not {
			f, g = &budget.Filter{Not: f}, &cost.Filter{Not: g}
		}
		k := budget.Key{Account: m.Account, Name: fmt.Sprint("filter-", i)}
		if err := b.Create(t.Context(), budget.Budget{Key: k, Type: budget.Cost, Unit: budget.UnitDollars, Limit: outcrop.Dollars(1), Every: budget.Monthly, Filter: f}); err != nil {
			t.Fatal(err)
		}
		st, err := b.Get(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := e.costs.Ask(t.Context(), m.Account, cost.Query{Period: cost.Period{Start: m.Start, End: m.End()}, Granularity: cost.Monthly, Metrics: []cost.Metric{cost.UnblendedCost}, Filter: g})
		if err != nil {
			t.Fatal(err)
		}
		if want := answer.Results[0].Total.Cost; st.Spent != want || want.IsZero() {
			t.Errorf("%+v: the budget has %s, Cost Explorer %s", c, st.Spent, want)
		}
	}
}

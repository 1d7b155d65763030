package server

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"outcrop"
	"outcrop/budget"
	"outcrop/cost"
)

// Promise: a budget's spending is what Cost Explorer says for the same filter,
// to the last digit.
func TestBudgetsAndCostExplorerAgree(t *testing.T) {
	s := start(t, Config{})
	e, now := s.engines, time.Now().UTC()
	dice := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[dice.IntN(len(list))] }
	for i := range 300 {
		r := outcrop.UsageRecord{Invocation: outcrop.InvocationID(fmt.Sprintf("00000000-0000-4000-8000-%012d", i)), Operation: outcrop.Operation(pick("Converse", "ConverseStream")),
			Account: testAccount, Started: now, Ended: now, Model: outcrop.ModelID(pick("amazon.nova-lite-v1:0", "anthropic.claude-haiku-4-5-20251001-v1:0")),
			Region: outcrop.Region(pick("us-east-1", "eu-west-1")), Geography: outcrop.Geography(pick("", "us", "global")),
			Tags: outcrop.Tags{"project": pick("app01", "app02")}, ServiceTier: pick("", "flex"), Outcome: outcrop.Outcome{Status: 200}}
		for _, k := range []outcrop.TokenKind{outcrop.InputTokens, outcrop.OutputTokens, outcrop.CacheReadTokens} {
			r.Usage.Set(k, outcrop.Tokens(dice.IntN(100_000)))
		}
		r.Quote = e.quote(&r)
		if err := e.ledger.Settle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if refused, err := e.costs.UpdateTags(t.Context(), testAccount, []cost.TagUpdate{{Key: "project", Status: cost.Active}}); err != nil || len(refused) > 0 {
		t.Fatal(refused, err)
	}
	start, _ := time.Parse(time.DateOnly, now.Format("2006-01")+"-01")
	month := cost.Period{Start: start, End: start.AddDate(0, 1, 0)}
	for i, c := range []struct{ dimension, value string }{
		{"", ""}, {"", "app01"}, {"REGION", "eu-west-1"}, {"OPERATION", "InvokeModelStreamingInference"}, {"USAGE_TYPE", "USE1-NovaLite-input-tokens"},
		{"SERVICE", "Amazon Bedrock"}, {"LINKED_ACCOUNT", string(testAccount)}, {"USAGE_TYPE_GROUP", "Bedrock: Output Tokens"},
	} {
		k := budget.Key{Account: testAccount, Name: fmt.Sprint(i)}
		b := budget.Budget{Key: k, Type: budget.Cost, Unit: budget.UnitDollars, Limit: outcrop.Dollars(1), Every: budget.Monthly}
		q := cost.Query{Period: month, Granularity: cost.Monthly, Metrics: []cost.Metric{cost.UnblendedCost}}
		switch {
		case c.dimension != "":
			b.Filter = &budget.Filter{Dimension: &budget.Match{Key: c.dimension, Values: []string{c.value}}}
			q.Filter = &cost.Filter{Dimensions: &cost.Match{Key: c.dimension, Values: []string{c.value}}}
		case c.value != "":
			b.Filter = &budget.Filter{Tag: &budget.Match{Key: "project", Values: []string{c.value}}}
			q.Filter = &cost.Filter{Tags: &cost.Match{Key: "project", Values: []string{c.value}}}
		}
		if err := e.budgets.Create(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		st, err := e.budgets.Get(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := e.costs.Ask(t.Context(), testAccount, q)
		if err != nil {
			t.Fatal(err)
		}
		if want := answer.Results[0].Total.Cost; st.Spent != want || want.IsZero() {
			t.Errorf("%s %s: the budget counts %s, Cost Explorer %s", c.dimension, c.value, st.Spent, want)
		}
	}
}

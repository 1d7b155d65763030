package cost_test

import (
	"testing"

	"outcrop"
	"outcrop/cost"
	"outcrop/cost/costtest"
)

// Property: the lines of a bill add up to what Cost Explorer answers.
func TestABillAddsUpToTheAnswer(t *testing.T) {
	var l ledger
	unpriced := func(r *outcrop.UsageRecord) { r.Quote = outcrop.Quote{} }
	l.settle(call(now), call(now.AddDate(0, 0, -3), unpriced), call(now.AddDate(0, 0, -3), tagged(outcrop.Tags{"project": "app02"})), call(now))
	c := newCosts(&l, costtest.NewMemory())
	activate(t, c, "project")
	answer, err := c.Ask(t.Context(), account, daily())
	if err != nil {
		t.Fatal(err)
	}
	var want, got cost.Value
	var days []cost.Period
	for _, r := range answer.Results {
		want.Cost, want.Tokens, want.Invocations = want.Cost.Add(r.Total.Cost), want.Tokens+r.Total.Tokens, want.Invocations+r.Total.Invocations
		days = append(days, r.Period)
	}
	for line, err := range c.Bill(t.Context(), account, days) {
		if err != nil {
			t.Fatal(err)
		}
		if _, shown := line.Tags["stage"]; shown || line.Tags["project"] == "" {
			t.Errorf("tags %v: want the active key alone", line.Tags)
		}
		got.Cost, got.Tokens, got.Invocations = got.Cost.Add(line.Cost), got.Tokens+line.Tokens, got.Invocations+line.Invocations
	}
	if got.Cost != want.Cost || got.Tokens != want.Tokens || got.Invocations != want.Invocations {
		t.Errorf("bill %v, answer %v", got, want)
	}
}

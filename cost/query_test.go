package cost_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/cost"
	"outcrop/cost/costtest"
)

func TestWrongQuestionsAreRefusedInAWSWords(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*cost.Query)
		want   string
	}{
		"start after end": {func(q *cost.Query) { q.Period.End = q.Period.Start }, "Start date (and hour) should be before end date (and hour)"},
		"end too late":    {func(q *cost.Query) { q.Period.End = at("2026-12-02T00:00:00Z") }, "end date past the beginning of next month"},
		"start in future": {func(q *cost.Query) {
			q.Period = cost.Period{Start: at("2026-11-22T00:00:00Z"), End: at("2026-11-23T00:00:00Z")}
		}, "in the future"},
		"hours too old":    {func(q *cost.Query) { q.Granularity = cost.Hourly; q.Period.Start = at("2026-11-06T23:00:00Z") }, "past 14 days"},
		"too many periods": {func(q *cost.Query) { q.Period.Start = at("1990-01-01T00:00:00Z") }, "more than 1200 DAILY results"},
		"no granularity":   {func(q *cost.Query) { q.Granularity = "WEEKLY" }, `Granularity "WEEKLY" is invalid`},
		"no metrics":       {func(q *cost.Query) { q.Metrics = nil }, "Metrics is a required field"},
		"three groups": {func(q *cost.Query) {
			q.GroupBy = []cost.Grouping{byTag("a"), byTag("b"), byTag("c")}
		}, "at most 2"},
		"one group twice":    {func(q *cost.Query) { q.GroupBy = []cost.Grouping{byTag("a"), byTag("a")} }, "given twice"},
		"unknown dimension":  {func(q *cost.Query) { q.GroupBy = []cost.Grouping{byDim("COLOR")} }, "Group Definition dimension is invalid. Valid values are AZ, INSTANCE_TYPE, LINKED_ACCOUNT"},
		"group without type": {func(q *cost.Query) { q.GroupBy = []cost.Grouping{{Key: "SERVICE"}} }, "Group Definition type"},
		"cost category":      {func(q *cost.Query) { q.GroupBy = []cost.Grouping{{Type: "COST_CATEGORY", Key: "x"}} }, "Cost category x does not exist"},
		"tag without key":    {func(q *cost.Query) { q.GroupBy = []cost.Grouping{byTag("")} }, "needs a Key"},
	} {
		q := daily()
		c.change(&q)
		_, err := newCosts(&ledger{}, costtest.NewMemory()).Ask(t.Context(), account, q)
		if !isKind(err, outcrop.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

// groupsOf writes an answer's groups as "keys=cost".
func groupsOf(a *cost.Answer) (out []string) {
	for _, r := range a.Results {
		for _, g := range r.Groups {
			out = append(out, strings.Join(g.Keys, "|")+"="+g.Value.Cost.String())
		}
	}
	return out
}

func monthly(by ...cost.Grouping) cost.Query {
	q := daily(by...)
	q.Granularity = cost.Monthly
	return q
}

func TestGroupsByTagAndDimension(t *testing.T) {
	l := &ledger{}
	l.settle(call(now), call(now), call(now, tagged(outcrop.Tags{"project": "app02"})), call(now, tagged(nil)))
	c := newCosts(l, costtest.NewMemory())
	inactive := []string{"project$=0.000336"}
	if got := groupsOf(ask(t, c, monthly(byTag("project")))); !slices.Equal(got, inactive) {
		t.Errorf("before activation: %v, want %v", got, inactive)
	}
	activate(t, c, "project") // at once, and for what was used before
	want := []string{"project$=0.000084", "project$app01=0.000168", "project$app02=0.000084"}
	if got := groupsOf(ask(t, c, monthly(byTag("project")))); !slices.Equal(got, want) {
		t.Errorf("after activation: %v, want %v", got, want)
	}
	want = []string{
		"project$|USE1-NovaLite-input-tokens=0.00006", "project$|USE1-NovaLite-output-tokens=0.000024",
		"project$app01|USE1-NovaLite-input-tokens=0.00012", "project$app01|USE1-NovaLite-output-tokens=0.000048",
		"project$app02|USE1-NovaLite-input-tokens=0.00006", "project$app02|USE1-NovaLite-output-tokens=0.000024",
	}
	if got := groupsOf(ask(t, c, monthly(byTag("project"), byDim(cost.DimUsageType)))); !slices.Equal(got, want) {
		t.Errorf("two groups: %v, want %v", got, want)
	}
	want = []string{"On Demand|NoInstanceType=0.000336"}
	if got := groupsOf(ask(t, c, monthly(byDim(cost.DimPurchaseType), byDim("INSTANCE_TYPE")))); !slices.Equal(got, want) {
		t.Errorf("dimension without a value: %v, want %v", got, want)
	}
}

// The last second is in the answer: nothing but the question makes it visible.
func TestAnAnswerIncludesWhatWasSettledJustNow(t *testing.T) {
	l := &ledger{}
	c := newCosts(l, costtest.NewMemory())
	for n := range 3 {
		l.settle(call(now))
		if got := grand(ask(t, c, daily()), false); got.Invocations != uint64(n+1) {
			t.Errorf("invocations = %d, want %d", got.Invocations, n+1)
		}
	}
}

func TestMetricsOfAValue(t *testing.T) {
	l := &ledger{}
	l.settle(call(now, func(r *outcrop.UsageRecord) { r.Usage.Set(outcrop.InputTokens, 1234) }))
	v := grand(ask(t, newCosts(l, costtest.NewMemory()), daily()), false)
	for m, want := range map[string]string{
		"UnblendedCost": "0.00009804 USD", "BLENDED_COST": "0.00009804 USD", "AmortizedCost": "0.00009804 USD", "NetUnblendedCost": "0.00009804 USD",
		"UsageQuantity": "1.334 1K tokens", "NormalizedUsageAmount": "0 N/A",
	} {
		metric, err := cost.ParseMetric(m)
		if err != nil {
			t.Fatal(err)
		}
		if amount, unit := v.Metric(metric); amount+" "+unit != want {
			t.Errorf("%s = %s %s, want %s", m, amount, unit, want)
		}
	}
	if amount, unit := (cost.Value{}).Metric(cost.UsageQuantity); amount != "0" || unit != "N/A" {
		t.Errorf("nothing used is %s %s", amount, unit)
	}
	if _, err := cost.ParseMetric("Unblended_Cost"); !isKind(err, outcrop.Invalid) {
		t.Errorf("error = %v", err)
	}
}

// Units that differ have no common name: Marketplace lines beside others.
func TestMixedUnits(t *testing.T) {
	l := &ledger{}
	l.settle(call(now), call(now, func(r *outcrop.UsageRecord) { r.Model = "anthropic.claude-sonnet-4-6" }))
	c := newCosts(l, costtest.NewMemory())
	c.Settings.Marketplace = true
	if amount, unit := grand(ask(t, c, daily()), false).Metric(cost.UsageQuantity); amount != "2.2" || unit != "N/A" {
		t.Errorf("quantity = %s %s", amount, unit)
	}
	want := []string{"Amazon Bedrock=0.000084", "Claude Sonnet 4.6 (Amazon Bedrock Edition)=0.000084"}
	if got := groupsOf(ask(t, c, monthly(byDim(cost.DimService)))); !slices.Equal(got, want) {
		t.Errorf("services = %v, want %v", got, want)
	}
}

// Property 5 of the product: without a price there is no cost, and it shows.
func TestUsageWithoutAPriceIsShownAndNotCounted(t *testing.T) {
	l := &ledger{}
	l.settle(call(now, func(r *outcrop.UsageRecord) {
		r.Quote = outcrop.Quote{Price: "list#half"}
		r.Quote.Rates.Set(outcrop.OutputTokens, 0) // free is a price
	}))
	c := newCosts(l, costtest.NewMemory())
	a := ask(t, c, monthly(byDim(cost.DimUsageType)))
	want := []string{"USE1-NovaLite-input-tokens-no-price=0", "USE1-NovaLite-output-tokens=0"}
	if got := groupsOf(a); !slices.Equal(got, want) {
		t.Errorf("groups = %v, want %v", got, want)
	}
	if v := a.Results[0].Groups[0].Value; a.Unpriced != 1000 || v.Unpriced != 1000 || v.Tokens != 1000 {
		t.Errorf("unpriced = %d, group %+v", a.Unpriced, v)
	}
	if err := c.CatchUp(t.Context()); err != nil { // questions add up what is not folded yet, and count nothing
		t.Fatal(err)
	}
	if c.Unpriced() != 1000 {
		t.Errorf("counted = %d", c.Unpriced())
	}
}

// A refused call is counted, and is on no bill.
func TestARecordWithoutTokensIsCountedAndNotBilled(t *testing.T) {
	l := &ledger{}
	l.settle(call(now, func(r *outcrop.UsageRecord) { r.Usage = outcrop.Usage{} }))
	c := newCosts(l, costtest.NewMemory())
	if got := groupsOf(ask(t, c, monthly(byDim(cost.DimService)))); len(got) != 0 {
		t.Errorf("groups = %v", got)
	}
	if totals, err := c.Totals(t.Context()); err != nil || totals.Records != 1 || totals.Tokens != 0 {
		t.Errorf("totals = %+v, %v", totals, err)
	}
}

func TestDamagedCountsAreCutAndDoNotJamTheFold(t *testing.T) {
	l := &ledger{}
	l.settle(call(now, func(r *outcrop.UsageRecord) { r.Usage.Set(outcrop.InputTokens, 1<<64-1) }), call(now))
	if got := grand(ask(t, newCosts(l, costtest.NewMemory()), daily()), false); got.Tokens != 1<<40+100+1100 {
		t.Errorf("tokens = %d", got.Tokens)
	}
}

func TestALedgerThatRepeatsItselfIsNotBilledTwice(t *testing.T) {
	l := &ledger{}
	l.settle(call(now), call(now))
	l.records[1].Seq = 1
	c := newCosts(l, costtest.NewMemory())
	if _, err := c.Ask(t.Context(), account, daily()); err == nil || !strings.Contains(err.Error(), "answered record 1 after 1") {
		t.Errorf("error = %v", err)
	}
}

// Pages neither lose nor repeat, also when usage arrives between them.
func TestPagesNeitherLoseNorRepeat(t *testing.T) {
	l := &ledger{}
	const days, groups = 3, 1500
	for d := range days {
		for g := range groups {
			l.settle(call(now.AddDate(0, 0, -2*d), tagged(outcrop.Tags{"project": fmt.Sprintf("app%04d", g)})))
		}
	}
	c := newCosts(l, costtest.NewMemory())
	activate(t, c, "project")
	q := daily(byTag("project"))
	seen, pages := map[string]int{}, 0
	for {
		a, err := c.Ask(t.Context(), account, q)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		rows := 0
		for _, r := range a.Results {
			seen[fmt.Sprint(r.Period.Start)]++
			rows += max(1, len(r.Groups))
			for _, g := range r.Groups {
				seen[fmt.Sprint(r.Period.Start, g.Keys)]++
			}
		}
		if rows > 1000 {
			t.Errorf("page %d has %d rows", pages, rows)
		}
		if q.Page = a.Next; q.Page == "" {
			break
		}
		l.settle(call(now.AddDate(0, 0, -2), tagged(outcrop.Tags{"project": fmt.Sprint("app0000", pages)})))
	}
	for d := range days {
		for g := range groups {
			key := fmt.Sprint(now.AddDate(0, 0, -2*d).Truncate(24*time.Hour), []string{fmt.Sprintf("project$app%04d", g)})
			if seen[key] != 1 {
				t.Fatalf("%s came %d times", key, seen[key])
			}
		}
	}
	for at := november().Start; at.Before(november().End); at = at.AddDate(0, 0, 1) {
		if seen[fmt.Sprint(at)] == 0 {
			t.Errorf("%s is missing", at)
		}
	}
	if pages < 5 {
		t.Errorf("%d pages", pages)
	}
}

func codeOf(err error) string {
	if e, ok := err.(*outcrop.Error); ok {
		return e.Code
	}
	return fmt.Sprint(err)
}

func TestPageTokensBelongToTheirQuestion(t *testing.T) {
	l := &ledger{}
	for g := range 1001 {
		l.settle(call(now, tagged(outcrop.Tags{"project": fmt.Sprint(g)})))
	}
	c := newCosts(l, costtest.NewMemory())
	activate(t, c, "project")
	a, err := c.Ask(t.Context(), account, daily(byTag("project")))
	if err != nil || a.Next == "" {
		t.Fatal(a, err)
	}
	other := daily(byTag("stage"))
	other.Page = a.Next
	if _, err := c.Ask(t.Context(), account, other); codeOf(err) != "RequestChangedException" {
		t.Errorf("another question: %v", err)
	}
	same := daily(byTag("project"))
	same.Page = a.Next
	if _, err := c.Ask(t.Context(), "444455556666", same); codeOf(err) != "RequestChangedException" {
		t.Errorf("another account: %v", err)
	}
	for _, junk := range []string{"x", "e30", "!!", a.Next[:len(a.Next)-3]} {
		same.Page = junk
		if _, err := c.Ask(t.Context(), account, same); codeOf(err) != "InvalidNextTokenException" && codeOf(err) != "RequestChangedException" {
			t.Errorf("token %q: %v", junk, err)
		}
	}
}

func FuzzPageToken(f *testing.F) {
	f.Add("eyJxIjoiIiwiYXQiOnsicCI6MX19")
	l := &ledger{}
	l.settle(call(now))
	c := newCosts(l, costtest.NewMemory())
	f.Fuzz(func(t *testing.T, token string) {
		q := daily(byTag("project"))
		q.Page = token
		if _, err := c.Ask(t.Context(), account, q); err != nil && !isKind(err, outcrop.Invalid) {
			t.Errorf("token %q: %v", token, err)
		}
	})
}

package sqlite

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"outcrop"
	"outcrop/cost"
	"outcrop/cost/costtest"
)

func TestCostsKeepThePromisesOfAStore(t *testing.T) {
	t.Parallel()
	costtest.Run(t, func(t testing.TB) cost.Store { return openTest(t).Costs() })
}

// A monthLedger is a month of an organisation without keeping it: 50 teams
// with a profile each, on two models, calling in every hour.
type monthLedger struct{ records int }

var month = cost.Period{Start: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}

func (l monthLedger) Sync(context.Context) error { return nil }

func (l monthLedger) After(_ context.Context, after outcrop.Seq, limit int) ([]outcrop.UsageRecord, error) {
	var out []outcrop.UsageRecord
	for i := int(after); i < min(l.records, int(after)+limit); i++ {
		team := i % 50
		r := outcrop.UsageRecord{
			Seq: outcrop.Seq(i + 1), Operation: outcrop.OpConverse, Account: "111122223333", Region: "us-east-1", Model: "amazon.nova-lite-v1:0",
			Started: month.Start.Add(time.Duration(i) * (month.End.Sub(month.Start) / time.Duration(l.records))),
			Profile: outcrop.ARN(fmt.Sprintf("arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/team%08d", team)),
			Tags:    outcrop.Tags{"project": fmt.Sprintf("team-%02d", team), "stage": "prod"},
		}
		if i/50%2 == 0 {
			r.Model = "anthropic.claude-sonnet-4-6"
		}
		for _, kind := range []outcrop.TokenKind{outcrop.InputTokens, outcrop.OutputTokens, outcrop.CacheReadTokens} {
			r.Usage.Set(kind, 100)
			r.Quote.Rates.Set(kind, 60_000)
		}
		out = append(out, r)
	}
	return out, nil
}

func benchCosts(b *testing.B, records int) *cost.Costs {
	end := func() time.Time { return month.End.Add(-time.Second) }
	return cost.New(monthLedger{records}, openTest(b).Costs(), end, slog.New(slog.DiscardHandler))
}

func BenchmarkCostFold(b *testing.B) {
	const records = 200_000
	for b.Loop() {
		if err := benchCosts(b, records).CatchUp(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(records*b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkCostByTagAndDay asks what one million calls cost, by tag and day.
func BenchmarkCostByTagAndDay(b *testing.B) {
	c := benchCosts(b, 1_000_000)
	if err := c.CatchUp(b.Context()); err != nil {
		b.Fatal(err)
	}
	if _, err := c.UpdateTags(b.Context(), "111122223333", []cost.TagUpdate{{Key: "project", Status: cost.Active}}); err != nil {
		b.Fatal(err)
	}
	q := cost.Query{Period: month, Granularity: cost.Daily, GroupBy: []cost.Grouping{{Type: cost.ByTag, Key: "project"}}, Metrics: []cost.Metric{cost.UnblendedCost}}
	for b.Loop() {
		if a, err := c.Ask(b.Context(), "111122223333", q); err != nil || len(a.Results) == 0 {
			b.Fatal(a, err)
		}
	}
}

// Both stores give the same answers to the same questions, rebuilt or not.
func TestCostAnswersAreThoseOfMemory(t *testing.T) {
	t.Parallel()
	end := func() time.Time { return month.End.Add(-time.Second) }
	log := slog.New(slog.DiscardHandler)
	records := monthLedger{1500} // one every half hour
	disk, memory := cost.New(records, openTest(t).Costs(), end, log), cost.New(records, costtest.NewMemory(), end, log)
	for _, by := range [][]cost.Grouping{nil, {{Type: cost.ByTag, Key: "project"}}, {{Type: cost.ByDimension, Key: "USAGE_TYPE"}, {Type: cost.ByDimension, Key: "RESOURCE_ID"}}} {
		q := cost.Query{Period: month, Granularity: cost.Daily, GroupBy: by, Metrics: []cost.Metric{cost.UnblendedCost}}
		want, err := memory.Ask(t.Context(), "111122223333", q)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			got, err := disk.Ask(t.Context(), "111122223333", q)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("by %v: %v, %v, want %v", by, got, err, want)
			}
			if err := disk.Rebuild(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

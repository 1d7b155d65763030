package cost_test

import (
	"fmt"
	"testing"
	"time"

	"outcrop"
	"outcrop/cost/costtest"
)

// A month of an organisation: 50 teams with a profile each, on two models,
// calling in every hour. A million calls become about 150,000 rollups.
func month(records int) *ledger {
	l := &ledger{}
	span := november().End.Sub(november().Start)
	for i := range records {
		team := i % 50
		l.settle(call(november().Start.Add(time.Duration(i)*(span/time.Duration(records))), func(r *outcrop.UsageRecord) {
			r.Tags = outcrop.Tags{"project": fmt.Sprintf("team-%02d", team), "stage": "prod"}
			r.Profile = outcrop.ARN(fmt.Sprintf("arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/team%08d", team))
			if i/50%2 == 0 {
				r.Model = "anthropic.claude-sonnet-4-6"
			}
			r.Usage.Set(outcrop.CacheReadTokens, 50)
			r.Quote.Rates.Set(outcrop.CacheReadTokens, 6_000)
		}))
	}
	return l
}

// BenchmarkFold folds into memory: the work of the engine alone. The store's
// share is measured in package sqlite.
func BenchmarkFold(b *testing.B) {
	l := month(100_000)
	for b.Loop() {
		c := newCosts(l, costtest.NewMemory())
		if err := c.Rebuild(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(l.records)*b.N)/b.Elapsed().Seconds(), "records/s")
}

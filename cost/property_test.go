package cost_test

import (
	"context"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"outcrop"
	"outcrop/cost"
	"outcrop/cost/costtest"
)

var everyDimension = []cost.Dimension{
	cost.DimService, cost.DimServiceCode, cost.DimUsageType, cost.DimUsageTypeGroup, cost.DimOperation, cost.DimRegion, cost.DimLinkedAccount,
	cost.DimLinkedName, cost.DimPayerAccount, cost.DimRecordType, cost.DimResourceID, cost.DimBillingEntity, cost.DimLegalEntity,
	cost.DimInvoicingEntity, cost.DimPurchaseType, "INSTANCE_TYPE", "AZ",
}

func drawGrouping(t *rapid.T) cost.Grouping {
	if rapid.Bool().Draw(t, "by tag") {
		return byTag(rapid.SampledFrom([]string{"project", "stage", "Project", "nobody"}).Draw(t, "tag"))
	}
	return byDim(rapid.SampledFrom(everyDimension).Draw(t, "dimension"))
}

func drawMatch(t *rapid.T, key string, values ...string) *cost.Match {
	m := &cost.Match{Key: key, Values: rapid.SliceOfN(rapid.SampledFrom(values), 0, 3).Draw(t, "values")}
	if len(m.Values) > 0 {
		m.Options = rapid.SampledFrom([][]string{nil, {"EQUALS"}, {"STARTS_WITH"}, {"CONTAINS", "CASE_INSENSITIVE"}, {"ENDS_WITH"}, {"EQUALS", "ABSENT"}}).Draw(t, "options")
	}
	return m
}

func drawFilter(t *rapid.T, depth int) cost.Filter {
	switch n := rapid.IntRange(0, 4).Draw(t, "filter"); {
	case n == 0 && depth > 0:
		return cost.Filter{And: []cost.Filter{drawFilter(t, depth-1), drawFilter(t, depth-1)}}
	case n == 1 && depth > 0:
		return cost.Filter{Or: []cost.Filter{drawFilter(t, depth-1), drawFilter(t, depth-1)}}
	case n == 2 && depth > 0:
		inner := drawFilter(t, depth-1)
		return cost.Filter{Not: &inner}
	case n == 3:
		return cost.Filter{Tags: drawMatch(t, rapid.SampledFrom([]string{"project", "stage"}).Draw(t, "tag"), "app01", "APP", "a$", "")}
	}
	return cost.Filter{Dimensions: drawMatch(t, string(rapid.SampledFrom(everyDimension).Draw(t, "dimension")), "USE1", "us-east-1", "Amazon Bedrock", "Streaming", "input")}
}

func drawQuery(t *rapid.T) cost.Query {
	q := cost.Query{Metrics: []cost.Metric{cost.UnblendedCost}, Granularity: rapid.SampledFrom([]cost.Granularity{cost.Hourly, cost.Daily, cost.Monthly}).Draw(t, "granularity")}
	q.Period = cost.Period{Start: now.Truncate(24*time.Hour).AddDate(0, 0, -14), End: now.Truncate(24*time.Hour).AddDate(0, 0, 1)}
	for range rapid.IntRange(0, 2).Draw(t, "groupings") {
		if g := drawGrouping(t); len(q.GroupBy) == 0 || q.GroupBy[0] != g {
			q.GroupBy = append(q.GroupBy, g)
		}
	}
	return q
}

func drawCosts(t *rapid.T, l *ledger) *cost.Costs {
	c := newCosts(l, costtest.NewMemory())
	c.Settings.Marketplace = rapid.Bool().Draw(t, "marketplace")
	for _, key := range []string{"project", "stage"} {
		if rapid.Bool().Draw(t, "active") {
			if _, err := c.UpdateTags(t.Context(), account, []cost.TagUpdate{{Key: key, Status: cost.Active}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return c
}

// Property: whatever the grouping, the granularity and the paging, an answer
// adds up to its records priced one by one.
func TestAnyGroupingAddsUpToTheRecordsPricedOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLedger(t)
		q := drawQuery(t)
		got := ask(t, drawCosts(t, l), q)
		sum := grand(got, len(q.GroupBy) > 0)
		pico, tokens, unpriced := oneByOne(l.records, func(*outcrop.UsageRecord) bool { return true })
		if picoOf(t, sum.Cost.String()).Cmp(pico) != 0 || sum.Tokens != tokens || sum.Unpriced != unpriced || got.Unpriced != unpriced {
			t.Fatalf("%+v: %s for %d tokens (%d unpriced, %d said), want %s pico-dollars for %d (%d)",
				q, sum.Cost, sum.Tokens, sum.Unpriced, got.Unpriced, pico, tokens, unpriced)
		}
	})
}

// Property: a filter and its negation part every answer without loss.
func TestAFilterAndItsNegationAddUpToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCosts(t, drawLedger(t))
		q := drawQuery(t)
		whole := grand(ask(t, c, q), len(q.GroupBy) > 0)
		f := drawFilter(t, 3)
		var parts cost.Value
		for _, part := range []cost.Filter{f, {Not: &f}} {
			q.Filter = &part
			parts = plus(parts, grand(ask(t, c, q), len(q.GroupBy) > 0))
		}
		if whole != parts {
			t.Fatalf("filter %+v: parts are %+v, the whole is %+v", f, parts, whole)
		}
	})
}

// Property: filtering by each value that GetTags and GetDimensionValues name
// partitions the whole, too.
func TestTheValuesFoundPartitionTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCosts(t, drawLedger(t))
		q := drawQuery(t)
		of := drawGrouping(t)
		found, err := c.Find(t.Context(), account, cost.Lookup{Of: of, Period: q.Period})
		if err != nil {
			t.Fatal(err)
		}
		var parts cost.Value
		matches := []cost.Match{}
		for _, v := range found.Values {
			matches = append(matches, cost.Match{Key: of.Key, Values: []string{v.Text}})
		}
		if of.Type == cost.ByDimension {
			matches = append(matches, cost.Match{Key: of.Key, Options: []string{"ABSENT"}})
		}
		for _, m := range matches {
			q.Filter = &cost.Filter{Dimensions: &m}
			if of.Type == cost.ByTag {
				q.Filter = &cost.Filter{Tags: &m}
			}
			parts = plus(parts, grand(ask(t, c, q), len(q.GroupBy) > 0))
		}
		q.Filter = nil
		if whole := grand(ask(t, c, q), len(q.GroupBy) > 0); whole != parts {
			t.Fatalf("by %v: parts are %+v, the whole is %+v", of, parts, whole)
		}
	})
}

// Property: records with the same name, time and price can be asked for by
// tag and hour, and each hour's cost is that of its records.
func TestEachHourOfEachTagIsItsRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLedger(t)
		c := newCosts(l, costtest.NewMemory())
		_, _ = c.UpdateTags(t.Context(), account, []cost.TagUpdate{{Key: "project", Status: cost.Active}})
		q := drawQuery(t)
		q.Granularity, q.GroupBy = cost.Hourly, []cost.Grouping{byTag("project")}
		for _, r := range ask(t, c, q).Results {
			for _, g := range r.Groups {
				pico, _, _ := oneByOne(l.records, func(x *outcrop.UsageRecord) bool {
					return x.Tags["project"] == strings.TrimPrefix(g.Keys[0], "project$") && !x.Started.Before(r.Period.Start) && x.Started.Before(r.Period.End)
				})
				if picoOf(t, g.Value.Cost.String()).Cmp(pico) != 0 {
					t.Fatalf("%s of %s is %s, want %s pico-dollars", r.Period.Start, g.Keys[0], g.Value.Cost, pico)
				}
			}
		}
	})
}

// Property: dropped and folded again, in whatever batches, the answers are the
// same, and every record of the ledger is counted.
func TestARebuildAnswersTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLedger(t)
		c := drawCosts(t, l)
		q := drawQuery(t)
		before := ask(t, c, q)
		if err := c.Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, ask(t, c, q), cmp.AllowUnexported(outcrop.Money{})); diff != "" {
			t.Fatal(diff)
		}
		totals, err := c.Totals(t.Context())
		if err != nil || totals.Records != uint64(len(l.records)) || int(totals.Watermark) != len(l.records) {
			t.Fatalf("totals = %+v, %v for %d records", totals, err, len(l.records))
		}
	})
}

// A faultyStore fails as a crash would: before the transaction, or after it
// when nobody was told.
type faultyStore struct {
	cost.Store
	before, after func() bool
}

func (s faultyStore) Fold(ctx context.Context, b cost.Batch) error {
	if s.before() {
		return errFault
	}
	if err := s.Store.Fold(ctx, b); err != nil {
		return err
	}
	if s.after() {
		return errFault
	}
	return nil
}

// Property: crashes before and after a commit, and readers that come and go
// between batches, neither lose nor double a token.
func TestCrashesBetweenBatchesNeverFoldTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store, l := costtest.NewMemory(), &ledger{}
		flip := func() bool { return rapid.IntRange(0, 2).Draw(t, "fault") == 0 }
		for range rapid.IntRange(1, 12).Draw(t, "lives") {
			l.settle(rapid.SliceOfN(rapid.Custom(drawRecord), 0, 8).Draw(t, "more")...)
			l.fail = func() error {
				if flip() {
					return errFault
				}
				return nil
			}
			if err := l.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			_ = newCosts(l, faultyStore{store, flip, flip}).CatchUp(t.Context()) // a life that may end badly
		}
		l.fail = nil
		q := cost.Query{Period: cost.Period{Start: november().Start.AddDate(0, -1, 0), End: november().End}, Granularity: cost.Monthly, Metrics: []cost.Metric{cost.UnblendedCost}}
		sum := grand(ask(t, newCosts(l, store), q), false)
		pico, tokens, _ := oneByOne(l.records, func(*outcrop.UsageRecord) bool { return true })
		if picoOf(t, sum.Cost.String()).Cmp(pico) != 0 || sum.Tokens != tokens {
			t.Fatalf("%s for %d tokens, want %s pico-dollars for %d", sum.Cost, sum.Tokens, pico, tokens)
		}
	})
}

// Amounts beyond 64 bits stay exact.
func TestAmountsBeyond64BitsAreExact(t *testing.T) {
	l := &ledger{}
	for range 10 {
		l.settle(call(now, func(r *outcrop.UsageRecord) {
			r.Usage.Set(outcrop.InputTokens, 1<<40)
			r.Quote.Rates.Set(outcrop.InputTokens, 1<<62-1)
		}))
	}
	sum := grand(ask(t, newCosts(l, costtest.NewMemory()), daily()), false)
	pico, _, _ := oneByOne(l.records, func(*outcrop.UsageRecord) bool { return true })
	if picoOf(t, sum.Cost.String()).Cmp(pico) != 0 || pico.Cmp(new(big.Int).Lsh(big.NewInt(1), 100)) < 0 {
		t.Errorf("cost = %s, want %s pico-dollars", sum.Cost, pico)
	}
}

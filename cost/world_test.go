package cost_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"sync"
	"time"

	"pgregory.net/rapid"

	"outcrop"
	"outcrop/cost"
)

const account outcrop.AccountID = "111122223333"

// now is a Saturday in the middle of an open month.
var now = time.Date(2026, 11, 21, 15, 30, 0, 0, time.UTC)

func clock() time.Time { return now }

// A ledger is cost.Records over a slice. Records become visible by Sync.
type ledger struct {
	mu      sync.Mutex
	records []outcrop.UsageRecord
	visible int
	fail    func() error // asked before every read
}

func (l *ledger) Sync(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.visible = len(l.records)
	return nil
}

func (l *ledger) After(_ context.Context, after outcrop.Seq, limit int) ([]outcrop.UsageRecord, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		if err := l.fail(); err != nil {
			return nil, err
		}
	}
	rest := l.records[min(int(after), l.visible):l.visible]
	return slices.Clone(rest[:min(limit, len(rest))]), nil
}

// settle appends records and numbers them.
func (l *ledger) settle(records ...outcrop.UsageRecord) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range records {
		r.Seq = outcrop.Seq(len(l.records) + 1)
		r.Invocation = outcrop.InvocationID(fmt.Sprint("inv-", r.Seq))
		l.records = append(l.records, r)
	}
}

func newCosts(l *ledger, s cost.Store) *cost.Costs {
	return cost.New(l, s, clock, slog.New(slog.DiscardHandler))
}

// call is an ordinary priced record of app01.
func call(at time.Time, change ...func(*outcrop.UsageRecord)) outcrop.UsageRecord {
	r := outcrop.UsageRecord{
		Operation: outcrop.OpConverse, Account: account, Started: at, Region: "us-east-1", Model: "amazon.nova-lite-v1:0", Geography: "us",
		Profile: "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc123def456",
		Tags:    outcrop.Tags{"project": "app01", "stage": "dev"},
	}
	r.Usage.Set(outcrop.InputTokens, 1000)
	r.Usage.Set(outcrop.OutputTokens, 100)
	r.Quote.Price = "list#nova"
	r.Quote.Rates.Set(outcrop.InputTokens, 60_000)
	r.Quote.Rates.Set(outcrop.OutputTokens, 240_000)
	for _, c := range change {
		c(&r)
	}
	return r
}

func tagged(tags outcrop.Tags) func(*outcrop.UsageRecord) {
	return func(r *outcrop.UsageRecord) { r.Tags = tags }
}

func activate(t interface {
	Helper()
	Fatal(...any)
	Context() context.Context
}, c *cost.Costs, keys ...string) {
	t.Helper()
	var updates []cost.TagUpdate
	for _, key := range keys {
		updates = append(updates, cost.TagUpdate{Key: key, Status: cost.Active})
	}
	refused, err := c.UpdateTags(t.Context(), account, updates)
	if err != nil || len(refused) != 0 {
		t.Fatal(refused, err)
	}
}

// november is the open month up to tomorrow.
func november() cost.Period {
	return cost.Period{Start: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)}
}

func daily(by ...cost.Grouping) cost.Query {
	return cost.Query{Period: november(), Granularity: cost.Daily, GroupBy: by, Metrics: []cost.Metric{cost.UnblendedCost}}
}

func byTag(key string) cost.Grouping { return cost.Grouping{Type: cost.ByTag, Key: key} }
func byDim(d cost.Dimension) cost.Grouping {
	return cost.Grouping{Type: cost.ByDimension, Key: string(d)}
}
func isKind(err error, kind outcrop.Kind) bool { return err != nil && outcrop.KindOf(err) == kind }

// ask follows every page.
func ask(t interface {
	Helper()
	Fatal(...any)
	Context() context.Context
}, c *cost.Costs, q cost.Query) *cost.Answer {
	t.Helper()
	var all *cost.Answer
	for {
		a, err := c.Ask(t.Context(), account, q)
		if err != nil {
			t.Fatal(err)
		}
		if all == nil {
			all = a
		} else if last := &all.Results[len(all.Results)-1]; last.Period == a.Results[0].Period {
			last.Groups = append(last.Groups, a.Results[0].Groups...)
			all.Results = append(all.Results, a.Results[1:]...)
		} else {
			all.Results = append(all.Results, a.Results...)
		}
		if q.Page = a.Next; q.Page == "" {
			all.Next = ""
			return all
		}
	}
}

// plus is the sum of both, in a unit that both have.
func plus(v, w cost.Value) cost.Value {
	unit := "N/A"
	switch {
	case w.Unit == "" || v.Unit == w.Unit:
		unit = v.Unit
	case v.Unit == "":
		unit = w.Unit
	}
	return cost.Value{Cost: v.Cost.Add(w.Cost), Tokens: v.Tokens + w.Tokens, Thousandths: v.Thousandths + w.Thousandths, Unpriced: v.Unpriced + w.Unpriced,
		Estimated: v.Estimated + w.Estimated, Invocations: v.Invocations + w.Invocations, Unit: unit}
}

// grand adds up an answer: by groups when it has them.
func grand(a *cost.Answer, grouped bool) (v cost.Value) {
	for _, r := range a.Results {
		if !grouped {
			v = plus(v, r.Total)
		}
		for _, g := range r.Groups {
			v = plus(v, g.Value)
		}
	}
	return v
}

// oneByOne prices records on their own, in math/big.
func oneByOne(records []outcrop.UsageRecord, keep func(*outcrop.UsageRecord) bool) (pico *big.Int, tokens, unpriced outcrop.Tokens) {
	pico = new(big.Int)
	for i := range records {
		r := &records[i]
		if r.Account != account || !keep(r) {
			continue
		}
		for kind, n := range r.Usage.All() {
			tokens += n
			rate, ok := r.Quote.Rates.Get(kind)
			if !ok && kind == outcrop.ReasoningTokens { // AWS bills reasoning as output
				rate, ok = r.Quote.Rates.Get(outcrop.OutputTokens)
			}
			if !ok && kind == outcrop.ReasoningTokens { // costs what output costs
				rate, ok = r.Quote.Rates.Get(outcrop.OutputTokens)
			}
			if !ok {
				unpriced += n
				continue
			}
			line := new(big.Int).SetUint64(uint64(rate))
			pico.Add(pico, line.Mul(line, new(big.Int).SetUint64(uint64(n))))
		}
	}
	return pico, tokens, unpriced
}

// picoOf reads a dollar amount exactly.
func picoOf(t interface{ Fatal(...any) }, amount string) *big.Int {
	r, ok := new(big.Rat).SetString(amount)
	if !ok {
		t.Fatal("not a decimal: " + amount)
	}
	r.Mul(r, new(big.Rat).SetInt64(outcrop.PicoPerDollar))
	if !r.IsInt() {
		t.Fatal("finer than a pico-dollar: " + amount)
	}
	return new(big.Int).Set(r.Num())
}

// drawRecord makes any record a gateway could settle in the last 13 days.
func drawRecord(t *rapid.T) outcrop.UsageRecord {
	pickFrom := func(name string, values ...string) string { return rapid.SampledFrom(values).Draw(t, name) }
	start := now.Add(-13 * 24 * time.Hour)
	r := outcrop.UsageRecord{
		Account:   outcrop.AccountID(pickFrom("account", string(account), string(account), string(account), "444455556666")),
		Started:   start.Add(time.Duration(rapid.Int64Range(0, int64(now.Sub(start))).Draw(t, "at"))).In(time.FixedZone("X", 5*3600)),
		Operation: outcrop.Operation(pickFrom("op", "Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream")),
		Region:    outcrop.Region(pickFrom("region", "us-east-1", "eu-west-1", "dc-berlin-1")),
		Model: outcrop.ModelID(pickFrom("model", "amazon.nova-lite-v1:0", "anthropic.claude-sonnet-4-6", "anthropic.claude-3-5-sonnet-20241022-v2:0",
			"openai.gpt-oss-120b-1:0")),
		Geography:   outcrop.Geography(pickFrom("geo", "", "us", "global")),
		Profile:     outcrop.ARN(pickFrom("profile", "", "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc123def456")),
		ServiceTier: pickFrom("tier", "", "default", "flex", "priority"),
	}
	for _, key := range []string{"project", "stage", "Project"} {
		if value := pickFrom(key, "absent", "", "app01", "app02", "a$b"); value != "absent" {
			if r.Tags == nil {
				r.Tags = outcrop.Tags{}
			}
			r.Tags[key] = value
		}
	}
	r.Usage.Estimated = rapid.Bool().Draw(t, "estimated")
	r.Quote.Price = pickFrom("price", "", "list#1", "list#2")
	for kind := range outcrop.Kinds() {
		if rapid.IntRange(0, 2).Draw(t, "has") > 0 {
			r.Usage.Set(kind, outcrop.Tokens(rapid.Uint64Range(0, 1<<30).Draw(t, "tokens")))
		}
		if rapid.IntRange(0, 3).Draw(t, "priced") > 0 {
			r.Quote.Rates.Set(kind, outcrop.Rate(rapid.SampledFrom([]uint64{0, 1, 60_000, 82_500, 3_000_000_001, 1 << 62}).Draw(t, "rate")))
		}
	}
	return r
}

var errFault = errors.New("injected fault")

// drawLedger settles some records.
func drawLedger(t *rapid.T) *ledger {
	l := &ledger{}
	l.settle(rapid.SliceOfN(rapid.Custom(drawRecord), 0, 60).Draw(t, "records")...)
	return l
}

package pricing

import (
	"testing"

	"outcrop"
)

// An invoice worked out by hand: a dozen calls of models that people use, at
// the prices of the embedded list, which are the published ones. Each line's
// sum is tokens times USD per million, written out; nothing is rounded.
func TestAnInvoiceWorkedOutByHand(t *testing.T) {
	type tokens = map[outcrop.TokenKind]outcrop.Tokens
	const in, out, read, write5m, write1h = outcrop.InputTokens, outcrop.OutputTokens, outcrop.CacheReadTokens, outcrop.CacheWrite5mTokens, outcrop.CacheWrite1hTokens
	b := book(t)
	var total outcrop.Money
	for _, c := range []struct {
		q    Query
		used tokens
		want string
	}{
		// 1000 x 0.06 + 200 x 0.24
		{Query{Model: "amazon.nova-lite-v1:0", Geography: "us", Region: "us-east-1"}, tokens{in: 1000, out: 200}, "0.000108"},
		// 20 x 0.06 + 12000 x 0.015 + 50 x 0.24; cache writes are free
		{Query{Model: "amazon.nova-lite-v1:0", Region: "us-east-1"}, tokens{in: 20, read: 12_000, write5m: 4000, out: 50}, "0.0001932"},
		// 1234 x 0.035 + 567 x 0.14
		{Query{Model: "amazon.nova-micro-v1:0", Region: "us-east-1"}, tokens{in: 1234, out: 567}, "0.00012257"},
		// 1500 x 0.3 + 900 x 2.5: the global price
		{Query{Model: "amazon.nova-2-lite-v1:0", Geography: "global", Region: "us-west-2"}, tokens{in: 1500, out: 900}, "0.0027"},
		// 1500 x 0.33 + 900 x 2.75: a geography costs a tenth more
		{Query{Model: "amazon.nova-2-lite-v1:0", Geography: "eu", Region: "eu-west-1"}, tokens{in: 1500, out: 900}, "0.00297"},
		// the same, flex: half of 0.33 and of 2.75
		{Query{Model: "amazon.nova-2-lite-v1:0", Geography: "eu", Region: "eu-west-1", Tier: "flex"}, tokens{in: 1500, out: 900}, "0.001485"},
		// the same, priority: 1.75 x
		{Query{Model: "amazon.nova-2-lite-v1:0", Geography: "eu", Region: "eu-west-1", Tier: "priority"}, tokens{in: 1500, out: 900}, "0.0051975"},
		// 300 x 3.3 + 50000 x 0.33 + 2000 x 4.125 + 700 x 16.5: a geography, with cache
		{Query{Model: "anthropic.claude-sonnet-4-6", Geography: "us", Region: "us-east-1"}, tokens{in: 300, read: 50_000, write5m: 2000, out: 700}, "0.03729"},
		// 300 x 3 + 8000 x 6 + 700 x 15: the global price, a cache for an hour
		{Query{Model: "anthropic.claude-sonnet-4-6", Geography: "global", Region: "us-east-1"}, tokens{in: 300, write1h: 8000, out: 700}, "0.0594"},
		// 10 x 1 + 5 x 5
		{Query{Model: "anthropic.claude-haiku-4-5-20251001-v1:0", Geography: "global", Region: "eu-central-1"}, tokens{in: 10, out: 5}, "0.000035"},
		// 10 x 1.1 + 5 x 5.5
		{Query{Model: "anthropic.claude-haiku-4-5-20251001-v1:0", Geography: "eu", Region: "eu-central-1"}, tokens{in: 10, out: 5}, "0.0000385"},
		// batch: 1000 x 3 / 2 + 1000 x 15 / 2
		{Query{Model: "anthropic.claude-sonnet-4-6", Geography: "global", Region: "us-east-1", Tier: "batch"}, tokens{in: 1000, out: 1000}, "0.009"},
	} {
		c.q.At = noon
		var u outcrop.Usage
		for kind, n := range c.used {
			u.Set(kind, n)
		}
		quote := b.Quote(c.q)
		cost, priced := quote.Cost(&u)
		if !priced || cost.String() != c.want {
			t.Errorf("%s %s %s in %s: %s (priced %v, %s), want %s", c.q.Geography, c.q.Model, c.q.Tier, c.q.Region, cost, priced, quote.Price, c.want)
		}
		total = total.Add(cost)
	}
	if total.String() != "0.11853977" {
		t.Errorf("the invoice comes to %s, by hand 0.11853977", total)
	}
}

// Own hardware is priced by the second, pictures and searches each.
func TestPricesThatAreNotForTokens(t *testing.T) {
	rows, err := parseList("own.prices.yaml", []byte(`
source: own calculation
prices:
  - {model: acme.gpu-v1:0, computeSeconds: 0.000694, outputImages: 0.04, searchUnits: 0.002}
  - {model: acme.tiers-v1:0, input: 1, tiers: {flex: {input: 0.3}, reserved: {input: free}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	d := &draft{rows: map[key][]*row{}, tiers: []tier{{"flex", "*", 1, 2}, {"batch", "*", 1, 2}}}
	if err := d.lay(rows); err != nil {
		t.Fatal(err)
	}
	b, err := d.book()
	if err != nil {
		t.Fatal(err)
	}
	var u outcrop.Usage
	u.Set(outcrop.ComputeMillis, 2500) // 2.5 s x 0.000694 + 3 x 0.04 + 2 x 0.002
	u.Set(outcrop.OutputImages, 3)
	u.Set(outcrop.SearchUnits, 2)
	q := b.Quote(Query{Model: "acme.gpu-v1:0", Region: "dc-berlin-1", At: noon})
	if cost, ok := q.Cost(&u); !ok || cost.String() != "0.125735" {
		t.Errorf("cost = %s, %v", cost, ok)
	}
	for tier, want := range map[string]string{"": "1", "flex": "0.3", "batch": "0.5", "reserved": "0", "priority": "none"} {
		q := b.Quote(Query{Model: "acme.tiers-v1:0", Region: "dc-berlin-1", At: noon, Tier: tier})
		got := "none"
		if rate, ok := q.Rates.Get(outcrop.InputTokens); ok {
			got = FormatRate(outcrop.InputTokens, rate)
		}
		if got != want {
			t.Errorf("tier %q costs %s, want %s", tier, got, want)
		}
	}
}

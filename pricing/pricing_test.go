package pricing

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"outcrop"
	"outcrop/internal/tsv"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func book(t testing.TB) *Book {
	t.Helper()
	b, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// shown is a quote as text: price, then the rates by kind, "-" when unknown.
// The kinds that few models have are shown by name, and only when known.
func shown(q outcrop.Quote) string {
	text := q.Price
	for kind := range outcrop.Kinds() {
		rate, ok := q.Rates.Get(kind)
		switch {
		case ok && kind >= outcrop.ReasoningTokens:
			text += " " + kind.String() + "=" + rate.String()
		case ok:
			text += " " + rate.String()
		case kind < outcrop.ReasoningTokens:
			text += " -"
		}
	}
	return text
}

func TestQuotes(t *testing.T) {
	for _, c := range []struct {
		name string
		q    Query
		want string
	}{
		{"own row of a geography", Query{Model: "amazon.nova-lite-v1:0", Geography: "us", Region: "us-east-1"},
			"bedrock-2026-10#amazon.nova-lite-v1:0/us 0.06 0.24 0.015 0 -"},
		{"another geography", Query{Model: "amazon.nova-lite-v1:0", Geography: "eu", Region: "eu-west-1"},
			"bedrock-2026-10#amazon.nova-lite-v1:0/eu 0.078 0.312 0.0195 0 -"},
		{"a geography without a row costs what the Region costs", Query{Model: "amazon.nova-lite-v1:0", Geography: "ca", Region: "ca-central-1"},
			"bedrock-2026-10#amazon.nova-lite-v1:0/in-region 0.06 0.24 0.015 0 -"},
		{"a Region's own row", Query{Model: "qwen.qwen3-coder-next", Region: "eu-west-2"},
			"bedrock-2026-10#qwen.qwen3-coder-next/@eu-west-2 0.78 1.86 - - -"},
		{"a Region without a row", Query{Model: "qwen.qwen3-coder-next", Region: "ca-central-1"},
			"bedrock-2026-10#qwen.qwen3-coder-next/in-region 0.5 1.2 - - -"},
		{"Claude 4.5 globally", Query{Model: "anthropic.claude-sonnet-4-5-20250929-v1:0", Geography: "global", Region: "eu-west-1"},
			"bedrock-2026-10#anthropic.claude-sonnet-4-5-20250929-v1:0/global 3 15 0.3 3.75 6"},
		{"Claude 4.5 in a geography costs a tenth more", Query{Model: "anthropic.claude-sonnet-4-5-20250929-v1:0", Geography: "us", Region: "us-east-1"},
			"bedrock-2026-10#anthropic.claude-sonnet-4-5-20250929-v1:0/us 3.3 16.5 0.33 4.125 6.6"},
		{"also in one without a row", Query{Model: "anthropic.claude-opus-4-5-20251101-v1:0", Geography: "jp", Region: "ap-northeast-1"},
			"bedrock-2026-10#anthropic.claude-opus-4-5-20251101-v1:0/geo 5.5 27.5 0.55 6.875 11"},
		{"Opus 4.5 in Europe, corrected", Query{Model: "anthropic.claude-opus-4-5-20251101-v1:0", Geography: "eu", Region: "eu-west-1"},
			"bedrock-2026-10#anthropic.claude-opus-4-5-20251101-v1:0/eu 5.5 27.5 0.55 6.875 11"},
		{"Nova 2 Lite in a geography", Query{Model: "amazon.nova-2-lite-v1:0", Geography: "us", Region: "us-east-1"},
			"bedrock-2026-10#amazon.nova-2-lite-v1:0/us 0.33 2.75 0.0825 0 -"},
		{"GovCloud has its own prices", Query{Model: "anthropic.claude-sonnet-4-5-20250929-v1:0", Geography: "us-gov", Region: "us-gov-west-1"},
			"bedrock-2026-10#anthropic.claude-sonnet-4-5-20250929-v1:0/us-gov 3.6 18 0.36 4.5 7.2"},
		{"GovCloud in Region", Query{Model: "openai.gpt-5.6-luna", Region: "us-gov-west-1"},
			"bedrock-2026-10#openai.gpt-5.6-luna/us-gov 0.264 1.584 0.0264 0.33 -"},
		{"and never the commercial one", Query{Model: "anthropic.claude-opus-5", Geography: "us-gov", Region: "us-gov-west-1"}, " - - - - -"},
		{"an operator's own Region", Query{Model: "meta.llama3-3-70b-instruct-v1:0", Region: "dc-berlin-1"},
			"bedrock-2026-10#meta.llama3-3-70b-instruct-v1:0/in-region 0.72 0.72 - - -"},
		{"flex halves", Query{Model: "amazon.nova-2-lite-v1:0", Geography: "us", Region: "us-east-1", Tier: "flex"},
			"bedrock-2026-10#amazon.nova-2-lite-v1:0/us+flex 0.165 1.375 0.04125 0 -"},
		{"priority adds three quarters", Query{Model: "amazon.nova-2-lite-v1:0", Geography: "us", Region: "us-east-1", Tier: "priority"},
			"bedrock-2026-10#amazon.nova-2-lite-v1:0/us+priority 0.5775 4.8125 0.144375 0 -"},
		{"default is standard", Query{Model: "deepseek.v3.2", Region: "us-east-1", Tier: "default"}, "bedrock-2026-10#deepseek.v3.2/@us-east-1 0.62 1.85 - - -"},
		{"reserved has no price per token", Query{Model: "deepseek.v3.2", Region: "us-east-1", Tier: "reserved"}, " - - - - -"},
		{"ultrafast is GPT-6's", Query{Model: "openai.gpt-6-astra", Geography: "global", Region: "us-east-1", Tier: "ultrafast"},
			"bedrock-2026-10#openai.gpt-6-astra/global+ultrafast 60 300 6 75 -"},
		{"and no other's", Query{Model: "openai.gpt-5.6-sol", Geography: "global", Region: "us-east-1", Tier: "ultrafast"}, " - - - - -"},
		{"at the threshold", Query{Model: "openai.gpt-5.6-sol", Geography: "us", Region: "us-east-1", Input: 272_000},
			"bedrock-2026-10#openai.gpt-5.6-sol/geo 4.4 22 0.44 5.5 -"},
		{"above it the whole request costs more", Query{Model: "openai.gpt-5.6-sol", Geography: "us", Region: "us-east-1", Input: 272_001},
			"bedrock-2026-10#openai.gpt-5.6-sol/geo+long 8.8 33 0.88 11 -"},
		{"long and flex", Query{Model: "openai.gpt-5.6-sol", Geography: "global", Region: "us-east-1", Input: 300_000, Tier: "flex"},
			"bedrock-2026-10#openai.gpt-5.6-sol/global+long+flex 4 15 0.4 5 -"},
		{"input of video is unknown, not free", Query{Model: "twelvelabs.pegasus-1-2-v1:0", Geography: "us", Region: "us-east-1"},
			"bedrock-2026-10#twelvelabs.pegasus-1-2-v1:0/us - 7.5 - - -"},
		{"a slip of unit, corrected", Query{Model: "twelvelabs.marengo-embed-2-7-v1:0", Geography: "us", Region: "us-east-1"},
			"bedrock-2026-10#twelvelabs.marengo-embed-2-7-v1:0/us 0.07 - - - -"},
		{"no price", Query{Model: "luma.ray-v2:0", Region: "us-west-2"}, " - - - - -"},
		{"priced by image", Query{Model: "amazon.nova-canvas-v1:0", Region: "us-east-1"}, " - - - - -"},
		{"priced by query", Query{Model: "cohere.rerank-v3-5:0", Region: "us-east-1"}, " - - - - -"},
		{"unknown model", Query{Model: "nobody.nothing", Region: "us-east-1"}, " - - - - -"},
		{"empty query", Query{}, " - - - - -"},
	} {
		c.q.At = noon
		if got := shown(book(t).Quote(c.q)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestEveryRowIsSoundAndSaysWhereItIsFrom(t *testing.T) {
	sources := map[string]bool{}
	if err := readTable("data/sources.tsv", func(r tsv.Row) error { sources[r.Get("source")] = r.Get("date") != ""; return nil }); err != nil {
		t.Fatal(err)
	}
	prices := map[string]bool{}
	count := 0
	for k, rows := range book(t).rows {
		for i, r := range rows {
			count++
			if !sources[r.source] {
				t.Errorf("%s: unknown source %q", r.price, r.source)
			}
			if prices[r.price] {
				t.Errorf("%s occurs twice", r.price)
			}
			prices[r.price] = true
			if r.key != k || !strings.HasPrefix(r.price, "bedrock-2026-10#"+string(k.model)+"/") {
				t.Errorf("%s lies under %v", r.price, k)
			}
			for _, o := range rows[i+1:] {
				if r.overlaps(o) {
					t.Errorf("%s and %s hold at the same time", r.price, o.price)
				}
			}
			for kind, rate := range r.rates.All() {
				if rate == 0 && !strings.Contains(r.note, "free") {
					t.Errorf("%s gives %s away", r.price, kind)
				}
			}
		}
	}
	if count != 335 {
		t.Errorf("%d rows, want 335", count)
	}
}

// Each tier is the exact fraction, to half a pico-dollar per token.
func TestTiersAreExactFractions(t *testing.T) {
	half := big.NewRat(1, 2)
	for _, f := range []struct {
		tier       string
		times, per int64
	}{{"flex", 1, 2}, {"priority", 7, 4}, {"batch", 1, 2}} {
		for _, rows := range book(t).rows {
			for _, r := range rows {
				for _, variant := range r.tiers {
					if variant.name != f.tier {
						continue
					}
					for kind, rate := range r.rates.All() {
						want := new(big.Rat).Mul(big.NewRat(int64(rate), 1), big.NewRat(f.times, f.per))
						off := new(big.Rat).Sub(want, big.NewRat(int64(variant.standard.Rates.Of(kind)), 1))
						if off.Abs(off).Cmp(half) > 0 {
							t.Errorf("%s %s %s is off by %s pico-dollars", r.price, f.tier, kind, off)
						}
					}
				}
			}
		}
	}
}

// Property: the cost of any usage is the sum of exact products, whatever the order.
func TestCostsAreExactSums(t *testing.T) {
	models := []outcrop.ModelID{"amazon.nova-lite-v1:0", "anthropic.claude-sonnet-4-5-20250929-v1:0", "openai.gpt-5.6-luna", "deepseek.v3.2"}
	rapid.Check(t, func(t *rapid.T) {
		var total outcrop.Money
		want := new(big.Rat)
		for range rapid.IntRange(1, 20).Draw(t, "records") {
			b, _ := Embedded()
			q := b.Quote(Query{Model: rapid.SampledFrom(models).Draw(t, "model"), Geography: "us", Region: "us-east-1", At: noon,
				Tier: rapid.SampledFrom([]string{"", "flex", "priority"}).Draw(t, "tier"), Input: outcrop.Tokens(rapid.Uint64Range(0, 400_000).Draw(t, "input"))})
			var u outcrop.Usage
			for kind := range q.Rates.All() {
				u.Set(kind, outcrop.Tokens(rapid.Uint64Range(0, 1<<40).Draw(t, "tokens")))
			}
			cost, ok := q.Cost(&u)
			if !ok || q.Price == "" {
				t.Fatalf("no cost from %+v", q)
			}
			total = total.Add(cost)
			for kind, n := range u.All() {
				perToken, _ := new(big.Rat).SetString(q.Rates.Of(kind).String())
				perToken.Quo(perToken, big.NewRat(1_000_000, 1))
				want.Add(want, new(big.Rat).Mul(perToken, new(big.Rat).SetUint64(uint64(n))))
			}
		}
		if got, _ := new(big.Rat).SetString(total.String()); got.Cmp(want) != 0 {
			t.Fatalf("total %s, want %s", total, want.FloatString(12))
		}
	})
}

// A lookup copies a Quote and allocates nothing.
func TestALookupAllocatesNothing(t *testing.T) {
	b := book(t)
	q := Query{Model: "anthropic.claude-sonnet-4-6", Geography: "jp", Region: "ap-northeast-1", At: noon, Tier: "flex", Input: 10}
	var kept outcrop.Quote
	if n := testing.AllocsPerRun(100, func() { kept = b.Quote(q) }); n != 0 {
		t.Errorf("%v allocations per lookup", n)
	}
	if kept.Price == "" {
		t.Error("no price")
	}
}

func BenchmarkQuote(b *testing.B) {
	list := book(b)
	q := Query{Model: "amazon.nova-lite-v1:0", Geography: "ca", Region: "ca-central-1", At: noon, Tier: "flex"}
	b.ReportAllocs()
	for b.Loop() {
		list.Quote(q)
	}
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(""); err != nil {
			b.Fatal(err)
		}
	}
}

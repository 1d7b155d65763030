package pricing

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"outcrop"
)

// known is a catalogue of two models.
var known = Known{
	UsageTypes: map[string]UsageName{
		"NovaLite-input-tokens":                     {Model: "amazon.nova-lite-v1:0", Kind: outcrop.InputTokens},
		"NovaLite-output-tokens":                    {Model: "amazon.nova-lite-v1:0", Kind: outcrop.OutputTokens},
		"NovaLite-input-tokens-flex":                {Model: "amazon.nova-lite-v1:0", Kind: outcrop.InputTokens, Tier: "flex"},
		"NovaLite-cache-read-input-token-count":     {Model: "amazon.nova-lite-v1:0", Kind: outcrop.CacheReadTokens},
		"NovaLite-input-tokens-cross-region-global": {Model: "amazon.nova-lite-v1:0", Kind: outcrop.InputTokens, Global: true},
	},
	Models: map[string]outcrop.ModelID{"claude haiku 4.5": "anthropic.claude-haiku-4-5-20251001-v1:0"},
}

func offerFile(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/offer.json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The file has AWS's form: products by SKU with their attributes, and on-demand
// terms by SKU with price dimensions. Two Regions, tiers, every kind of cache
// token, and products that are no token price of a model.
func TestAWSsPriceListFileIsRead(t *testing.T) {
	d, err := ReadOffer("aws", bytes.NewReader(offerFile(t)), known, false)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, item := range d.Items {
		for tier, rates := range item.Rates {
			for kind, rate := range rates {
				got[fmt.Sprintf("%s %s %s %s", item.Model, item.Scope, tier, kind)] = rate
			}
		}
	}
	want := map[string]string{
		"amazon.nova-lite-v1:0 @us-east-1  input-tokens":                                        "0.06",
		"amazon.nova-lite-v1:0 @us-east-1  output-tokens":                                       "0.24",
		"amazon.nova-lite-v1:0 @us-east-1 flex input-tokens":                                    "0.03",
		"amazon.nova-lite-v1:0 @us-east-1  cache-read-input-token-count":                        "0.015",
		"amazon.nova-lite-v1:0 @eu-west-1  input-tokens":                                        "0.078",
		"amazon.nova-lite-v1:0 global  input-tokens":                                            "0.054",
		"anthropic.claude-haiku-4-5-20251001-v1:0 @us-east-1  input-tokens":                     "1.1",
		"anthropic.claude-haiku-4-5-20251001-v1:0 @us-east-1  cache-read-input-token-count":     "0.11",
		"anthropic.claude-haiku-4-5-20251001-v1:0 @us-east-1  cache-write-input-token-count":    "1.375",
		"anthropic.claude-haiku-4-5-20251001-v1:0 @us-east-1  cache-write-1h-input-token-count": "2.2",
		"anthropic.claude-haiku-4-5-20251001-v1:0 @us-east-1 batch output-tokens":               "2.75",
	}
	for key, rate := range want {
		if got[key] != rate {
			t.Errorf("%s costs %q, want %q", key, got[key], rate)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d prices, want %d: %v", len(got), len(want), got)
	}
	if len(d.Skipped) != 4 || d.Version != "20261015180000" || d.Source != "AWS price list AmazonBedrock" {
		t.Errorf("skipped %q, version %s, source %s", d.Skipped, d.Version, d.Source)
	}
	for _, says := range []string{"Guardrail", "begins at 1000000", "USE1-NovaLite-output-tokens-odd", "no regionCode"} {
		if !strings.Contains(strings.Join(d.Skipped, "\n"), says) {
			t.Errorf("skipped %q, want something about %q", d.Skipped, says)
		}
	}
	if _, err := parseList("aws.prices.yaml", d.YAML()); err != nil {
		t.Errorf("the list that an import writes cannot be read: %v", err)
	}
}

func TestWhatIsNoPriceListFileIsRefused(t *testing.T) {
	for _, text := range []string{"", "{", "[]", "{}", `{"products":{"A":{"attributes":{}}}}`, `{"products":[],"terms":{}}`, `{"offers":{"AmazonBedrock":{}}}`} {
		if d, err := ReadOffer("aws", strings.NewReader(text), known, false); err == nil || !strings.Contains(err.Error(), "price list file") {
			t.Errorf("%q is read as %+v, %v", text, d, err)
		}
	}
}

// Whatever a file holds, what is taken from it makes a list that can be read.
func FuzzReadOffer(f *testing.F) {
	f.Add(offerFile(f), true)
	f.Add([]byte(`{"products":{"A":{"attributes":{"usagetype":"USE1-NovaLite-input-tokens","regionCode":"x: y'\n"}}},"terms":{"OnDemand":{"A":{"A.B":{"effectiveDate":"soon","priceDimensions":{"r":{"unit":"1K tokens","pricePerUnit":{"USD":"1e-6"}}}}}}}}`), true)
	f.Add([]byte(`{"products":{"A":{"attributes":{"usagetype":"USE1-NovaLite-input-tokens","regionCode":"us-east-1"}}},"terms":{"OnDemand":{"A":{"A.B":{"priceDimensions":{"r":{"unit":"1K tokens","pricePerUnit":{"USD":"1e999999"}}}}}}}}`), false)
	f.Add([]byte(`{"products":{"A":{}},"terms":{"OnDemand":{"A":null}}}`), false)
	f.Fuzz(func(t *testing.T, text []byte, dated bool) {
		d, err := ReadOffer("fuzz", bytes.NewReader(text), known, dated)
		if err != nil || len(d.Items) == 0 {
			return
		}
		for _, item := range d.Items {
			if item.Model == "" || item.Scope == "" || len(item.Rates) == 0 {
				t.Errorf("item %+v", item)
			}
		}
		_ = d.YAML()
	})
}

// An offer of one product with terms of the given dates and prices, by kind.
func termsOf(prices map[string]map[string]string) string {
	products, terms := "", ""
	for kind, byDate := range prices {
		products += fmt.Sprintf(`,"%s":{"attributes":{"usagetype":"USE1-NovaLite-%s-tokens","regionCode":"us-east-1"}}`, kind, kind)
		list := ""
		for date, usd := range byDate {
			list += fmt.Sprintf(`,"%s":{"effectiveDate":"%sT00:00:00Z","priceDimensions":{"a":{"unit":"1K tokens","beginRange":"0","pricePerUnit":{"USD":"%s"}}}}`, date, date, usd)
		}
		terms += fmt.Sprintf(`,"%s":{%s}`, kind, list[1:])
	}
	return `{"offerCode":"AmazonBedrock","products":{` + products[1:] + `},"terms":{"OnDemand":{` + terms[1:] + `}}}`
}

// A product whose price cannot be told is left out whole, not at one of two
// prices as luck has it.
func TestAProductOfTwoPricesAtOnceIsLeftOut(t *testing.T) {
	text := termsOf(map[string]map[string]string{"input": {"2025-01-01": "0.00006", "2026-12-01": "0.00005"}})
	d, err := ReadOffer("aws", strings.NewReader(text), known, false)
	if err != nil || len(d.Items) != 0 || len(d.Skipped) != 1 {
		t.Errorf("%+v %v", d, err)
	}
}

// Prices with dates follow one another: each holds until the next of its kind
// begins, whatever becomes of the other kinds.
func TestDatedPricesFollowOneAnother(t *testing.T) {
	text := termsOf(map[string]map[string]string{
		"input":  {"2025-01-01": "0.00006", "2026-12-01": "0.00005"},
		"output": {"2025-03-01": "0.00024"},
	})
	d, err := ReadOffer("aws", strings.NewReader(text), known, true)
	if err != nil {
		t.Fatal(err)
	}
	b, err := LoadWith("", "aws.prices.yaml", d.YAML())
	if err != nil {
		t.Fatalf("%v\n%s", err, d.YAML())
	}
	for at, want := range map[string]string{"2025-02-01": "0.06 0", "2025-03-01": "0.06 0.24", "2026-11-30": "0.06 0.24", "2026-12-01": "0.05 0.24"} {
		day, _ := time.Parse(time.DateOnly, at)
		q := b.Quote(Query{Model: "amazon.nova-lite-v1:0", Region: "us-east-1", At: day})
		if got := q.Rates.Of(outcrop.InputTokens).String() + " " + q.Rates.Of(outcrop.OutputTokens).String(); got != want {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
}

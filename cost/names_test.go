package cost_test

import (
	"testing"

	"outcrop"
	"outcrop/cost"
)

// The examples of reference/runtime-metering-billing.md §7.1.
func TestUsageTypes(t *testing.T) {
	for want, l := range map[string]cost.Line{
		"USE1-NovaLite-input-tokens":                                               {Model: "amazon.nova-lite-v1:0", Priced: true},
		"USE1-Claude4.6Sonnet-input-tokens":                                        {Model: "anthropic.claude-sonnet-4-6", Geography: "us", Priced: true},
		"USE1-Claude4.6Sonnet-output-tokens-cross-region-global":                   {Model: "anthropic.claude-sonnet-4-6", Geography: "global", Kind: outcrop.OutputTokens, Priced: true},
		"USE1-Nova2.0Lite-input-tokens-flex":                                       {Model: "amazon.nova-2-lite-v1:0", Tier: "flex", Priced: true},
		"USE1-gpt-oss-120b-output-tokens-priority":                                 {Model: "openai.gpt-oss-120b-1:0", Kind: outcrop.OutputTokens, Tier: "priority", Priced: true},
		"USE1-Nova2.0Lite-output-tokens-flex-cross-region-global":                  {Model: "amazon.nova-2-lite-v1:0", Geography: "global", Kind: outcrop.OutputTokens, Tier: "flex", Priced: true},
		"EUW1-Claude4.5Sonnet-cache-read-input-token-count":                        {Region: "eu-west-1", Model: "anthropic.claude-sonnet-4-5-20250929-v1:0", Kind: outcrop.CacheReadTokens, Priced: true},
		"APS3-Claude3.5Sonnetv2-cache-write-input-token-count":                     {Region: "ap-south-1", Model: "anthropic.claude-3-5-sonnet-20241022-v2:0", Kind: outcrop.CacheWrite5mTokens, Priced: true},
		"USE1-TitanEmbedG1Text02-input-tokens":                                     {Model: "amazon.titan-embed-g1-text-02", Priced: true},
		"USE1-embed-english-v3-input-tokens":                                       {Model: "cohere.embed-english-v3", Priced: true},
		"DCBERLIN1-llama3-3-70b-instruct-input-tokens-no-price":                    {Region: "dc-berlin-1", Model: "meta.llama3-3-70b-instruct-v1:0"},
		"USE1-Claude4.5Haiku-cache-write-1h-input-token-count-cross-region-global": {Model: "anthropic.claude-haiku-4-5-20251001-v1:0", Geography: "global", Kind: outcrop.CacheWrite1hTokens, Priced: true},
	} {
		if l.Region == "" {
			l.Region = "us-east-1"
		}
		if got := (cost.Settings{}).UsageType(&l); got != want {
			t.Errorf("%+v: %s, want %s", l, got, want)
		}
	}
}

func TestMarketplaceStyle(t *testing.T) {
	s := cost.Settings{Marketplace: true}
	l := &cost.Line{Region: "us-east-1", Model: "anthropic.claude-sonnet-4-6", Geography: "global", Kind: outcrop.CacheWrite1hTokens, Priced: true}
	for d, want := range map[cost.Dimension]string{
		cost.DimUsageType: "USE1-MP:USE1_CacheWrite1hInputTokenCount_Global-Units", cost.DimService: "Claude Sonnet 4.6 (Amazon Bedrock Edition)",
		cost.DimBillingEntity: "AWS Marketplace", cost.DimLegalEntity: "Anthropic, PBC",
	} {
		if got, ok := s.Value(l, d); got != want || !ok {
			t.Errorf("%s = %s, want %s", d, got, want)
		}
		if got, _ := (cost.Settings{}).Value(l, d); got == want {
			t.Errorf("%s is the same without the switch", d)
		}
	}
	if code, _ := s.Value(l, cost.DimServiceCode); len(code) < 20 {
		t.Errorf("product code %q is shorter than 20", code)
	}
	l.Model = "amazon.nova-lite-v1:0"
	if got, _ := s.Value(l, cost.DimBillingEntity); got != "AWS" {
		t.Errorf("Amazon's own model is sold by %s", got)
	}
	for model, want := range map[outcrop.ModelID]string{
		"anthropic.claude-3-5-sonnet-20241022-v2:0": "Claude 3.5 Sonnet v2", "anthropic.claude-3-haiku-20240307-v1:0": "Claude 3 Haiku",
		"anthropic.claude-opus-4-20250514-v1:0": "Claude Opus 4", "cohere.command-r-plus-v1:0": "Command R Plus",
		"ai21.jamba-1-5-large-v1:0": "Jamba 1.5 Large",
	} {
		l.Model = model
		if got, _ := s.Value(l, cost.DimService); got != want+" (Amazon Bedrock Edition)" {
			t.Errorf("%s = %s", model, got)
		}
	}
}

// Names come from any text a client or an overlay can put into a record.
func FuzzUsageType(f *testing.F) {
	for _, model := range []string{"", ".", "-", "a.-v1:0", "anthropic.", "anthropic.v2", "amazon.2", "x-20250929"} {
		f.Add(model, true)
	}
	f.Fuzz(func(t *testing.T, model string, market bool) {
		l := &cost.Line{Model: outcrop.ModelID(model)}
		for _, d := range everyDimension {
			(cost.Settings{Marketplace: market}).Value(l, d)
		}
	})
}

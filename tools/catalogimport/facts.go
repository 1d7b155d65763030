package main

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// A rule gives facts to every model whose id contains match.
type rule struct {
	match  string
	value  int
	source string
}

// Quota burndown: how many quota tokens one output token takes
// (reference/runtime-metering-billing.md §8.2).
var burndown = []rule{
	{"claude-3-7-sonnet", 5, "UserGuide"}, {"claude-sonnet-4-", 5, "UserGuide"}, {"claude-opus-4-8", 15, "Transcript"},
	{"claude-opus-4-", 5, "UserGuide"}, {"claude-haiku-4-5", 5, "UserGuide"},
	{"claude-sonnet-5", 10, "Transcript"}, {"claude-opus-5", 10, "Transcript"}, {"claude-fable-5-1", 10, "Transcript"},
	{"openai.gpt-5.6-", 10, "Transcript"},
}

// The smallest prefix a prompt cache keeps, in tokens (§8.5).
var cacheMinimum = []rule{
	{"claude-opus-5", 512, "LiteLLM"}, {"claude-sonnet-5", 1024, "LiteLLM"}, {"claude-opus-4-8", 1024, "LiteLLM"},
	{"claude-sonnet-4-6", 1024, "UserGuide"}, {"claude-sonnet-4-5", 4096, "UserGuide"}, {"claude-haiku-4-5", 4096, "UserGuide"},
	{"claude-opus-4-5", 4096, "UserGuide"}, {"claude-opus-4-6", 4096, "UserGuide"}, {"claude-opus-4-2025", 1024, "UserGuide"},
	{"claude-3-7-sonnet", 1024, "UserGuide"}, {"claude-3-5-sonnet-20241022", 1024, "UserGuide"}, {"claude-3-5-haiku", 2048, "UserGuide"},
	{"claude-sonnet-4-2025", 1024, "INFERRED"}, {"claude-opus-4-1-", 1024, "INFERRED"}, {"claude-opus-4-7", 4096, "INFERRED"},
	{"claude-fable-5", 1024, "INFERRED"}, {"nova-2-lite", 1536, "INFERRED"},
	{"nova-pro", 1024, "UserGuide"}, {"nova-premier", 1024, "UserGuide"}, {"nova-lite", 1536, "UNVERIFIED"}, {"nova-micro", 1536, "UNVERIFIED"},
}

func factTable(f modelFile) *table {
	t := &table{path: "catalog/data/facts.tsv",
		comment: "Quota and cache facts of models that differ from the usual (burndown 1, no prompt cache).\n" +
			"Sources: UserGuide = Bedrock User Guide, autumn 2026; Transcript = third-party transcription of it, unverified;\n" +
			"LiteLLM = its documentation; INFERRED = as the model's siblings; UNVERIFIED = guide editions differ.",
		columns: []string{"model", "burndown", "burndownSource", "cacheMinimum", "cacheMinimumSource"}}
	models := slices.Clone(f.Models)
	slices.SortFunc(models, func(a, b model) int { return cmp.Compare(a.ModelID, b.ModelID) })
	for _, m := range models {
		burn, burnSource := first(burndown, m.ModelID)
		least, leastSource := first(cacheMinimum, m.ModelID)
		if burn+least != "" {
			t.add(m.ModelID, burn, burnSource, least, leastSource)
		}
	}
	return t
}

func first(rules []rule, id string) (value, source string) {
	for _, r := range rules {
		if strings.Contains(id, r.match) {
			return strconv.Itoa(r.value), r.source
		}
	}
	return "", ""
}

package server

import (
	"outcrop"
	"outcrop/ledger"
)

// Costs, metrics and budgets read records in memory that is used again. In all
// tests here what they may not look at any more is spoiled: a sum of it would
// be wrong, a line of it would be nobody's.
func init() {
	ledger.Spoil = func(list []outcrop.UsageRecord) {
		for i := range list {
			list[i] = outcrop.UsageRecord{Account: "spoiled", Model: "spoiled", Region: "spoiled", Seq: 1 << 62}
			list[i].Usage.Set(outcrop.InputTokens, 1<<39)
		}
	}
}

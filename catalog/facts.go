package catalog

import (
	"time"

	"outcrop"
)

// ModelFacts are what quotas, caches and access checks need to know about a
// model beyond its listing.
type ModelFacts struct {
	Burndown     uint64         // quota tokens that one output token takes; 1 for most. Never affects the bill
	CacheMinimum outcrop.Tokens // smallest prefix a prompt cache keeps; 0 when the model is not known to cache
	MaxOutput    outcrop.Tokens // reserved when a request names no maximum; 0 when unknown
	Context      outcrop.Tokens // 0 when unknown
	MantleOnly   bool           // AWS serves it on its OpenAI-compatible endpoint only
	Retired      bool           // AWS lists it no more
	Evidence     string         // a code of data/provenance.tsv
	Quota        QuotaDefaults
	Access       Access
}

// QuotaDefaults are an account's quotas per minute while it has set no others,
// for calls across the Regions of a geography.
type QuotaDefaults struct {
	Requests, Tokens uint64 // 0: no such quota
	Since            time.Time
	Evidence         string
}

// Access is what a provider asks of an account before its models answer.
type Access struct {
	Agreement   bool // sold through AWS Marketplace; the first call starts a subscription
	UseCaseForm bool // wants Anthropic's use-case form first
}

// Facts about a model. An unknown model has the usual facts and ok is false.
func (c *Catalog) Facts(id outcrop.ModelID) (f ModelFacts, ok bool) {
	row, ok := c.models[id]
	if !ok {
		return ModelFacts{Burndown: 1}, false
	}
	f = row.facts
	f.MaxOutput, f.Context = row.MaxOutput, row.ContextWindow
	return f, true
}

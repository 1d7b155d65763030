package server

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/awsapi/historyapi"
	"outcrop/awsapi/pricingapi"
	"outcrop/cost"
	"outcrop/internal/strictyaml"
	"outcrop/pricing"
)

// BillingConfig turns what bills show.
type BillingConfig struct {
	MarketplaceStyle bool `yaml:"marketplace_style"` // models sold on AWS Marketplace are services of their own, as on real bills
	SessionTags      bool `yaml:"session_tags"`      // tags of the caller's session count where a profile lacks the key

	ExportEvery strictyaml.Duration `yaml:"export_every"` // how often exports are brought up to date; default 1h
}

// openCosts starts what turns the ledger into bills.
func (e *engines) openCosts(c *Config, log *slog.Logger) {
	e.costs = cost.New(e.ledger.Follow(), e.store.Costs(), time.Now, log)
	e.costs.Settings = cost.Settings{
		Marketplace: c.Billing.MarketplaceStyle, SessionTags: c.Billing.SessionTags,
		TagsInUse: e.store.TagKeysInUse, ProfileTags: e.store.ProfileTags,
		Quote:       func(q pricing.Query) outcrop.Quote { return e.prices.Quote(q) },
		AccountName: e.accountName(),
	}
}

// accountName is what the organisation calls an account, else its number. Bills
// ask for every line, so the answer is remembered for a minute.
func (e *engines) accountName() func(outcrop.AccountID) string {
	var mu sync.Mutex
	var since time.Time
	names := map[outcrop.AccountID]string{}
	return func(a outcrop.AccountID) string {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); now.Sub(since) > time.Minute {
			clear(names)
			since = now
		}
		name, ok := names[a]
		if !ok {
			name = string(a)
			if account, err := e.identity.Account(context.Background(), a); err == nil && account.Name != "" {
				name = account.Name
			}
			names[a] = name
		}
		return name
	}
}

// pricing is the AWS Price List API.
func (e *engines) pricing() *pricingapi.API {
	return &pricingapi.API{Catalog: e.catalog.Current, Prices: e.prices.Current, Settings: func() cost.Settings { return e.costs.Settings }, Now: time.Now}
}

// history is Outcrop's own part in the cost history.
func (e *engines) history() []awsapi.Handler {
	return (&historyapi.API{Costs: e.costs}).Operations()
}

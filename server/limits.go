package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/awsapi/budgetapi"
	"outcrop/awsapi/quotaapi"
	"outcrop/budget"
	"outcrop/catalog"
	"outcrop/cost"
	"outcrop/internal/strictyaml"
	"outcrop/quota"
	"outcrop/telemetry/notify"
)

// LaneLimits are what an upstream can take. Zero is no limit. A call that finds
// an upstream full goes to the next destination.
type LaneLimits struct {
	Concurrency       strictyaml.Whole `yaml:"concurrency"`       // calls under way at once
	TokensPerMinute   strictyaml.Whole `yaml:"tokensPerMinute"`   // input and output together
	RequestsPerMinute strictyaml.Whole `yaml:"requestsPerMinute"` // each attempt is one
}

// QuotasConfig turns the quotas of accounts, which Service Quotas shows and
// changes.
type QuotasConfig struct {
	// set (default) holds calls to the quotas that somebody has set a value
	// for; aws also to AWS's defaults; off to none.
	Enforce string `yaml:"enforce"`
	// auto (default) makes a requested value hold at once; second wants the
	// same request from another principal first.
	Approve string `yaml:"approve"`
}

// BudgetsConfig turns budgets.
type BudgetsConfig struct {
	Unpriced string     `yaml:"unpriced"` // what a hard budget does with a model that has no price: refuse (default) or allow
	SMTP     SMTPConfig `yaml:"smtp"`     // for subscribers by e-mail
}

// SMTPConfig names a mail server.
type SMTPConfig struct {
	Address  string `yaml:"address"` // host:port; empty is none
	From     string `yaml:"from"`
	User     string `yaml:"user"`
	Password string `yaml:"password"` // usually ${VAR}
	TLS      bool   `yaml:"tls"`      // from the first byte; else STARTTLS where it is offered
	CAFile   string `yaml:"caFile"`   // PEM file of authorities to trust it by, from this file's folder; default the system's
}

func (c *Config) checkLimits() error {
	setDefault(&c.Quotas.Enforce, string(quota.EnforceSet))
	setDefault(&c.Quotas.Approve, "auto")
	setDefault(&c.Budgets.Unpriced, "refuse")
	for _, x := range []struct{ key, value, a, b, c string }{
		{"quotas.enforce", c.Quotas.Enforce, "set", "aws", "off"}, {"quotas.approve", c.Quotas.Approve, "auto", "second", ""},
		{"budgets.unpriced", c.Budgets.Unpriced, "refuse", "allow", ""},
	} {
		if x.value != x.a && x.value != x.b && (x.c == "" || x.value != x.c) {
			return fmt.Errorf("%s: %q must be one of %s, %s %s", x.key, x.value, x.a, x.b, x.c)
		}
	}
	if m := c.Budgets.SMTP; m.Address != "" {
		if _, _, err := net.SplitHostPort(m.Address); err != nil {
			return fmt.Errorf("budgets.smtp.address: %q is not HOST:PORT", m.Address)
		}
		if m.From == "" {
			return errors.New("budgets.smtp.from is empty: set the address that messages come from")
		}
	}
	return nil
}

func (l LaneLimits) limits() quota.Limits {
	limit := func(n strictyaml.Whole) quota.Limit { return quota.Limit{N: uint64(n), On: n > 0} }
	return quota.Limits{Concurrent: limit(l.Concurrency), Tokens: limit(l.TokensPerMinute), Requests: limit(l.RequestsPerMinute)}
}

// laneLimits are the limits of upstreams by their names.
func laneLimits(configs map[string]UpstreamConfig) map[string]quota.Limits {
	lanes := make(map[string]quota.Limits, len(configs))
	for name, u := range configs {
		lanes[name] = u.Limits.limits()
	}
	return lanes
}

// openLimits makes what admits calls.
func (e *engines) openLimits(ctx context.Context, c *Config) (err error) {
	book := &quotaBook{of: e.catalog.Current}
	if e.limits, err = quota.OpenValues(ctx, book.current, e.store.Quotas(), quota.Enforcement(c.Quotas.Enforce)); err != nil {
		return err
	}
	e.quotas = quota.NewGate(e.limits.Limits, laneLimits(c.Upstreams))
	book.changed = e.quotas.Refresh
	e.budgets, err = budget.Open(ctx, e.ledger.Follow(), e.store.Budgets(), budget.Options{
		Now: time.Now, Bill: e.billed, History: pastSpending{e.costs}, SessionTags: c.Billing.SessionTags, AllowUnpriced: c.Budgets.Unpriced == "allow",
		Sender: notify.New(notify.SMTP(c.Budgets.SMTP)), Hand: hand{e.identity}, Log: e.log,
	})
	if err != nil {
		return fmt.Errorf("open budgets: %w", err)
	}
	return e.budgets.CatchUp(ctx) // so that no hard budget keeps its first calls waiting
}

// runLimits counts spending and sends messages in the background.
func (e *engines) runLimits(ctx context.Context) {
	e.running.Go(func() { e.budgets.Run(ctx, e.ledger.Filled) })
	e.running.Go(func() { e.budgets.Deliver(ctx) })
	e.running.Go(func() { e.watchQuotas(ctx) })
}

const quotaLookEvery = 5 * time.Second

// watchQuotas has counters follow the catalogue's defaults.
func (e *engines) watchQuotas(ctx context.Context) {
	tick := time.NewTicker(quotaLookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			e.limits.Book()
		}
	}
}

func (e *engines) serveLimits(mux *awsapi.Mux, c *Config) {
	mux.Serve("service-quotas", (&quotaapi.API{Quotas: e.limits, Manual: c.Quotas.Approve == "second", Now: time.Now, Changed: e.quotas.Refresh}).Operations()...)
	mux.Serve("budgets", (&budgetapi.API{Budgets: e.budgets, Acting: hand{e.identity}.checks}).Operations()...)
}

// burndown is how many quota tokens one output token of a model takes.
func (e *engines) burndown(id outcrop.ModelID) uint64 {
	facts, _ := e.catalog.Current().Facts(id)
	return facts.Burndown
}

// billed says what a bill shows, so that budgets filter as Cost Explorer does.
func (e *engines) billed(r *outcrop.UsageRecord, k outcrop.TokenKind, dimension string) (value string, present, known bool) {
	if !slices.Contains(budgetDimensions, cost.Dimension(dimension)) {
		return "", false, false
	}
	line := cost.LineOf(r, k)
	value, present = e.costs.Settings.Shown(&line, cost.Dimension(dimension))
	return value, present, true
}

// budgetDimensions are those of Cost Explorer that bills of models have.
var budgetDimensions = []cost.Dimension{
	cost.DimService, cost.DimServiceCode, cost.DimUsageType, cost.DimUsageTypeGroup, cost.DimOperation, cost.DimRegion, cost.DimLinkedAccount,
	cost.DimLinkedName, cost.DimRecordType, cost.DimResourceID, cost.DimBillingEntity, cost.DimLegalEntity, cost.DimInvoicingEntity, cost.DimPurchaseType,
}

// A quotaBook makes the list of quotas anew when the catalogue has changed.
type quotaBook struct {
	of      func() *catalog.Catalog
	changed func()

	mu   sync.Mutex
	from *catalog.Catalog
	book *quota.Book
}

func (b *quotaBook) current() *quota.Book {
	b.mu.Lock()
	now := b.of()
	first, same := b.from == nil, b.from == now
	if !same {
		b.from, b.book = now, quota.NewBook(quotaModels(now))
	}
	book := b.book
	b.mu.Unlock()
	if !first && !same && b.changed != nil {
		b.changed()
	}
	return book
}

// quotaModels lists the models that somebody can call, and how.
func quotaModels(c *catalog.Catalog) (list []quota.Model) {
	classes := map[outcrop.ModelID]map[outcrop.ProfileClass]bool{}
	note := func(id outcrop.ModelID, class outcrop.ProfileClass) {
		if classes[id] == nil {
			classes[id] = map[outcrop.ProfileClass]bool{}
		}
		classes[id][class] = true
	}
	for _, r := range c.Regions() {
		for _, m := range c.Models(r.Region) {
			note(m.ID, outcrop.InRegion) // AWS lists it for models that need a profile too
		}
		for _, p := range c.SystemProfiles(r.Region) {
			note(p.Model, p.Geography.Class())
		}
	}
	for id, of := range classes {
		m, ok := c.AnyModel(id)
		facts, _ := c.Facts(id)
		if !ok || facts.Quota.Tokens == 0 {
			continue
		}
		q := quota.Model{ID: id, Name: m.Provider + " " + m.Name, Requests: float64(facts.Quota.Requests), Tokens: float64(facts.Quota.Tokens), Evidence: facts.Quota.Evidence}
		for _, class := range []outcrop.ProfileClass{outcrop.InRegion, outcrop.Geographic, outcrop.GlobalClass} {
			if of[class] {
				q.Classes = append(q.Classes, class)
			}
		}
		list = append(list, q)
	}
	slices.SortFunc(list, func(x, y quota.Model) int { return cmp.Compare(x.ID, y.ID) })
	return list
}

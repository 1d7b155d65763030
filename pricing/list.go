package pricing

import (
	"cmp"
	"slices"
	"time"

	"outcrop"
)

// An Entry is one row of a price list, as it holds: a row that a later list
// speaks instead of is cut, or gone.
type Entry struct {
	Price, List  string
	Model        outcrop.ModelID
	Scope        string // in-region, @REGION, a geography, geo or global
	From, Until  time.Time
	Rates        outcrop.PerKind[outcrop.Rate]
	LongOver     outcrop.Tokens // input above which LongRates hold; 0 when they never do
	LongRates    outcrop.PerKind[outcrop.Rate]
	Tiers        []TierRates // beside the standard one
	Source, Note string
}

// TierRates are what a service tier costs.
type TierRates struct {
	Tier  string
	Rates outcrop.PerKind[outcrop.Rate]
}

// Holds says whether the entry is in force.
func (e *Entry) Holds(at time.Time) bool {
	return !at.Before(e.From) && (e.Until.IsZero() || at.Before(e.Until))
}

// Entries lists everything in the book by model, scope and time.
func (b *Book) Entries() []Entry {
	var out []Entry
	for _, rows := range b.rows {
		for _, r := range rows {
			e := Entry{Price: r.price, List: r.list, Model: r.model, Scope: r.scopeName(), From: r.from, Until: r.until, Rates: r.rates,
				LongOver: r.longOver, LongRates: r.longRates, Source: r.source, Note: r.note}
			for _, t := range r.tiers[1:] {
				e.Tiers = append(e.Tiers, TierRates{t.name, t.standard.Rates})
			}
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Scope, b.Scope), a.From.Compare(b.From))
	})
	return out
}

// Tiers lists the service tiers that have a price for q, but for the tier.
func (b *Book) Tiers(q Query) []TierRates {
	r := b.find(q)
	if r == nil {
		return nil
	}
	out := make([]TierRates, 0, len(r.tiers))
	for _, t := range r.tiers {
		if t.standard.Rates.Known() {
			out = append(out, TierRates{t.name, t.standard.Rates})
		}
	}
	return out
}

// A Change is how one price differs between two books. An empty side has no
// price.
type Change struct {
	Model    outcrop.ModelID
	Scope    string
	Tier     string // empty is standard; "long" the standard tier's long requests
	Kind     outcrop.TokenKind
	Old, New string // USD for the kind's unit; empty when there is no price
	OldPrice string // names
	NewPrice string
}

type priceKey struct {
	model outcrop.ModelID
	scope string
	tier  string
	kind  outcrop.TokenKind
}

type pricedAt struct {
	rate outcrop.Rate
	name string
}

// Diff lists what costs something else in b than in old at a time.
func (b *Book) Diff(old *Book, at time.Time) []Change {
	was, is := old.flat(at), b.flat(at)
	keys := map[priceKey]bool{}
	for k := range was {
		keys[k] = true
	}
	for k := range is {
		keys[k] = true
	}
	var out []Change
	for k := range keys {
		o, before := was[k]
		n, after := is[k]
		if before == after && o.rate == n.rate {
			continue
		}
		c := Change{Model: k.model, Scope: k.scope, Tier: k.tier, Kind: k.kind, OldPrice: o.name, NewPrice: n.name}
		if before {
			c.Old = priceText(k.kind, o.rate)
		}
		if after {
			c.New = priceText(k.kind, n.rate)
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Tier, b.Tier), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}

// priceText says free in a word, as price lists do.
func priceText(k outcrop.TokenKind, r outcrop.Rate) string {
	if r == 0 {
		return "free"
	}
	return FormatRate(k, r)
}

// flat are all prices that hold at a time.
func (b *Book) flat(at time.Time) map[priceKey]pricedAt {
	out := map[priceKey]pricedAt{}
	put := func(e *Entry, tier string, rates outcrop.PerKind[outcrop.Rate]) {
		for kind, rate := range rates.All() {
			out[priceKey{e.Model, e.Scope, tier, kind}] = pricedAt{rate, e.Price}
		}
	}
	for _, e := range b.Entries() {
		if !e.Holds(at) {
			continue
		}
		put(&e, "", e.Rates)
		put(&e, "long", e.LongRates)
		for _, t := range e.Tiers {
			put(&e, t.Tier, t.Rates)
		}
	}
	return out
}

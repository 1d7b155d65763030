package pricing

import (
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strings"
	"time"

	"outcrop"
)

// A row is one line of a price list: rates for a model in a scope, in force
// from its first instant until just before its last.
type row struct {
	key
	list, source, note string
	price              string    // its name, given once: a row cut by a later list keeps it
	from, until        time.Time // zero: open
	rates, longRates   outcrop.PerKind[outcrop.Rate]
	longOver           outcrop.Tokens                           // input above which longRates hold; 0 when they never do
	own                map[string]outcrop.PerKind[outcrop.Rate] // tiers with prices of their own
	tiers              []tierQuote                              // standard first
}

// A tierQuote is a row's answer for one service tier, worked out beforehand so
// that a lookup only copies it.
type tierQuote struct {
	name           string
	standard, long outcrop.Quote
}

func (r *row) holds(at time.Time) bool {
	return !at.Before(r.from) && (r.until.IsZero() || at.Before(r.until))
}

func (r *row) overlaps(o *row) bool {
	return (r.until.IsZero() || o.from.Before(r.until)) && (o.until.IsZero() || r.from.Before(o.until))
}

// name makes the price's name on bills: list, model, scope and, when the row
// has a first instant, that.
func (r *row) name() string {
	name := r.list + "#" + string(r.model) + "/" + r.scopeName()
	switch {
	case r.from.IsZero():
		return name
	case r.from.Equal(r.from.Truncate(24 * time.Hour)):
		return name + "/" + r.from.Format(time.DateOnly)
	}
	return name + "/" + r.from.Format(time.RFC3339)
}

func (r *row) scopeName() string {
	switch r.kind {
	case inRegion:
		return "in-region"
	case oneRegion:
		return "@" + r.scope
	case anyGeography:
		return "geo"
	case global:
		return "global"
	}
	return r.scope
}

func parseScope(s string) (scope string, kind scopeKind) {
	switch {
	case s == "" || s == "in-region":
		return "", inRegion
	case s == "geo":
		return "", anyGeography
	case s == "global":
		return "", global
	case s[0] == '@':
		return s[1:], oneRegion
	}
	return s, oneGeography
}

// A tier prices a service tier as a fraction of the standard price.
type tier struct {
	name, models string // models is an id, or a prefix that ends in "*"
	times, over  uint64
}

func (t tier) covers(id outcrop.ModelID) bool {
	prefix, any := strings.CutSuffix(t.models, "*")
	return any && strings.HasPrefix(string(id), prefix) || string(id) == t.models
}

// quote works out the answers for every tier.
func (r *row) quote(tiers []tier) error {
	r.tiers = []tierQuote{{"", outcrop.Quote{Price: r.price, Rates: r.rates}, outcrop.Quote{Price: r.price + "+long", Rates: r.longRates}}}
	for _, name := range slices.Sorted(maps.Keys(r.own)) {
		q := outcrop.Quote{Price: r.price + "+" + name, Rates: r.own[name]}
		r.tiers = append(r.tiers, tierQuote{name, q, q})
	}
	for _, t := range tiers {
		if _, own := r.own[t.name]; own || !t.covers(r.model) {
			continue
		}
		standard, err := scale(r.rates, t)
		if err != nil {
			return fmt.Errorf("%s: tier %s: %w", r.price, t.name, err)
		}
		long, err := scale(r.longRates, t)
		if err != nil {
			return fmt.Errorf("%s: tier %s: %w", r.price, t.name, err)
		}
		r.tiers = append(r.tiers, tierQuote{t.name,
			outcrop.Quote{Price: r.price + "+" + t.name, Rates: standard},
			outcrop.Quote{Price: r.price + "+long+" + t.name, Rates: long}})
	}
	return nil
}

// scale multiplies each rate by times/over. What a whole number of
// pico-dollars cannot say is rounded half up: half a pico-dollar per token at
// most.
func scale(rates outcrop.PerKind[outcrop.Rate], t tier) (scaled outcrop.PerKind[outcrop.Rate], err error) {
	for kind, rate := range rates.All() {
		hi, lo := bits.Mul64(uint64(rate), t.times)
		lo, carry := bits.Add64(lo, t.over/2, 0)
		if hi+carry >= t.over {
			return scaled, fmt.Errorf("rate %s is too large", rate)
		}
		quotient, _ := bits.Div64(hi+carry, lo, t.over)
		if quotient > math.MaxInt64 {
			return scaled, fmt.Errorf("rate %s is too large", rate)
		}
		scaled.Set(kind, outcrop.Rate(quotient))
	}
	return scaled, nil
}

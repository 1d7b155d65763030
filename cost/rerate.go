package cost

import (
	"cmp"
	"context"
	"slices"
	"time"

	"outcrop"
	"outcrop/pricing"
)

// A Rerating says which part of the history to price again, from the price
// book that holds now.
type Rerating struct {
	Period  Period
	Name    string // of the version to make; empty for one with the time in it
	Comment string
	Apply   bool // false: only say what would change
}

// A Reprice is what changes for one sort of usage.
type Reprice struct {
	Model     outcrop.ModelID
	Geography outcrop.Geography
	Region    outcrop.Region
	Tier      string
	Kind      outcrop.TokenKind
	UsageType string
	Tokens    outcrop.Tokens
	Old, New  Priced
}

// A Priced is a price and what it makes of the usage. Name is empty when no
// price is known; the cost is unknown then.
type Priced struct {
	Name string
	Rate outcrop.Rate
	Cost outcrop.Money
}

// A Rerated is the answer: what changes, largest usage first, and the sums over
// everything in the period, changed or not.
type Reratings struct {
	Changes  []Reprice
	Old, New outcrop.Money
	Unpriced [2]outcrop.Tokens // tokens without a price, before and after
	Version  *Version          // that was made; nil when nothing was applied
}

// Rerate prices a period again. Prices are those at the beginning of each hour.
// What has been recorded stays; applied, the new prices are a version of the
// history. Whatever the book has no price for keeps the one it was billed at.
func (c *Costs) Rerate(ctx context.Context, account outcrop.AccountID, r Rerating) (*Reratings, error) {
	if c.Settings.Quote == nil {
		return nil, outcrop.Errorf(outcrop.Unavailable, "There is no price book to price usage with")
	}
	now := c.now().UTC()
	if !r.Period.Start.Before(r.Period.End) || r.Period.Start.After(now) {
		return nil, outcrop.Errorf(outcrop.Invalid, "The period to price again must begin in the past and before it ends")
	}
	if limit := now.Truncate(time.Hour).Add(time.Hour); r.Period.End.After(limit) {
		r.Period.End = limit
	}
	if err := c.fresh(ctx); err != nil {
		return nil, err
	}
	have, err := c.Versions(ctx, account)
	if err != nil {
		return nil, err
	}
	d := &repricer{costs: c, segments: map[rateKey]*RateChange{}, changes: map[repriceKey]*Reprice{}}
	if err := d.walk(ctx, account, have, r.Period); err != nil {
		return nil, err
	}
	out := d.result()
	if !r.Apply {
		return out, nil
	}
	v := &Version{Name: cmp.Or(r.Name, freeName(have, "rerate", now)), Kind: Rerated, From: r.Period.Start, To: r.Period.End, Created: now, Rates: d.rates()}
	if err := c.addVersion(ctx, account, v); err != nil {
		return nil, err
	}
	out.Version = v
	return out, nil
}

type repriceKey struct {
	rateKey
	oldPrice, newPrice string
	oldRate, newRate   outcrop.Rate
}

// A repricer finds out, hour by hour, what a period costs anew.
type repricer struct {
	costs    *Costs
	segments map[rateKey]*RateChange
	changes  map[repriceKey]*Reprice
	sums     Reratings
}

func (d *repricer) walk(ctx context.Context, account outcrop.AccountID, have history, p Period) error {
	hours, err := p.hours()
	if err != nil {
		return err
	}
	for s, err := range d.costs.walk(ctx, account, have, hours) {
		if err != nil {
			return err
		}
		if s.Tokens > 0 {
			d.add(s, HourOf(hours[s.period].Start))
		}
	}
	return nil
}

// hours cuts a period into hours, or into days when that would be too many.
func (p Period) hours() (out []Period, err error) {
	if p.End.Sub(p.Start) > maxRerateDays*24*time.Hour {
		return nil, outcrop.Errorf(outcrop.Invalid, "At most %d days can be priced again at once", maxRerateDays)
	}
	for at := p.Start.Truncate(time.Hour); at.Before(p.End); at = at.Add(time.Hour) {
		out = append(out, Period{at, at.Add(time.Hour)})
	}
	return out, nil
}

const maxRerateDays = 400

func (d *repricer) add(s sum, hour int64) {
	segment := d.price(&s.entry.Line, hour)
	old := Priced{Name: s.Price, Rate: s.Rate}
	if s.Priced {
		old.Cost = s.Rate.For(s.Tokens)
	} else {
		old.Name = ""
		d.sums.Unpriced[0] += s.Tokens
	}
	fresh := old
	if segment.Priced {
		fresh = Priced{segment.Price, segment.Rate, segment.Rate.For(s.Tokens)}
	} else if old.Name == "" {
		d.sums.Unpriced[1] += s.Tokens
	}
	d.sums.Old, d.sums.New = d.sums.Old.Add(old.Cost), d.sums.New.Add(fresh.Cost)
	if old.Name == fresh.Name && old.Rate == fresh.Rate {
		return
	}
	key := repriceKey{s.entry.rateKey(), old.Name, fresh.Name, old.Rate, fresh.Rate}
	x := d.changes[key]
	if x == nil {
		l := s.entry.Line
		x = &Reprice{Model: l.Model, Geography: l.Geography, Region: l.Region, Tier: l.Tier, Kind: l.Kind, UsageType: d.costs.Settings.UsageType(&l),
			Old: Priced{Name: old.Name, Rate: old.Rate}, New: Priced{Name: fresh.Name, Rate: fresh.Rate}}
		d.changes[key] = x
	}
	x.Tokens += s.Tokens
	x.Old.Cost, x.New.Cost = x.Old.Cost.Add(old.Cost), x.New.Cost.Add(fresh.Cost)
}

// price is the price that holds for a line at the beginning of an hour.
func (d *repricer) price(l *Line, hour int64) RateSegment {
	key := l.rateKey()
	change := d.segments[key]
	if change == nil {
		change = &RateChange{Model: l.Model, Geography: l.Geography, Region: l.Region, Tier: l.Tier, Input: l.Input, Kind: l.Kind}
		d.segments[key] = change
	}
	quote := d.costs.Settings.Quote(pricing.Query{
		Model: l.Model, Geography: l.Geography, Region: l.Region, At: HourTime(hour), Tier: l.Tier, Input: l.Input.Input(),
	})
	at := RateSegment{From: hour, Price: quote.Price}
	if at.Rate, at.Priced = quote.Rate(l.Kind); !at.Priced {
		at.Price = ""
	}
	last := len(change.Segments) - 1
	if last < 0 || change.Segments[last].Price != at.Price || change.Segments[last].Rate != at.Rate {
		change.Segments = append(change.Segments, at)
	}
	return at
}

// rates are the segments of what has a price. Usage without one keeps its own.
func (d *repricer) rates() []RateChange {
	var out []RateChange
	for _, change := range d.segments {
		out = append(out, *change)
	}
	slices.SortFunc(out, func(a, b RateChange) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Geography, b.Geography),
			cmp.Compare(a.Tier, b.Tier), cmp.Compare(a.Input, b.Input), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}

func (d *repricer) result() *Reratings {
	for _, x := range d.changes {
		d.sums.Changes = append(d.sums.Changes, *x)
	}
	slices.SortFunc(d.sums.Changes, func(a, b Reprice) int {
		return cmp.Or(cmp.Compare(b.Tokens, a.Tokens), cmp.Compare(a.UsageType, b.UsageType), cmp.Compare(a.Old.Name, b.Old.Name), cmp.Compare(a.New.Name, b.New.Name))
	})
	return &d.sums
}
